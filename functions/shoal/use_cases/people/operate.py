"""What operators do from the dashboard: look through all accounts, grant, refund, suspend."""

from __future__ import annotations

from dataclasses import dataclass

from shoal.domain.breaker import Breaker
from shoal.domain.errors import JobAlreadyTerminal, ValidationFailed
from shoal.domain.grant import Decision
from shoal.domain.job import Job, JobStatus
from shoal.domain.routing import Route
from shoal.domain.spend import Spend
from shoal.domain.wallet import EntryKind, Movement
from shoal.ports.accounts import Account, Accounts
from shoal.ports.catalogs import Catalogs
from shoal.ports.jobs import JobPage, Jobs
from shoal.ports.limits import OpenJobs
from shoal.ports.people import AccountDirectory, AccountPage
from shoal.ports.routing import LookAtRoutes
from shoal.ports.system import Clock
from shoal.use_cases.money.give_grant import GiveGrant

OPEN_JOBS_MAX = 100


@dataclass(frozen=True, slots=True)
class OpenJob:
    """A job that is not done. `stuck`: its next step is overdue."""

    job: Job
    stuck: bool


@dataclass(frozen=True, slots=True)
class TriedRoute:
    """A route of a model. `ready`: this stage can ask its provider."""

    route: Route
    ready: bool
    breaker: Breaker


@dataclass(frozen=True, slots=True)
class ModelRoutes:
    """A model's routes in the order they are tried; `used` is who would be asked now, if anybody."""

    model: str
    used: str | None
    routes: tuple[TriedRoute, ...]


@dataclass(frozen=True, slots=True)
class Operate:
    accounts: Accounts
    directory: AccountDirectory
    jobs: Jobs
    give_grant: GiveGrant
    board: LookAtRoutes
    open_jobs_of: OpenJobs
    catalogs: Catalogs
    clock: Clock

    def list_accounts(self, *, limit: int, cursor: str | None) -> AccountPage:
        """All accounts, newest first. Raises `ValidationFailed` for an unknown cursor."""
        return self.directory.page(limit=limit, cursor=cursor)

    def account(self, account_id: str) -> Account:
        """Raises `NotFound`."""
        return self.accounts.get(account_id)

    def open_jobs(self) -> list[OpenJob]:
        """Jobs of all accounts that are not done, stuck ones first, then by age."""
        now_ms = self.clock.now_ms()
        found = [
            OpenJob(job, job.is_stuck(now_ms))
            for job in self.directory.open_jobs(limit=OPEN_JOBS_MAX)
            if not job.status.terminal
        ]
        return sorted(found, key=lambda each: (not each.stuck, each.job.ulid))

    def failed_jobs(self, *, limit: int, cursor: str | None) -> JobPage:
        """Jobs of all accounts that failed or expired. Raises `ValidationFailed` for an unknown cursor."""
        return self.directory.failed_jobs(limit=limit, cursor=cursor)

    def routes(self) -> list[ModelRoutes]:
        """How every model in the catalog is made here and now."""
        board, breakers, now_ms = self.board(), self.board.breakers(), self.clock.now_ms()
        return [
            ModelRoutes(
                name,
                board.provider_of(model.routes, now_ms) if board.offers(model.routes, now_ms) else None,
                tuple(
                    TriedRoute(each, board.has_key(each), breakers.get(each.name, Breaker()))
                    for each in model.routes
                ),
            )
            for name, model in self.catalogs.current().models.items()
        ]

    def refund(self, account_id: str, job_id: str, decision: Decision) -> bool:
        """Give back what a completed job cost. False if that was done before.

        Raises `NotFound`, `JobAlreadyTerminal` for a job that cost nothing, `ConfirmationNeeded` above the
        cap.
        """
        job = self.jobs.get(account_id, job_id)
        if job.status is not JobStatus.COMPLETED or job.cost == 0:
            raise JobAlreadyTerminal("Nothing was charged for this job.")
        back = Movement(
            job.account_id,
            job.asset,
            EntryKind.GIVE_BACK,
            job.ulid,
            self.clock.now_ms(),
            balance_delta=job.cost,
            note="operator",
        )
        return self.give_grant(back, decision)

    def spend(self, account_id: str) -> Spend:
        """What the account's jobs cost today for nothing, and what they paid."""
        return self.open_jobs_of.of(account_id, self.clock.now_ms())[1]

    def lift_brake(self, account_id: str) -> None:
        """Let the account submit today, whatever came to nothing. Raises `NotFound`."""
        self.accounts.get(account_id)
        self.open_jobs_of.lift(account_id, self.clock.now_ms())

    def suspend(self, account_id: str, own_account_id: str) -> None:
        """Refuse its keys from now on. Raises `NotFound`, `ValidationFailed` for the operator's own."""
        if account_id == own_account_id:
            raise ValidationFailed("You cannot suspend your own account.")
        self.directory.suspend(account_id, self.clock.now_ms())

    def resume(self, account_id: str) -> None:
        """Raises `NotFound`."""
        self.directory.resume(account_id)
