"""Whatever an attacker sends: no 5xx, only documented answers, no word of the inside, no money gone."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest

from shoal.domain.job import JobStatus
from shoal.domain.money import format_usd, parse_usd
from shoal.ports.jobs import JobFilter
from tests.e2e.hostile import BODIES, GOOD, HEADERS, METHODS, PATHS, QUERIES, TEXTS
from tests.support.deployed import Customer, Deployed, eventually

BALANCE = parse_usd("10.00")
JSON = {"Content-Type": "application/json"}
INSIDE = (
    "traceback",
    "arn:aws",
    "dynamo",
    "boto",
    "lambda",
    "pydantic",
    '.py"',
    "keyerror",
    "shoal-local-storage",
)
ROUTES = [
    "POST /v1/generate",
    "POST /api/v1/image",
    "POST /v1/quote",
    "POST /api/v1/videos",
    "POST /api/v1/webhooks",
    "PATCH /api/v1/webhooks/{id}",
    "POST /api/v1/webhooks/{id}/test",
    "POST /api/v1/webhooks/{id}/recover",
    "POST /mcp",
]
LISTS = ["/v1/usage", "/v1/tasks", "/api/v1/videos", "/api/v1/webhooks", "/v1/usage/summary"]


@pytest.fixture(scope="module")
def attacker(deployed: Deployed) -> Iterator[Customer]:
    """An account whose money is all accounted for after all this."""
    customer = deployed.customer()
    yield customer
    eventually(lambda: not open_jobs(deployed, customer), seconds_max=120)
    jobs = deployed.jobs.page(customer.account_id, JobFilter(), limit=500, cursor=None).jobs
    wallet = customer.client.wallet()
    # A circuit breaker may have sent what was meant to fail to a provider that does it.
    assert (wallet["balance"], wallet["held"]) == (
        format_usd(BALANCE - sum(job.cost for job in jobs)),
        "$0.00",
    )


@pytest.fixture(scope="module")
def hook(attacker: Customer) -> str:
    body = {"url": "http://127.0.0.1:9/", "events": ["webhook.disabled"]}
    answer = attacker.client.request("POST", "/api/v1/webhooks", json=body)
    webhook_id: str = answer.json()["webhook"]["id"]
    return webhook_id


def open_jobs(deployed: Deployed, customer: Customer) -> bool:
    still_open = JobFilter(statuses=frozenset({JobStatus.QUEUED, JobStatus.PROCESSING}))
    return bool(deployed.jobs.page(customer.account_id, still_open, limit=1, cursor=None).jobs)


def assert_composed(answer: Any, what: str) -> None:
    """The contract of the answer was checked when it came; this is what no contract says."""
    assert answer.status_code < 500, f"{what}: {answer.text}"
    assert answer.headers["X-Request-Id"], what
    assert answer.headers["X-Content-Type-Options"] == "nosniff", what
    assert "X-Injected" not in answer.headers, what
    if answer.status_code >= 400:
        found = [inside for inside in INSIDE if inside in answer.text.lower()]
        assert not found, f"{what}: {answer.text}"


@pytest.mark.parametrize("route", ROUTES)
def test_no_body_upsets_a_route(attacker: Customer, hook: str, route: str) -> None:
    method, path = route.replace("{id}", hook).split(" ")
    for name, body in BODIES.items():
        answer = attacker.client.request(method, path, headers=JSON, data=body)
        assert_composed(answer, f"{route}, {name}")


@pytest.mark.parametrize("text", TEXTS.values(), ids=TEXTS.keys())
def test_a_text_comes_back_as_it_went_in(attacker: Customer, text: str) -> None:
    prompt, metadata = f"[fail]{text}|", {text: [text]}
    body = {"model": "nanobanana", "prompt": prompt, "metadata": metadata}

    accepted = attacker.client.request("POST", "/v1/generate", json=body)
    assert accepted.status_code == 202, accepted.text

    task = attacker.client.request("GET", f"/v1/tasks/{accepted.json()['data']['id']}").json()["data"]
    assert task["metadata"] == metadata
    (row,) = attacker.client.usage(limit=1).json()["requests"]
    assert row["prompt"] == prompt


@pytest.mark.parametrize("name", HEADERS)
def test_no_header_upsets_a_route(attacker: Customer, name: str) -> None:
    for method, path, message in (
        ("POST", "/v1/generate", GOOD),
        ("POST", "/mcp", {"jsonrpc": "2.0", "id": 1, "method": "tools/list"}),
        ("GET", "/v1/usage", None),
        ("GET", "/docs/api", None),
    ):
        body = json.dumps(message).encode() if message else None
        # The local front takes no other site's pages.
        values = {
            key: value.replace("{api}", attacker.client.api_url) for key, value in HEADERS[name].items()
        }
        sent = {key: value.encode("utf-8") for key, value in (JSON | values).items()}
        answer = attacker.client.request(method, path, headers=sent, data=body)
        assert_composed(answer, f"{method} {path}, {name}")
        assert answer.headers["X-Request-Id"] != "mine"
        assert "evil.example" not in answer.text


@pytest.mark.parametrize("path", LISTS)
def test_no_query_upsets_a_list(attacker: Customer, path: str) -> None:
    for query in QUERIES:
        answer = attacker.client.request("GET", f"{path}?{query}")
        assert_composed(answer, f"{path}?{query}")


def test_no_path_upsets_the_api(attacker: Customer) -> None:
    for path in PATHS:
        assert_composed(attacker.client.request("GET", path), path)


@pytest.mark.parametrize("method", METHODS)
def test_no_method_upsets_an_address(attacker: Customer, method: str) -> None:
    for path in ("/v1/generate", "/v1/wallet", "/healthz", "/docs/api", "/nowhere"):
        answer = attacker.client.request(method, path)
        assert_composed(answer, f"{method} {path}")
        assert answer.status_code in (404, 405)
