"""What an OpenAI Response that has ended holds, or why it holds nothing.

The items of `output` come in no fixed order (a reasoning item may come first): they are told by their type.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from shoal.adapters.providers.kit.fields import objects
from shoal.adapters.providers.openai.http import failure
from shoal.domain.errors import REFUSED_BY_MODERATION, ProviderFailed, ProviderRejected


def items(response: Mapping[str, Any]) -> Iterator[Mapping[str, Any]]:
    """The items of a completed Response. Raises why it is not complete, or a refusal among the items."""
    match response:
        case {"error": dict(error)}:
            raise failure(error)
        case {"incomplete_details": {"reason": "content_filter"}}:
            raise ProviderRejected(REFUSED_BY_MODERATION)
        case {"status": "completed", "output": [*output]}:
            for item in objects(output):
                _raise_if_refused(item)
                yield item
        case _:
            raise ProviderFailed("The provider failed to generate the output.")


def text(response: Mapping[str, Any]) -> str:
    """All text of a completed Response."""
    return "".join(
        str(part.get("text", ""))
        for item in items(response)
        if item.get("type") == "message"
        for part in objects(item.get("content"))
        if part.get("type") == "output_text"
    )


def _raise_if_refused(item: Any) -> None:
    match item:
        case {"type": "message", "content": [*parts]}:
            if any(part.get("type") == "refusal" for part in objects(parts)):
                raise ProviderRejected(REFUSED_BY_MODERATION)
        case {"type": "image_generation_call", "error": dict(error)}:
            raise failure(error)
