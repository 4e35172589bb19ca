"""Many tasks of mixed outcome: the ledger, the usage and the pages all agree."""

from __future__ import annotations

import csv
import io
import os
from concurrent.futures import ThreadPoolExecutor

import pytest

from shoal.domain.money import Asset, parse_usd
from tests.support.client import Client
from tests.support.deployed import Deployed
from tests.support.tasks import TasksClient

JOBS = int(os.environ.get("SHOAL_TEST_JOBS", "40"))
CLIENTS = 8
PROMPTS = ("a mug", "a mug [fail]", "[nsfw] a mug", "a mug [poll]", "two mugs [fail]", "a mug [callback]")


@pytest.mark.timeout(120 + 3 * JOBS)
def test_many_tasks_agree_with_the_ledger_and_are_paged_once_each(deployed: Deployed) -> None:
    customer = deployed.customer(usd="100.00")
    tasks = TasksClient(customer.client)

    def run(number: int) -> str:
        prompt = PROMPTS[number % len(PROMPTS)]
        task_id = tasks.submit(f"{prompt} {number}", num_outputs=2 if "two" in prompt else 1)
        return str(tasks.wait(task_id)["id"])

    with ThreadPoolExecutor(CLIENTS) as pool:
        submitted = list(pool.map(run, range(JOBS)))

    assert sorted(_paged(tasks)) == sorted(submitted)
    spent = parse_usd("100.00") - deployed.ledger.entries_sum(customer.account_id, Asset.USD).balance_delta
    assert spent > 0
    assert deployed.wallet(customer).balance == parse_usd("100.00") - spent
    assert deployed.wallet(customer).held == 0
    assert sum(parse_usd(row["total_cost"]) for row in tasks.data("GET", "/v1/usage/summary")) == spent
    assert _usage_as_csv(customer.client) == spent
    assert deployed.ledger.discrepancies(customer.account_id) == []


def _paged(tasks: TasksClient) -> list[str]:
    """The id of every task, page by page."""
    ids: list[str] = []
    cursor: str | None = ""
    while cursor is not None:
        query = {"limit": "7"} | ({"cursor": cursor} if cursor else {})
        page = tasks.client.request("GET", "/v1/tasks", params=query).json()
        ids += [task["id"] for task in page["data"]]
        cursor = page["next_cursor"]
    return ids


def _usage_as_csv(client: Client) -> int:
    """Micro-dollars of all rows of the usage pages, read as CSV."""
    total = 0
    cursor: str | None = ""
    while cursor is not None:
        query = {"limit": "100"} | ({"cursor": cursor} if cursor else {})
        answer = client.request("GET", "/v1/usage", params=query, headers={"Accept": "text/csv"})
        rows = csv.DictReader(io.StringIO(answer.text))
        total += sum(parse_usd(row["cost"]) for row in rows if row["cost"])
        cursor = answer.headers.get("Next-Cursor")
    return total
