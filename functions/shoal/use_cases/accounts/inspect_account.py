"""What an operator looks at: the keys, wallets and jobs of any account."""

from __future__ import annotations

from dataclasses import dataclass

from shoal.domain.api_key import ApiKey
from shoal.domain.job import Job
from shoal.domain.money import Asset
from shoal.domain.wallet import Movement, Wallet
from shoal.ports.accounts import Accounts, Keys
from shoal.ports.jobs import JobFilter, JobPage, Jobs
from shoal.ports.money import Ledger

LOOKS_MAX = 5


@dataclass(frozen=True, slots=True)
class InspectAccount:
    """Every method raises `NotFound` for an unknown account."""

    accounts: Accounts
    keys: Keys
    jobs: Jobs
    ledger: Ledger

    def list_keys(self, account_id: str) -> list[ApiKey]:
        """Oldest first, revoked ones included."""
        self.accounts.get(account_id)
        return self.keys.of_account(account_id)

    def wallet(self, account_id: str, asset: Asset) -> tuple[Wallet, Movement]:
        """A wallet and its entries added up."""
        self.accounts.get(account_id)
        wallet = self.ledger.wallet(account_id, asset)
        for _ in range(LOOKS_MAX):
            seen = wallet
            entries = self.ledger.entries_sum(account_id, asset)
            wallet = self.ledger.wallet(account_id, asset)
            # The two are read one after the other: they belong together if nothing moved in between.
            if wallet == seen:
                break
        return wallet, entries

    def job(self, account_id: str, job_id: str) -> Job:
        """Raises `NotFound` for an unknown job, too."""
        self.accounts.get(account_id)
        return self.jobs.get(account_id, job_id)

    def page_of_jobs(self, account_id: str, which: JobFilter, *, limit: int, cursor: str | None) -> JobPage:
        """Newest first, at most `limit`; fewer, and a cursor, where a filter finds little in one look.

        Raises `ValidationFailed` for a cursor that no page gave out.
        """
        self.accounts.get(account_id)
        return self.jobs.page(account_id, which, limit=limit, cursor=cursor)

    def list_jobs(self, account_id: str, which: JobFilter, *, limit: int, cursor: str | None) -> JobPage:
        """`limit` of them if there are as many, for one who can wait. Raises as `page_of_jobs`."""
        page = self.page_of_jobs(account_id, which, limit=limit, cursor=cursor)
        while len(page.jobs) < limit and page.next_cursor:
            more = self.jobs.page(account_id, which, limit=limit - len(page.jobs), cursor=page.next_cursor)
            page = JobPage(page.jobs + more.jobs, more.next_cursor)
        return page
