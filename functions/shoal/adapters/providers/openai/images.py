"""OpenAI's pictures, both ways: answered at once, or made in the background with a webhook at the end.

https://platform.openai.com/docs/api-reference/images and /responses. Neither takes a seed, a negative
prompt or an idempotency key.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Any

from shoal.adapters.providers.kit import standard_webhooks
from shoal.adapters.providers.kit.at_once import AtOnce
from shoal.adapters.providers.kit.fields import checked_ref, data_uri, media_type
from shoal.adapters.providers.kit.http import Reply
from shoal.adapters.providers.kit.routed import form_text, is_file
from shoal.adapters.providers.kit.wording import prompt_of
from shoal.adapters.providers.openai import responses
from shoal.adapters.providers.openai.http import IMAGE_READ_SECONDS, OpenAiHttp, check
from shoal.domain.errors import CallbackRefused, ProviderFailed
from shoal.domain.provider import Answer, Done, Pending, ProviderOutput, ProviderRequest

POLL_SECONDS = 5
SIDE_STEP_PX = 16
SIDE_RATIO_MAX = 3
LONG_SIDE_PX_MAX, SHORT_SIDE_PX_MAX = 3840, 2160
_REF = re.compile(r"resp_[A-Za-z0-9_-]{1,200}")


class OpenAiImages(AtOnce):
    """Implements the `Provider` port by /images/generations and /images/edits.

    `quality` is one of low, medium, high, auto (and xhigh, max of some models).
    """

    def __init__(self, http: OpenAiHttp, *, quality: str = "auto") -> None:
        self._http = http
        self._quality = quality

    def test(self) -> str:
        return self._http.test()

    def start(self, request: ProviderRequest) -> Answer:
        said = self._plain(request) or _without_files(request)
        fields = {"model": request.provider_model, "n": 1, **said}
        if files := _files(request):
            data = {name: form_text(value) for name, value in fields.items()}
            sent: dict[str, Any] = {"data": data, "files": files}
            reply = self._http.post("/images/edits", read_s=IMAGE_READ_SECONDS, **sent)
        else:
            reply = self._http.post("/images/generations", read_s=IMAGE_READ_SECONDS, json=fields)
        match reply.json():
            case {"data": [{"b64_json": str(picture)}, *_]} as made:
                return Done(ProviderOutput(file=reply.decode_base64(picture), content_type=_kind(made)))
        raise reply.lost_answer("its answer carries no picture")

    def _plain(self, request: ProviderRequest) -> dict[str, Any]:
        """What a request says where its route has no input; nothing where it has one."""
        if request.input is not None:
            return {}
        return {
            "prompt": prompt_of(request),
            "size": size_of(request),
            "quality": self._quality,
            "output_format": "png",
        }


class OpenAiBackground:
    """Implements the `Provider` port by a background Response that calls the image tool.

    `writer_model` is the text model that hands the prompt to the tool; the request's `provider_model` is
    the tool's. `webhook_secret` is the project's, `whsec_…`: OpenAI posts all events to one address.
    """

    idempotent = False

    def __init__(
        self,
        http: OpenAiHttp,
        *,
        writer_model: str,
        webhook_secret: Callable[[], str],
        quality: str = "auto",
    ) -> None:
        self._http = http
        self._writer_model = writer_model
        self._webhook_secret = webhook_secret
        self._quality = quality

    def test(self) -> str:
        return self._http.test()

    def start(self, request: ProviderRequest) -> Answer:
        how = {"size": size_of(request), "quality": self._quality, "output_format": "png"}
        if request.input is not None:
            how = {name: value for name, value in _without_files(request).items() if name != "prompt"}
        tool = {"type": "image_generation", "model": request.provider_model, **how}
        fields = {
            "model": self._writer_model,
            "input": _input(request),
            "background": True,
            "store": True,
            "tools": [tool],
            "tool_choice": "required",
        }
        return self._answer(self._http.post("/responses", json=fields))

    def check(self, ref: str, request: ProviderRequest) -> Answer:  # noqa: ARG002 (the port's signature)
        reply = self._http.try_send("GET", f"/responses/{checked_ref(ref, _REF)}")
        if reply.status == 404:
            raise ProviderFailed("The provider knows no such work.")
        check(reply)
        return self._answer(reply)

    def parse_callback(self, headers: Mapping[str, str], body: bytes, now_ms: int) -> Answer:
        """The event names a Response that has ended, however it did; any other genuine event names none."""
        standard_webhooks.verify(standard_webhooks.key(self._webhook_secret()), headers, body, now_ms)
        match standard_webhooks.event(body):
            case {"type": str(kind), "data": {"id": str(ref)}} if kind.startswith("response."):
                return Pending(ref if _REF.fullmatch(ref) else None, 0)
            case {"type": str()}:
                return Pending(None, 0)
        raise CallbackRefused("the body is not an event")

    def bills_called_off(self, request: ProviderRequest) -> bool:  # noqa: ARG002 (the port's signature)
        """OpenAI does not say."""
        return True

    def cancel(self, ref: str) -> None:
        reply = self._http.try_send("POST", f"/responses/{checked_ref(ref, _REF)}/cancel")
        if reply.status not in (400, 404, 409):  # it has ended, or is forgotten
            check(reply)

    def _answer(self, reply: Reply) -> Answer:
        match reply.json():
            case {"id": str(ref), "status": "completed" | "failed" | "cancelled" | "incomplete"} as response:
                known = ref if _REF.fullmatch(ref) else None
                return Done(_picture(reply, response), known)
            case {"id": str(ref), "status": str()} if _REF.fullmatch(ref):
                return Pending(ref, POLL_SECONDS)
        raise reply.lost_answer("its answer is no Response")


def _picture(reply: Reply, response: Mapping[str, Any]) -> ProviderOutput:
    """The picture of a Response that has ended. Raises why there is none."""
    for item in responses.items(response):
        if item.get("type") == "image_generation_call" and item.get("result"):
            return ProviderOutput(file=reply.decode_base64(item["result"]), content_type=_kind(item))
    raise ProviderFailed("The provider delivered no image.")


def size_of(request: ProviderRequest) -> str:
    """The nearest size that gpt-image-2 and later draw: steps of 16 px, 1:3 to 3:1, at most 3840x2160."""
    width, height = request.brief.width_px, request.brief.height_px
    long, short = max(width, height), min(width, height)
    short = max(short, -(-long // SIDE_RATIO_MAX))
    scale = min(1.0, LONG_SIDE_PX_MAX / long, SHORT_SIDE_PX_MAX / short)
    long, short = (
        min(most, max(SIDE_STEP_PX, round(side * scale / SIDE_STEP_PX) * SIDE_STEP_PX))
        for side, most in ((long, LONG_SIDE_PX_MAX), (short, SHORT_SIDE_PX_MAX))
    )
    long = min(long, short * SIDE_RATIO_MAX)
    return f"{long}x{short}" if width >= height else f"{short}x{long}"


def _input(request: ProviderRequest) -> str | list[dict[str, Any]]:
    text = prompt_of(request) if request.input is None else str(request.input.get("prompt", ""))
    pictures = [data for _, (_, data, _) in _files(request)]
    if not pictures:
        return text
    image = {"type": "input_image", "detail": "auto"}
    images = [image | {"image_url": data_uri(picture)} for picture in pictures]
    return [{"role": "user", "content": [{"type": "input_text", "text": text}, *images]}]


def _without_files(request: ProviderRequest) -> dict[str, Any]:
    """What a route's input says beside its files."""
    return {name: value for name, value in (request.input or {}).items() if not is_file(value)}


def _files(request: ProviderRequest) -> list[tuple[str, tuple[str, bytes, str]]]:
    """The files of a form by the names of its parts: pictures are a list there, a mask is one."""
    if request.input is None:
        return [("image[]", _file(picture, media_type(picture))) for picture in request.inputs]
    return [
        ("image[]" if name == "image" else name, _file(each.data, each.content_type))
        for name, value in request.input.items()
        if is_file(value)
        for each in (value if isinstance(value, list | tuple) else [value])
    ]


def _file(picture: bytes, content_type: str) -> tuple[str, bytes, str]:
    return f"picture.{content_type.partition('/')[2]}", picture, content_type


def _kind(made: Mapping[str, Any]) -> str:
    """The type of a picture, as its answer says; empty if it does not."""
    return f"image/{made['output_format']}" if made.get("output_format") in ("png", "jpeg", "webp") else ""
