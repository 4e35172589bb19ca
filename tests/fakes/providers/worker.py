"""A fake worker of a platform team's own, strict with signatures and with the fields of a call."""

from __future__ import annotations

import json
import time
from datetime import UTC, datetime
from typing import Any

from standardwebhooks import Webhook, WebhookVerificationError

from tests.fakes.providers.checks import anything, check_fields, text
from tests.fakes.providers.replicate import new_secret
from tests.fakes.providers.server import Asked, FakeProvider, Malformed, Told, telling

_ID = {"type": text(), "id": text(100)}


class FakeWorker(FakeProvider):
    """`answer_of` is what a work answers from its start on; `started` are the works, `canceled` their ids."""

    routes = (("POST", "/shoal", "called"),)

    def __init__(self) -> None:
        super().__init__(key=new_secret())
        self.answer_of: dict[str, Any] = {"status": "working"}
        self.started: dict[str, dict[str, Any]] = {}
        self.canceled: list[str] = []

    @property
    def address(self) -> str:
        return f"{self.url}/shoal"

    def allow(self, asked: Asked) -> Told | None:
        try:
            Webhook(self.key).verify(asked.body, dict(asked.headers))
        except WebhookVerificationError:
            return telling({"error": "the signature does not hold"}, 401)
        return None

    def refuse(self, problem: Malformed) -> Told:
        return telling({"error": str(problem)}, 422)

    def called(self, asked: Asked) -> Told:
        told = asked.json()
        work_id = str(told.get("id"))
        if told.get("type") == "start":
            check_fields(told, {**_ID, "model": text(), "input": anything, "callback_url": text()}, {})
            self.started.setdefault(work_id, told)
        else:
            check_fields(told, _ID, {})
            if told["type"] not in ("check", "cancel"):
                raise Malformed("type", "is no call")
        if told["type"] == "cancel":
            self.canceled.append(work_id)
        return telling(self.answer_of if work_id in self.started else {"status": "unknown"})

    def callback(
        self, body: dict[str, Any], *, at_s: int | None = None, secret: str | None = None
    ) -> tuple[dict[str, str], bytes]:
        """Headers and body of a callback as they would arrive at `at_s`, Unix time."""
        text_, at = json.dumps(body), datetime.fromtimestamp(at_s or int(time.time()), UTC)
        signature = Webhook(secret or self.key).sign("msg_1", at, text_)
        timestamp = str(int(at.timestamp()))
        return {
            "webhook-id": "msg_1",
            "webhook-timestamp": timestamp,
            "webhook-signature": signature,
        }, text_.encode()
