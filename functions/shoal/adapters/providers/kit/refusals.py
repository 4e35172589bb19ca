"""Whether a provider's free text says that a content filter refused the request."""

from __future__ import annotations

import re

_REFUSED = re.compile(
    r"\bNSFW content (?:was )?detected|\bcontained NSFW content|\(E005\)|"
    r"\b(?:blocked|filtered|flagged|refused|rejected) (?:as|by|for|due to|because of) (?:\w+ ){0,3}"
    r"(?:content (?:filter|moderation|polic)|moderation|nsfw|prohibited|responsible ai|safety|sensitive)|"
    r"\bmoderation (?:blocked|flagged|refused|rejected)|\b(?:content|request) moderated\b|"
    r"\b(?:conflicts? with|violat\w+) (?:\w+ ){0,4}(?:(?:our|ai|content|safety|usage|use) polic|aup\b)|"
    r"\bprohibited content\b",
    re.IGNORECASE,
)
"""Whole phrases: a word proves nothing, as a model that cannot load its safety checker also names it."""


def is_content_refusal(said: str) -> bool:
    """Where a code tells it, look at that instead."""
    return bool(_REFUSED.search(said))
