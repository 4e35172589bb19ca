"""`shoal jobs` and `audit` over the fakes, and how the command fails."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest
from botocore.exceptions import EndpointConnectionError, NoCredentialsError

from shoal.domain.errors import Unavailable
from shoal.domain.money import Asset
from shoal.ports.jobs import JobFilter, JobPage
from tests.support.operator_command import Shoal, printed, refused
from tests.worlds.world import Customer, World


@pytest.fixture
def shoal(world: World) -> Shoal:
    return Shoal(world)


def test_jobs_are_listed_page_by_page_and_by_status(shoal: Shoal, world: World, customer: Customer) -> None:
    done, waiting = world.completed(customer), world.queued(customer)
    first = printed(shoal("jobs", "list", customer.account_id, "--limit", "1", "--json"))
    rest = printed(shoal("jobs", "list", customer.account_id, "--cursor", first["next_cursor"], "--json"))
    ids = {job["job_id"] for page in (first, rest) for job in page["jobs"]}
    assert ids == {done.id, waiting.id}
    assert rest["next_cursor"] is None
    completed = printed(shoal("jobs", "list", customer.account_id, "--status", "completed", "--json"))
    assert [job["job_id"] for job in completed["jobs"]] == [done.id]
    assert completed["jobs"][0]["cost"] == "0.02"


def test_a_short_page_is_filled_up(shoal: Shoal, world: World, customer: Customer) -> None:
    """A selective filter reads many jobs for few matches: the adapter then ends a page early."""
    jobs = [world.queued(customer) for _ in range(3)]
    whole_page = world.jobs.page

    def short_page(account_id: str, which: JobFilter, *, limit: int, cursor: str | None) -> JobPage:
        return whole_page(account_id, which, limit=min(limit, 1), cursor=cursor)

    world.jobs.page = short_page  # type: ignore[method-assign]
    listed = printed(shoal("jobs", "list", customer.account_id, "--limit", "2", "--json"))
    assert [job["job_id"] for job in listed["jobs"]] == sorted((job.id for job in jobs), reverse=True)[:2]
    assert "There are more: --cursor" in shoal("jobs", "list", customer.account_id, "--limit", "2").stdout


def test_a_job_is_shown_without_its_task_token(shoal: Shoal, world: World, customer: Customer) -> None:
    job = world.processing(customer)
    shown = printed(shoal("jobs", "show", customer.account_id, job.id, "--json"))
    assert (shown["job_id"], shown["status"], shown["hold"]) == (job.id, "processing", "held")
    assert job.task_tokens[0]
    assert job.task_tokens[0] not in json.dumps(shown)


def test_a_prompt_cannot_steer_the_terminal(shoal: Shoal, world: World, customer: Customer) -> None:
    job = world.queued(customer, prompt="a shark\x1b[2J[red]")
    shown = shoal("jobs", "show", customer.account_id, job.id).stdout
    assert "\x1b" not in shown
    assert "[red]" in shown


def test_stuck_jobs_are_finished_now(shoal: Shoal, world: World, customer: Customer) -> None:
    assert "No job is stuck." in shoal("jobs", "retry-stuck").stdout
    queued = world.queued(customer, model="nanobanana")
    late = world.asked(world.processing(customer))
    world.workflow.executions.pop(queued.id)
    world.clock.pass_seconds(600)
    assert shoal("jobs", "retry-stuck").stdout == "1 started, 1 closed\n"
    assert world.now(late).status == "failed"
    done = printed(shoal("jobs", "retry-stuck", "--json"))
    assert done == {
        "started": 0,
        "closed": 0,
        "announced": 0,
        "left": 0,
        "deferred": 0,
        "unread": 0,
        "told": 0,
    }


def test_what_waits_to_be_told_is_told_now(shoal: Shoal, world: World, customer: Customer) -> None:
    wallet = world.wallet(customer)
    world.tables.wallets[customer.account_id, Asset.USD] = replace(wallet, balance=wallet.balance + 1)
    assert shoal("audit").exit_code == shoal("audit").exit_code == 1
    assert world.bus.published == []

    assert shoal("jobs", "retry-stuck").stdout == "1 told\n", "the same discrepancy is one event a day"

    (event,) = world.bus.published
    assert (event.type, event.detail["account_id"]) == ("audit.discrepancy", customer.account_id)
    assert (event.detail["data"]["expected"], event.detail["data"]["found"]) == ("10.00", "10.000001")
    assert "No job is stuck." in shoal("jobs", "retry-stuck").stdout


def test_the_audit_is_silent_about_what_agrees(shoal: Shoal, world: World, customer: Customer) -> None:
    world.queued(customer)
    result = shoal("audit")
    assert (result.exit_code, result.stdout.count("\n")) == (0, 1)
    assert printed(shoal("audit", "--json")) == {"discrepancies": []}


def test_the_audit_names_a_wallet_that_is_off(shoal: Shoal, world: World, customer: Customer) -> None:
    wallet = world.wallet(customer)
    world.tables.wallets[customer.account_id, Asset.USD] = replace(wallet, balance=wallet.balance + 1)
    result = shoal("audit")
    assert result.exit_code == 1
    line = next(line for line in result.stdout.splitlines() if customer.account_id in line)
    assert line.split()[1] == "usd"
    assert line.split()[-2:] == ["10000000", "10000001"]
    off = shoal("audit", "--json")
    assert off.exit_code == 1
    assert json.loads(off.stdout) == {
        "discrepancies": [
            {
                "account_id": customer.account_id,
                "asset": "usd",
                "what": "balance is not the sum of the entries",
                "expected": 10_000_000,
                "found": 10_000_001,
            }
        ]
    }


@pytest.mark.parametrize(
    "cause", [NoCredentialsError(), EndpointConnectionError(endpoint_url="http://localhost:1")]
)
def test_a_service_out_of_reach_is_explained_by_its_cause(
    shoal: Shoal, world: World, cause: Exception
) -> None:
    unavailable = Unavailable(retry_after_seconds=1)
    unavailable.__cause__ = cause
    world.network.fail("directory.page", unavailable)
    refused(shoal("audit"), 1, str(cause))


def test_a_defect_is_not_mistaken_for_a_failure_to_be_expected(shoal: Shoal, world: World) -> None:
    world.network.fail("directory.page", KeyError("balance"))
    assert isinstance(shoal("audit").exception, KeyError)
