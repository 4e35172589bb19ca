"""Replicate: predictions over HTTP, https://replicate.com/docs/reference/http."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Any

from shoal.adapters.providers.kit import http, standard_webhooks
from shoal.adapters.providers.kit.fields import data_uri, nearest_ratio, parse_object, seed_of
from shoal.adapters.providers.kit.refusals import is_content_refusal
from shoal.adapters.providers.kit.rotating import Rotating
from shoal.adapters.providers.kit.routed import output_of, routed_input
from shoal.domain import errors
from shoal.domain.provider import Answer, Done, Pending, ProviderOutput, ProviderRequest

BASE_URL = "https://api.replicate.com"
WAIT_SECONDS = 5
"""How long a create is held open (1 to 60): the fastest models are done in one call."""

POLL_SECONDS = 10
"""The webhook comes first; this is for those that are lost."""

RATIOS = ("1:1", "16:9", "21:9", "3:2", "2:3", "4:5", "5:4", "3:4", "4:3", "9:16", "9:21")
"""The FLUX family's, which other models follow."""

SEEDS = 2**31

_ID = re.compile(r"[A-Za-z0-9_-]{1,64}")
_RESETS_IN = re.compile(r"resets in ~?(\d{1,4})\s?s")
_SECONDS = re.compile(r"^\d{1,4}$")


class Replicate:
    """Implements the `Provider` port. It has no idempotency: a create whose answer is lost is unknown.

    A `provider_model` is `owner/name`, `owner/name:version` or `deployments/owner/name`.
    """

    idempotent = False

    def __init__(self, key: Callable[[], str], base_url: str = BASE_URL) -> None:
        self._http = http.ProviderHttp("replicate", base_url, headers=http.bearer(key))
        self._signing_key = Rotating(self._fetch_signing_key)

    def test(self) -> str:
        """The key's account, in words for the operator. Raises as `start` does."""
        reply = self._http.send("GET", "/v1/account")
        _raise_for_status(reply)
        return f"account {reply.json().get('username')}"

    def start(self, request: ProviderRequest) -> Answer:
        path, version = _create_path(request.provider_model)
        reply = self._http.send(
            "POST",
            path,
            headers={"Prefer": f"wait={WAIT_SECONDS}"},
            read_s=WAIT_SECONDS + http.READ_SECONDS,
            json={
                **version,
                "input": _input(request) if request.input is None else routed_input(request.input),
                "webhook": request.callback_url,
                "webhook_events_filter": ["completed"],
            },
        )
        _raise_for_status(reply)
        return _answer(reply, request)

    def check(self, ref: str, request: ProviderRequest) -> Answer:
        reply = self._http.send("GET", f"/v1/predictions/{ref}")
        if reply.status == 404:
            raise errors.ProviderFailed("The provider knows no such work.")
        _raise_for_status(reply)
        return _answer(reply, request)

    def parse_callback(self, headers: Mapping[str, str], body: bytes, now_ms: int) -> Answer:
        """Standard Webhooks, under the key that Replicate gives the account."""
        self._signing_key.verify(lambda key: standard_webhooks.verify(key, headers, body, now_ms), now_ms)
        ref = parse_object(body).get("id")
        if not isinstance(ref, str) or not _ID.fullmatch(ref):
            raise errors.CallbackRefused("the callback names no prediction")
        return Pending(ref, 0)

    def bills_called_off(self, request: ProviderRequest) -> bool:  # noqa: ARG002 (the port's signature)
        """A prediction is billed for what it ran until then."""
        return True

    def cancel(self, ref: str) -> None:
        reply = self._http.send("POST", f"/v1/predictions/{ref}/cancel", repeatable=True)
        if reply.status != 404:
            _raise_for_status(reply)

    def _fetch_signing_key(self) -> bytes:
        reply = self._http.send("GET", "/v1/webhooks/default/secret")
        _raise_for_status(reply)
        try:
            return standard_webhooks.key(str(reply.json().get("key", "")))
        except errors.CallbackRefused:
            raise reply.lost_answer("it gave no signing secret") from None


def _create_path(model: str) -> tuple[str, dict[str, str]]:
    """Where a model's predictions are created, and the field that names its version."""
    if ":" in model:
        return "/v1/predictions", {"version": model.rpartition(":")[2]}
    if model.startswith("deployments/"):
        return f"/v1/{model}/predictions", {}
    return f"/v1/models/{model}/predictions", {}


def _input(request: ProviderRequest) -> dict[str, Any]:
    """The names that most of its models share; one without a field ignores it."""
    ratio = nearest_ratio(request.brief.width_px, request.brief.height_px, RATIOS)
    fields: dict[str, Any] = {"prompt": request.brief.prompt, "aspect_ratio": ratio}
    if (seed := seed_of(request, SEEDS)) is not None:
        fields["seed"] = seed
    if request.brief.negative_prompt:
        fields["negative_prompt"] = request.brief.negative_prompt
    if request.seconds is not None:
        fields["duration"] = request.seconds
    else:
        fields["output_format"] = "png"
    if len(request.inputs) == 1:
        fields["input_image"] = data_uri(request.inputs[0])
    elif request.inputs:
        fields["input_images"] = [data_uri(picture) for picture in request.inputs]
    return fields


def _raise_for_status(reply: http.Reply) -> None:
    """Replicate's own spellings before the common ones."""
    said = reply.error_json()
    if reply.status == 429:
        raise errors.ProviderBusy(
            reply.detail(), retry_after_seconds=_wait_seconds(reply, str(said.get("detail")))
        )
    if reply.status == 422 and said.get("title") != "Input validation failed":
        # Such as `Invalid version or not permitted`: the catalog's fault, not the caller's.
        raise errors.ProviderUnusable(reply.detail())
    reply.raise_for_status(known=said.get("status") == reply.status)


def _wait_seconds(reply: http.Reply, detail: str) -> int:
    """The longest of what the headers and the text of a 429 ask for."""
    hints = [*_RESETS_IN.findall(detail), *_SECONDS.findall(reply.headers.get("ratelimit-reset", ""))]
    return max([http.retry_after_seconds(reply.headers) or http.RETRY_SECONDS, *map(int, hints)])


def _answer(reply: http.Reply, request: ProviderRequest) -> Answer:
    prediction = reply.json()
    ref, status = prediction.get("id"), prediction.get("status")
    if not isinstance(ref, str) or not _ID.fullmatch(ref):
        raise reply.lost_answer("its answer names no prediction")
    if status == "succeeded":
        return Done(_output(reply, request), ref)
    if status == "failed":
        raise _failure(str(prediction.get("error")))
    if status in ("canceled", "aborted"):
        raise errors.ProviderFailed("The provider stopped the work.")
    # A status of tomorrow is no end: the job's deadline bounds the asking.
    return Pending(ref, POLL_SECONDS)


def _output(reply: http.Reply, request: ProviderRequest) -> ProviderOutput:
    """What the route's paths find in the prediction, or without paths the first address in its output."""
    prediction = reply.json()
    if prediction.get("data_removed"):
        raise errors.ProviderFailed("The provider's output is gone.")
    return output_of(reply, request) or ProviderOutput(url=_output_url(prediction))


def _output_url(prediction: Mapping[str, Any]) -> str:
    """The first address in an output: a string, a list or an object, as the model likes."""
    found = prediction.get("output")
    while isinstance(found, list | dict) and found:
        found = next(iter(found.values())) if isinstance(found, dict) else found[0]
    if not isinstance(found, str) or not found.startswith(("https://", "http://")):
        raise errors.ProviderFailed("The provider delivered no output.")
    return found


def _failure(said: str) -> errors.ProviderRejected | errors.ProviderFailed:
    if is_content_refusal(said):
        return errors.ProviderRejected(errors.REFUSED_BY_MODERATION)
    return errors.ProviderFailed("The provider failed to generate the output.")
