"""One output in the making: what is stored of it, and the call that is placed for it now."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import partial

from shoal.domain.errors import Unavailable
from shoal.domain.failures import timed_out
from shoal.domain.job import Job
from shoal.domain.provider import Pending, ProviderRequest
from shoal.domain.routing import Phase, ProviderCall
from shoal.ports.jobs import Jobs
from shoal.ports.system import Beside, Ids, in_turn

MARK_LENGTH = 8
NO_CALL = ProviderCall(0, "", Phase.DUE)


@dataclass(frozen=True, slots=True)
class Beginning:
    """A task that began to wait for an output, which is still to be written. `announce` tells of it."""

    task_token: str
    at_ms: int
    announce: Callable[[], None]


@dataclass(slots=True)
class OutputCall:
    """`job` is as it was last written or read: each write is a condition on the one before it.

    A `beginning` is written with the first call, or by `begin` where there is none to write.
    """

    jobs: Jobs
    ids: Ids
    job: Job
    index: int
    request: ProviderRequest
    call: ProviderCall
    beginning: Beginning | None = None
    beside: Beside = in_turn

    @property
    def ref(self) -> str | None:
        return self.job.provider_refs.get(self.index)

    def write(self, call: ProviderCall) -> None:
        """Store how far the call is. Raises `CallTaken`, `JobClosed`, and `Unavailable`."""
        call = replace(call, mark=self.ids.secret(MARK_LENGTH))
        if self.beginning is None:
            self._go_on(self.jobs.note_call(self.job, self.index, call), call)
            return
        noted = self.beside(partial(self.jobs.note_call, self.job, self.index, call, begins=True))
        try:
            self.beginning.announce()
        except Unavailable:
            # That nobody was asked is known: the next run does not have to wait for an answer.
            self._go_on(noted(), call)
            self.write(replace(call, phase=Phase.DUE))
            raise
        self._go_on(noted(), call)

    def _go_on(self, job: Job, call: ProviderCall) -> None:
        self.job, self.call, self.beginning = job, call, None

    def begin(self) -> None:
        """Store and announce a beginning that goes with no call. Raises `JobClosed`."""
        if start := self.beginning:
            where = self.job.account_id, self.job.id, self.index
            begin = partial(self.jobs.begin, *where, start.task_token, start.at_ms)
            self.job, self.beginning = begin(), None
            start.announce()

    def note_ref(self, ref: str | None) -> None:
        """Store a reference that is news. Raises `CallTaken`, `JobClosed`."""
        if ref and ref != self.ref:
            self.job = self.jobs.note_provider_ref(self.job, self.index, ref)

    def deadline_ms(self, now_ms: int) -> int:
        """By when a provider has to have answered, in Unix time.

        Raises past it `ProviderTimeout`, and `JobExpired` if none was asked.
        """
        due_ms = self.call.answer_by_ms
        if self.call is NO_CALL:
            due_ms = self.job.answer_by_ms(now_ms)
        elif not due_ms:  # of 0.1, which kept the moment with the job
            due_ms = max(self.job.output_by_ms(self.call), self.job.deadline_at_ms or 0)
        if now_ms >= due_ms:
            raise timed_out(self.job, asked=self.call.number > 0)
        return due_ms

    def bounded(self, pending: Pending, now_ms: int) -> Pending:
        """With how long an answer is waited for. Raises as `deadline_ms` does."""
        left_ms = self.deadline_ms(now_ms) - now_ms
        return replace(pending, over_in_seconds=-(-left_ms // 1000))
