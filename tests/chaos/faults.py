"""AWS as it fails: throttles, conflicts, errors of its own, and replies that are lost, at a seeded rate.

Stands between the guard and the emulator, and strikes what functions call; the tests' own calls and those of
a deployment get through.
"""

from __future__ import annotations

import json
import os
import random
import re
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from hypercorn.typing import ASGIFramework, ASGIReceiveCallable, ASGISendCallable, HTTPScope, Scope

from infra.local.aws import ACCOUNT

PLAN, LOG = "faults.json", "faults.log"
"""The file that says how much fails, as long as it is there, and the one that has a line for each fault."""

SIGNED_BY_FUNCTION = re.compile(rf"Credential={ACCOUNT}/\d+/[\w-]+/([\w-]+)/")
CONFLICTING = ("TransactWriteItems", "UpdateItem")
PERSISTS = 0.1
"""The share of faults that go on for a while, so that the SDK's own retries are used up."""
PERSISTS_SECONDS_MAX = 6.0


@dataclass(frozen=True)
class Call:
    """What a function asks of AWS: `dynamodb` and `TransactWriteItems`; S3 names no operation."""

    service: str
    operation: str


@dataclass(frozen=True)
class Answer:
    """An error as the service would say it."""

    status: int
    code: str
    more: Mapping[str, Any] = field(default_factory=dict)

    def render(self, call: Call) -> tuple[bytes, bytes]:
        """Content type and body."""
        if call.service == "s3":
            body = f"<Error><Code>{self.code}</Code><Message>planned</Message></Error>"
            return b"application/xml", body.encode()
        told = {"__type": f"aws#{self.code}", "message": "planned", "Message": "planned", **self.more}
        return b"application/x-amz-json-1.0", json.dumps(told).encode()


def throttled(call: Call, _: bytes) -> Answer:
    if call.service == "s3":
        return Answer(503, "SlowDown")
    known = {"dynamodb": "ProvisionedThroughputExceededException"}
    return Answer(400, known.get(call.service, "ThrottlingException"))


def conflicting(call: Call, body: bytes) -> Answer:
    if call.operation != "TransactWriteItems":
        return Answer(400, "TransactionConflictException")
    reasons = [{"Code": "TransactionConflict"} for _ in json.loads(body)["TransactItems"]]
    return Answer(400, "TransactionCanceledException", {"CancellationReasons": reasons})


def failing(call: Call, _: bytes) -> Answer:
    return Answer(500, "InternalError" if call.service == "s3" else "InternalServerError")


def lost(_: Call, __: bytes) -> Answer:
    return Answer(503, "ServiceUnavailable")


KINDS: Mapping[str, Callable[[Call, bytes], Answer]] = {
    "throttle": throttled,
    "conflict": conflicting,
    "server error": failing,
    "lost reply": lost,
}


class Faults:
    """An ASGI application around the emulator's. The plan is `{"seed": 1, "rate": 0.02, "persists": 0.1}`."""

    def __init__(self, emulator: ASGIFramework) -> None:
        self._emulator = emulator
        self._folder = Path(os.environ["TMPDIR"]).parent
        self._random: random.Random | None = None
        self._persisting: dict[Call, tuple[str, float]] = {}

    async def __call__(self, scope: Scope, receive: ASGIReceiveCallable, send: ASGISendCallable) -> None:
        call = _call_of(scope) if scope["type"] == "http" else None
        kind = self._draw(call) if call else None
        if not call or not kind:
            await self._emulator(scope, receive, send)
            return
        with (self._folder / LOG).open("a") as log:
            log.write(f"{kind}\t{call.service}\t{call.operation}\n")
        body = b""
        if kind == "lost reply":
            await self._emulator(scope, receive, _unheard)
        else:
            body = await _read(receive)
        answer = KINDS[kind](call, body)
        content_type, text = answer.render(call)
        headers = [(b"content-type", content_type), (b"content-length", str(len(text)).encode())]
        await send({"type": "http.response.start", "status": answer.status, "headers": headers})
        await send({"type": "http.response.body", "body": text, "more_body": False})

    def _draw(self, call: Call) -> str | None:
        try:
            plan = json.loads((self._folder / PLAN).read_text())
        except FileNotFoundError:
            return None
        if self._random is None:
            self._random = random.Random(plan["seed"])  # noqa: S311 - repeatable on purpose
        kind, until = self._persisting.get(call, ("", 0.0))
        if time.monotonic() < until:
            return kind
        if self._random.random() >= plan["rate"]:
            return None
        kinds = [kind for kind in KINDS if kind != "conflict" or call.operation in CONFLICTING]
        kind = self._random.choice(kinds)
        if self._random.random() < plan["persists"]:
            until = time.monotonic() + self._random.uniform(1.0, PERSISTS_SECONDS_MAX)
            self._persisting[call] = kind, until
        return kind


def _call_of(scope: HTTPScope) -> Call | None:
    headers = dict(scope["headers"])
    signed = SIGNED_BY_FUNCTION.search(headers.get(b"authorization", b"").decode("latin-1"))
    if signed is None:
        return None
    operation = headers.get(b"x-amz-target", b"").decode("latin-1").rpartition(".")[2]
    return Call(signed[1], operation or scope["method"])


async def _read(receive: ASGIReceiveCallable) -> bytes:
    parts = []
    while (event := await receive())["type"] == "http.request":
        parts.append(event["body"])
        if not event["more_body"]:
            break
    return b"".join(parts)


async def _unheard(_: object) -> None:
    """Takes the emulator's answer, and keeps it."""
