"""Gemini's clips by Interactions, https://ai.google.dev/gemini-api/docs/interactions: started, then awaited.

Clips lie behind the key for two days, so they are fetched here; their addresses are given to nobody.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Any

from shoal.adapters.providers.gemini.callbacks import GeminiCallbacks
from shoal.adapters.providers.gemini.http import BLOCKED, check, test
from shoal.adapters.providers.kit.fields import Inline, checked_ref, media_type, nearest_ratio, objects
from shoal.adapters.providers.kit.http import ProviderHttp, Reply
from shoal.adapters.providers.kit.refusals import is_content_refusal
from shoal.adapters.providers.kit.routed import routed_input
from shoal.adapters.providers.kit.wording import prompt_of
from shoal.domain.errors import (
    REFUSED_BY_MODERATION,
    ProviderFailed,
    ProviderRejected,
    ProviderUnusable,
    ShoalError,
)
from shoal.domain.provider import Answer, Done, Pending, ProviderOutput, ProviderRequest, StagedInput

POLL_SECONDS = 10
FILE_POLL_SECONDS = 3
FILE_READ_SECONDS = 60.0
ASPECT_RATIOS = ("16:9", "9:16")
RESOLUTIONS_PX = {"360p": 360, "720p": 720, "1080p": 1080, "4k": 2160}
_REF = re.compile(r"[A-Za-z0-9_-]{1,200}")
_FILE = re.compile(r"/(files/[A-Za-z0-9_-]{1,100})(?::download)?$")


class GeminiVideos:
    """Implements the `Provider` port.

    `webhook_secret` is that of a webhook registered for the whole project, empty if there is none; each
    clip's own callbacks are signed with Google's published keys.
    """

    idempotent = False

    def __init__(self, http: ProviderHttp, *, webhook_secret: Callable[[], str]) -> None:
        self._http = http
        self._callbacks = GeminiCallbacks(http, webhook_secret)

    def test(self) -> str:
        return test(self._http)

    def start(self, request: ProviderRequest) -> Answer:
        fields = _fields(request) if request.input is None else routed_input(request.input, _content)
        own = {
            "model": request.provider_model,
            "background": True,
            "store": True,
            "webhook_config": {
                "uris": [request.callback_url],
                "user_metadata": {"output": request.idempotency_key},
            },
        }
        reply = self._http.send("POST", "/interactions", json=fields | own)
        check(reply)
        return self._answer(reply)

    def check(self, ref: str, request: ProviderRequest) -> Answer:  # noqa: ARG002 (the port's signature)
        reply = self._http.send("GET", f"/interactions/{checked_ref(ref, _REF)}")
        if reply.status == 404:
            raise ProviderFailed("The provider knows no such work.")
        check(reply)
        return self._answer(reply)

    def parse_callback(self, headers: Mapping[str, str], body: bytes, now_ms: int) -> Answer:
        """The event names an interaction that has ended; any other genuine event names none."""
        ref = self._callbacks.ref(headers, body, now_ms)
        return Pending(ref if ref and _REF.fullmatch(ref) else None, 0)

    def bills_called_off(self, request: ProviderRequest) -> bool:  # noqa: ARG002 (the port's signature)
        """Google does not say."""
        return True

    def cancel(self, ref: str) -> None:
        reply = self._http.send("POST", f"/interactions/{checked_ref(ref, _REF)}/cancel", repeatable=True)
        if reply.status not in (400, 404, 409):  # it has ended, or is forgotten
            check(reply)

    def _answer(self, reply: Reply) -> Answer:
        match reply.json():
            case {"id": str(ref), "status": "completed"} as interaction:
                return self._clip(reply, ref, interaction)
            case {"status": "failed" | "cancelled" | "incomplete" | "requires_action"} as interaction:
                raise _failure(interaction)
            case {"status": "requires_continuation"}:
                raise ProviderFailed("The provider failed to generate the video.")
            case {"status": "budget_exceeded"}:
                raise ProviderUnusable("gemini: the budget of the interaction is exceeded")
            case {"id": str(ref), "status": str()} if _REF.fullmatch(ref):
                return Pending(ref, POLL_SECONDS)
        raise reply.lost_answer("its answer is no interaction")

    def _clip(self, reply: Reply, ref: str, interaction: Mapping[str, Any]) -> Answer:
        for step in objects(interaction.get("steps")):
            for content in objects(step.get("content")) if step.get("type") == "model_output" else ():
                match content:
                    case {"type": "video", "data": str(data)}:
                        return Done(ProviderOutput(file=reply.decode_base64(data)))
                    case {"type": "video", "uri": str(uri)}:
                        return self._fetch(ref, uri)
        raise ProviderFailed("The provider delivered no video.")

    def _fetch(self, ref: str, uri: str) -> Answer:
        """The file once it is ready. An address elsewhere needs no key: the output is fetched from it."""
        if not self._http.is_own(uri):
            return Done(ProviderOutput(url=uri))
        named = _FILE.search(uri.partition("?")[0])
        if named:
            file = self._http.send("GET", f"/{named[1]}")
            _check_file(file)
            match file.json():
                case {"state": "PROCESSING"}:
                    return Pending(ref, FILE_POLL_SECONDS)
                case {"state": "FAILED"}:
                    raise ProviderFailed("The provider failed to generate the video.")
        clip = self._http.download(uri, read_s=FILE_READ_SECONDS)
        if isinstance(clip, str):
            return Done(ProviderOutput(url=clip))
        _check_file(clip)
        return Done(ProviderOutput(file=clip.file("video")))


def _fields(request: ProviderRequest) -> dict[str, Any]:
    pictures = [
        {"type": "image", "data": Inline(picture), "mime_type": media_type(picture)}
        for picture in request.inputs
    ]
    # As with pictures: the smallest size of at least four fifths of the request's. 4k costs a multiple.
    enough_px = min(request.brief.width_px, request.brief.height_px) * 0.8
    form = {
        "type": "video",
        "aspect_ratio": nearest_ratio(request.brief.width_px, request.brief.height_px, ASPECT_RATIOS),
        "resolution": next((name for name, px in RESOLUTIONS_PX.items() if enough_px <= px), "4k"),
        "delivery": "uri",
    }
    if request.seconds is not None:
        form["duration"] = f"{request.seconds}s"
    return {
        "input": [*pictures, {"type": "text", "text": prompt_of(request)}],
        "response_format": form,
        "generation_config": {
            "video_config": {"task": "image_to_video" if pictures else "text_to_video"},
        },
    }


def _content(file: StagedInput) -> dict[str, Any]:
    kind = file.content_type
    return {"type": kind.partition("/")[0], "data": Inline(file.data), "mime_type": kind}


def _failure(interaction: Mapping[str, Any]) -> ShoalError:
    if any(map(_is_refusal, objects(interaction.get("errors")))):
        return ProviderRejected(REFUSED_BY_MODERATION)
    return ProviderFailed("The provider failed to generate the video.")


def _is_refusal(error: Mapping[str, Any]) -> bool:
    return str(error.get("code")).upper() in BLOCKED or is_content_refusal(str(error.get("message")))


def _check_file(reply: Reply) -> None:
    if reply.status in (403, 404, 410):  # 403 is also how a file that is gone is answered
        raise ProviderFailed("The provider's output has expired.")
    check(reply)
