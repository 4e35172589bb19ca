"""Moderation by a list of words, in `moderation.toml`: no service, no cost, and only the plainest cases."""

from __future__ import annotations

import re
import tomllib
import unicodedata
from functools import cache
from pathlib import Path

from shoal.domain.text import is_blank
from shoal.ports.moderation import Verdict

LIST_FILE = Path(__file__).parents[2] / "moderation.toml"
_GAP = re.compile(r"[\W_]+")


class KeywordModerator:
    """Implements the `Moderator` port. `terms` are words and phrases by category."""

    def __init__(self, terms: dict[str, list[str]]) -> None:
        self._patterns = {
            category: re.compile("|".join(rf" {re.escape(_plain(term))} " for term in words))
            for category, words in terms.items()
            if words
        }

    def check(self, text: str) -> Verdict:
        """Whole words only, whatever their case, accents or the characters between them."""
        plain = f" {_plain(text)} "
        found = sorted(category for category, pattern in self._patterns.items() if pattern.search(plain))
        return Verdict(bool(found), tuple(found))


@cache
def _lookalikes() -> dict[int, str]:
    """By code point, the letter that each of them looks like."""
    letters: dict[str, str] = tomllib.loads(LIST_FILE.read_text(encoding="utf-8"))["lookalikes"]
    return {ord(each): letter for letter, alike in letters.items() for each in alike}


@cache
def listed_terms(path: Path = LIST_FILE) -> dict[str, list[str]]:
    """The list. Raises `tomllib.TOMLDecodeError`."""
    terms: dict[str, list[str]] = tomllib.loads(path.read_text(encoding="utf-8"))["terms"]
    return terms


def _plain(text: str) -> str:
    """What is seen: small letters and digits, without marks nor what shows nothing (NFKD, folded)."""
    apart = unicodedata.normalize("NFKD", text).translate(_lookalikes()).casefold()
    bare = "".join(char for char in apart if char.isspace() or not is_blank(char))
    return _GAP.sub(" ", bare).strip()
