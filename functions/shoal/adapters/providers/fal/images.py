"""fal: the queue API over HTTP, https://docs.fal.ai/model-endpoints/queue."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Any

from shoal.adapters.providers.fal import signature
from shoal.adapters.providers.kit.fields import data_uri, nearest_ratio, parse_object, seed_of
from shoal.adapters.providers.kit.http import ProviderHttp, Reply, bearer
from shoal.adapters.providers.kit.rotating import Rotating
from shoal.adapters.providers.kit.routed import output_of, routed_input
from shoal.domain.errors import REFUSED_BY_MODERATION, CallbackRefused, ProviderFailed, ProviderRejected
from shoal.domain.provider import Answer, Done, Pending, ProviderOutput, ProviderRequest

BASE_URL = "https://queue.fal.run"
KEYS_URL = "https://rest.fal.ai/.well-known/jwks.json"

POLL_SECONDS = 10
"""The webhook comes first; this is for those that are lost."""

LIFECYCLE = '{"expiration_duration_seconds": 3600}'
"""fal's copy of an output is public: an hour is enough to fetch it."""

RATIOS = ("16:9", "9:16", "1:1", "4:3", "3:4", "21:9", "9:21")
SEEDS = 2**31
NAMESPACES = ("workflows", "comfy")
"""Apps whose address has a third part before owner and name."""

NOBODYS_STATUS = "/fal-ai/flux/requests/00000000-0000-0000-0000-000000000000/status"
"""A request that does not exist: fal has no cheaper call that needs the key."""

_REF = re.compile(r"https?://[A-Za-z0-9._:/-]{1,500}", re.ASCII)
"""A request's address as fal spells it: it is kept on the job and becomes part of other addresses."""

_ID = re.compile(r"[A-Za-z0-9][A-Za-z0-9-]{0,99}")
_NOT_THE_CALLERS_FAULT = frozenset(
    {"no_media_generated", "downstream_service_error", "client_cancelled", "client_disconnected"}
)


class Fal:
    """Implements the `Provider` port. It has no idempotency: a submit whose answer is lost is unknown.

    A reference is the request's own address, as fal gave it; from a callback, which has none, the bare id.
    """

    idempotent = False

    def __init__(self, key: Callable[[], str], base_url: str = BASE_URL, keys_url: str = KEYS_URL) -> None:
        self._http = ProviderHttp("fal", base_url, headers=bearer(key, "Authorization: Key"))
        self._keys_http = ProviderHttp("fal", keys_url, headers=dict)
        self._keys = Rotating(self._fetch_keys)

    def test(self) -> str:
        """Whether the key is known, in words for the operator. Raises as `start` does."""
        reply = self._http.send("GET", NOBODYS_STATUS)
        if reply.status != 404:  # fal looks at the key before it looks for the request
            reply.raise_for_status()
        return "key accepted"

    def start(self, request: ProviderRequest) -> Answer:
        reply = self._http.send(
            "POST",
            f"/{request.provider_model}",
            params={"fal_webhook": request.callback_url},
            headers={"X-Fal-Object-Lifecycle-Preference": LIFECYCLE},
            json=_input(request) if request.input is None else routed_input(request.input),
        )
        _raise_for_status(reply)
        ref = reply.json().get("response_url")
        # The key goes to every address in a reference, so it must be fal's.
        if not isinstance(ref, str) or not _REF.fullmatch(ref) or not self._http.is_own(ref):
            raise reply.lost_answer("its answer names no request of its own")
        return Pending(ref, POLL_SECONDS)

    def check(self, ref: str, request: ProviderRequest) -> Answer:
        url = ref if "/" in ref else f"{self._http.base_url}/{_app(request.provider_model)}/requests/{ref}"
        reply = self._http.send("GET", f"{url}/status")
        if reply.status == 404:
            raise ProviderFailed("The provider knows no such work.")
        reply.raise_for_status()
        state = reply.json()
        if state.get("status") != "COMPLETED":
            return Pending(url, POLL_SECONDS)
        result = self._http.send("GET", url)
        _raise_for_result(result)
        if state.get("error"):
            raise ProviderFailed("The provider failed to generate the output.")
        return Done(output_of(result, request) or ProviderOutput(url=_output_url(result.json())))

    def parse_callback(self, headers: Mapping[str, str], body: bytes, now_ms: int) -> Answer:
        """Ed25519, under any of the keys that fal publishes."""
        self._keys.verify(lambda keys: signature.verify(keys, headers, body, now_ms), now_ms)
        ref = parse_object(body).get("request_id")
        if not isinstance(ref, str) or not _ID.fullmatch(ref):
            raise CallbackRefused("the callback names no request")
        return Pending(ref, 0)

    def bills_called_off(self, request: ProviderRequest) -> bool:  # noqa: ARG002 (the port's signature)
        """Whether it still waited in fal's line is not told: what ran is billed."""
        return True

    def cancel(self, ref: str) -> None:
        """What has ended already answers 400, what is gone 404: both are as good as canceled."""
        if "/" not in ref:  # known from a callback, which only comes when the work has ended
            return
        reply = self._http.send("PUT", f"{ref}/cancel", repeatable=True)
        if reply.status not in (400, 404):
            reply.raise_for_status()

    def _fetch_keys(self) -> tuple[bytes, ...]:
        reply = self._keys_http.send("GET", self._keys_http.base_url)
        reply.raise_for_status()
        keys = signature.public_keys(reply.json())
        if not keys:
            raise reply.lost_answer("it published no keys")
        return keys


def _app(model: str) -> str:
    """Owner and name: the rest of a model's path belongs to its submits alone."""
    parts = model.split("/")
    return "/".join(parts[: 3 if parts[0] in NAMESPACES else 2])


def _input(request: ProviderRequest) -> dict[str, Any]:
    """The names that most of its models share; one without a field ignores it."""
    fields: dict[str, Any] = {"prompt": request.brief.prompt}
    if request.seconds is None:
        fields["image_size"] = {"width": request.brief.width_px, "height": request.brief.height_px}
        fields |= {"num_images": 1, "output_format": "png"}
    else:
        fields["aspect_ratio"] = nearest_ratio(request.brief.width_px, request.brief.height_px, RATIOS)
        fields["duration"] = f"{request.seconds}s"
    if (seed := seed_of(request, SEEDS)) is not None:
        fields["seed"] = seed
    if request.brief.negative_prompt:
        fields["negative_prompt"] = request.brief.negative_prompt
    if request.inputs:
        fields["image_urls"] = [data_uri(picture) for picture in request.inputs]
    return fields


def _raise_for_status(reply: Reply) -> None:
    """A refused submit: a model's own words before the common ones."""
    types = _types(reply)
    if 400 <= reply.status < 500 and "content_policy_violation" in types:
        raise ProviderRejected(REFUSED_BY_MODERATION)
    reply.raise_for_status(known=bool(types))


def _raise_for_result(reply: Reply) -> None:
    """A result that is an error is final: only one without fal's error type is trouble on the way."""
    types = _types(reply)
    if reply.status == 404:
        raise ProviderFailed("The provider's output is gone.")
    if types & _NOT_THE_CALLERS_FAULT or (reply.status >= 500 and types):
        raise ProviderFailed("The provider failed to generate the output.")
    _raise_for_status(reply)


def _types(reply: Reply) -> set[str]:
    """What fal calls the error: of the request as a whole, and of each part of a model's complaint."""
    said = reply.error_json()
    parts = said.get("detail") if isinstance(said.get("detail"), list) else []
    named = [part.get("type") for part in parts or () if isinstance(part, dict)]
    return {
        str(name) for name in (*named, said.get("error_type"), reply.headers.get("X-Fal-Error-Type")) if name
    }


def _output_url(result: Mapping[str, Any]) -> str:
    """The first file of a result. A picture that the safety checker blacked out comes with a flag alone."""
    flags = result.get("has_nsfw_concepts")
    if isinstance(flags, list) and any(flags):
        raise ProviderRejected(REFUSED_BY_MODERATION)
    for name in ("images", "image", "video", "videos"):
        file = result.get(name)
        if isinstance(file, list):
            file = file[0] if file else None
        if isinstance(file, dict) and isinstance(file.get("url"), str):
            return str(file["url"])
    raise ProviderFailed("The provider delivered no output.")
