"""Submit: price it, hold the money, write the job, start its execution."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any

from shoal.domain.api_key import Caller
from shoal.domain.brief import Kind
from shoal.domain.catalog import Catalog
from shoal.domain.errors import InsufficientBalance, InsufficientCredits
from shoal.domain.idempotency import LIFETIME_MS, IdempotencyKey, IdempotencyRecord
from shoal.domain.job import START_GRACE_MS, Job
from shoal.domain.provider import SIMULATOR
from shoal.domain.submission import Submission
from shoal.ports.jobs import Workflow
from shoal.ports.money import Ledger
from shoal.ports.routing import LookAtBoard
from shoal.ports.system import Clock, Ids
from shoal.use_cases.providers.moderate import Moderate

logger = logging.getLogger(__name__)

ACCEPTED = 202

Prepare = Callable[[Submission], Submission]


@dataclass(frozen=True, slots=True)
class Answered:
    """Status and body for the caller; `replayed` if an earlier request with the same key made them."""

    status: int
    body: Mapping[str, Any]
    job_id: str
    replayed: bool


@dataclass(frozen=True, slots=True)
class Admitted:
    """The provider to ask first, and what is recorded of moderation."""

    provider: str
    moderation: str | None


@dataclass(frozen=True, slots=True)
class SubmitJob:
    """`prepare` looks at the addresses a submission names and fetches its inputs.

    A provider may take `provider_deadline_s` for an output, and `clip_deadline_s` for a scene of a video.
    """

    ledger: Ledger
    workflow: Workflow
    prepare: Prepare
    moderate: Moderate
    board: LookAtBoard
    catalog: Catalog
    clock: Clock
    ids: Ids
    provider_deadline_s: int
    clip_deadline_s: int

    def __call__(
        self,
        caller: Caller,
        read: Callable[[], Submission],
        key: IdempotencyKey | None,
        render: Callable[[Job], Mapping[str, Any]],
    ) -> Answered:
        """Replay the answer the key got before, or accept the job that `read` makes of the request.

        The record comes first: a replay depends on no price, catalog, parser, moderator, route or address
        of today. Raises what `read` raises, `InsufficientBalance`, `MaxCostExceeded`, `ValidationFailed`
        (moderation, an address or an input), `IdempotencyKeyReused`, `IdempotencyInFlight`, `Unavailable`: in
        each of them nothing was written.
        """
        now_ms = self.clock.now_ms()
        if key and (earlier := self.ledger.find_record(key, now_ms)):
            return _replay(earlier)
        submission = read()
        submission.check_max_cost()
        admitted = self._admit(caller, submission, now_ms)
        if submission.reaches_out:
            submission = self.prepare(submission)
        available = 0
        for job in self._ways_to_pay(caller, submission, admitted, now_ms):
            body = render(job)
            record = IdempotencyRecord(key, job.id, ACCEPTED, body, now_ms + LIFETIME_MS) if key else None
            try:
                earlier = self.ledger.submit(job, record, now_ms)
            except InsufficientBalance as refused:
                available = refused.available
                continue
            if earlier:
                return _replay(earlier)
            self._start(job)
            return Answered(ACCEPTED, body, job.id, replayed=False)
        if submission.brief.kind is Kind.VIDEO:
            raise InsufficientCredits.of(submission.price, available)
        raise InsufficientBalance

    def _admit(self, caller: Caller, submission: Submission, now_ms: int) -> Admitted:
        """Raises `Unavailable` without a route, `ValidationFailed` where moderation refuses."""
        routes = self.catalog.routes(submission.brief.model)
        provider = SIMULATOR if caller.test else self.board().provider_of(routes, now_ms)
        return Admitted(provider, self.moderate(submission))

    def _ways_to_pay(
        self, caller: Caller, submission: Submission, admitted: Admitted, now_ms: int
    ) -> Iterator[Job]:
        paid = self._job(caller, submission, admitted, now_ms)
        yield paid
        if submission.free_trial_allowed:
            yield replace(paid, free_trial=True)

    def _job(self, caller: Caller, submission: Submission, admitted: Admitted, now_ms: int) -> Job:
        in_video = submission.brief.kind is Kind.VIDEO
        return Job(
            id=self.ids.new(submission.family.id_prefix, now_ms),
            account_id=caller.account_id,
            key_id=caller.key_id,
            submission=submission.admitted(caller.asset(submission.asset)),
            provider=admitted.provider,
            moderation=admitted.moderation,
            provider_deadline_s=self.clip_deadline_s if in_video else self.provider_deadline_s,
            created_at_ms=now_ms,
            deadline_at_ms=now_ms + START_GRACE_MS,
        )

    def _start(self, job: Job) -> None:
        try:
            self.workflow.start(job)
        except Exception:
            # The job and its hold are written, so whatever failed it is accepted: the sweeper starts it.
            logger.warning(
                "execution not started, left to the sweeper", extra={"job_id": job.id}, exc_info=True
            )


def _replay(earlier: IdempotencyRecord) -> Answered:
    return Answered(earlier.status, earlier.body, earlier.job_id, replayed=True)
