"""Jobs in the table: everything about them but the money."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from shoal.adapters.dynamodb import items
from shoal.adapters.dynamodb.pages import Range, read_page
from shoal.adapters.dynamodb.table import ConditionFailed, Item, Table, Update
from shoal.domain.errors import CallTaken, JobClosed
from shoal.domain.ids import job_ulid
from shoal.domain.job import STEP_GRACE_MS, HoldState, Job, Step, no_such_job
from shoal.domain.routing import ProviderCall
from shoal.ports.jobs import Due, JobFilter, JobPage

OPEN = "hold_state = :held"
UNANNOUNCED = "hold_state <> :held"
SAME_DEADLINE = "deadline_at = :seen"
EXISTS = "attribute_exists(pk)"
FIRST_EXECUTION = "(hold_state = :held OR awaiting = :yes) AND attribute_not_exists(restarts)"
SAME_EXECUTION = "(hold_state = :held OR awaiting = :yes) AND restarts = :seen"
FIRST_CALL = "hold_state = :held AND attribute_not_exists(calls.#index)"
SAME_CALL = "hold_state = :held AND calls.#index = :seen"
AWAITED_CALL = "awaiting = :yes AND calls.#index = :seen"
"""A canceled job goes on with the outputs that its cancel captured; those stay the same while it does."""

_STATUS = {"#status": "status"}
_NEXT_STEP = (
    "SET #status = :processing, deadline_at = :deadline, started_at_ms = if_not_exists(started_at_ms, :now)"
)

DUE_PAGE = 25
"""Jobs on a shard's first page; each further one has up to twice as many."""
READ_MAX = 1000
"""Jobs one page may read while it looks for matches: a selective filter gets a short page, not a slow one."""


class DynamoDbJobs:
    """Implements the `Jobs` port."""

    def __init__(self, table: Table) -> None:
        self._table = table

    def get(self, account_id: str, job_id: str) -> Job:
        ulid = job_ulid(job_id)
        item = self._table.get(*items.job_key(account_id, ulid)) if ulid else None
        if item is None or item["id"] != job_id:
            raise no_such_job()
        return items.job_of(item)

    def page(self, account_id: str, which: JobFilter, *, limit: int, cursor: str | None) -> JobPage:
        jobs = Range.of(items.account_key(account_id)[0], "JOB#", which.from_ms, which.to_ms, cursor)
        page = read_page(
            self._table, jobs, items.job_of, lambda job: _matches(job, which), limit=limit, read_max=READ_MAX
        )
        return JobPage(page.found, page.next_cursor)

    def begin(self, account_id: str, job_id: str, index: int, task_token: str, now_ms: int) -> Job:
        job = self.get(account_id, job_id)
        if job.awaits(index):
            return self._change_call(
                job, index, "SET task_tokens.#index = :token", {":token": task_token}, {}
            )
        expression = f"{_NEXT_STEP}, task_tokens.#index = :token"
        values, names = {":token": task_token}, {"#index": str(index)}
        return items.job_of(
            self._change_open(job, expression, values | _written(job.begun(now_ms)), names | _STATUS)
        )

    def advance(self, account_id: str, job_id: str, now_ms: int, done: Step | None = None) -> Job:
        job = self.get(account_id, job_id)
        expression, values = _NEXT_STEP, _written(job.begun(now_ms, STEP_GRACE_MS))
        if done:
            # A set holds a step once, however often it is added.
            expression, values = f"{_NEXT_STEP} ADD steps :done", values | {":done": {str(done)}}
        return items.job_of(self._change_open(job, expression, values, _STATUS))

    def note_call(self, job: Job, index: int, call: ProviderCall, *, begins: bool = False) -> Job:
        seen = job.calls.get(index)
        expression, values, names = "SET calls.#index = :call", {":call": call.to_json()}, {}
        if begins:
            expression = f"{_NEXT_STEP}, task_tokens.#index = :token, calls.#index = :call"
            values |= _written(job) | {":token": job.task_tokens[index]}
            names = _STATUS
        if seen and seen.number != call.number:
            expression += " REMOVE provider_refs.#index"
        return self._change_call(job, index, expression, values, names, call)

    def note_provider_ref(self, job: Job, index: int, ref: str) -> Job:
        return self._change_call(job, index, "SET provider_refs.#index = :ref", {":ref": ref}, {})

    def note_callback(self, job: Job, digest: str) -> None:
        self._change_open(job, "ADD callbacks :digests", {":digests": {digest}}, {})

    def note_late_output(self, job: Job, now_ms: int) -> None:
        expression = "SET late_output_at_ms = if_not_exists(late_output_at_ms, :now)"
        self._table.update(Update(_key(job), expression, EXISTS, {":now": now_ms}))

    def due(self, now_ms: int) -> list[Iterator[list[Due]]]:
        return [self._due_in(shard, now_ms) for shard in items.OPEN_SHARDS]

    def _due_in(self, shard: str, now_ms: int) -> Iterator[list[Due]]:
        pages = self._table.query(
            IndexName=items.OPEN_JOBS_INDEX,
            KeyConditionExpression="open_shard = :shard AND deadline_at <= :now",
            Limit=DUE_PAGE,
            values={":shard": shard, ":now": now_ms},
        )
        for page, _ in pages:
            yield [items.due_of(item) for item in page]

    def claim(self, due: Due, until_ms: int) -> Job | None:
        # The index lags behind the table: what is no longer due there has another deadline, or none.
        key, values = (
            items.job_key(due.account_id, due.ulid),
            {":seen": due.deadline_at_ms, ":until": until_ms},
        )
        try:
            return items.job_of(
                self._table.update(Update(key, "SET deadline_at = :until", SAME_DEADLINE, values))
            )
        except ConditionFailed:
            return None

    def start_again(self, job: Job) -> Job:
        seen = {":seen": job.restarts} if job.restarts else {}
        condition = SAME_EXECUTION if seen else FIRST_EXECUTION
        values = seen | {":next": job.restarts + 1, ":yes": True}
        return items.job_of(self._change_open(job, "SET restarts = :next", values, {}, condition))

    def announce_later(self, job: Job) -> None:
        expression = "SET announced = :no, open_shard = :shard, deadline_at = :at_once"
        values = {":held": str(HoldState.HELD), ":no": False, ":at_once": 0}
        values[":shard"] = items.open_shard(job.ulid)
        self._table.update(Update(_key(job), expression, UNANNOUNCED, values))

    def mark_announced(self, job: Job) -> None:
        values: dict[str, Any] = {":held": str(HoldState.HELD), ":yes": True}
        expression = "SET announced = :yes REMOVE open_shard, deadline_at"
        if job.files_due_at_ms is not None:
            expression = "SET announced = :yes, open_shard = :shard, deadline_at = :due"
            values |= {":shard": items.open_shard(job.ulid), ":due": job.files_due_at_ms}
        self._table.update(Update(_key(job), expression, UNANNOUNCED, values))

    def mark_files_deleted(self, job: Job) -> None:
        self._table.update(Update(_key(job), "REMOVE open_shard, deadline_at", EXISTS))

    def _change_call(
        self,
        job: Job,
        index: int,
        expression: str,
        values: dict[str, Any],
        names: dict[str, str],
        written: ProviderCall | None = None,
    ) -> Job:
        seen = job.calls.get(index)
        stands: dict[str, Any] = {":held": str(HoldState.HELD)}
        condition = SAME_CALL if seen else FIRST_CALL
        if job.awaits(index):
            condition, stands = AWAITED_CALL, {":yes": True}
        stands |= {":seen": seen.to_json()} if seen else {}
        try:
            update = Update(_key(job), expression, condition, values | stands, names | {"#index": str(index)})
            return items.job_of(self._table.update(update))
        except ConditionFailed as failed:
            now = items.job_of(failed.item) if failed.item else job
            if now.awaits(index) and not job.awaits(index) and now.calls.get(index) == seen:
                return self._change_call(now, index, expression, values, names, written)
            wanted = now.hold_state is HoldState.HELD or now.awaits(index)
            if not wanted or failed.item is None:
                raise JobClosed(job.id) from None
            if written is None or now.calls.get(index) != written:
                raise CallTaken(job.id) from None
            return now  # the service ran the update twice, and lost the first reply

    def _change_open(
        self,
        job: Job,
        expression: str,
        values: dict[str, Any],
        names: dict[str, str],
        condition: str = OPEN,
    ) -> Item:
        values = values | {":held": str(HoldState.HELD)}
        try:
            return self._table.update(Update(_key(job), expression, condition, values, names))
        except ConditionFailed:
            raise JobClosed(job.id) from None


def _written(begun: Job) -> dict[str, Any]:
    """What the beginning of a step writes of a job."""
    return {
        ":processing": str(begun.status),
        ":deadline": begun.deadline_at_ms,
        ":now": begun.started_at_ms,
    }


def _key(job: Job) -> tuple[str, str]:
    return items.job_key(job.account_id, job.ulid)


def _matches(job: Job, which: JobFilter) -> bool:
    wanted = (
        (which.statuses, job.status),
        (which.families, job.family),
        (which.models, job.model),
        (None if which.test is None else (which.test,), job.test),
    )
    said = which.text is None or job.mentions(which.text)
    return said and all(values is None or value in values for values, value in wanted)
