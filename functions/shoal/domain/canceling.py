"""What a cancel makes of a job, and what becomes of the outputs it captured.

open ─ cancel ─┬─ nothing is billed ───────────────────► canceled, released
               ├─ all that is billed is there ─────────► canceled, captured
               └─ some of it is still on the way ──────► awaiting ─ finish ─► canceled; completed where the
                                                                    family has it so and all is there
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from shoal.domain.brief import Kind
from shoal.domain.job import Closer, HoldState, Job, JobFailure, JobStatus, Output
from shoal.domain.wallet import Movement


def canceled(job: Job, failure: JobFailure, *, awaiting: bool, expire_at_ms: int | None, now_ms: int) -> Job:
    """The job with what is billed by now captured and the rest released; `awaiting` counts if anything is."""
    captured = job.billed
    return replace(
        job,
        status=JobStatus.CANCELED,
        hold_state=HoldState.CAPTURED if captured else HoldState.RELEASED,
        captured=captured,
        awaiting=awaiting and bool(captured),
        cost=job.price_of(len(captured)),
        outputs_expire_at_ms=expire_at_ms if captured else None,
        failure=failure,
        closed_by=Closer.CANCEL,
        closed_at_ms=now_ms,
    )


def finished(
    job: Job,
    arrived: frozenset[int],
    outputs: Sequence[Output],
    expire_at_ms: int | None,
    closer: Closer,
    now_ms: int,
) -> Job:
    """A job that was awaiting, once no more of what was captured arrives."""
    cost = _cost_of_arrived(job, arrived, outputs)
    done = replace(
        job,
        captured=arrived,
        awaiting=False,
        undelivered=job.cost - cost if cost < job.cost or arrived < job.captured else None,
        cost=cost,
        outputs=tuple(outputs),
        outputs_expire_at_ms=expire_at_ms or job.outputs_expire_at_ms,
        closed_by=closer,
    )
    if arrived and job.family.completes_late:
        return replace(done, status=JobStatus.COMPLETED, failure=None, closed_at_ms=now_ms)
    return done


def return_undelivered(done: Job, now_ms: int) -> Movement | None:
    """The movement that gives back what was captured and did not arrive, or is less than it was captured for;
    None if all of it is there.
    """
    return None if done.undelivered is None else done.hold.give_back(done.undelivered, now_ms)


def _cost_of_arrived(job: Job, arrived: frozenset[int], outputs: Sequence[Output]) -> int:
    """A cancel captures an output at its highest price: what it turns out to be is known when it arrives."""
    return job.price_of(len(arrived)) if job.kind is Kind.VIDEO else job.cost_of(outputs)


def movements_of(job: Job) -> list[Movement]:
    """What the end of a job moved: the entries of its ledger, but for its hold and an operator's."""
    at_ms = job.closed_at_ms or job.created_at_ms
    if job.hold_state is HoldState.RELEASED:
        return [job.hold.release(at_ms)]
    if job.undelivered is None:
        return [job.hold.capture(job.cost, at_ms)]
    captured = job.hold.capture(job.cost + job.undelivered, at_ms)
    return [captured, job.hold.give_back(job.undelivered, at_ms)]
