"""The HTTP API over a world of fakes: real Lambda events in, what API Gateway would send out."""

from __future__ import annotations

import base64
import json
from dataclasses import dataclass
from typing import Any

import pytest

from infra.lambdas.function import route_key
from shoal.composition import jobs as bootstrap
from shoal.composition import videos as bootstrap_videos
from shoal.handlers.http.routes import ROUTES
from tests.fakes import FakeClock
from tests.support.contract import contract
from tests.support.events import event
from tests.support.factories import PUBLIC_URL, url_of
from tests.support.handlers import handler_of
from tests.worlds.world import Customer, World

API_URL = "https://api.test"
SETTINGS = {
    "SHOAL_STAGE": "unit",
    "SHOAL_TABLE": "shoal-unit",
    "SHOAL_STATE_MACHINE_ARN": "arn:aws:states:eu-west-1:123456789012:stateMachine:shoal-unit-generate",
    "SHOAL_PROVIDER_DEADLINE_S": "180",
    "SHOAL_CLIP_DEADLINE_S": "240",
    "SHOAL_PUBLIC_URL": PUBLIC_URL,
    "SHOAL_EVENT_BUS": "shoal-unit",
    "SHOAL_STAGING_BUCKET": "shoal-unit-staging",
    "SHOAL_LOOPBACK_ALLOWED": "false",
    "SHOAL_API_URL": API_URL,
    "SHOAL_VIDEOS_BUCKET": "shoal-unit-videos",
    "SHOAL_SIGNED_URL_S": "3600",
    "SHOAL_KEYLESS_PROVIDERS": "simulator,embedded",
    "SHOAL_SIMULATOR_ALLOWED": "true",
    "SHOAL_PROVIDER_BASE_URLS": "{}",
    "SHOAL_MODERATION": "off",
    "SHOAL_MODERATION_FAIL_OPEN": "false",
    "SHOAL_GUARDRAIL": "",
    "SHOAL_CORS_ORIGINS": "",
}
MEDIA_TYPES = {
    "application/json",
    "text/csv; charset=utf-8",
    "text/html; charset=utf-8",
    "text/markdown; charset=utf-8",
}
USE_CASES = [
    "submit_job",
    "read_job",
    "list_jobs",
    "read_wallet",
    "cancel_job",
    "receive_callback",
    "read_task",
    "list_tasks",
    "quote_job",
    "summarize_usage",
]


VERBS = {route_key(route): verb for route, verb in ROUTES.items()}
"""The functions behind the keys of the HTTP API."""


class LambdaContext:
    """How much of its 29 seconds a Lambda has left, by the clock of the `World`."""

    def __init__(self, clock: FakeClock) -> None:
        self._clock, self._until_ms = clock, clock.ms + 29_000

    def get_remaining_time_in_millis(self) -> int:
        return self._until_ms - self._clock.ms


@dataclass(frozen=True)
class Response:
    status: int
    headers: dict[str, str]
    text: str

    @property
    def json(self) -> Any:
        return json.loads(self.text)

    @property
    def error(self) -> dict[str, Any]:
        return dict(self.json["error"])


class Api:
    """Routes as API Gateway does, by the keys of the HTTP API."""

    def __init__(self, world: World, patch: pytest.MonkeyPatch) -> None:
        self.world = world
        for name, value in SETTINGS.items():
            patch.setenv(name, value)
        patch.setattr(bootstrap, "settings_of", lambda model: model.from_environment())
        patch.setattr(bootstrap, "authenticate", lambda _table: world.authenticate)
        for name in USE_CASES:
            patch.setattr(bootstrap, name, lambda name=name: getattr(world, name))
        for name in ("read_video", "list_videos"):
            patch.setattr(bootstrap_videos, name, lambda name=name: getattr(world, name))
        patch.setattr(bootstrap_videos, "scenes_of", lambda _table, job: world.scenes.of(job))
        patch.setattr(bootstrap, "output_urls", lambda _settings: url_of)
        patch.setattr(bootstrap, "await_job", lambda _table: world.await_job)
        patch.setattr(bootstrap, "board", lambda _settings: world.board)
        patch.setattr(bootstrap, "clock", world.clock)

    def call(
        self,
        name: str,
        customer: Customer | None = None,
        *,
        headers: dict[str, str | None] | None = None,
        body: str | bytes | None = None,
        query: dict[str, str] | None = None,
        job_id: str | None = None,
    ) -> Response:
        """Send the event `name`, as `customer`, with these changes; a header of None is left out."""
        sent = event(name)
        if customer:
            sent["headers"]["authorization"] = f"Bearer {customer.key}"
        for header, value in (headers or {}).items():
            sent["headers"].pop(header, None)
            if value is not None:
                sent["headers"][header] = value
        if body is not None:
            sent |= _encoded(body)
        if query is not None:
            sent["queryStringParameters"] = query
        if job_id is not None:
            sent["pathParameters"]["id"] = job_id
        return self.send(sent)

    def generate(self, customer: Customer, body: Any, **headers: str | None) -> Response:
        """POST /v1/generate; underscores in header names are dashes."""
        dashed = {name.replace("_", "-"): value for name, value in headers.items()}
        text = body if isinstance(body, (str, bytes)) else json.dumps(body)
        return self.call("http_post_generate", customer, body=text, headers=dashed)

    def send(self, sent: dict[str, Any]) -> Response:
        handler = handler_of(VERBS[sent["routeKey"]])
        answer = json.loads(json.dumps(handler(sent, LambdaContext(self.world.clock))))
        answer["body"].encode()
        assert answer["headers"]["X-Request-Id"] == sent["requestContext"]["requestId"]
        assert answer["headers"]["Content-Type"] in MEDIA_TYPES
        http = sent["requestContext"]["http"]
        contract().check(
            http["method"], sent["rawPath"], answer["statusCode"], answer["headers"], answer["body"]
        )
        return Response(answer["statusCode"], answer["headers"], answer["body"])


def _encoded(body: str | bytes) -> dict[str, Any]:
    if isinstance(body, str):
        return {"body": body, "isBase64Encoded": False}
    return {"body": base64.b64encode(body).decode(), "isBase64Encoded": True}
