"""A fake fal: the queue, its webhooks and key set, and the files of its CDN."""

from __future__ import annotations

import base64
import hashlib
import json
import threading
import time
import uuid
from typing import Any

import requests
from nacl.signing import SigningKey

from tests.fakes.providers.checks import Check, array, check_fields, data_url, integer, obj, one_of, text
from tests.fakes.providers.media import MP4, png
from tests.fakes.providers.server import Asked, FakeProvider, Malformed, Told, telling

MODEL = "fal-ai/flux/dev"
CLIP_MODEL = "fal-ai/veo3"
USER_ID = "user-1"
_REQUEST = "/(?P<app>[^/]+/[^/]+)/requests/(?P<id>[0-9a-f-]+)"
_PICTURE = {
    "image_size": obj({"width": integer(64, 4096), "height": integer(64, 4096)}),
    "num_images": integer(1, 4),
    "output_format": one_of("png", "jpeg"),
    "image_urls": array(data_url, 1, 4),
}
_CLIP = {"aspect_ratio": one_of("16:9", "9:16", "1:1"), "duration": one_of("4s", "6s", "8s")}
_BOTH = {"seed": integer(0, 2**31 - 1), "negative_prompt": text()}
_OWN_HEADERS = {
    "x-fal-object-lifecycle-preference",
    "x-fal-request-timeout",
    "x-fal-queue-priority",
    "x-fal-runner-hint",
    "x-fal-no-retry",
    "x-fal-store-io",
}


class FakeFal(FakeProvider):
    """`states` are what a request goes through, one for each look; `result` is what it ends in."""

    routes = (
        ("GET", "/.well-known/jwks.json", "key_set"),
        ("GET", "/files/[a-z0-9.]+", "file"),
        ("GET", f"{_REQUEST}/status", "status"),
        ("GET", _REQUEST, "response"),
        ("PUT", f"{_REQUEST}/cancel", "cancel"),
        ("POST", "/(?P<model>.+)", "submit"),
    )

    def __init__(self, *, key: str = "id-1:secret-1", calls_back: bool = False) -> None:
        super().__init__(key=key)
        self.signing_keys = [SigningKey.generate()]
        self.states: tuple[str, ...] = ("IN_QUEUE", "IN_PROGRESS", "COMPLETED")
        self.error: dict[str, str] = {}
        self.result = telling(self.picture())
        self.expired = False
        self.models: dict[str, Check] = {}
        """Further endpoints, and what checks their inputs."""
        self.submitted: dict[str, str] = {}
        """The webhook of each request, by its id."""
        self._looks: dict[str, int] = {}
        self._calls_back = calls_back

    def picture(self, *, nsfw: bool = False) -> dict[str, Any]:
        file = {"url": f"{self.url}/files/a.png", "content_type": "image/png", "file_name": "a.png"}
        sizes = {"file_size": 123456, "width": 64, "height": 64}
        return {
            "images": [file | sizes],
            "timings": {"inference": 3.7},
            "seed": 1,
            "has_nsfw_concepts": [nsfw],
        }

    def clip(self) -> dict[str, Any]:
        url = f"{self.url}/files/output.mp4"
        return {"video": {"url": url, "content_type": "video/mp4", "file_name": "output.mp4", "file_size": 1}}

    def allow(self, asked: Asked) -> Told | None:
        public = asked.path.startswith(("/.well-known/", "/files/"))
        if public or asked.headers.get("authorization") == f"Key {self.key}":
            return None
        return telling({"detail": "Cannot access application. Authentication is required."}, 401)

    def refuse(self, problem: Malformed) -> Told:
        if problem.status in (404, 405):
            return telling(
                {"detail": "Method Not Allowed" if problem.status == 405 else "Not Found"}, problem.status
            )
        return model_error(problem.what, problem.why, "value_error")

    def submit(self, asked: Asked) -> Told:
        assert asked.matched
        model = asked.matched["model"]
        if "/requests/" in model:  # the full path of a model where only its app's belongs
            raise Malformed("path", "not a submit", status=405)
        if model not in (MODEL, CLIP_MODEL, *self.models):
            return telling({"detail": f"Application '{model}' not found"}, 404)
        check_fields(asked.query, {}, {"fal_webhook": text(), "fal_max_queue_length": text()})
        if unknown := {name for name in asked.headers if name.startswith("x-fal-")} - _OWN_HEADERS:
            raise Malformed(unknown.pop(), "is not a known header")
        if model in self.models:
            self.models[model](asked.json())
        else:
            fields = _BOTH | (_CLIP if model == CLIP_MODEL else _PICTURE)
            check_fields(asked.json(), {"prompt": text()}, fields)
        id_ = str(uuid.uuid4())
        self.submitted[id_] = asked.query.get("fal_webhook", "")
        self._looks[id_] = 0
        if self._calls_back:
            threading.Thread(target=self._call_back, args=(id_,), daemon=True).start()
        url = f"{self.url}/{'/'.join(model.split('/')[:2])}/requests/{id_}"
        urls = {"response_url": url, "status_url": f"{url}/status", "cancel_url": f"{url}/cancel"}
        return telling({"status": "IN_QUEUE", "request_id": id_, "queue_position": 0, **urls})

    def status(self, asked: Asked) -> Told:
        id_, url = self._find(asked)
        if id_ is None:
            return telling({"status": "NOT_FOUND"}, 404)
        state = self._state(id_)
        self._looks[id_] += 1
        said: dict[str, Any] = {"status": state, "request_id": id_, "response_url": url}
        if state == "IN_QUEUE":
            return telling(said | {"queue_position": 2}, 202)
        if state == "IN_PROGRESS":
            return telling(said | {"logs": []}, 202)
        return telling(said | {"logs": None, "metrics": {"inference_time": 3.7}, **self.error})

    def response(self, asked: Asked) -> Told:
        id_, _ = self._find(asked)
        if id_ is None or self.expired:
            return telling({"detail": "Request not found"}, 404)
        if self._state(id_) != "COMPLETED":
            return telling({"detail": "Request is still in progress"}, 400)
        return self.result

    def cancel(self, asked: Asked) -> Told:
        id_, _ = self._find(asked)
        if id_ is None:
            return telling({"status": "NOT_FOUND"}, 404)
        if self._state(id_) == "COMPLETED":
            return telling({"status": "ALREADY_COMPLETED"}, 400)
        self.error = {"error": "Request was cancelled", "error_type": "client_cancelled"}
        self.result = telling({"detail": "Request was cancelled", "error_type": "client_cancelled"}, 400)
        self._looks[id_] = len(self.states)
        return telling({"status": "CANCELLATION_REQUESTED"}, 202)

    def key_set(self, _: Asked) -> Told:
        published = [base64.urlsafe_b64encode(bytes(key.verify_key)) for key in self.signing_keys]
        keys = [{"kty": "OKP", "crv": "Ed25519", "x": key.decode().rstrip("=")} for key in published]
        return telling({"keys": [{"kty": "RSA", "n": "AQAB", "e": "AQAB"}, *keys]})

    def file(self, asked: Asked) -> Told:
        if self.expired:
            return telling({"detail": "Not Found"}, 404)
        if asked.path.endswith(".mp4"):
            return Told(200, MP4, {"Content-Type": "video/mp4"})
        return Told(200, png(64, 64), {"Content-Type": "image/png"})

    def callback(
        self, request_id: str, *, at_s: int | None = None, key: SigningKey | None = None
    ) -> tuple[dict[str, str], bytes]:
        """A webhook's headers, names in lower case, and body as they would arrive at `at_s`, Unix time."""
        said = {"request_id": request_id, "gateway_request_id": request_id, "status": "OK", "error": None}
        body = json.dumps(said | {"payload": json.loads(self.result.body)}).encode()
        timestamp = str(at_s or int(time.time()))
        message = f"{request_id}\n{USER_ID}\n{timestamp}\n{hashlib.sha256(body).hexdigest()}"
        signed = (key or self.signing_keys[-1]).sign(message.encode())
        return {
            "x-fal-webhook-request-id": request_id,
            "x-fal-webhook-user-id": USER_ID,
            "x-fal-webhook-timestamp": timestamp,
            "x-fal-webhook-signature": signed.signature.hex(),
        }, body

    def _call_back(self, request_id: str) -> None:
        self._looks[request_id] = len(self.states)
        headers, body = self.callback(request_id)
        headers["Content-Type"] = "application/json"
        requests.post(self.submitted[request_id], data=body, headers=headers, timeout=60).close()

    def _state(self, request_id: str) -> str:
        return self.states[min(self._looks[request_id], len(self.states) - 1)]

    def _find(self, asked: Asked) -> tuple[str | None, str]:
        assert asked.matched
        id_ = asked.matched["id"]
        return id_ if id_ in self.submitted else None, f"{self.url}/{asked.matched['app']}/requests/{id_}"


def model_error(field: str, said: str, kind: str, status: int = 422) -> Told:
    """What a model answers to an input it does not take."""
    part = {"loc": ["body", field], "msg": said, "type": kind, "url": f"https://docs.fal.ai/errors#{kind}"}
    return telling({"detail": [part | {"input": {}}]}, status, {"X-Fal-Retryable": "false"})


def request_error(said: str, kind: str, status: int) -> Told:
    """What fal itself answers when it could not run a request."""
    return telling({"detail": said, "error_type": kind}, status, {"X-Fal-Error-Type": kind})
