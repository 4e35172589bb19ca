"""The sweeper: nothing is ever left waiting, held or unannounced."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import replace
from io import BytesIO

import pytest

from shoal.adapters.system import at_once
from shoal.domain.errors import JobClosed, Unavailable
from shoal.domain.job import QUEUE_LIMIT_MS, Closer, Job, JobFailure, JobStatus
from shoal.domain.money import Asset
from shoal.ports.jobs import Due, ExecutionState
from tests.fakes import PollMessage
from tests.worlds.machine import Stage
from tests.worlds.world import DEADLINE_S, OPEN_JOBS_MAX, Customer, World

GRACE_S = 60


def not_started(world: World, customer: Customer, **body: str) -> Job:
    """A job whose execution could not be started."""
    world.network.fail("workflow.start", Unavailable())
    job = world.queued(customer, **body)
    world.network.heal()
    return job


def test_nothing_due_is_nothing_done(world: World, customer: Customer) -> None:
    world.queued(customer)
    world.processing(customer)
    world.completed(customer)

    assert world.sweep_jobs() == {}
    world.clock.pass_seconds(GRACE_S - 1)
    assert world.sweep_jobs() == {}


def test_a_job_without_an_execution_is_started(world: World, customer: Customer) -> None:
    job = not_started(world, customer)
    world.clock.pass_seconds(GRACE_S)

    assert world.sweep_jobs() == {"started": 1}

    assert [started.id for started in world.workflow.started] == [job.id]
    assert world.now(job).status is JobStatus.QUEUED


def test_a_started_job_is_not_started_again(world: World, customer: Customer) -> None:
    world.queued(customer)
    world.clock.pass_seconds(GRACE_S)

    assert world.sweep_jobs() == {"left": 1}
    assert len(world.workflow.started) == 1


def test_a_queued_job_whose_execution_ended_gets_another_one(world: World, customer: Customer) -> None:
    job = world.queued(customer)
    for restarts in (1, 2):
        world.workflow.executions[world.now(job).execution] = ExecutionState.ENDED
        world.clock.pass_seconds(GRACE_S)

        assert world.sweep_jobs() == {"started": 1}

        assert world.now(job).restarts == restarts
        assert world.workflow.executions[f"{job.id}-{restarts}"] is ExecutionState.RUNNING
    world.clock.ms = job.start_by_ms
    assert world.sweep_jobs() == {"closed": 1}
    assert world.now(job).status is JobStatus.EXPIRED
    assert world.entries(customer) == ["top_up", "hold", "release"]


@pytest.mark.parametrize(("body", "limit_ms"), [({}, 180_000), ({"model": "nanobanana"}, QUEUE_LIMIT_MS)])
def test_a_job_that_could_not_be_started_in_time_expires(
    world: World, customer: Customer, body: dict[str, str], limit_ms: int
) -> None:
    job = not_started(world, customer, **body)
    world.clock.ms += limit_ms - 1
    assert world.sweep_jobs() == {"started": 1}
    world.workflow.executions.clear()
    world.tables.put(replace(world.now(job), deadline_at_ms=world.clock.ms + 1))
    world.clock.ms += 1

    assert world.sweep_jobs() == {"closed": 1}

    closed = world.now(job)
    assert closed.failure is not None
    assert (closed.status, closed.closed_by) == (JobStatus.EXPIRED, Closer.SWEEP)
    assert closed.failure.message.endswith("No charge was applied.")
    assert world.wallet(customer).available == 10_000_000
    ended = "task.failed" if body else "image.failed"
    assert world.bus.types() == ["job.created", ended, "job.failed", "wallet.released"]


def test_a_job_past_its_deadline_is_closed_in_the_documents_words(world: World, customer: Customer) -> None:
    job = world.asked(world.processing(customer))
    for _ in range(DEADLINE_S // GRACE_S - 1):
        world.clock.pass_seconds(GRACE_S)
        assert world.sweep_jobs() == {"left": 1}
    world.clock.pass_seconds(GRACE_S)

    assert world.sweep_jobs() == {"closed": 1}

    closed = world.now(job)
    assert closed.failure is not None
    assert closed.status is JobStatus.FAILED
    assert closed.failure.message == "Provider request timed out after 180s."
    assert world.workflow.stopped == [job.id]
    assert world.entries(customer) == ["top_up", "hold", "release"]


def test_a_job_past_its_deadline_blames_no_provider_that_was_not_asked(
    world: World, customer: Customer
) -> None:
    job = world.processing(customer)
    world.clock.ms += DEADLINE_S * 1000

    assert world.sweep_jobs() == {"closed": 1}

    told = "No provider could be asked in time. No charge was applied."
    ended = world.now(job)
    assert (ended.status, ended.failure) == (JobStatus.EXPIRED, JobFailure("expired", told))


def test_what_is_staged_is_left_to_an_execution_that_runs(world: World, customer: Customer) -> None:
    job = world.asked(world.processing(customer))
    key = world.staging.put(job, 0, BytesIO(b"picture"))
    world.clock.ms += DEADLINE_S * 1000

    assert world.sweep_jobs() == {"left": 1}

    assert not world.now(job).status.terminal
    assert world.tokens.answers[job.task_tokens[0]].output == {"output": {"key": key}}


def test_a_provider_that_nobody_looks_at_is_looked_at_each_minute(world: World, customer: Customer) -> None:
    job = world.asked(world.processing(customer), "ref-1")
    look = PollMessage.of(job, 0, once=True)
    for minutes in (1, 2):
        world.clock.pass_seconds(GRACE_S)
        assert (world.sweep_jobs(), world.sweep_jobs()) == ({"left": 1}, {})
        assert world.poll_queue.messages == [look] * minutes
    assert not world.now(job).is_stuck(world.clock.ms + GRACE_S * 1000 - 1)

    assert world.poll_provider(look.look, "receipt") == "done"
    assert world.poll_provider(look.look, "receipt") == "done", "twice is harmless"

    key = f"{job.account_id}/{job.id}/0"
    assert world.tokens.answers[job.task_tokens[0]].output == {"output": {"key": key}}


def test_nobody_looks_at_what_is_answered_or_asked_at_the_moment(world: World, customer: Customer) -> None:
    asked_now = world.asked(world.processing(customer))
    arrived = world.asked(world.processing(customer), "ref-1")
    key = world.staging.stage(arrived, 0, b"a picture")
    world.clock.pass_seconds(GRACE_S)

    assert world.sweep_jobs() == {"left": 2}

    assert world.poll_queue.messages == []
    assert world.tokens.answers[arrived.task_tokens[0]].output == {"output": {"key": key}}
    assert asked_now.task_tokens[0] not in world.tokens.answers


def test_a_look_that_is_lost_costs_two_minutes_at_most(world: World, customer: Customer) -> None:
    stage, job = Stage(world), world.queued(customer, model="nanobanana", prompt="[slow:40] A shark")
    stage.run(until_ms=world.clock.ms + 30_000)
    stage.deliveries.clear()

    stage.run(until_ms=world.clock.ms + 2 * GRACE_S * 1000)

    assert world.now(job).status is JobStatus.COMPLETED


def test_what_is_looked_at_rarely_is_not_looked_at_twice_as_often(world: World, customer: Customer) -> None:
    stage = Stage(world)
    world.queued(customer, prompt="[slow:170] A shark")
    stage.run(until_ms=world.clock.ms + 175_000)

    looks = Counter(message.look.once for message in world.poll_queue.messages)
    assert looks[True] == 2 < looks[False]


def test_an_output_that_did_not_come_beside_others_is_not_waited_for(
    world: World, customer: Customer
) -> None:
    job = world.processing(customer, model="nanobanana", num_outputs=2)
    for index in range(2):
        job = world.asked(job, index=index)
    world.staging.put(job, 1, BytesIO(b"picture"))
    world.clock.ms += DEADLINE_S * 1000

    assert world.sweep_jobs() == {"left": 1}

    answers = [world.tokens.answers[job.task_tokens[index]] for index in range(2)]
    assert [answer.error for answer in answers] == ["ProviderTimeout", None]


def test_what_is_staged_gets_another_execution_if_the_first_one_ended(
    world: World, customer: Customer
) -> None:
    job = world.asked(world.processing(customer))
    world.staging.put(job, 0, BytesIO(b"picture"))
    world.workflow.executions[job.id] = ExecutionState.ENDED
    world.clock.ms += DEADLINE_S * 1000

    assert world.sweep_jobs() == {"started": 1}
    assert world.workflow.executions[f"{job.id}-1"] is ExecutionState.RUNNING
    world.clock.pass_seconds(GRACE_S)
    assert world.sweep_jobs() == {"left": 1}


def test_an_execution_that_took_over_and_ended_is_followed_by_another_within_the_deadline(
    world: World, customer: Customer
) -> None:
    job = world.asked(world.processing(customer), "ref-1")
    world.workflow.executions[job.id] = ExecutionState.ENDED
    world.close_execution(job.account_id, job.id)
    world.clock.pass_seconds(GRACE_S)
    assert world.sweep_jobs() == {"left": 1}

    world.workflow.executions[f"{job.id}-1"] = ExecutionState.ENDED
    world.clock.pass_seconds(GRACE_S)

    assert world.sweep_jobs() == {"started": 1}
    assert world.workflow.executions[f"{job.id}-2"] is ExecutionState.RUNNING


def test_of_two_that_start_it_again_one_does(world: World, customer: Customer) -> None:
    job = world.asked(world.processing(customer))
    world.workflow.executions[job.id] = ExecutionState.ENDED
    other: list[str] = []
    close = lambda: other.append(world.close_execution(job.account_id, job.id))  # noqa: E731
    world.network.before("jobs.start_again", close)

    assert world.close_execution(job.account_id, job.id) == "left"

    assert (other, world.now(job).restarts) == (["started"], 1)
    assert world.close_execution(job.account_id, job.id) == "left", "the next one is the sweeper's"


def test_a_closed_job_nobody_announced_is_announced_once(world: World, customer: Customer) -> None:
    job = world.processing(customer)
    world.network.fail("bus.publish", Unavailable())
    world.cancel_job(customer.caller, job.id)
    world.network.heal()
    world.clock.pass_seconds(GRACE_S)

    assert world.sweep_jobs() == {"announced": 1}
    world.clock.pass_seconds(GRACE_S)
    assert world.sweep_jobs() == {}
    assert world.bus.types() == [
        "job.created",
        "job.processing",
        "image.failed",
        "job.failed",
        "wallet.released",
    ]


def test_a_job_the_workflow_could_not_announce_is_announced_at_once(world: World, customer: Customer) -> None:
    job = world.completed(customer)
    world.tables.put(replace(world.now(job), deadline_at_ms=0, announced=False))

    assert world.sweep_jobs() == {"announced": 1}
    assert world.bus.types() == ["image.completed", "job.completed", "wallet.captured"]
    assert world.now(job).deadline_at_ms is None


def test_of_two_sweepers_one_acts(world: World, customer: Customer) -> None:
    not_started(world, customer)
    world.clock.pass_seconds(GRACE_S)
    other: list[dict[str, int]] = []
    world.network.before("jobs.claim", lambda: other.append(dict(world.sweep_jobs())))

    assert world.sweep_jobs() == {}
    assert other == [{"started": 1}]


def test_a_job_that_ends_while_it_is_swept_is_left(world: World, customer: Customer) -> None:
    world.processing(customer)
    world.clock.ms += DEADLINE_S * 1000
    world.network.fail("ledger.release", JobClosed("job"))

    assert world.sweep_jobs() == {"left": 1}


@pytest.mark.parametrize("failure", [Unavailable(), RuntimeError("AccessDenied")])
def test_a_job_that_cannot_be_seen_to_does_not_keep_the_others_waiting(
    world: World, customer: Customer, failure: Exception
) -> None:
    late = world.processing(customer)
    world.clock.pass_seconds(DEADLINE_S - GRACE_S)
    stuck = [not_started(world, customer) for _ in range(2)]
    world.clock.pass_seconds(GRACE_S)
    world.network.fail("workflow.start", failure)

    assert world.sweep_jobs() == {"deferred": 2, "closed": 1}
    assert world.now(late).status is JobStatus.EXPIRED

    world.network.heal()
    world.clock.pass_seconds(GRACE_S)
    assert world.sweep_jobs() == {"started": 2}
    assert {job.id for job in stuck} <= {job.id for job in world.workflow.started}


def test_a_claim_that_is_throttled_does_not_end_the_sweep(world: World, customer: Customer) -> None:
    jobs = [not_started(world, customer) for _ in range(3)]
    world.clock.pass_seconds(GRACE_S)
    world.network.fail("jobs.claim", Unavailable())
    parts: list[Counter[str]] = []

    def heal_and_keep(done: Counter[str]) -> None:
        world.network.heal()
        parts.append(done)

    assert world.sweep_jobs(report=heal_and_keep) == {"deferred": 2, "started": 1}
    assert parts == [{"deferred": 2}, {"started": 1}]
    assert world.sweep_jobs() == {"started": 2}
    assert {job.id for job in world.workflow.started} == {job.id for job in jobs}


def test_a_shard_that_cannot_be_read_does_not_keep_the_others_waiting(
    world: World, customer: Customer
) -> None:
    job = not_started(world, customer)
    world.clock.pass_seconds(GRACE_S)

    def unreadable() -> Iterator[list[Due]]:
        raise Unavailable
        yield []

    world.jobs.shards_before = [unreadable()]

    assert world.sweep_jobs() == {"unread": 1, "started": 1}
    assert [started.id for started in world.workflow.started] == [job.id]


@pytest.mark.parametrize(
    ("left_s", "done"),
    [((9, 9, 4), {"started": 1, "waiting": 1}), ((9, 4, 4), {"waiting": 2}), ((5,), {})],
)
def test_no_job_is_begun_that_may_not_be_finished(
    world: World, customer: Customer, left_s: tuple[int, ...], done: dict[str, int]
) -> None:
    """How much time is left is asked before a page of each shard, then before each job."""
    for _ in range(4):
        not_started(world, customer)
    world.clock.pass_seconds(GRACE_S)
    left = iter(left_s)

    assert world.sweep_jobs(lambda: next(left, 0.0)) == done

    world.clock.pass_seconds(GRACE_S)
    world.sweep_jobs()
    assert len(world.workflow.started) == 4


def test_threads_start_each_job_once(world: World, customer: Customer) -> None:
    jobs = [not_started(world, customer).id for _ in range(OPEN_JOBS_MAX)]
    world.clock.pass_seconds(GRACE_S)

    assert replace(world.sweep_jobs, at_once=at_once)() == {"started": OPEN_JOBS_MAX}

    assert sorted(job.id for job in world.workflow.started) == sorted(jobs)


def test_a_deferred_job_is_seen_to_a_minute_later(world: World, customer: Customer) -> None:
    job = not_started(world, customer)
    world.clock.pass_seconds(GRACE_S)
    world.network.fail("workflow.start", Unavailable())
    world.sweep_jobs()

    assert world.now(job).deadline_at_ms == world.clock.ms + GRACE_S * 1000


def test_the_audit_finds_nothing_after_any_of_it(world: World, customer: Customer) -> None:
    not_started(world, customer)
    world.processing(customer)
    world.clock.ms += QUEUE_LIMIT_MS + 1
    world.sweep_jobs()

    assert world.audit_ledger() == []


def test_the_audit_tells_what_is_off(world: World, customer: Customer) -> None:
    wallet = world.wallet(customer)
    world.tables.wallets[customer.account_id, Asset.USD] = replace(wallet, balance=wallet.balance + 1)

    (found,) = world.audit_ledger()
    assert (found.account_id, found.expected, found.found) == (customer.account_id, 10_000_000, 10_000_001)
