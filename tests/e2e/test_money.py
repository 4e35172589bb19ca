"""Wallet, free trials, play money and the usage pages, as a caller sees them."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from shoal.domain.api_key import KeyPrefix
from shoal.domain.money import Asset
from tests.support.client import Client
from tests.support.deployed import Customer, Deployed

TOO_LITTLE = {
    "error": {
        "code": "INSUFFICIENT_BALANCE",
        "message": "Your wallet balance is too low to process this request.",
        "status": 402,
    }
}


def money(balance: str, held: str, available: str, trials: int = 3) -> dict[str, Any]:
    return {"balance": balance, "held": held, "available": available, "free_generations_left": trials}


def test_the_wallet_holds_a_price_and_then_pays_it(customer: Customer) -> None:
    assert customer.client.wallet() == money("$10.00", "$0.00", "$10.00")

    job_id = customer.client.submit("[slow:2] a shark", mode="2k")
    assert customer.client.wallet() == money("$10.00", "$0.02", "$9.98")

    customer.client.wait(job_id)
    assert customer.client.wallet() == money("$9.98", "$0.00", "$9.98")
    assert customer.client.request("GET", "/api/v1/wallet").json() == customer.client.wallet()


def test_an_account_without_money_has_three_trials(deployed: Deployed) -> None:
    client = deployed.customer(usd="0").client
    answers = [client.generate("[slow:1] a shark", mode="1k") for _ in range(3)]
    assert [answer.json()["estimated_cost"] for answer in answers] == ["$0.00"] * 3

    refused = client.generate()

    assert (refused.status_code, refused.json()) == (402, TOO_LITTLE)
    jobs = [client.wait(answer.json()["job_id"]) for answer in answers]
    assert [(job["status"], job["cost"]) for job in jobs] == [("completed", "$0.00")] * 3
    assert client.wallet() == money("$0.00", "$0.00", "$0.00", trials=0)
    assert client.generate().status_code == 402


@pytest.mark.parametrize("prompt", ["[fail] a shark", "[timeout] a shark"])
def test_a_trial_whose_job_fails_is_given_back(deployed: Deployed, prompt: str) -> None:
    client = deployed.customer(usd="0").client
    job_id = client.submit(prompt)

    if "timeout" in prompt:
        assert client.wallet()["free_generations_left"] == 2
        assert client.cancel(job_id).status_code == 200
    assert client.wait(job_id)["status"] == "failed"

    assert client.wallet()["free_generations_left"] == 3


def test_money_is_spent_before_trials(deployed: Deployed) -> None:
    client = deployed.customer(usd="0.015").client
    assert client.generate("[timeout] a shark").json()["estimated_cost"] == "$0.01"
    assert client.wallet() == money("$0.015", "$0.01", "$0.005")

    assert client.generate().json()["estimated_cost"] == "$0.00"
    assert client.wallet()["free_generations_left"] == 2


def test_a_test_key_spends_play_money(deployed: Deployed) -> None:
    customer = deployed.customer(usd="0")
    _, playing = deployed.key_of(customer.account_id, prefix=KeyPrefix.TEST)
    assert playing.wallet() == money("$100.00", "$0.00", "$100.00")

    job = playing.wait(playing.submit(mode="1k"))

    assert (job["status"], job["cost"]) == ("completed", "$0.01")
    assert playing.wallet() == money("$99.99", "$0.00", "$99.99")
    assert customer.client.wallet() == money("$0.00", "$0.00", "$0.00")
    assert deployed.wallet(customer, Asset.TEST_USD).balance == 99_990_000


def test_the_usage_pages_show_every_request_once_newest_first(deployed: Deployed, customer: Customer) -> None:
    with ThreadPoolExecutor(8) as threads:
        jobs = list(threads.map(lambda _: deployed.accept(customer), range(45)))
    newest_first = sorted((job.id for job in jobs), reverse=True)

    pages = list(usage_pages(customer.client))

    assert [len(page) for page in pages] == [20, 20, 5]
    assert [row["job_id"] for page in pages for row in page] == newest_first
    by_sevens = list(usage_pages(customer.client, limit=7))
    assert [row["job_id"] for page in by_sevens for row in page] == newest_first


def usage_pages(client: Client, **query: Any) -> Any:
    """Follow the cursor to the end."""
    cursor = None
    while True:
        answer = client.usage(**query, **({"cursor": cursor} if cursor else {}))
        assert answer.status_code == 200, answer.text
        yield answer.json()["requests"]
        cursor = answer.json()["next_cursor"]
        if cursor is None:
            return


def test_the_usage_pages_filter_by_status(deployed: Deployed, customer: Customer) -> None:
    client = customer.client
    made = {
        "queued": deployed.accept(customer).id,
        "completed": client.submit(),
        "failed": client.submit("[fail] a shark"),
        "canceled": client.submit("[timeout] a shark"),
    }
    client.cancel(made["canceled"])
    client.wait(made["completed"])
    client.wait(made["failed"])

    def shown(status: str) -> set[str]:
        return {row["job_id"] for row in client.usage(status=status).json()["requests"]}

    assert shown("queued") == {made["queued"]}
    assert shown("completed") == shown("complete") == {made["completed"]}
    assert shown("failed") == {made["failed"], made["canceled"]}
    assert shown("processing") == set()


def test_a_usage_row_tells_what_was_asked_and_what_it_cost(customer: Customer) -> None:
    job_id = customer.client.submit("A shark", mode="1k")
    job = customer.client.wait(job_id)

    (row,) = customer.client.request("GET", "/api/v1/usage").json()["requests"]

    assert row == {
        "job_id": job_id,
        "status": "completed",
        "model": "shoal-image",
        "mode": "1k",
        "prompt": "A shark",
        "cost": "$0.01",
        "error": None,
        "created_at": job["created_at"],
        "completed_at": job["completed_at"],
    }
    assert customer.client.usage().json()["requests"] == [row | {"status": "complete"}]


def test_the_usage_pages_filter_by_time(deployed: Deployed, customer: Customer) -> None:
    job = deployed.accept(customer)
    at = datetime.fromtimestamp(job.created_at_ms / 1000, UTC)
    just_after = at + timedelta(milliseconds=1)

    def shown(**query: datetime) -> int:
        bounds = {name: value.isoformat() for name, value in query.items()}
        return len(customer.client.usage(**bounds).json()["requests"])

    assert shown(**{"from": at, "to": just_after}) == 1
    assert shown(**{"from": just_after}) == 0
    assert shown(to=at) == 0


def test_a_callers_pages_show_nobody_elses_requests(deployed: Deployed, customer: Customer) -> None:
    deployed.accept(customer)

    assert deployed.customer().client.usage().json() == {"requests": [], "next_cursor": None}
