"""Counters that bound load, in items of their own: no wallet, job or transaction waits for them."""

from __future__ import annotations

from collections.abc import Sequence

from shoal.adapters.dynamodb.items import Key, job_key, job_of
from shoal.adapters.dynamodb.table import ConditionFailed, Item, Table, Update
from shoal.domain.errors import RateLimited, Unavailable
from shoal.domain.events import utc_day
from shoal.domain.ids import moment_of
from shoal.domain.job import Job
from shoal.domain.rate_limit import RateLimit
from shoal.domain.spend import Spend

MINUTE_MS = 60_000
KEPT_S = 24 * 3600
RESTED = "attribute_not_exists(tat) OR tat <= :now"
WITHIN_LIMIT = "tat > :now AND tat <= :latest"
FITS = "attribute_not_exists(fetched) OR fetched <= :room"
FEWER = "attribute_not_exists(open_jobs) OR size(open_jobs) < :max"
COUNTED_TODAY = "contains(open_jobs, :ulid) AND spent_on = :today"
COUNTED_BEFORE = "contains(open_jobs, :ulid) AND spent_on <> :today"
NOT_LOOKED_AT = "attribute_exists(pk) AND (attribute_not_exists(looked_at_ms) OR looked_at_ms < :before)"
LOOKED_AT_EVERY_MS = 5_000
WRITTEN_WITHIN_MS = 60_000
"""A submit that counted its job in has written it by then, or never does."""
KEYS_AT_ONCE_MAX = 100
TRIES = 3
LIVE, TEST = "OPEN_JOBS", "OPEN_JOBS#test"


def limits_key(subject: str, what: str, shard: int = 0) -> Key:
    """The counter `what` of an account, a session or an address."""
    return f"LIMITS#{subject}#{shard}", what


class DynamoDbRates:
    """Implements the `Rates` port: GCRA in one item a subject, as a key has it."""

    def __init__(self, table: Table) -> None:
        self._table = table

    def count(self, subject: str, limit: RateLimit, now_ms: int, requests: int = 1) -> None:
        cost_ms = requests * limit.emission_ms
        values = {":now": now_ms, ":expires": now_ms // 1000 + KEPT_S}
        within = {":cost": cost_ms, ":latest": now_ms + limit.burst * limit.emission_ms - cost_ms}
        for expression, condition, more in (
            ("SET tat = :next, expires_at = :expires", RESTED, {":next": now_ms + cost_ms}),
            ("SET tat = tat + :cost, expires_at = :expires", WITHIN_LIMIT, within),
        ):
            try:
                self._table.update(Update(limits_key(subject, "RATE"), expression, condition, values | more))
                return
            except ConditionFailed as failed:
                tat_ms = int(failed.item["tat"]) if failed.item else now_ms
        raise RateLimited(
            "Too many requests.",
            details={"limit": subject.partition("#")[0].lower()},
            retry_after_seconds=limit.retry_after_s(tat_ms + cost_ms - limit.emission_ms, now_ms),
        )


class DynamoDbFetching:
    """Implements the `Fetching` port: one item an account and minute, of which `bytes_max` may be drawn."""

    def __init__(self, table: Table, bytes_max: int) -> None:
        self._table = table
        self._bytes_max = bytes_max

    def draw(self, account_id: str, size_bytes: int, now_ms: int) -> None:
        values = {
            ":size": size_bytes,
            ":room": self._bytes_max - size_bytes,
            ":expires": now_ms // 1000 + KEPT_S,
        }
        expression = "SET expires_at = :expires ADD fetched :size"
        try:
            self._table.update(Update(_minute_key(account_id, now_ms), expression, FITS, values))
        except ConditionFailed:
            raise RateLimited(
                "Too many bytes came in for this account within a minute, fetched or uploaded.",
                details={"limit": "fetching"},
                retry_after_seconds=-(-(MINUTE_MS - now_ms % MINUTE_MS) // 1000),
            ) from None

    def give_back(self, account_id: str, size_bytes: int, drawn_at_ms: int) -> None:
        key = _minute_key(account_id, drawn_at_ms)
        self._table.update(Update(key, "ADD fetched :size", None, {":size": -size_bytes}))


def _minute_key(account_id: str, now_ms: int) -> Key:
    return limits_key(account_id, f"FETCHED#{now_ms // MINUTE_MS}")


class DynamoDbOpenJobs:
    """Implements the `OpenJobs` port: one item an account and mode holds the ids of its open jobs.

    Taking a job's id out of the set adds its spend: nobody can do that twice.
    """

    def __init__(self, table: Table) -> None:
        self._table = table

    def enter(self, job: Job, jobs_max: int, now_ms: int) -> Spend:
        values = {":job": {job.ulid}, ":max": jobs_max}
        try:
            return _spend_of(
                self._table.update(Update(_jobs_key(job), "ADD open_jobs :job", FEWER, values)), now_ms
            )
        except ConditionFailed:
            raise RateLimited(
                f"The account has {jobs_max} jobs that are not done: wait for one to end.",
                details={"limit": "open_jobs"},
                retry_after_seconds=LOOKED_AT_EVERY_MS // 1000,
            ) from None

    def leave(self, job: Job, spend: Spend, now_ms: int) -> None:
        today = utc_day(now_ms)
        values = {
            ":job": {job.ulid},
            ":ulid": job.ulid,
            ":today": today,
            ":nothing": spend.for_nothing,
            ":captured": spend.captured,
        }
        add = "ADD for_nothing :nothing, captured :captured DELETE open_jobs :job"
        begin = "SET spent_on = :today, for_nothing = :nothing, captured = :captured DELETE open_jobs :job"
        ways = ((add, COUNTED_TODAY), (begin, COUNTED_BEFORE))
        for turn in range(TRIES):
            expression, condition = ways[turn % 2]
            try:
                self._table.update(Update(_jobs_key(job), expression, condition, values))
                return
            except ConditionFailed as failed:
                if not failed.item or job.ulid not in failed.item.get("open_jobs", ()):
                    return
        raise Unavailable(retry_after_seconds=1)

    def ended(self, job: Job, now_ms: int) -> Sequence[Job]:
        values = {":now": now_ms, ":before": now_ms - LOOKED_AT_EVERY_MS}
        try:
            item = self._table.update(
                Update(_jobs_key(job), "SET looked_at_ms = :now", NOT_LOOKED_AT, values)
            )
        except ConditionFailed:
            return ()
        ulids = sorted(item.get("open_jobs", ()))
        found: dict[str, Job] = {}
        for start in range(0, len(ulids), KEYS_AT_ONCE_MAX):
            keys = [job_key(job.account_id, each) for each in ulids[start : start + KEYS_AT_ONCE_MAX]]
            found |= {each.ulid: each for each in map(job_of, self._table.get_several(keys).values())}
        unwritten = {each for each in ulids if each not in found and _is_old(each, now_ms)}
        if unwritten:
            self._table.update(Update(_jobs_key(job), "DELETE open_jobs :jobs", None, {":jobs": unwritten}))
        return [each for each in found.values() if each.status.terminal]

    def of(self, account_id: str, now_ms: int) -> tuple[int, Spend]:
        item = self._table.get(*limits_key(account_id, LIVE))
        return (len(item.get("open_jobs", ())), _spend_of(item, now_ms)) if item else (0, Spend())

    def lift(self, account_id: str, now_ms: int) -> None:
        key = limits_key(account_id, LIVE)
        self._table.update(Update(key, "SET lifted_on = :today", None, {":today": utc_day(now_ms)}))


def _jobs_key(job: Job) -> Key:
    return limits_key(job.account_id, TEST if job.test else LIVE)


def _is_old(ulid: str, now_ms: int) -> bool:
    return moment_of(f"job_{ulid}") < now_ms - WRITTEN_WITHIN_MS


def _spend_of(item: Item, now_ms: int) -> Spend:
    today = utc_day(now_ms)
    lifted = item.get("lifted_on") == today
    if item.get("spent_on") != today:
        return Spend(lifted=lifted)
    return Spend(int(item["for_nothing"]), int(item["captured"]), lifted)
