"""Gemini's pictures by generateContent, https://ai.google.dev/gemini-api/docs/image-generation.

A picture that was blocked is a 200 without a picture: the reason is told in the body.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from math import sqrt
from typing import Any

from shoal.adapters.providers.gemini.http import BLOCKED, check, test
from shoal.adapters.providers.kit.at_once import AtOnce
from shoal.adapters.providers.kit.fields import Inline, media_type, nearest_ratio, objects
from shoal.adapters.providers.kit.http import ProviderHttp, Reply
from shoal.adapters.providers.kit.routed import routed_input
from shoal.adapters.providers.kit.wording import prompt_of
from shoal.domain.errors import REFUSED_BY_MODERATION, ProviderFailed, ProviderRejected
from shoal.domain.provider import Answer, Done, ProviderOutput, ProviderRequest

READ_SECONDS = 170.0
ASPECT_RATIOS = ("1:1", "2:3", "3:2", "3:4", "4:3", "9:16", "16:9", "21:9")
SIDES_PX = {"1K": 1024, "2K": 2048, "4K": 4096}
"""The side of a square of each size."""


class GeminiImages(AtOnce):
    """Implements the `Provider` port. There is no seed; the picture's size is the nearest on offer."""

    def __init__(self, http: ProviderHttp) -> None:
        self._http = http

    def test(self) -> str:
        return test(self._http)

    def start(self, request: ProviderRequest) -> Answer:
        path = f"/models/{request.provider_model}:generateContent"
        reply = self._http.send("POST", path, json=_fields(request), read_s=READ_SECONDS)
        check(reply)
        return Done(_picture(reply))


def _fields(request: ProviderRequest) -> dict[str, Any]:
    if request.input is not None:
        return routed_input(
            request.input, lambda file: {"mimeType": file.content_type, "data": Inline(file.data)}
        )
    parts: list[dict[str, Any]] = [{"text": prompt_of(request)}]
    parts += [{"inlineData": {"mimeType": media_type(each), "data": Inline(each)}} for each in request.inputs]
    ratio = nearest_ratio(request.brief.width_px, request.brief.height_px, ASPECT_RATIOS)
    image = {"aspectRatio": ratio, "imageSize": _size(request)}
    return {
        "contents": [{"role": "user", "parts": parts}],
        "generationConfig": {"responseModalities": ["IMAGE"], "imageConfig": image},
    }


def _picture(reply: Reply) -> ProviderOutput:
    answer = reply.json()
    match answer:
        case {"promptFeedback": {"blockReason": str()}}:
            raise ProviderRejected(REFUSED_BY_MODERATION)
        case {"candidates": [dict(candidate), *_]}:
            for part in _parts(candidate):
                match part:
                    case {"inlineData": {"mimeType": str(kind), "data": data}} if kind.startswith("image/"):
                        return ProviderOutput(file=reply.decode_base64(data), content_type=kind)
            found = any(rating.get("blocked") for rating in objects(candidate.get("safetyRatings")))
            if found or str(candidate.get("finishReason")) in BLOCKED:
                raise ProviderRejected(REFUSED_BY_MODERATION)
            raise ProviderFailed("The provider delivered no image.")
    raise reply.lost_answer("its answer has no candidate")


def _parts(candidate: Mapping[str, Any]) -> Iterator[Mapping[str, Any]]:
    """What the model shows; its thoughts, sketches among them, are not the answer."""
    match candidate.get("content"):
        case {"parts": parts}:
            yield from (part for part in objects(parts) if not part.get("thought"))


def _size(request: ProviderRequest) -> str:
    """The smallest size of at least four fifths of the request's, by the side of a square of its area."""
    side_px = sqrt(request.brief.width_px * request.brief.height_px)
    return next((name for name, offered_px in SIDES_PX.items() if side_px * 0.8 <= offered_px), "4K")
