"""A fake Replicate: predictions, their webhooks and their files."""

from __future__ import annotations

import base64
import json
import re
import secrets
import threading
import time
from datetime import UTC, datetime
from typing import Any

import requests
from standardwebhooks import Webhook

from tests.fakes.providers.checks import (
    Check,
    anything,
    array,
    check_fields,
    data_url,
    integer,
    obj,
    one_of,
    text,
)
from tests.fakes.providers.media import png
from tests.fakes.providers.server import Asked, FakeProvider, Malformed, Told, telling

MODEL = "black-forest-labs/flux-schnell"
VERSION = "c846a69991daf4c0e5d016514849d14ee5b2e6846ce6b9d6f21369e564cfe51e"
RATIOS = ("1:1", "16:9", "21:9", "3:2", "2:3", "4:5", "5:4", "3:4", "4:3", "9:16", "9:21")
NSFW = "NSFW content detected. Try running it again, or try a different prompt."
_PREFER = re.compile(r"wait(=([1-9]|[1-5]\d|60))?")
_INPUT = obj(
    {"prompt": text()},
    {
        "aspect_ratio": one_of(*RATIOS),
        "seed": integer(0, 2**31 - 1),
        "negative_prompt": text(),
        "output_format": one_of("webp", "jpg", "png"),
        "duration": integer(1, 30),
        "input_image": data_url,
        "input_images": array(data_url, 2, 4),
    },
)


class FakeReplicate(FakeProvider):
    """`checks_until_done` is how often one must ask, 0 for done at once; `ends` what a prediction becomes."""

    routes = (
        ("POST", "/v1/predictions", "create"),
        ("GET", "/v1/predictions", "list_all"),
        ("POST", "/v1/models/(?P<model>[^/]+/[^/]+)/predictions", "create_of_model"),
        ("POST", "/v1/deployments/(?P<deployment>[^/]+/[^/]+)/predictions", "create_of_deployment"),
        ("GET", "/v1/predictions/(?P<id>[a-z0-9]+)", "get"),
        ("POST", "/v1/predictions/(?P<id>[a-z0-9]+)/cancel", "cancel"),
        ("GET", "/v1/account", "account"),
        ("GET", "/v1/webhooks/default/secret", "webhook_secret"),
        ("GET", "/files/(?P<id>[a-z0-9]+)/out-0.png", "file"),
    )

    def __init__(self, *, key: str = "r8_test", calls_back: bool = False) -> None:
        super().__init__(key=key)
        self.secret = new_secret()
        self.checks_until_done = 1
        self.ends: dict[str, Any] = {"status": "succeeded"}
        self.models: dict[str, Check] = {}
        """Further models, and what checks their inputs."""
        self.predictions: dict[str, dict[str, Any]] = {}
        self._calls_back = calls_back
        self._checks_left: dict[str, int] = {}
        self._webhooks: dict[str, str] = {}

    def allow(self, asked: Asked) -> Told | None:
        if asked.path.startswith("/files/") or asked.headers.get("authorization") == f"Bearer {self.key}":
            return None
        return problem(401, "You did not pass a valid authentication token", "Unauthenticated")

    def refuse(self, trouble: Malformed) -> Told:
        if trouble.status in (404, 405):
            return problem(trouble.status, "The requested resource could not be found.")
        return problem(422, f"- {trouble.what}: {trouble.why}\n", "Input validation failed")

    def create(self, asked: Asked) -> Told:
        version = asked.json().get("version")
        if version != VERSION:
            said = "The specified version does not exist (or perhaps you don't have permission to use it?)"
            return problem(422, said, "Invalid version or not permitted")
        return self._create(asked, {"version": anything})

    def create_of_model(self, asked: Asked) -> Told:
        assert asked.matched
        model = asked.matched["model"]
        if model != MODEL and model not in self.models:
            return problem(404, "The requested resource could not be found.")
        return self._create(asked, {}, self.models.get(model, _INPUT))

    def create_of_deployment(self, asked: Asked) -> Told:
        return self._create(asked, {})

    def get(self, asked: Asked) -> Told:
        prediction = self._find(asked)
        if prediction is None:
            return problem(404, "Prediction not found")
        if prediction["status"] in ("starting", "processing"):
            self._checks_left[prediction["id"]] -= 1
            if self._checks_left[prediction["id"]] <= 0:
                self._end(prediction)
            else:
                prediction["status"] = "processing"
        return telling(prediction)

    def list_all(self, _: Asked) -> Told:
        return telling({"next": None, "previous": None, "results": list(self.predictions.values())})

    def cancel(self, asked: Asked) -> Told:
        prediction = self._find(asked)
        if prediction is None:
            return problem(404, "Prediction not found")
        if prediction["status"] in ("starting", "processing"):
            prediction["status"] = "canceled"
        return telling(prediction)

    def account(self, _: Asked) -> Told:
        return telling({"type": "organization", "username": "acme", "name": "Acme", "github_url": None})

    def webhook_secret(self, _: Asked) -> Told:
        return telling({"key": self.secret})

    def file(self, asked: Asked) -> Told:
        prediction = self._find(asked)
        if prediction is None or prediction["data_removed"]:
            return problem(404, "Not found")
        return Told(200, png(64, 64), {"Content-Type": "image/png"})

    def expire(self, prediction_id: str) -> None:
        """What happens to a prediction's data after an hour."""
        self.predictions[prediction_id] |= {"data_removed": True, "input": {}, "output": None, "logs": ""}

    def callback(
        self, prediction_id: str, *, at_s: int | None = None, secret: str | None = None
    ) -> tuple[dict[str, str], bytes]:
        """A webhook's headers and body as they would arrive at `at_s`, Unix time."""
        body = json.dumps(self.predictions[prediction_id]).encode()
        id_, at = f"msg_{prediction_id}", datetime.fromtimestamp(at_s or int(time.time()), UTC)
        signature = Webhook(secret or self.secret).sign(id_, at, body.decode())
        timestamp = str(int(at.timestamp()))
        return {"webhook-id": id_, "webhook-timestamp": timestamp, "webhook-signature": signature}, body

    def _create(self, asked: Asked, more: dict[str, Any], input_: Check = _INPUT) -> Told:
        sent = asked.json()
        url = text()
        events = array(one_of("start", "output", "logs", "completed"))
        fields = {"webhook": url, "webhook_events_filter": events, "stream": one_of(True, False)}
        check_fields(sent, {"input": input_, **more}, fields)
        if not str(sent.get("webhook", "https://")).startswith(
            ("https://", "http://127.0.0.1", "http://localhost")
        ):
            raise Malformed("webhook", "must be HTTPS", status=422)
        prefer = asked.headers.get("prefer", "")
        if prefer and not _PREFER.fullmatch(prefer):
            raise Malformed("prefer", "must be wait or wait=1 to wait=60", status=422)
        prediction = self._new(sent)
        if not self.checks_until_done:
            self._end(prediction)
        ran_out = bool(prefer) and prediction["status"] == "starting"
        headers = {"Preference-Applied": prefer} if prefer else {}
        told = telling(prediction, 202 if ran_out else 201, headers)
        if self._calls_back:
            threading.Thread(target=self._call_back, args=(prediction["id"],), daemon=True).start()
        return told

    def _new(self, sent: dict[str, Any]) -> dict[str, Any]:
        id_ = secrets.token_hex(13)
        url = f"{self.url}/v1/predictions/{id_}"
        self.predictions[id_] = {
            "id": id_,
            "model": MODEL,
            "version": sent.get("version", "hidden"),
            "input": sent["input"],
            "logs": "",
            "output": None,
            "data_removed": False,
            "error": None,
            "status": "starting",
            "source": "api",
            "created_at": "2026-11-22T00:00:00.000Z",
            "urls": {"get": url, "cancel": f"{url}/cancel"},
        }
        self._checks_left[id_] = self.checks_until_done
        self._webhooks[id_] = sent.get("webhook", "")
        return self.predictions[id_]

    def _end(self, prediction: dict[str, Any]) -> None:
        times = {"started_at": "2026-11-22T00:00:01.000Z", "completed_at": "2026-11-22T00:00:02.000Z"}
        prediction |= {**times, "metrics": {"predict_time": 0.62, "total_time": 0.68}}
        if self.ends["status"] == "succeeded":
            prediction["output"] = [f"{self.url}/files/{prediction['id']}/out-0.png"]
        prediction |= self.ends

    def _call_back(self, prediction_id: str) -> None:
        self._end(self.predictions[prediction_id])
        headers, body = self.callback(prediction_id)
        headers["Content-Type"] = "application/json"
        requests.post(self._webhooks[prediction_id], data=body, headers=headers, timeout=60).close()

    def _find(self, asked: Asked) -> dict[str, Any] | None:
        assert asked.matched
        return self.predictions.get(asked.matched["id"])


def new_secret() -> str:
    return "whsec_" + base64.b64encode(secrets.token_bytes(24)).decode()


def problem(status: int, detail: str, title: str | None = None) -> Told:
    """An error in Replicate's shape."""
    said = {"detail": detail, "status": status} | ({"title": title} if title else {})
    return telling(said, status, {"Content-Type": "application/problem+json"})
