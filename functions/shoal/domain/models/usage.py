"""What an account used: what a settlement adds to the usage of its day and model."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from shoal.domain.job import Job, Output
from shoal.domain.models.tariff import Quantities, Unit


@dataclass(frozen=True, slots=True)
class Used:
    """`outputs` were delivered, for `cost` in the asset's unit, by so many `requests`.

    `units` are thousandths of what else was charged by: seconds, megapixels, characters.
    """

    outputs: int
    cost: int
    requests: int
    units: Mapping[Unit, int] = field(default_factory=dict)


def used_by_capture(job: Job, outputs: Sequence[Output]) -> Used:
    """By a completed job."""
    return Used(job.units_of(len(outputs)), job.cost, 1, _units(job, job.measured(outputs)))


def used_by_cancel(canceled: Job) -> Used:
    """By a canceled job, as long as nobody knows better: the most that what was captured can come to."""
    captured = len(canceled.captured)
    return Used(captured, canceled.cost, 1, _units(canceled, [canceled.submission.terms.most] * captured))


def used_by_finish(canceled: Job, done: Job, outputs: Sequence[Output]) -> Used:
    """What comes off that once it is `done`: what did not arrive, or is less."""
    before = used_by_cancel(canceled)
    after = used_by_cancel(done).units if not outputs else _units(done, done.measured(outputs))
    missing = {unit: after.get(unit, 0) - quantity for unit, quantity in before.units.items()}
    return Used(
        outputs=len(done.captured) - before.outputs,
        cost=-(done.undelivered or 0),
        requests=0 if done.captured else -1,
        units={unit: quantity for unit, quantity in missing.items() if quantity},
    )


def _units(job: Job, measured: Sequence[Quantities]) -> dict[Unit, int]:
    """Outputs and requests are counted anyway."""
    counted = job.submission.terms.units(measured)
    return {unit: n for unit, n in counted.items() if n and unit not in (Unit.OUTPUT, Unit.REQUEST)}
