"""The Lambdas behind queues and schedules: one bad message does not take the others with it."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable
from dataclasses import replace
from io import StringIO
from typing import Any

import pytest

from shoal.domain.errors import Unavailable
from shoal.domain.job import Job
from shoal.domain.money import Asset
from shoal.domain.provider import Pending
from shoal.handlers.consumers.audit_ledger import audit
from shoal.observability import flush_metrics
from shoal.ports.jobs import Look
from shoal.ports.system import TimeLeft
from shoal.use_cases.jobs.sweep_jobs import Report
from shoal.use_cases.money.audit_ledger import ACCOUNTS_AT_ONCE
from tests.support.api import LambdaContext
from tests.support.events import batch, event
from tests.support.handlers import given
from tests.worlds.world import DEADLINE_S, Customer, World


def run(world: World, verb: str, happened: dict[str, Any]) -> Any:
    """What the function of the verb answers to an event."""
    return given(verb, getattr(world, verb))(happened, LambdaContext(world.clock))


def sweep(world: World) -> Any:
    """What a minute's sweep answers."""
    return given("sweep_jobs", world.sweeping)(event("eventbridge_schedule"), LambdaContext(world.clock))


def failed(answer: Any) -> list[str]:
    """The messages the queue is to keep."""
    return [item["itemIdentifier"] for item in answer["batchItemFailures"]]


def metrics(capsys: pytest.CaptureFixture[str]) -> dict[str, Any]:
    """What was measured since last asked: name to value, for the dimension every metric has."""
    found: dict[str, Any] = {}
    for line in capsys.readouterr().out.splitlines():
        measured = json.loads(line)
        (described,) = measured["_aws"]["CloudWatchMetrics"]
        assert described["Namespace"] == "Shoal"
        if described["Dimensions"] == [["service"]]:
            found |= {metric["Name"]: measured[metric["Name"]] for metric in described["Metrics"]}
    return found


def counted(capsys: pytest.CaptureFixture[str], name: str) -> list[float]:
    """What was measured under a name, in order."""
    lines = map(json.loads, capsys.readouterr().out.splitlines())
    return [value for line in lines for value in line.get(name, ())]


def poll_message(job: Job, *, once: bool = False) -> dict[str, Any]:
    return {"account_id": job.account_id, "job_id": job.id, "index": 0, "once": once}


def begun(world: World, customer: Customer) -> Job:
    return world.asked(world.processing(customer), "ref-1")


def test_a_polled_provider_answers_the_token(world: World, customer: Customer) -> None:
    jobs = [begun(world, customer) for _ in range(3)]

    answer = run(world, "poll_provider", batch("sqs_poll_queue", [poll_message(job) for job in jobs]))

    assert failed(answer) == []
    assert len(world.tokens.answers) == 3


def test_only_the_message_that_failed_is_kept(world: World, customer: Customer) -> None:
    jobs = [begun(world, customer) for _ in range(3)]
    messages = [
        poll_message(jobs[0]),
        poll_message(replace(jobs[1], id="job_unknown")),
        poll_message(jobs[2]),
    ]

    answer = run(world, "poll_provider", batch("sqs_poll_queue", messages))

    assert failed(answer) == ["message-1"]
    assert len(world.tokens.answers) == 2


@pytest.mark.parametrize("body", ["not json", {}, [], None, {"account_id": "acc_1"}])
def test_a_message_that_makes_no_sense_does_not_stop_the_others(
    world: World, customer: Customer, body: Any
) -> None:
    answer = run(
        world, "poll_provider", batch("sqs_poll_queue", [body, poll_message(begun(world, customer))])
    )

    assert failed(answer) == ["message-0"]
    assert len(world.tokens.answers) == 1


def test_a_job_that_ended_needs_no_second_look(world: World, customer: Customer) -> None:
    canceled = begun(world, customer)
    world.cancel_job(customer.caller, canceled.id)
    ending = begun(world, customer)
    world.provider.script = []
    world.network.before("provider.check", lambda: world.cancel_job(customer.caller, ending.id))

    answer = run(
        world, "poll_provider", batch("sqs_poll_queue", [poll_message(canceled), poll_message(ending)])
    )

    assert failed(answer) == []


def test_a_message_says_whether_to_look_once(world: World, customer: Customer) -> None:
    job = begun(world, customer)
    world.provider.script = [Pending("ref-1", 2), Pending("ref-1", 2)]

    run(world, "poll_provider", batch("sqs_poll_queue", [poll_message(job, once=True)]))
    assert world.poll_queue.messages == []
    run(world, "poll_provider", batch("sqs_poll_queue", [poll_message(job)]))
    assert len(world.poll_queue.messages) == 1


def test_a_message_of_0_1_is_the_first_look_at_a_providers_work() -> None:
    sent = json.loads(event("sqs_poll_queue")["Records"][0]["body"])

    assert set(sent) == {"account_id", "job_id", "index", "once"}
    assert Look(**sent) == Look(sent["account_id"], sent["job_id"], sent["index"], looks=0, simulated=False)


def status_change(job: Job, status: str = "FAILED") -> Any:
    changed = event("stepfunctions_status_change")
    changed["detail"] |= {
        "status": status,
        "name": job.id,
        "input": json.dumps({"account_id": job.account_id, "job_id": job.id}),
    }
    return changed


@pytest.mark.parametrize("status", ["FAILED", "TIMED_OUT", "ABORTED"])
def test_the_job_of_an_execution_that_ended_early_gets_another_one(
    world: World, customer: Customer, status: str
) -> None:
    job = world.processing(customer)

    answer = run(world, "close_execution", batch("sqs_closed_executions", [status_change(job, status)]))

    assert failed(answer) == []
    assert [started.execution for started in world.workflow.started] == [job.id, f"{job.id}-1"]


def test_an_execution_without_a_job_goes_back_alone(world: World, customer: Customer) -> None:
    job = world.processing(customer)
    stray = event("stepfunctions_status_change")

    answer = run(world, "close_execution", batch("sqs_closed_executions", [stray, status_change(job)]))

    assert failed(answer) == ["message-0"]
    assert world.now(job).restarts == 1


def test_a_table_out_of_reach_sends_every_message_back(world: World, customer: Customer) -> None:
    job = world.processing(customer)
    world.network.fail("jobs.get", Unavailable())
    sent = batch("sqs_closed_executions", [status_change(job), status_change(job)])

    assert failed(run(world, "close_execution", sent)) == ["message-0", "message-1"]

    world.network.heal()
    assert failed(run(world, "close_execution", sent)) == []


def test_messages_do_not_share_their_ids_in_the_log(world: World, customer: Customer, logs: StringIO) -> None:
    jobs = [begun(world, customer) for _ in range(2)]
    messages = [poll_message(jobs[0]), "not a message", poll_message(jobs[1])]

    run(world, "poll_provider", batch("sqs_poll_queue", messages))

    lines = [json.loads(line) for line in logs.getvalue().splitlines()]
    assert [line.get("job_id") for line in lines] == [jobs[0].id, None, jobs[1].id]


def test_a_message_that_fails_is_logged_with_what_went_wrong(
    world: World, customer: Customer, logs: StringIO
) -> None:
    job = begun(world, customer)
    world.network.fail("provider.check", RuntimeError("out of memory"))

    run(world, "poll_provider", batch("sqs_poll_queue", [poll_message(job)]))

    assert "RuntimeError: out of memory" in logs.getvalue()
    assert job.id in logs.getvalue()
    assert "message-0" in logs.getvalue()


def test_the_sweeper_says_what_it_did_and_counts_what_was_stuck(
    world: World, customer: Customer, capsys: pytest.CaptureFixture[str]
) -> None:
    world.network.fail("workflow.start", Unavailable())
    world.queued(customer, model="nanobanana")
    world.network.heal()
    world.queued(customer, model="nanobanana")
    world.processing(customer)
    world.clock.ms += DEADLINE_S * 1000

    done = sweep(world)

    assert done == {"started": 1, "left": 1, "closed": 1}
    assert sum(counted(capsys, "StuckJobs")) == 2.0


def run_of(world: World, sweep_jobs: Callable[[TimeLeft, Report], Counter[str]]) -> None:
    """A run of the sweeper that does this."""
    handler = given("sweep_jobs", replace(world.sweeping, sweep_jobs=sweep_jobs))
    handler(event("eventbridge_schedule"), LambdaContext(world.clock))


def test_a_sweep_that_finds_nothing_counts_zero(world: World, capsys: pytest.CaptureFixture[str]) -> None:
    assert sweep(world) == {}
    assert metrics(capsys) == {"StuckJobs": [0.0]}


def test_a_sweep_that_is_cut_off_has_counted_what_was_stuck_before(
    world: World, capsys: pytest.CaptureFixture[str]
) -> None:
    def cut_off(_: TimeLeft, report: Report) -> Counter[str]:
        report(Counter(started=2, left=1))
        raise MemoryError

    with pytest.raises(MemoryError):
        run_of(world, cut_off)
    assert metrics(capsys) == {"StuckJobs": [2.0]}


def test_a_sweep_counts_each_stuck_job_once(world: World, capsys: pytest.CaptureFixture[str]) -> None:
    """Those of its parts when they are done, the shards that it could not read at its end."""

    def ended(_: TimeLeft, report: Report) -> Counter[str]:
        report(Counter(left=3))
        report(Counter(started=1, closed=1))
        return Counter(left=3, started=1, closed=1, unread=1)

    run_of(world, ended)
    assert counted(capsys, "StuckJobs") == [2.0, 1.0]


def test_an_audit_that_finds_nothing_counts_zero(world: World, capsys: pytest.CaptureFixture[str]) -> None:
    done = run(world, "audit_ledger", event("eventbridge_schedule"))

    assert done == {"accounts": 0, "discrepancies": 0, "not_audited": 0, "ended": True}
    assert metrics(capsys) == {
        "LedgerDiscrepancies": [0.0],
        "AccountsAudited": [0.0],
        "AccountsNotAudited": [0.0],
        "AuditsEnded": [1.0],
    }


def test_an_audit_that_does_not_reach_the_last_account_is_none_that_ended(
    world: World, capsys: pytest.CaptureFixture[str]
) -> None:
    for _ in range(ACCOUNTS_AT_ONCE + 1):
        world.customer()

    done = audit(world.audit_ledger, lambda: 0.0 if world.audit_progress.cursor() else 60.0)
    flush_metrics()

    assert (done["accounts"], done["ended"]) == (ACCOUNTS_AT_ONCE, False)
    assert metrics(capsys)["AuditsEnded"] == [0.0]


def test_an_audit_that_finds_something_counts_and_logs_it(
    world: World, customer: Customer, capsys: pytest.CaptureFixture[str], logs: StringIO
) -> None:
    wallet = world.wallet(customer)
    world.tables.wallets[customer.account_id, Asset.USD] = replace(wallet, held=5)

    found = run(world, "audit_ledger", event("eventbridge_schedule"))

    assert found == {"accounts": 1, "discrepancies": 2, "not_audited": 0, "ended": True}
    assert metrics(capsys)["LedgerDiscrepancies"] == [2.0]
    assert customer.account_id in logs.getvalue()
