"""Finish: no more of what a cancel captured arrives, so give back what has not."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from shoal.domain.brief import Kind
from shoal.domain.job import Closer, Job, Output
from shoal.ports.money import Ledger
from shoal.ports.system import Clock
from shoal.ports.videos import Scenes


@dataclass(frozen=True, slots=True)
class FinishCanceled:
    ledger: Ledger
    scenes: Scenes
    clock: Clock

    def __call__(
        self, job: Job, closer: Closer, outputs: Sequence[Output] = (), expire_at_ms: int | None = None
    ) -> Job:
        """The finished job: of the stored pictures in `outputs` it has those that are paid for.

        Raises `JobClosed` if it does not wait.
        """
        kept = [output for output in outputs if output.index in job.captured]
        if job.kind is Kind.VIDEO:
            arrived = self.clips_of(job) & job.captured
        else:
            arrived = frozenset(output.index for output in kept)
        return self.ledger.finish(job, arrived, kept, expire_at_ms, closer, self.clock.now_ms())

    def clips_of(self, job: Job) -> frozenset[int]:
        """The scenes whose clips are stored."""
        return frozenset(scene.index for scene in self.scenes.of(job) if scene.ready)
