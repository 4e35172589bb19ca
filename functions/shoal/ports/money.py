"""The ledger, what an audit of it finds, and what is added up from it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Protocol

from shoal.domain.errors import Unavailable
from shoal.domain.grant import Grant, PendingGrant
from shoal.domain.idempotency import IdempotencyKey, IdempotencyRecord
from shoal.domain.job import Closer, Job, JobFailure, Output
from shoal.domain.models.tariff import Unit
from shoal.domain.money import Asset
from shoal.domain.wallet import Movement, Wallet
from shoal.ports.system import TimeLeft, unlimited


class NotAudited(Unavailable):
    """An account was too large for the time that was left, or a wallet moved during every look."""

    def __init__(self, account_id: str) -> None:
        super().__init__(f"{account_id} could not be audited.")


class Ledger(Protocol):
    """Every movement of money. Each method is one transaction."""

    def submit(self, job: Job, record: IdempotencyRecord | None, now_ms: int) -> IdempotencyRecord | None:
        """Write the job with its hold. Returns the earlier record if the idempotency key was used before.

        Raises `InsufficientBalance` (nothing written), `IdempotencyKeyReused`, `IdempotencyInFlight`.
        """

    def find_record(self, key: IdempotencyKey, now_ms: int) -> IdempotencyRecord | None:
        """The record of an earlier request with this key. Raises `IdempotencyKeyReused`."""

    def capture(
        self, job: Job, outputs: Sequence[Output], expire_at_ms: int | None, closer: Closer, now_ms: int
    ) -> Job:
        """Complete the job, spend what its outputs cost, release the rest of its hold, add to the usage.

        `expire_at_ms` is when the outputs are no longer kept. Raises `JobClosed` if it is terminal.
        """

    def release(self, job: Job, failure: JobFailure, closer: Closer, now_ms: int) -> Job:
        """Close the job and give its hold back. Raises `JobClosed` if it is terminal.

        Unless the workflow closed it, the job stays due for announcement until `mark_announced`.
        """

    def grant(self, movement: Movement, grant: Grant, asked: PendingGrant | None = None) -> bool:
        """Credit a wallet, and record who did it and why. False if that was done before.

        `asked` is what it confirms, which waits no longer then. Raises `NotFound`, also if that waits no
        longer already, or was this operator's own; `ValidationFailed` if the reference stood for something
        else.
        """

    def propose(self, asked: PendingGrant) -> bool:
        """Keep it until it is confirmed or expires: once, however often. False if it was granted before.

        Raises `ValidationFailed` if the reference stands for something else.
        """

    def pending_grants(self, now_ms: int) -> list[PendingGrant]:
        """Those that have not expired."""

    def cancel(self, canceled: Job, record: IdempotencyRecord | None, now_ms: int) -> Job:
        """Write what a cancel made of a job: spend what it captured, release the rest, add to the usage.

        While it is `awaiting`, it is neither announced nor let go of before `finish`. Raises `JobClosed`, and
        `CallTaken` if an output was asked for or answered since it was read: look again. Raises also
        `IdempotencyKeyReused`, `IdempotencyInFlight`: in each of them nothing was written.
        """

    def finish(
        self,
        job: Job,
        arrived: frozenset[int],
        outputs: Sequence[Output],
        expire_at_ms: int | None,
        closer: Closer,
        now_ms: int,
    ) -> Job:
        """End the waiting of a canceled job, give back what of the captured outputs has not arrived.

        Raises `JobClosed` if it does not wait (any more).
        """

    def wallet(self, account_id: str, asset: Asset) -> Wallet:
        """Raises `NotFound`."""

    def note_low(self, job: Job, below: int) -> Wallet | None:
        """The job's wallet if this job is the first since the last top-up to find less than that available.

        The same again when asked again for the same job.
        """

    def entries_sum(self, account_id: str, asset: Asset) -> Movement:
        """All entries of a wallet, added up."""

    def discrepancies(self, account_id: str, time_left: TimeLeft = unlimited) -> list[Discrepancy]:
        """Every wallet of an account that differs from its ledger or from the holds of its jobs.

        Reads all of both. A wallet in use is compared as it was at one moment. Raises `NotAudited`.
        """


class AuditProgress(Protocol):
    """How far the audits of the stage have come."""

    def cursor(self) -> str | None:
        """Where in the directory of accounts the next one goes on; None for its beginning."""

    def note(self, cursor: str | None) -> None:
        """What was before it is audited."""


@dataclass(frozen=True, slots=True)
class Discrepancy:
    """Something `audit` found off, in words and numbers of the asset's unit."""

    account_id: str
    asset: Asset
    what: str
    expected: int
    found: int


@dataclass(frozen=True, slots=True)
class Rollup:
    """What an account used of a model on one UTC day (`2026-01-31`); `cost` is in the asset's unit.

    `by_unit` are thousandths of what else was charged by than outputs.
    """

    day: str
    model: str
    asset: Asset
    units: int
    cost: int
    requests: int
    by_unit: Mapping[Unit, int] = field(default_factory=dict)


class UsageRollups(Protocol):
    def between(self, account_id: str, from_day: str | None, to_day: str | None) -> Iterable[Rollup]:
        """Rollups from one day to another, both included; None is no bound."""
