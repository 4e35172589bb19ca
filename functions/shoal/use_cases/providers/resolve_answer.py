"""Turn what became of an output into the end of the task that waits for it, or into another look."""

from __future__ import annotations

import logging
from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import partial

from shoal.domain.errors import JobClosed, JobError
from shoal.domain.job import HoldState, Job
from shoal.domain.provider import Pending
from shoal.ports.jobs import Look, PollQueue, TaskTokens
from shoal.use_cases.providers.ask_provider import AskProvider
from shoal.use_cases.providers.output_call import Beginning
from shoal.use_cases.providers.stage_output import Delivered

logger = logging.getLogger(__name__)

POLL_SECONDS_MAX = 60

LOOKS_A_STEP = 4
BACK_OFF_SECONDS_MAX = 30
"""What a provider asks for is kept for so many looks, then doubled, up to this: 25 looks in three minutes."""


@dataclass(frozen=True, slots=True)
class ResolveAnswer:
    """`simulates`: whether this function carries what simulated work is made with."""

    ask: AskProvider
    tokens: TaskTokens
    poll_queue: PollQueue
    simulates: bool = True

    def begin(
        self,
        account_id: str,
        job_id: str,
        index: int,
        task_token: str,
        announce: Callable[[Job], None] = lambda _: None,
    ) -> tuple[Job, str]:
        """The job and what came of asking for an output that a task begins to wait for.

        `announce` tells of the job's beginning. The token is stored before the provider is asked: a callback
        may come before `start` returns. Raises `NotFound`, `JobClosed` if the job ended before it began.
        """
        self.ask.choose.breakers.read_ahead()
        job, now_ms = self.ask.jobs.get(account_id, job_id), self.ask.clock.now_ms()
        if job.awaits(index):  # another execution takes over: its beginning was told before the cancel
            begun = self.ask.jobs.begin(account_id, job_id, index, task_token, now_ms)
            return begun, self(begun, index)
        if job.hold_state is not HoldState.HELD:
            raise JobClosed(job.id)
        begun = replace(job.begun(now_ms), task_tokens={**job.task_tokens, index: task_token})
        if self._is_elsewhere(job):
            self.ask.jobs.begin(account_id, job_id, index, task_token, now_ms)
            announce(begun)
            return begun, self(begun, index)
        return begun, self(begun, index, beginning=Beginning(task_token, now_ms, partial(announce, begun)))

    def _is_elsewhere(self, job: Job) -> bool:
        """Whether an execution, or a message, is of a version that had one function for all work."""
        return job.simulated and not self.simulates

    def __call__(
        self,
        job: Job,
        index: int,
        *,
        once: bool = False,
        looks: int = 0,
        beginning: Beginning | None = None,
    ) -> str:
        """Ask, and act on the answer. Returns what came of it: done, pending or the error's class name.

        `once`: somebody else looks again if it is still pending. `looks` were made before. A `beginning`
        is still to be stored.
        Raises `JobClosed`.
        """
        if self._is_elsewhere(job):
            look = Look(job.account_id, job.id, index, once=once, looks=looks, simulated=True)
            self.poll_queue.send(look, delay_seconds=0)
            return "pending"
        try:
            progress = self.ask(job, index, beginning)
        except JobError as error:
            self._report(job, self.tokens.fail(_token(job, index), type(error).__name__, str(error)))
            return type(error).__name__
        if isinstance(progress, Delivered):
            output = {"key": progress.key}
            self._report(job, self.tokens.succeed(_token(job, index), {"output": output}))
            return "done"
        if not once:
            look = Look(job.account_id, job.id, index, looks=looks + 1, simulated=job.simulated)
            self.poll_queue.send(look, delay_seconds=next_look_s(progress, looks))
        return "pending"

    def _report(self, job: Job, resolved: bool) -> None:
        if not resolved:
            logger.info("another answer came first", extra={"job_id": job.id})


def next_look_s(pending: Pending, looks: int) -> int:
    """When to look again after so many looks that found nothing.

    Never before the provider's own hint, but for the last look: at the deadline, which ends the waiting.
    """
    hint_s, over_in_s = pending.poll_after_seconds, pending.over_in_seconds
    backed_off_s = min(max(1, hint_s) << looks // LOOKS_A_STEP, BACK_OFF_SECONDS_MAX)
    wait_s = min(max(hint_s, backed_off_s), POLL_SECONDS_MAX)
    return wait_s if over_in_s is None else min(wait_s, over_in_s)


def _token(job: Job, index: int) -> str:
    if index not in job.task_tokens:
        raise JobClosed(job.id)
    return job.task_tokens[index]
