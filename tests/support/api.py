"""The HTTP API over a world of fakes: real Lambda events in, what API Gateway would send out."""

from __future__ import annotations

import base64
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any

from infra.lambdas.function import route_key
from shoal.composition.accounts import Gate
from shoal.composition.agents import Serving
from shoal.composition.jobs import Canceling, Listing, Reading, ReadingModels, Submitting
from shoal.dialects.spoken import View
from shoal.handlers.http.endpoint import Endpoint
from shoal.handlers.http.routes import ROUTES
from shoal.use_cases.jobs.spend_quote import OfferQuote, SpendQuote
from tests.fakes import FakeClock
from tests.fakes.quotes import FakeQuotes
from tests.support.contract import contract
from tests.support.events import event
from tests.support.factories import url_of
from tests.support.handlers import handler_of
from tests.worlds.world import Customer, World

API_URL = "https://api.test"
MEDIA_TYPES = {
    "application/json",
    "text/csv; charset=utf-8",
    "text/html; charset=utf-8",
    "text/markdown; charset=utf-8",
}
VERBS = {route_key(route): row.verb for route, row in ROUTES.items()}
"""The functions behind the keys of the HTTP API."""

UseCases = dict[str, Callable[[], Any]]
"""What functions are given, by their verbs."""


def gate_of(world: World, front_token: str = "") -> Gate:
    """What stands before the functions of the API."""
    return Gate(world.authenticate, lambda: API_URL, world.limit_rates.of_open, lambda: front_token)


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


def use_cases_of(world: World) -> UseCases:
    """What composition builds, on fakes."""

    def view() -> View:
        return View(url_of, world.clock.now_ms(), lambda: world.scenes)

    def read_ahead() -> None:
        world.board.read_ahead()

    def submitting() -> Submitting:
        return Submitting(
            world.catalogs.current, lambda: world.submit_job, read_ahead, lambda: world.await_job, view
        )

    tools = serving(world, view)
    return {
        "submit_job": submitting,
        "read_job": lambda: Reading(world.read_job, lambda: world.await_job, view),
        "list_jobs": lambda: Listing(world.list_jobs, view),
        "cancel_job": lambda: Canceling(world.cancel_job, view),
        "read_models": lambda: ReadingModels(
            world.catalogs.current, world.board, read_ahead, world.clock.now_ms
        ),
        "quote_job": lambda: world.quote_job,
        "read_wallet": lambda: world.read_wallet,
        "summarize_usage": lambda: world.summarize_usage,
        "receive_callback": lambda: world.receive_callback,
        "read_health": lambda: "unit",
        "manage_files": lambda: world.manage_files,
        "reject_route": lambda: None,
        "serve_mcp": lambda: tools,
    }


def serving(world: World, view: Callable[[], View]) -> Serving:
    """The tools for agents, with quotes of their own."""
    quotes = FakeQuotes(world.network)
    return Serving(
        origins=(),
        catalog=world.catalogs.current,
        offer_quote=lambda: OfferQuote(quotes, world.clock, world.ids),
        spend_quote=lambda: SpendQuote(quotes, world.submit_job, world.clock),
        read_job=lambda: world.read_job,
        read_wallet=lambda: world.read_wallet,
        board=world.board,
        view=view,
        now_ms=world.clock.now_ms,
    )


def gated(verb: str, use_cases: Mapping[str, Callable[[], Any]], gate: Gate) -> Callable[..., dict[str, Any]]:
    """The handler of a function, wired as it is, with these use cases behind it."""
    handler = handler_of(verb)
    if isinstance(handler, Endpoint):
        handler = replace(handler, build=use_cases.get(verb, handler.build), gate=gate)
    return handler


class Api:
    """Routes as API Gateway does, by the keys of the HTTP API. `use_cases` may be changed at will."""

    def __init__(self, world: World) -> None:
        self.world = world
        self.gate = gate_of(world)
        self.use_cases = use_cases_of(world)

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
        handler = gated(VERBS[sent["routeKey"]], self.use_cases, self.gate)
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
