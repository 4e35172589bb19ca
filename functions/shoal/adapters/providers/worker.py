"""A worker of the platform team's own, by the contract of docs/how-to/own-worker.md.

One address takes three calls, `start`, `check` and `cancel`: JSON, signed after Standard Webhooks with a
secret that both sides know. Its callbacks are signed by the same secret.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

from shoal.adapters.providers.kit import standard_webhooks
from shoal.adapters.providers.kit.body import write_json
from shoal.adapters.providers.kit.fields import objects, parse_object
from shoal.adapters.providers.kit.http import ProviderHttp, Reply
from shoal.adapters.providers.kit.refusals import is_content_refusal
from shoal.adapters.providers.kit.routed import EXTRAS_MAX, NO_OUTPUT, file_at, input_of, output_of
from shoal.domain.errors import (
    REFUSED_BY_MODERATION,
    CallbackRefused,
    ProviderFailed,
    ProviderRejected,
    ProviderUnusable,
)
from shoal.domain.provider import Answer, Done, Pending, ProviderOutput, ProviderRequest
from shoal.ports.system import Clock

POLL_SECONDS = 10
"""The callback comes first; this is for those that are lost, and for workers that send none."""

POLL_SECONDS_MAX = 600
CANCEL = "cancel"
_ID = re.compile(r"[A-Za-z0-9_-]{1,100}")


class Worker:
    """Implements the `Provider` port. A work is called by our idempotency key: it is started once.

    `name` is the provider's, such as `http-gpu`. `address` and `secret` are those of the moment and raise
    `ProviderUnusable` while there is none.
    """

    idempotent = True

    def __init__(
        self, name: str, address: Callable[[], str], secret: Callable[[], str], clock: Clock
    ) -> None:
        self._name = name
        self._address = address
        self._secret = secret
        self._clock = clock

    def test(self) -> str:
        """Whether the worker takes our signature, in words for the operator. Raises as `start` does."""
        answer = self._call("check", "test").json()
        return f"worker answered {answer.get('status')}"

    def start(self, request: ProviderRequest) -> Answer:
        told = {
            "model": request.provider_model,
            "input": input_of(request),
            "callback_url": request.callback_url,
        }
        return _answer(self._call("start", request.idempotency_key, **told), request.idempotency_key, request)

    def check(self, ref: str, request: ProviderRequest) -> Answer:
        return _answer(self._call("check", ref), ref, request)

    def parse_callback(self, headers: Mapping[str, str], body: bytes, now_ms: int) -> Answer:
        standard_webhooks.verify(standard_webhooks.key(self._secret()), headers, body, now_ms)
        told = parse_object(body)
        ref = told.get("id")
        # Our own calls bear the same signature: none of them must pass for a callback.
        if told.get("type") != "ended" or not isinstance(ref, str) or not _ID.fullmatch(ref):
            raise CallbackRefused("the callback names no work that ended")
        return Pending(ref, 0)

    def bills_called_off(self, request: ProviderRequest) -> bool:  # noqa: ARG002 (the port's signature)
        """What the worker did until then has cost its owner time of a machine."""
        return True

    def cancel(self, ref: str) -> None:
        self._call(CANCEL, ref)

    def _call(self, call: str, work_id: str, **told: Any) -> Reply:
        """An answer of status 2xx. Any call may be repeated: a lost answer is `ProviderBusy`."""
        written = write_json({"type": call, "id": work_id, **told})
        body = written if isinstance(written, bytes) else written.read()
        signed = standard_webhooks.signed_headers(
            self._key(), f"{work_id}.{call}", self._clock.now_ms() // 1000, body
        )
        sent = {"Content-Type": "application/json", **signed}
        http = ProviderHttp(self._name, self._address(), headers=dict)
        reply = http.send("POST", http.base_url, repeatable=True, headers=sent, data=body)
        reply = replace(reply, secrets=(self._secret(),))  # it knows our secret, and may repeat it
        reply.raise_for_status()
        return reply

    def _key(self) -> bytes:
        try:
            return standard_webhooks.key(self._secret())
        except CallbackRefused:
            raise ProviderUnusable(f"{self._name}: its secret is no whsec_… of base64") from None


def _answer(reply: Reply, ref: str, request: ProviderRequest) -> Answer:
    told = reply.json()
    status, said = told.get("status"), str(told.get("message", ""))
    if status == "working":
        return Pending(ref, _poll_seconds(told.get("check_after_seconds")))
    if status == "done":
        return Done(output_of(reply, request) or _output(reply), ref)
    if status == "refused" or (status == "failed" and is_content_refusal(said)):
        raise ProviderRejected(REFUSED_BY_MODERATION)
    if status == "failed":
        raise ProviderFailed("The provider failed to generate the output.")
    if status == "canceled":
        raise ProviderFailed("The provider stopped the work.")
    if status == "unknown":
        raise ProviderFailed("The provider knows no such work.")
    raise reply.lost_answer("its answer has no status of the contract")


def _poll_seconds(said: object) -> int:
    usable = isinstance(said, int) and not isinstance(said, bool) and said > 0
    return min(said, POLL_SECONDS_MAX) if usable and isinstance(said, int) else POLL_SECONDS


def _output(reply: Reply) -> ProviderOutput:
    """The first of the answer's outputs, the others beside it."""
    found = [file for each in objects(reply.json().get("outputs")) if (file := _file(reply, each))]
    if not found:
        raise ProviderFailed(NO_OUTPUT)
    main, *extras = found
    return ProviderOutput(main.file, main.url, main.content_type, tuple(extras[:EXTRAS_MAX]))


def _file(reply: Reply, told: Mapping[str, Any]) -> ProviderOutput | None:
    if "data" in told:
        kind = told.get("content_type")
        file = reply.decode_base64(told["data"])
        return ProviderOutput(file=file, content_type=kind if isinstance(kind, str) else "")
    return file_at(told)
