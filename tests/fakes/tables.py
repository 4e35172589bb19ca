"""The table in memory: accounts, keys and jobs under the conditions of the adapters."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace

from shoal.domain.api_key import ApiKey, Caller, KeyPrefix
from shoal.domain.errors import (
    CallTaken,
    Forbidden,
    JobClosed,
    KeyExists,
    NotFound,
    RateLimited,
    TooManyKeys,
    Unauthorized,
    ValidationFailed,
)
from shoal.domain.grant import Grant, PendingGrant
from shoal.domain.idempotency import IdempotencyRecord
from shoal.domain.ids import job_ulid
from shoal.domain.job import STEP_GRACE_MS, HoldState, Job, Step, no_such_job
from shoal.domain.money import Asset
from shoal.domain.payment import PaymentRecord
from shoal.domain.rate_limit import HELD_S_PER_MINUTE, ONE_REQUEST, Allowance, Ask
from shoal.domain.routing import ProviderCall
from shoal.domain.video import Scene
from shoal.domain.wallet import EntryKind, Movement, Wallet
from shoal.ports.accounts import Account
from shoal.ports.jobs import Due, JobFilter, JobPage
from shoal.ports.money import Rollup
from tests.fakes.network import Network, reached

WalletId = tuple[str, Asset]
JobId = tuple[str, str]
RollupId = tuple[str, str, Asset, str]


@dataclass
class Tables:
    """All that is stored. Jobs are found by account and ULID, records by account, route and key.

    Rollups are found by account, day, asset and model, scenes by the job's id, payments by their own.
    """

    accounts: dict[str, Account] = field(default_factory=dict)
    keys: dict[str, ApiKey] = field(default_factory=dict)
    tats: dict[str, int] = field(default_factory=dict)
    wallets: dict[WalletId, Wallet] = field(default_factory=dict)
    entries: dict[WalletId, dict[str, Movement]] = field(default_factory=dict)
    payments: dict[str, PaymentRecord] = field(default_factory=dict)
    low_since: dict[WalletId, str] = field(default_factory=dict)
    grants: dict[tuple[EntryKind, str], Grant] = field(default_factory=dict)
    pending_grants: dict[tuple[EntryKind, str], PendingGrant] = field(default_factory=dict)
    jobs: dict[JobId, Job] = field(default_factory=dict)
    late_outputs: dict[JobId, int] = field(default_factory=dict)
    records: dict[tuple[str, str, str], IdempotencyRecord] = field(default_factory=dict)
    rollups: dict[RollupId, Rollup] = field(default_factory=dict)
    scenes: dict[str, tuple[Scene, ...]] = field(default_factory=dict)

    def stored(self, job: Job) -> Job:
        return self.jobs[job.account_id, job.ulid]

    def put(self, job: Job) -> Job:
        self.jobs[job.account_id, job.ulid] = job
        return job

    def move(self, movement: Movement) -> None:
        """The wallet and its new entry, which stay in step."""
        wallet_id = movement.account_id, movement.asset
        self.entries[wallet_id][movement.entry_id] = movement
        self.wallets[wallet_id] = self.wallets[wallet_id].after(movement)

    def use(self, used: Rollup, account_id: str) -> None:
        """Add to the rollup of the day."""
        place = account_id, used.day, used.asset, used.model
        before = self.rollups.get(place) or replace(used, units=0, cost=0, requests=0, by_unit={})
        units = Counter(before.by_unit)
        units.update(used.by_unit)
        self.rollups[place] = replace(
            before,
            units=before.units + used.units,
            cost=before.cost + used.cost,
            requests=before.requests + used.requests,
            by_unit={unit: quantity for unit, quantity in units.items() if quantity},
        )


@dataclass
class FakeAccounts:
    network: Network
    tables: Tables
    port: str = "accounts"

    @reached
    def open(
        self, account: Account, key: ApiKey, grants: Sequence[Movement], records: Sequence[Grant]
    ) -> None:
        self.tables.grants |= {(record.kind, record.reference): record for record in records}
        self.tables.accounts[account.id] = account
        self.tables.keys[key.digest] = key
        for grant in grants:
            wallet_id = grant.account_id, grant.asset
            self.tables.wallets[wallet_id] = Wallet(*wallet_id)
            self.tables.entries[wallet_id] = {}
            self.tables.move(grant)

    @reached
    def get(self, account_id: str) -> Account:
        if account_id not in self.tables.accounts:
            raise NotFound("No such account.")
        return self.tables.accounts[account_id]


@dataclass
class FakeKeys:
    """The two conditional writes of the contract, one after the other."""

    network: Network
    tables: Tables
    held: dict[tuple[str, int], int] = field(default_factory=dict)
    port: str = "keys"

    @reached
    def admit(self, digest: str, now_ms: int, ask: Ask = ONE_REQUEST) -> Caller:
        key = self.tables.keys.get(digest)
        if key is None or key.revoked:
            raise Unauthorized
        if self.tables.accounts[key.account_id].suspended:
            raise Forbidden("This account is suspended.")
        limit, bucket = (key.limit.of_polls, f"{digest} polls") if ask.polls else (key.limit, digest)
        tat = self.tables.tats.get(bucket)
        if tat is None or tat <= now_ms:
            tat = now_ms + limit.emission_ms
        elif tat <= now_ms + limit.tolerance_ms:
            tat += limit.emission_ms
        else:
            allowance = Allowance(limit, tat, now_ms)
            retry_after_seconds = limit.retry_after_s(tat, now_ms)
            raise RateLimited(retry_after_seconds=retry_after_seconds, headers=allowance.headers())
        self.tables.tats[bucket] = tat
        minute = digest, now_ms // 60_000
        self.held[minute] = self.held.get(minute, 0) + ask.drawn_s
        may_hold = not ask.drawn_s or self.held[minute] <= HELD_S_PER_MINUTE
        test = key.prefix is KeyPrefix.TEST
        return Caller(key.account_id, key.id, key.scopes, test, Allowance(limit, tat, now_ms), may_hold)

    @reached
    def add(self, key: ApiKey, keys_max: int) -> None:
        if key.account_id not in self.tables.accounts:
            raise NotFound("No such account.")
        if self.tables.accounts[key.account_id].suspended:
            raise Forbidden("This account is suspended.")
        if any(known.id == key.id for known in self.tables.keys.values()):
            raise KeyExists
        if sum(not each.revoked for each in self.of_account(key.account_id)) >= keys_max:
            raise TooManyKeys(details={"keys_max": keys_max})
        self.tables.keys[key.digest] = key

    @reached
    def revoke(self, account_id: str, key_id: str, now_ms: int) -> None:
        for digest, key in self.tables.keys.items():
            if (key.account_id, key.id) == (account_id, key_id):
                self.tables.keys[digest] = replace(key, revoked=True)
                return
        raise NotFound("No such key.")

    @reached
    def of_account(self, account_id: str) -> list[ApiKey]:
        keys = [key for key in self.tables.keys.values() if key.account_id == account_id]
        return sorted(keys, key=lambda key: key.id)


@dataclass
class FakeJobs:
    network: Network
    tables: Tables
    port: str = "jobs"
    shards_before: list[Iterator[list[Due]]] = field(default_factory=list)

    @reached
    def get(self, account_id: str, job_id: str) -> Job:
        return self._get(account_id, job_id)

    def _get(self, account_id: str, job_id: str) -> Job:
        job = self.tables.jobs.get((account_id, job_ulid(job_id) or ""))
        if job is None or job.id != job_id:
            raise no_such_job()
        return job

    @reached
    def page(self, account_id: str, which: JobFilter, *, limit: int, cursor: str | None) -> JobPage:
        if cursor is not None and job_ulid(f"job_{cursor}") is None:
            raise ValidationFailed("The cursor is not one this API gave out.")
        mine = [job for job in self.tables.jobs.values() if job.account_id == account_id]
        newest_first = sorted(mine, key=lambda job: job.ulid, reverse=True)
        found = [
            job
            for job in newest_first
            if (cursor is None or job.ulid < cursor)
            and (which.statuses is None or job.status in which.statuses)
            and (which.families is None or job.family in which.families)
            and (which.models is None or job.model in which.models)
            and (which.test is None or job.test is which.test)
            and (which.text is None or job.mentions(which.text))
            and (which.from_ms is None or job.created_at_ms >= which.from_ms)
            and (which.to_ms is None or job.created_at_ms < which.to_ms)
        ]
        return JobPage(tuple(found[:limit]), found[limit - 1].ulid if len(found) > limit else None)

    @reached
    def begin(self, account_id: str, job_id: str, index: int, task_token: str, now_ms: int) -> Job:
        job = self._get(account_id, job_id)
        job = job if job.awaits(index) else self._next_step(job, now_ms)
        return self.tables.put(replace(job, task_tokens={**job.task_tokens, index: task_token}))

    @reached
    def advance(self, account_id: str, job_id: str, now_ms: int, done: Step | None = None) -> Job:
        job = self._get(account_id, job_id)
        job = self._next_step(job, now_ms, STEP_GRACE_MS)
        return self.tables.put(replace(job, steps=job.steps | ({done} if done else frozenset())))

    def _next_step(self, job: Job, now_ms: int, grace_ms: int | None = None) -> Job:
        return self._open(job).begun(now_ms, grace_ms)

    @reached
    def note_call(self, job: Job, index: int, call: ProviderCall, *, begins: bool = False) -> Job:
        stored = self._same_call(job, index)
        if begins:
            tokens = {**stored.task_tokens, index: job.task_tokens[index]}
            stored = replace(
                stored,
                status=job.status,
                deadline_at_ms=job.deadline_at_ms,
                started_at_ms=stored.started_at_ms or job.started_at_ms,
                task_tokens=tokens,
            )
        seen = job.calls.get(index)
        moved = seen is not None and seen.number != call.number
        refs = {n: ref for n, ref in stored.provider_refs.items() if not (moved and n == index)}
        return self.tables.put(replace(stored, provider_refs=refs, calls={**stored.calls, index: call}))

    @reached
    def note_provider_ref(self, job: Job, index: int, ref: str) -> Job:
        stored = self._same_call(job, index)
        return self.tables.put(replace(stored, provider_refs={**stored.provider_refs, index: ref}))

    @reached
    def note_callback(self, job: Job, digest: str) -> None:
        stored = self._open(job)
        self.tables.put(replace(stored, callbacks=stored.callbacks | {digest}))

    def _same_call(self, job: Job, index: int) -> Job:
        stored = self.tables.stored(job)
        if not stored.awaits(index):
            self._open(job)
        if stored.calls.get(index) != job.calls.get(index):
            raise CallTaken(job.id)
        return stored

    @reached
    def note_late_output(self, job: Job, now_ms: int) -> None:
        self.tables.stored(job)
        self.tables.late_outputs.setdefault((job.account_id, job.ulid), now_ms)

    @reached
    def due(self, now_ms: int) -> list[Iterator[list[Due]]]:
        """In as many shards as it takes to have several, on pages as short as they can be."""
        due = sorted(
            Due(job.deadline_at_ms, job.account_id, job.ulid)
            for job in self.tables.jobs.values()
            if job.deadline_at_ms is not None and job.deadline_at_ms <= now_ms
        )
        return [*self.shards_before, *(iter([[each] for each in due[shard::2]]) for shard in range(2))]

    @reached
    def claim(self, due: Due, until_ms: int) -> Job | None:
        stored = self.tables.jobs[due.account_id, due.ulid]
        if stored.deadline_at_ms != due.deadline_at_ms:
            return None
        return self.tables.put(replace(stored, deadline_at_ms=until_ms))

    @reached
    def start_again(self, job: Job) -> Job:
        stored = self.tables.stored(job)
        stored = stored if stored.awaiting else self._open(job)
        if stored.restarts != job.restarts:
            raise JobClosed(job.id)
        return self.tables.put(replace(stored, restarts=job.restarts + 1))

    @reached
    def announce_later(self, job: Job) -> None:
        self.tables.put(replace(self.tables.stored(job), announced=False, deadline_at_ms=0))

    @reached
    def mark_announced(self, job: Job) -> None:
        stored = self.tables.stored(job)
        if stored.hold_state is HoldState.HELD:
            raise AssertionError("an open job was marked as announced")
        self.tables.put(replace(stored, announced=True, deadline_at_ms=job.files_due_at_ms))

    @reached
    def mark_files_deleted(self, job: Job) -> None:
        self.tables.put(replace(self.tables.stored(job), deadline_at_ms=None))

    def _open(self, job: Job) -> Job:
        stored = self.tables.stored(job)
        if stored.hold_state is not HoldState.HELD:
            raise JobClosed(job.id)
        return stored
