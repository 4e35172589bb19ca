"""The tools for agents, driven by the official client: nothing is spent without a quote, and never twice."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from mcp.client.client import Client
from mcp.types import INVALID_PARAMS

from shoal.domain.api_key import KeyPrefix, Scope
from shoal.domain.money import parse_usd
from tests.support.deployed import Customer, Deployed, eventually
from tests.support.mcp import call, error_of, value_of, with_client

IMAGE = {"mode": "1k", "prompt": "A shark in neon waters"}
VIDEO = {"idea": "Why sharks never sleep", "category": "science", "duration": 16, "aspect_ratio": "16:9"}
TOOLS = {"quote", "generate_image", "create_video", "get_job", "get_balance", "list_models"}
ONE_PICTURE = parse_usd("0.01")


def quoted(deployed: Deployed, key: str, request: dict[str, Any], tool: str = "generate_image") -> str:
    quote = value_of(call(deployed.cloud.api_url, key, "quote", tool=tool, request=request))
    return str(quote["quote_id"])


def generate(deployed: Deployed, key: str, quote_id: str, request: dict[str, Any] = IMAGE) -> Any:
    return call(deployed.cloud.api_url, key, "generate_image", quote_id=quote_id, **request)


@pytest.mark.parametrize("mode", ["auto", "legacy"])
def test_a_client_connects_and_lists_the_tools(deployed: Deployed, customer: Customer, mode: str) -> None:
    async def look(client: Client) -> tuple[str, set[str]]:
        found = await client.list_tools()
        return client.server_info.name if client.server_info else "", {tool.name for tool in found.tools}

    assert with_client(deployed.cloud.api_url, customer.key, look, mode=mode) == ("shoal", TOOLS)


def test_a_quoted_picture_is_made_and_paid_for_once(deployed: Deployed, customer: Customer) -> None:
    api_url, key = deployed.cloud.api_url, customer.key
    quote_id = quoted(deployed, key, IMAGE)
    assert deployed.wallet(customer).held == 0, "a quote holds nothing"

    made = value_of(generate(deployed, key, quote_id))
    again = value_of(generate(deployed, key, quote_id))

    assert again == made
    job_id = made["job_id"]

    def finished() -> dict[str, Any] | None:
        job = value_of(call(api_url, key, "get_job", job_id=job_id))
        return job if job["status"] not in ("queued", "processing") else None

    job = eventually(finished)
    assert (job["status"], job["cost"]) == ("completed", "$0.01")
    assert value_of(generate(deployed, key, quote_id))["job_id"] == job_id, "nor later"
    wallet = deployed.wallet(customer)
    assert wallet.balance == parse_usd("10.00") - ONE_PICTURE
    balance = value_of(call(api_url, key, "get_balance"))
    assert balance["dollars"]["available"] == "$9.99"


def test_a_quote_spent_by_many_at_once_is_spent_once(deployed: Deployed, customer: Customer) -> None:
    quote_id = quoted(deployed, customer.key, IMAGE)

    with ThreadPoolExecutor(4) as pool:
        results = list(pool.map(lambda _: generate(deployed, customer.key, quote_id), range(4)))

    accepted = {value_of(result)["job_id"] for result in results if not result.is_error}
    assert len(accepted) == 1
    assert len(deployed.client(customer.key).usage().json()["requests"]) == 1


def test_only_the_quoted_request_can_be_bought_with_a_quote(deployed: Deployed, customer: Customer) -> None:
    quote_id = quoted(deployed, customer.key, IMAGE)
    other = deployed.customer()
    test_key, _ = deployed.key_of(customer.account_id, prefix=KeyPrefix.TEST)

    refused = [
        generate(deployed, customer.key, quote_id, IMAGE | {"mode": "4k"}),
        call(deployed.cloud.api_url, customer.key, "create_video", quote_id=quote_id, **VIDEO),
        generate(deployed, test_key, quote_id),
    ]

    assert all("not the request that was quoted" in error_of(result) for result in refused)
    assert "no such quote" in error_of(generate(deployed, other.key, quote_id))
    assert "no such quote" in error_of(generate(deployed, customer.key, "quo_made_up"))
    assert "call quote first" in error_of(
        call(deployed.cloud.api_url, customer.key, "generate_image", **IMAGE)
    )
    assert deployed.wallet(customer).held == 0


def test_a_video_is_quoted_in_credits_and_needs_them(deployed: Deployed, customer: Customer) -> None:
    quote = value_of(call(deployed.cloud.api_url, customer.key, "quote", tool="create_video", request=VIDEO))

    assert quote["price"] == "2 credits"
    refused = call(deployed.cloud.api_url, customer.key, "create_video", quote_id=quote["quote_id"], **VIDEO)
    assert "credits" in error_of(refused)


def test_scopes_count_as_over_http(deployed: Deployed, customer: Customer) -> None:
    quote_id = quoted(deployed, customer.key, IMAGE)
    reader, _ = deployed.key_of(customer.account_id, scopes=frozenset({Scope.READ}))

    assert "scope" in error_of(generate(deployed, reader, quote_id))
    assert value_of(call(deployed.cloud.api_url, reader, "list_models"))["modes"]


@pytest.mark.parametrize(
    ("method", "headers", "status"),
    [
        ("GET", {}, 405),
        ("DELETE", {}, 405),
        ("POST", {"Authorization": ""}, 401),
        ("POST", {"Authorization": "Bearer sk_live_nobody"}, 401),
        ("POST", {"Origin": "https://evil.example"}, 403),
        ("POST", {"MCP-Protocol-Version": "2031-01-01"}, 400),
    ],
)
def test_what_is_not_for_this_server_is_refused(
    deployed: Deployed, customer: Customer, method: str, headers: dict[str, str], status: int
) -> None:
    body = {"jsonrpc": "2.0", "id": 1, "method": "tools/list"} if method == "POST" else None

    answer = deployed.client(customer.key).request(method, "/mcp", headers=headers, json=body)

    assert answer.status_code == status
    if status == 405:
        assert answer.headers["Allow"] == "POST"
    if status == 400:
        assert answer.json()["error"]["code"] == INVALID_PARAMS
