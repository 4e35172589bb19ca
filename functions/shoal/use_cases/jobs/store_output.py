"""StoreOutput: check what the provider delivered and put it where callers may fetch it."""

from __future__ import annotations

import logging
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, replace

from shoal.domain.errors import JobError, OutputInvalid
from shoal.domain.failures import job_error
from shoal.domain.job import Job, Output, output_folder
from shoal.domain.models.media_types import EXTENSIONS
from shoal.domain.provider import Measured
from shoal.ports.jobs import Jobs, Outputs, Staged, Staging
from shoal.ports.system import Beside, Clock, in_turn

logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class StoreOutput:
    """`inspect` measures a file of one of some media types, and raises `OutputInvalid` for any other.

    `retention_s` is how long the stage keeps outputs, None for ever.
    """

    jobs: Jobs
    staging: Staging
    outputs: Outputs
    inspect: Callable[[bytes, Collection[str]], Measured]
    clock: Clock
    retention_s: int | None = None
    beside: Beside = in_turn

    def __call__(
        self, account_id: str, job_id: str, delivered: Sequence[Mapping[str, str]]
    ) -> tuple[Output, ...]:
        """The stored outputs: one for each item that is usable.

        An item names what was staged, or the error its provider call ended in. Raises the first error, a
        `JobError`, when nothing usable was delivered. Keys derive from the job, so a repeated run writes the
        same objects again.
        """
        read = self.beside(lambda: [self._read(item) for item in delivered[:1]])
        try:
            job = self.jobs.get(account_id, job_id)
        finally:
            first = read()
        stored: list[Output] = []
        problems: list[JobError] = [OutputInvalid(f"The provider delivered no {job.kind.noun}.")]
        for index, item in enumerate(delivered):
            try:
                stored.append(self._store(job, index, item, first.pop() if first else self._read(item)))
            except JobError as problem:
                problems.append(problem)
        if not stored:
            raise problems[min(1, len(problems) - 1)]
        return tuple(stored)

    def _read(self, item: Mapping[str, str]) -> Staged | JobError:
        """What was staged of an item, or why it cannot be had."""
        try:
            return Staged(b"") if "error" in item else self.staging.read_output(item["key"])
        except JobError as problem:
            return problem

    def _store(self, job: Job, index: int, item: Mapping[str, str], staged: Staged | JobError) -> Output:
        if "error" in item:
            raise job_error(item["error"], item["cause"], job)
        if isinstance(staged, JobError):
            raise staged
        name = f"{output_folder(job)}{index}{_secret(job, index)}"
        output = self._put(job, name, staged.data, job.brief.allowed)
        extras = [
            self._put_extra(job, f"{name}-{number}", data) for number, data in enumerate(staged.extras, 1)
        ]
        return replace(output, extras=tuple(extra for extra in extras if extra))

    def _put_extra(self, job: Job, name: str, data: bytes) -> Output | None:
        """A file beside an output, of any type that is allowed to any; None for one of another."""
        try:
            return self._put(job, name, data, EXTENSIONS)
        except OutputInvalid as problem:
            logger.warning("extra not stored", extra={"job_id": job.id, "reason": str(problem)})
            return None

    def _put(self, job: Job, name: str, data: bytes, allowed: Collection[str]) -> Output:
        found = self.inspect(data, allowed)
        key = f"{name}.{found.extension}"
        self.outputs.put(key, data, found.content_type, expires_at_ms=self._expires_at_ms(job))
        size = found.width_px, found.height_px
        return Output(key, found.content_type, *size, len(data), duration_ms=found.duration_ms)

    def _expires_at_ms(self, job: Job) -> int | None:
        """When caches forget it: no later than its files are due, which is counted from its settling."""
        kept_s = [seconds for seconds in (job.submission.ttl_s, self.retention_s) if seconds is not None]
        return self.clock.now_ms() + min(kept_s) * 1000 if kept_s else None


def _secret(job: Job, index: int) -> str:
    """What a caller cannot know of an output's address before it is paid for.

    Without it, a caller who cancels a job between its storing and its settling has the picture for nothing:
    the rest of the address follows from the job's id.
    """
    call = job.calls.get(index)
    return f"-{call.mark}" if call and call.mark else ""
