"""Who may do what: keys, scopes, other people's jobs, the rate limit."""

from __future__ import annotations

import time
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from shoal.domain.api_key import Scope
from shoal.domain.rate_limit import RateLimit
from tests.support.deployed import Customer, Deployed

UNAUTHORIZED = {"code": "UNAUTHORIZED", "message": "Missing or invalid API key.", "status": 401}
ROUTES = [
    ("POST", "/v1/generate"),
    ("POST", "/api/v1/image"),
    ("GET", "/v1/jobs/job_01M814MYQ6VKFV5DERKRGQ35G3"),
    ("POST", "/v1/jobs/job_01M814MYQ6VKFV5DERKRGQ35G3/cancel"),
    ("GET", "/v1/wallet"),
    ("GET", "/v1/usage"),
]


@pytest.mark.parametrize(
    "authorization",
    [
        "",
        "Bearer",
        "Bearer nonsense",
        "Bearer sk_live_",
        f"Bearer sk_live_{'a' * 32}",
        f"Basic sk_live_{'a' * 32}",
        "Bearer sk_live_' OR 1=1 --",
        f"Bearer sk_live_{'a' * 5000}",
    ],
)
@pytest.mark.parametrize(("method", "path"), ROUTES)
def test_nothing_is_answered_without_a_key(
    deployed: Deployed, method: str, path: str, authorization: str
) -> None:
    body = {"mode": "1k", "prompt": "A shark"} if method == "POST" else None

    answer = deployed.client("").request(method, path, headers={"Authorization": authorization}, json=body)

    assert answer.status_code == 401
    assert answer.headers["X-Request-Id"]
    assert answer.json() == {"error": UNAUTHORIZED}


def test_a_revoked_key_opens_nothing_any_more(deployed: Deployed, customer: Customer) -> None:
    _, client = deployed.key_of(customer.account_id)
    assert client.wallet()
    newest = deployed.accounts.keys.of_account(customer.account_id)[-1]

    deployed.accounts.keys.revoke(customer.account_id, newest.id, newest.created_at_ms + 1)

    assert client.request("GET", "/v1/wallet").status_code == 401
    assert client.generate().status_code == 401
    assert customer.client.wallet(), "the account's other key goes on"


def test_a_key_does_only_what_its_scopes_allow(deployed: Deployed, customer: Customer) -> None:
    job_id = customer.client.submit("[slow:1] a shark")
    _, reader = deployed.key_of(customer.account_id, scopes=frozenset({Scope.READ}))
    _, writer = deployed.key_of(customer.account_id, scopes=frozenset({Scope.GENERATE}))

    forbidden = [
        reader.cancel(job_id),
        reader.request("POST", "/api/v1/image", json={"prompt": "A shark"}),
        writer.request("GET", f"/v1/jobs/{job_id}"),
        writer.request("GET", "/v1/wallet"),
        writer.usage(),
    ]

    assert [(answer.status_code, answer.json()["error"]["code"]) for answer in forbidden] == [
        (403, "FORBIDDEN")
    ] * 5
    assert reader.generate().json()["error"]["code"] == "FORBIDDEN", "the body says who speaks"
    assert reader.job(job_id)["job_id"] == job_id
    assert writer.generate("[nsfw] a shark").status_code == 202


def test_another_accounts_job_does_not_exist(deployed: Deployed, customer: Customer) -> None:
    job_id = customer.client.submit("[slow:1] a shark")
    other = deployed.customer().client
    missing = other.request("GET", f"/v1/jobs/job_{'0' * 26}")

    answers = [
        other.request("GET", f"/v1/jobs/{job_id}"),
        other.request("GET", f"/api/v1/jobs/{job_id}"),
        other.cancel(job_id),
    ]

    for answer in [missing, *answers]:
        assert answer.status_code == 404
        assert answer.json() == missing.json()
    assert customer.client.wait(job_id)["status"] == "completed"


def test_every_answer_tells_how_much_is_left(deployed: Deployed, customer: Customer) -> None:
    _, client = deployed.key_of(customer.account_id, limit=RateLimit(6, 5))

    answers = [client.request("GET", "/v1/wallet") for _ in range(2)]

    assert {answer.headers["RateLimit-Policy"] for answer in answers} == {'"key";q=6;w=60'}
    assert answers[0].headers["RateLimit"] == '"key";r=4;t=10'
    assert answers[1].headers["RateLimit"].startswith('"key";r=3;')


def test_a_caller_who_waits_as_told_is_admitted_again(deployed: Deployed, customer: Customer) -> None:
    _, client = deployed.key_of(customer.account_id, limit=RateLimit(20, 2))
    _, other = deployed.key_of(customer.account_id, limit=RateLimit(20, 2))
    assert [client.generate("[nsfw] a shark").status_code for _ in range(2)] == [202, 202]

    def ask(_: int) -> Any:
        return client.request("POST", "/api/v1/image", json={"prompt": "[nsfw] a shark"})

    # A machine so slow that some more are let through meanwhile is no fault.
    with ThreadPoolExecutor(8) as threads:
        answers = list(threads.map(ask, range(8)))
    refused = next(answer for answer in answers if answer.status_code != 202)

    assert refused.status_code == 429
    assert refused.json() == {
        "error": {"code": "RATE_LIMITED", "message": "Too many requests with this API key.", "status": 429}
    }
    assert refused.headers["RateLimit"].startswith('"key";r=0;')
    assert other.wallet(), "the limit is the key's own"
    wait_s = int(refused.headers["Retry-After"])
    assert 1 <= wait_s <= 3
    time.sleep(wait_s)
    assert client.request("GET", "/v1/wallet").status_code == 200


def test_a_refused_request_does_not_lengthen_the_wait(deployed: Deployed, customer: Customer) -> None:
    _, client = deployed.key_of(customer.account_id, limit=RateLimit(6, 1))
    assert client.wallet()

    waits = [int(client.request("GET", "/v1/wallet").headers["Retry-After"]) for _ in range(5)]

    assert waits == sorted(waits, reverse=True)
    assert waits[0] <= 10
