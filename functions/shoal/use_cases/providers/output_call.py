"""One output in the making: what is stored of it, and the call that is placed for it now."""

from __future__ import annotations

from dataclasses import dataclass, replace

from shoal.domain.errors import ProviderTimeout
from shoal.domain.job import FINISH_GRACE_MS, Job
from shoal.domain.provider import ProviderRequest
from shoal.domain.routing import Phase, ProviderCall
from shoal.ports.jobs import Jobs
from shoal.ports.system import Ids

MARK_LENGTH = 8
NO_CALL = ProviderCall(0, "", Phase.DUE)


@dataclass(slots=True)
class OutputCall:
    """`job` is as it was last written or read: each write is a condition on the one before it."""

    jobs: Jobs
    ids: Ids
    job: Job
    index: int
    request: ProviderRequest
    call: ProviderCall

    @property
    def ref(self) -> str | None:
        return self.job.provider_refs.get(self.index)

    def write(self, call: ProviderCall) -> None:
        """Store how far the call is. Raises `CallTaken`, `JobClosed`."""
        call = replace(call, mark=self.ids.secret(MARK_LENGTH))
        self.job = self.jobs.note_call(self.job, self.index, call)
        self.call = call

    def note_ref(self, ref: str | None) -> None:
        """Store a reference that is news. Raises `CallTaken`, `JobClosed`."""
        if ref and ref != self.ref:
            self.job = self.jobs.note_provider_ref(self.job, self.index, ref)

    def deadline_ms(self, now_ms: int) -> int:
        """By when a provider has to have answered, in Unix time. Raises `ProviderTimeout` past it."""
        due_ms = self.job.deadline_at_ms
        if due_ms is None or now_ms >= due_ms - FINISH_GRACE_MS:
            raise ProviderTimeout(self.job.provider_deadline_s)
        return due_ms - FINISH_GRACE_MS
