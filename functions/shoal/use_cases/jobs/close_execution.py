"""An execution failed, timed out or was aborted: its job must not be left open or unannounced."""

from __future__ import annotations

from dataclasses import dataclass

from shoal.domain.errors import JobClosed, Unavailable
from shoal.domain.job import Closer
from shoal.ports.jobs import Jobs
from shoal.use_cases.jobs.close_job import CloseJob
from shoal.use_cases.jobs.start_again import StartAgain


@dataclass(frozen=True, slots=True)
class CloseExecution:
    jobs: Jobs
    close_job: CloseJob
    start_again: StartAgain

    def __call__(self, account_id: str, job_id: str) -> str:
        """What was done: started, announced or left. Raises `NotFound` for one that has no job.

        A job that is still open, or awaits what its cancel captured, gets another execution at once, and
        after that one from the sweeper: what keeps executions from their ends may last for minutes.
        """
        job = self.jobs.get(account_id, job_id)
        try:
            if not job.status.terminal or job.awaiting:
                return "left" if job.restarts else self.start_again(job)
        except JobClosed:
            return "left"
        if job.closed_by is not Closer.WORKFLOW:
            return "left"
        try:
            self.close_job.announce(job)
        except Unavailable:
            # The bus may be away for longer than this message is handed out: the sweeper does not give up.
            self.jobs.announce_later(job)
            return "left"
        return "announced"
