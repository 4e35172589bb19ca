"""How requests are put to models that know fewer words than Shoal."""

from __future__ import annotations

from shoal.domain.provider import ProviderRequest


def prompt_of(request: ProviderRequest) -> str:
    """The prompt, with what to avoid in words, for models that take no negative prompt."""
    avoided = f"\n\nAvoid: {request.brief.negative_prompt}" if request.brief.negative_prompt else ""
    return request.brief.prompt + avoided
