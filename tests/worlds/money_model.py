"""What an account should look like, told in the simplest way there is: a list of jobs and a few numbers.

Written from the contract, not from the code: it shares no constant and no formula with it.
"""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, field
from datetime import UTC, datetime

MINUTE_MS = 60_000
DAY_S = 24 * 3_600
QUEUE_MINUTES_MAX = 15
PROVIDER_MS = 180_000
"""What a provider may take: of an image counted from its acceptance, of a task from when it is asked."""
LEFTOVERS_MS = 15 * MINUTE_MS
"""How long after a failure or a cancel a step that still ran may have stored something."""

OPEN = ("queued", "processing")


@dataclass(frozen=True)
class Order:
    """What is asked for: an image of a mode, or a task of some outputs. `unit_price` is per output."""

    model: str
    unit_price: int
    prompt: str
    mode: str | None = None
    outputs: int = 1
    ttl_s: int | None = None

    @property
    def price(self) -> int:
        return self.unit_price * self.outputs


IMAGES = [
    Order("shoal-image", price, prompt, mode=mode)
    for mode, price in (("1k", 10_000), ("2k", 20_000), ("4k", 30_000))
    for prompt in ("A shark", "A whale")
]
TASKS = [
    Order("nanobanana", 10_000, "A mug", outputs=outputs, ttl_s=ttl_s)
    for outputs in (1, 2, 4)
    for ttl_s in (None, 60, 7_200)
]


@dataclass
class ModelJob:
    """`due_ms` is when the sweeper looks at it; `execution` is None, running or ended.

    `restarts`: how many executions took over from one that ended. `spoken_for`: its end was announced, or is
    by the workflow that closed it.
    """

    id: str
    order: Order
    trial: bool
    created_ms: int
    due_ms: int | None
    status: str = "queued"
    closer: str | None = None
    waits_ms: int = 0
    closed_ms: int = 0
    delivered: int = 0
    execution: str | None = None
    restarts: int = 0
    spoken_for: bool = False
    announced: bool = False
    deleted: bool = False

    @property
    def open(self) -> bool:
        return self.status in OPEN

    @property
    def price(self) -> int:
        return self.order.price

    @property
    def cost(self) -> int:
        """Only what was delivered is paid for."""
        return 0 if self.trial else self.order.unit_price * self.delivered

    def answer_by_ms(self, asked_ms: int) -> int:
        return (self.created_ms if self.order.mode else asked_ms) + PROVIDER_MS

    @property
    def start_by_ms(self) -> int:
        return self.created_ms + (PROVIDER_MS if self.order.mode else QUEUE_MINUTES_MAX * MINUTE_MS)

    @property
    def deletes_ms(self) -> int | None:
        """When what it has stored is to be deleted."""
        if self.deleted:
            return None
        if self.status != "completed":
            return self.closed_ms + LEFTOVERS_MS
        return None if self.order.ttl_s is None else self.closed_ms + self.order.ttl_s * 1000


@dataclass
class ModelAccount:
    """Amounts in micro-dollars."""

    granted: int
    trials_granted: int = 3
    jobs: dict[str, ModelJob] = field(default_factory=dict)
    top_ups: dict[str, int] = field(default_factory=dict)
    answered: dict[str, tuple[Order, str, int]] = field(default_factory=dict)
    """Idempotency keys: the request, its job, and until when it counts in Unix seconds."""

    @property
    def balance(self) -> int:
        return self.granted + sum(self.top_ups.values()) - sum(job.cost for job in self.jobs.values())

    @property
    def held(self) -> int:
        return sum(job.price for job in self.jobs.values() if job.open and not job.trial)

    @property
    def usage(self) -> dict[tuple[str, str], tuple[int, int, int]]:
        """Units, cost and requests by UTC day and model."""
        found: dict[tuple[str, str], tuple[int, int, int]] = defaultdict(lambda: (0, 0, 0))
        for job in (job for job in self.jobs.values() if job.status == "completed"):
            day = datetime.fromtimestamp(job.closed_ms / 1000, UTC).date().isoformat()
            units, cost, requests = found[day, job.order.model]
            found[day, job.order.model] = units + job.delivered, cost + job.cost, requests + 1
        return dict(found)

    @property
    def trials(self) -> int:
        used = [job for job in self.jobs.values() if job.trial and (job.open or job.status == "completed")]
        return self.trials_granted - len(used)

    def earlier(self, key: str | None, now_ms: int) -> tuple[Order, str] | None:
        """The request a key was used for in the last day, and the job it made."""
        if key not in self.answered:
            return None
        request, job_id, until_s = self.answered[key]
        return (request, job_id) if now_ms // 1000 < until_s else None

    def pays_with(self, order: Order) -> str | None:
        """Money, else for an image a trial, else nothing."""
        if self.balance - self.held >= order.price:
            return "money"
        return "trial" if self.trials > 0 and order.mode else None

    def accept(self, job: ModelJob, key: str | None, now_ms: int) -> None:
        self.jobs[job.id] = job
        if key is not None:
            self.answered[key] = (job.order, job.id, (now_ms + DAY_S * 1000) // 1000)

    def close(self, job: ModelJob, status: str, delivered: int, now_ms: int) -> None:
        """The workflow ends the job; it announces that by itself."""
        job.status, job.closer, job.closed_ms, job.delivered = status, "workflow", now_ms, delivered
        job.due_ms, job.spoken_for = job.deletes_ms, True

    def begin(self, job: ModelJob, now_ms: int) -> None:
        by_ms = job.answer_by_ms(now_ms)
        job.status, job.due_ms = "processing", min(by_ms, now_ms + MINUTE_MS)
        job.waits_ms = job.waits_ms or by_ms

    def sweep(self, now_ms: int, *, bus_down: bool = False, bucket_down: bool = False) -> dict[str, int]:
        """What the sweeper does with each job that is due, and how often it does what."""
        done: dict[str, int] = {}
        for job in self.jobs.values():
            if job.due_ms is not None and job.due_ms <= now_ms:
                job.due_ms = now_ms + MINUTE_MS
                expired = job.spoken_for
                what = self._delete(job, bucket_down) if expired else self._see_to(job, now_ms, bus_down)
                done[what] = done.get(what, 0) + 1
        return done

    def _delete(self, job: ModelJob, bucket_down: bool) -> str:
        if bucket_down:
            return "deferred"
        job.deleted, job.due_ms = True, None
        return "deleted"

    def _see_to(self, job: ModelJob, now_ms: int, bus_down: bool) -> str:
        if not job.open:
            self.announce(job, bus_down)
            return "deferred" if bus_down else "announced"
        if now_ms >= (job.waits_ms or job.start_by_ms):  # and nothing has come of it
            return self._close_swept(job, "expired", now_ms, bus_down)
        if job.execution == "running" or (job.waits_ms and not job.restarts):
            return "left"
        job.restarts += job.execution == "ended"
        job.execution = "running"
        return "started"

    def _close_swept(self, job: ModelJob, status: str, now_ms: int, bus_down: bool) -> str:
        job.status, job.closer, job.closed_ms = status, "sweep", now_ms
        self.announce(job, bus_down)
        return "closed"

    def cancel(self, job: ModelJob, now_ms: int, bus_down: bool) -> None:
        job.status, job.closer, job.closed_ms = "canceled", "cancel", now_ms
        job.due_ms = now_ms + MINUTE_MS
        self.announce(job, bus_down)

    def announce(self, job: ModelJob, bus_down: bool) -> None:
        """Tell of a closed job and stop its execution. If that fails, the job stays due."""
        if not bus_down:
            job.announced, job.spoken_for, job.due_ms = True, True, job.deletes_ms
            job.execution = job.execution and "ended"
