"""Stability AI's pictures, https://platform.stability.ai/docs/api-reference, version 2 beta.

Answers are the picture's bytes. A picture that was filtered is a 200 with a blurred one: a header tells.
There are no idempotency keys and no callbacks: a POST whose answer is lost is `OutcomeUnknown`.

The request's model is `core`, `ultra`, one of sd3's (`sd3.5-large`, …), or the path of an operation, such as
`edit/inpaint`: one that takes its time, such as `upscale/creative`, is asked for until it is there.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Any
from urllib.parse import urljoin

from shoal.adapters.providers.kit.at_once import AtOnce
from shoal.adapters.providers.kit.fields import checked_ref, media_type, nearest_ratio, seed_of
from shoal.adapters.providers.kit.http import ProviderHttp, Reply, bearer
from shoal.adapters.providers.kit.routed import form_text
from shoal.domain import errors
from shoal.domain.provider import Answer, Done, Pending, ProviderOutput, ProviderRequest, StagedInput

BASE_URL = "https://api.stability.ai/v2beta"
BALANCE_PATH = "/v1/user/balance"
"""Of the API's first version, which is where it is."""

READ_SECONDS = 120.0
POLL_SECONDS = 10
LOCK_OUT_SECONDS = 60
"""How long a key is shut out that asked more than 150 times in 10 s."""

RATIOS = ("21:9", "16:9", "3:2", "5:4", "1:1", "4:5", "2:3", "9:16", "9:21")
SEEDS = 4_294_967_295
STRENGTH = "0.65"
"""How far an edit may go from its picture: 0 changes nothing, 1 ignores it."""

_REF = re.compile(r"[0-9a-f]{64}")


class Stability(AtOnce):
    """Implements the `Provider` port."""

    def __init__(self, key: Callable[[], str], base_url: str = BASE_URL) -> None:
        self._http = ProviderHttp("stability", base_url, headers=bearer(key))

    def test(self) -> str:
        """The key's balance, in words for the operator. Raises as `start` does."""
        reply = self._http.send("GET", urljoin(self._http.base_url, BALANCE_PATH))
        _check(reply)
        return f"{reply.json().get('credits')} credits"

    def start(self, request: ProviderRequest) -> Answer:
        model = request.provider_model
        operation = "/" in model
        path = model if operation else f"generate/{model if model in ('core', 'ultra') else 'sd3'}"
        reply = self._http.send(
            "POST",
            f"/stable-image/{path}",
            files=_form(request),
            headers={"Accept": "application/json" if operation else "image/*"},
            read_s=READ_SECONDS,
        )
        _check(reply)
        if not operation:
            return Done(_picture(reply))
        match reply.json():
            case {"id": str(ref)} if _REF.fullmatch(ref):
                return Pending(ref, POLL_SECONDS)
            case {"image": str(picture), "finish_reason": str(reason)}:
                _check_reason(reason)
                return Done(ProviderOutput(file=reply.decode_base64(picture)))
        raise reply.lost_answer("its answer names no work")

    def check(self, ref: str, request: ProviderRequest) -> Answer:  # noqa: ARG002 (the port's signature)
        """Results are kept for 24 h, and then forgotten."""
        reply = self._http.send("GET", f"/results/{checked_ref(ref, _REF)}", headers={"Accept": "image/*"})
        if reply.status == 404:
            raise errors.ProviderFailed("The provider knows no such work.")
        _check(reply)
        if reply.status == 202:
            return Pending(ref, POLL_SECONDS)
        return Done(_picture(reply))


def _form(request: ProviderRequest) -> Mapping[str, Any]:
    """The form's parts; `requests` sends multipart only for files, so fields are files without a name."""
    model, pictures = request.provider_model, request.inputs
    if request.input is not None:
        own = {"model": model} if model.startswith("sd3") else {}
        return {name: _part(value) for name, value in {**request.input, **own}.items()}
    fields = {"prompt": request.brief.prompt, "output_format": "png"}
    if request.brief.negative_prompt:
        fields["negative_prompt"] = request.brief.negative_prompt
    if (seed := seed_of(request, SEEDS)) is not None:
        fields["seed"] = str(seed)
    if model.startswith("sd3"):
        fields |= {"model": model, "mode": "image-to-image" if pictures else "text-to-image"}
    if not pictures:
        fields["aspect_ratio"] = nearest_ratio(request.brief.width_px, request.brief.height_px, RATIOS)
    elif "/" not in model:
        fields["strength"] = STRENGTH
    parts: dict[str, Any] = {name: (None, value) for name, value in fields.items()}
    if pictures:
        parts["image"] = _only(model, pictures)
    return parts


def _only(model: str, pictures: tuple[bytes, ...]) -> tuple[str, bytes, str]:
    if model == "core":
        raise errors.ProviderUnusable("stability: the model core edits no pictures")
    if len(pictures) > 1:
        raise errors.ProviderRejected("This model edits one picture at a time.")
    (picture,) = pictures
    return "picture", picture, media_type(picture)


def _part(value: Any) -> tuple[str | None, str | bytes] | tuple[str, bytes, str]:
    """A part of the form: a file has a name and a type."""
    if isinstance(value, StagedInput):
        return "picture", value.data, value.content_type
    return None, form_text(value)


def _picture(reply: Reply) -> ProviderOutput:
    _check_reason(reply.headers.get("finish-reason", "SUCCESS"))
    return ProviderOutput(file=reply.file("image"), content_type=reply.content_type)


def _check_reason(reason: str) -> None:
    if reason == "CONTENT_FILTERED":
        raise errors.ProviderRejected(errors.REFUSED_BY_MODERATION)


def _check(reply: Reply) -> None:
    error = reply.error_json() if reply.status >= 400 else {}
    name, said = str(error.get("name", "")), error.get("errors")
    message = "; ".join(map(str, said)) if isinstance(said, list) else ""
    if name == "content_moderation":
        raise errors.ProviderRejected(errors.REFUSED_BY_MODERATION)
    if reply.status == 429 and "Retry-After" not in reply.headers:
        raise errors.ProviderBusy(reply.detail(message), retry_after_seconds=LOCK_OUT_SECONDS)
    reply.raise_for_status(message, known=bool(name))
