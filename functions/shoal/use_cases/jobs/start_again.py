"""Start again: another execution takes over from one that ended before its job did."""

from __future__ import annotations

from dataclasses import dataclass

from shoal.domain.job import Job
from shoal.ports.jobs import Jobs, Workflow


@dataclass(frozen=True, slots=True)
class StartAgain:
    """What the execution before has done is not done twice: each step finds it by the job.

    The note of a provider's call decides whether anybody is asked again, a staged output is stored, and what
    was captured stays captured.
    """

    jobs: Jobs
    workflow: Workflow

    def __call__(self, job: Job) -> str:
        """What was done. Raises `JobClosed` if it ended, or if another execution has taken over."""
        return "started" if self.workflow.start(self.jobs.start_again(job)) else "left"
