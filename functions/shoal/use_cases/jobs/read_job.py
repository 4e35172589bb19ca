"""Read one job, page through many, look at a wallet."""

from __future__ import annotations

from dataclasses import dataclass, replace

from shoal.domain.api_key import Caller
from shoal.domain.job import Job, no_such_job
from shoal.domain.money import Asset
from shoal.domain.wallet import Wallet
from shoal.ports.jobs import JobFilter, JobPage, Jobs
from shoal.ports.money import Ledger


@dataclass(frozen=True, slots=True)
class ReadJob:
    jobs: Jobs

    def __call__(self, caller: Caller, job_id: str) -> Job:
        """Raises `NotFound`, also for a job of another account or of the key's other mode, test or live."""
        job = self.jobs.get(caller.account_id, job_id)
        if job.test != caller.test:
            raise no_such_job()
        return job


@dataclass(frozen=True, slots=True)
class ListJobs:
    jobs: Jobs

    def __call__(self, caller: Caller, which: JobFilter, *, limit: int, cursor: str | None) -> JobPage:
        """Jobs of the key's own mode, test or live. Raises `ValidationFailed` for an unknown cursor."""
        which = replace(which, test=caller.test)
        return self.jobs.page(caller.account_id, which, limit=limit, cursor=cursor)


@dataclass(frozen=True, slots=True)
class ReadWallet:
    ledger: Ledger

    def __call__(self, caller: Caller, asset: Asset) -> Wallet:
        return self.ledger.wallet(caller.account_id, caller.asset(asset))
