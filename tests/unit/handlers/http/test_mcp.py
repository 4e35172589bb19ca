"""The protocol's messages, and quotes that are spent: once, at their price, in time."""

from __future__ import annotations

import json
import subprocess
import sys
from dataclasses import dataclass, field, replace
from typing import Any

import pytest

from shoal.dialects import image, mcp
from shoal.domain.catalog import load_catalog
from shoal.domain.errors import NotFound, ValidationFailed
from shoal.domain.idempotency import fingerprint
from shoal.domain.models.tariff import Terms
from shoal.domain.quoted import LIFETIME_MS
from shoal.domain.submission import Submission
from shoal.handlers.http import serve_mcp
from shoal.handlers.http.routes import ROUTES
from shoal.use_cases.jobs.spend_quote import OfferQuote, SpendQuote
from tests.fakes.quotes import FakeQuotes
from tests.support.api import Api, Response
from tests.support.events import event
from tests.support.handlers import MODULES
from tests.worlds.world import Customer, World

BODY = {"mode": "1k", "prompt": "A shark"}
TOOL = mcp.GENERATE_IMAGE
VIDEO = {"idea": "Sharks", "category": "science", "duration": 8, "aspect_ratio": "16:9"}


@dataclass
class Desk:
    """Where quotes are given out and spent."""

    world: World
    quotes: FakeQuotes = field(init=False)

    def __post_init__(self) -> None:
        world = self.world
        self.quotes = FakeQuotes(world.network)
        self.offer = OfferQuote(self.quotes, world.clock, world.ids)
        self.spend = SpendQuote(self.quotes, world.submit_job, world.clock)

    def bought(self, customer: Customer, quote_id: str, submission: Submission, **change: Any) -> str:
        answered = self.spend(
            customer.caller, TOOL, quote_id, BODY | change, lambda: submission, lambda job: {"job_id": job.id}
        )
        return answered.job_id


@pytest.fixture
def desk(api: Api) -> Desk:
    """The tools give out and spend quotes here, too."""
    desk, serving = Desk(api.world), api.use_cases["serve_mcp"]
    api.use_cases["serve_mcp"] = lambda: replace(
        serving(), offer_quote=lambda: desk.offer, spend_quote=lambda: desk.spend
    )
    return desk


def a_submission() -> Submission:
    return image.parse_submission(BODY, load_catalog())


def held(world: World, customer: Customer) -> int:
    return world.wallet(customer).held


def test_a_quote_keeps_its_price_when_prices_change(world: World, customer: Customer, desk: Desk) -> None:
    submission = a_submission()
    quoted = desk.offer(customer.caller, TOOL, BODY, submission)
    dearer = replace(submission, terms=Terms.flat(submission.unit_price * 3), price_version="later")

    desk.bought(customer, quoted.id, dearer)

    assert held(world, customer) == submission.price


def test_the_same_quote_buys_once_even_after_it_has_expired(
    world: World, customer: Customer, desk: Desk
) -> None:
    quoted = desk.offer(customer.caller, TOOL, BODY, a_submission())
    first = desk.bought(customer, quoted.id, a_submission())
    world.clock.pass_seconds(LIFETIME_MS / 1000)

    assert desk.bought(customer, quoted.id, a_submission()) == first
    assert held(world, customer) == a_submission().price


def test_the_nulls_that_a_client_fills_in_are_no_arguments(
    api: Api, world: World, customer: Customer, desk: Desk
) -> None:
    """Some clients send every property of a tool's schema, with null where nothing was chosen."""
    asked = {"model": "nanobanana", "prompt": "A shark"}
    filled = asked | {"mode": None, "aspect_ratio": None, "seed": None, "max_cost": None}

    quoted = tool(api, customer, "quote", tool="generate_image", request=filled)["structuredContent"]
    made = tool(api, customer, "generate_image", **asked, quote_id=quoted["quote_id"])["structuredContent"]

    again = tool(api, customer, "generate_image", **filled, quote_id=quoted["quote_id"])["structuredContent"]
    assert again == made
    assert len(world.tables.jobs) == 1


def test_a_quote_that_expired_unused_buys_nothing(world: World, customer: Customer, desk: Desk) -> None:
    quoted = desk.offer(customer.caller, TOOL, BODY, a_submission())
    world.clock.pass_seconds(LIFETIME_MS / 1000)

    with pytest.raises(NotFound, match="expired"):
        desk.bought(customer, quoted.id, a_submission())
    assert held(world, customer) == 0


def test_a_quote_is_for_its_request_and_its_account(world: World, customer: Customer, desk: Desk) -> None:
    quoted = desk.offer(customer.caller, TOOL, BODY, a_submission())

    with pytest.raises(ValidationFailed, match="not the request that was quoted") as refused:
        desk.bought(customer, quoted.id, a_submission(), mode="4k")
    assert refused.value.details == {
        "quote_id": quoted.id,
        "quoted": {"tool": TOOL, "request": fingerprint(BODY), "test": False},
        "this": {"tool": TOOL, "request": fingerprint(BODY | {"mode": "4k"}), "test": False},
    }
    with pytest.raises(NotFound):
        desk.bought(world.customer(), quoted.id, a_submission())
    assert held(world, customer) == 0


def rpc(api: Api, customer: Customer, message: Any, **headers: str) -> Response:
    sent = event("http_post_mcp")
    sent["headers"] |= {"authorization": f"Bearer {customer.key}"} | headers
    return api.send(sent | {"body": json.dumps(message)})


def tool(api: Api, customer: Customer, name: str, **arguments: Any) -> dict[str, Any]:
    return traced_tool(api, customer, name, {}, **arguments)


def traced_tool(
    api: Api, customer: Customer, name: str, headers: dict[str, str], **arguments: Any
) -> dict[str, Any]:
    params = {"name": name, "arguments": arguments}
    message = {"jsonrpc": "2.0", "id": "1", "method": "tools/call", "params": params}
    result: dict[str, Any] = rpc(api, customer, message, **headers).json["result"]
    return result


def test_a_page_of_another_site_may_not_call(api: Api, customer: Customer) -> None:
    listing = {"jsonrpc": "2.0", "id": 1, "method": "tools/list"}

    assert rpc(api, customer, listing, origin="https://evil.example").status == 403
    assert rpc(api, customer, listing).status == 200


def test_tools_refuse_in_plain_words(api: Api, customer: Customer, desk: Desk) -> None:
    refused = tool(api, customer, "quote", tool=TOOL, request={"mode": "9k", "prompt": "A shark"})

    assert refused["isError"]
    message = "The request is not valid. mode: must be one of 1k, 2k, 4k"
    assert refused["content"] == [{"type": "text", "text": message}]
    details = {"fields": [{"field": "mode", "message": "must be one of 1k, 2k, 4k"}]}
    assert refused["structuredContent"] == {
        "code": "validation_error",
        "message": message,
        "details": details,
    }


@pytest.mark.parametrize(
    ("name", "request_", "status"),
    [
        (TOOL, BODY, "queued"),
        (TOOL, {"model": "nanobanana", "prompt": "A mug"}, "pending"),
        (mcp.CREATE_VIDEO, VIDEO, "queued"),
    ],
)
def test_a_job_of_any_kind_is_told_of_in_one_object(
    api: Api, world: World, desk: Desk, name: str, request_: dict[str, Any], status: str
) -> None:
    buyer = world.customer(credits=1)
    quote_id = tool(api, buyer, "quote", tool=name, request=request_)["structuredContent"]["quote_id"]
    spent = tool(api, buyer, name, quote_id=quote_id, **request_)["structuredContent"]

    job = tool(api, buyer, "get_job", job_id=spent["job_id"])["structuredContent"]

    assert job["status"] == status


@pytest.mark.parametrize(("name", "request_"), [(TOOL, BODY), (mcp.CREATE_VIDEO, VIDEO)])
def test_a_job_follows_the_trace_of_the_call_that_spends(
    api: Api, world: World, desk: Desk, name: str, request_: dict[str, Any]
) -> None:
    buyer, trace = world.customer(credits=1), "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"
    quote_id = tool(api, buyer, "quote", tool=name, request=request_)["structuredContent"]["quote_id"]

    traced_tool(api, buyer, name, {"traceparent": trace}, quote_id=quote_id, **request_)

    (job,) = world.tables.jobs.values()
    assert job.submission.traceparent == trace


def test_what_breaks_inside_is_not_told(api: Api, customer: Customer, desk: Desk, world: World) -> None:
    world.network.fail("ledger.wallet", RuntimeError("table shoal-unit is on fire"))

    answer = rpc(
        api, customer, {"jsonrpc": "2.0", "id": 1, "method": "tools/call", "params": {"name": "get_balance"}}
    )

    assert answer.status == 500
    assert "fire" not in answer.text


@pytest.mark.parametrize(
    ("message", "status", "code"),
    [
        ({}, 400, -32600),
        ({"jsonrpc": "1.0", "id": 1, "method": "ping"}, 400, -32600),
        ({"jsonrpc": "2.0", "id": 1, "method": 2}, 400, -32600),
        ({"jsonrpc": "2.0", "id": 1, "method": "ping", "params": [1]}, 400, -32600),
        ({"jsonrpc": "2.0", "id": None, "method": "ping"}, 400, -32600),
        ({"jsonrpc": "2.0", "id": 1.5, "method": "tools/call", "params": {"name": "quote"}}, 400, -32600),
        ({"jsonrpc": "2.0", "id": True, "method": "ping"}, 400, -32600),
        ([{"jsonrpc": "2.0", "id": 1, "method": "ping"}], 400, -32600),
        ({"jsonrpc": "2.0", "id": 1, "method": "ping", "params": {"x": float("nan")}}, 400, -32700),
        ({"jsonrpc": "2.0", "id": 1, "method": "resources/list"}, 200, -32601),
        ({"jsonrpc": "2.0", "id": 1, "method": "tools/call"}, 200, -32602),
        ({"jsonrpc": "2.0", "id": 1, "method": "tools/call", "params": {"name": []}}, 200, -32602),
        (
            {"jsonrpc": "2.0", "id": 1, "method": "tools/call", "params": {"name": "quote", "arguments": 1}},
            200,
            -32602,
        ),
    ],
)
def test_what_is_not_the_protocol_is_an_error_of_the_protocol(
    api: Api, customer: Customer, desk: Desk, message: Any, status: int, code: int
) -> None:
    answer = rpc(api, customer, message)

    assert (answer.status, answer.json["error"]["code"]) == (status, code)


@pytest.mark.parametrize("name", ["accept", "mcp-protocol-version", "mcp-session-id", "mcp-shark"])
@pytest.mark.parametrize("value", ["é", "\u20ac", "\x00", "a" * 8_000])
def test_no_header_upsets_the_server(api: Api, customer: Customer, desk: Desk, name: str, value: str) -> None:
    message = {"jsonrpc": "2.0", "id": 1, "method": "tools/list"}

    answer = rpc(api, customer, message, **{name: value})

    assert answer.status in (200, 400, 406)
    assert answer.json["jsonrpc"] == "2.0"


def test_a_message_has_one_meaning_for_all_who_read_it(api: Api, customer: Customer, desk: Desk) -> None:
    sent = event("http_post_mcp")
    sent["headers"]["authorization"] = f"Bearer {customer.key}"
    text = '\ufeff{"jsonrpc": "2.0", "id": 1, "id": 2, "method": "resources/list", "method": "ping"}'

    assert api.send(sent | {"body": text}).json == {"jsonrpc": "2.0", "id": 2, "result": {}}


@pytest.mark.parametrize("quote_id", ["", "x" * 300, "quo_made_up", "\x00", "quo_1#2"])
def test_what_is_no_quote_is_not_found(api: Api, customer: Customer, desk: Desk, quote_id: str) -> None:
    refused = tool(api, customer, TOOL, quote_id=quote_id, **BODY)

    assert refused["isError"]
    assert refused["content"][0]["text"].startswith("There is no such quote")


@pytest.mark.parametrize(
    "message",
    [{"jsonrpc": "2.0", "method": "notifications/initialized"}, {"jsonrpc": "2.0", "id": 1, "result": {}}],
)
def test_what_wants_no_answer_gets_none(api: Api, customer: Customer, desk: Desk, message: Any) -> None:
    answer = rpc(api, customer, message)

    assert (answer.status, answer.text) == (202, "")


@pytest.mark.parametrize(("asked", "told"), [("2025-06-18", "2025-06-18"), ("2031-01-01", "2025-11-25")])
def test_the_revision_asked_for_is_spoken_if_it_can_be(
    api: Api, customer: Customer, desk: Desk, asked: str, told: str
) -> None:
    client = {"capabilities": {}, "clientInfo": {"name": "a client", "version": "1"}}
    params = {"protocolVersion": asked, **client}
    message = {"jsonrpc": "2.0", "id": 0, "method": "initialize", "params": params}

    assert rpc(api, customer, message).json["result"]["protocolVersion"] == told


def test_a_tool_takes_what_it_says_and_nothing_else(api: Api, customer: Customer, desk: Desk) -> None:
    refused = [
        tool(api, customer, "quote", tool="get_balance", request={}),
        tool(api, customer, "get_job", job_id=7),
        tool(api, customer, "get_balance", asset="usd"),
        tool(api, customer, "list_models", page=1),
    ]

    wrong = ["tool: ", "job_id: ", "asset: ", "page: "]
    for result, field_name in zip(refused, wrong, strict=True):
        assert result["isError"]
        assert result["content"][0]["text"].startswith(f"The request is not valid. {field_name}")


def test_the_servers_package_is_in_no_other_function() -> None:
    others = sorted({row.verb for row in ROUTES.values() if row.verb != "serve_mcp"})
    imports = "".join(f"import {MODULES[verb]}\n" for verb in others)
    code = f"import sys\n{imports}print({{'mcp', 'httpx2'}} & sys.modules.keys())"

    imported = subprocess.run(  # noqa: S603 the project's own code
        [sys.executable, "-c", code], check=True, capture_output=True, text=True
    ).stdout

    assert imported.strip() == "set()"


def test_every_tool_says_what_it_takes_and_whether_it_spends() -> None:
    spending = {tool["name"] for tool in mcp.tools() if not tool["annotations"]["readOnlyHint"]}

    assert spending == set(mcp.SPENDING)
    assert tuple(tool["name"] for tool in mcp.tools()) == mcp.TOOLS == tuple(serve_mcp.TOOLS)
    assert all(tool["inputSchema"]["type"] == "object" and tool["description"] for tool in mcp.tools())
