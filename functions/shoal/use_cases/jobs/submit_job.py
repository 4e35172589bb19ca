"""Submit: price it, hold the money, write the job, start its execution."""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any

from shoal.domain.api_key import Caller
from shoal.domain.brief import Kind
from shoal.domain.errors import (
    IdempotencyInFlight,
    IdempotencyKeyReused,
    InsufficientBalance,
    InsufficientCredits,
    NotFound,
    RateLimited,
    Unavailable,
    ValidationFailed,
)
from shoal.domain.idempotency import LIFETIME_MS, IdempotencyKey, IdempotencyRecord
from shoal.domain.job import START_GRACE_MS, Job
from shoal.domain.provider import SIMULATOR
from shoal.domain.submission import Submission
from shoal.ports.catalogs import Catalogs
from shoal.ports.jobs import Workflow
from shoal.ports.money import Ledger
from shoal.ports.routing import LookAtBoard
from shoal.ports.system import Beside, Clock, Found, Ids
from shoal.use_cases.jobs.limit_jobs import LimitJobs
from shoal.use_cases.providers.moderate import Moderate

logger = logging.getLogger(__name__)

ACCEPTED = 202

REFUSALS = InsufficientBalance, IdempotencyKeyReused, IdempotencyInFlight, RateLimited, ValidationFailed
"""After which it is certain that nothing was written."""

Prepare = Callable[[Caller, Submission], Submission]


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


def in_turn(work: Callable[[], Found]) -> Callable[[], Found]:
    """Implements the `Beside` port by doing the work first."""
    found = work()
    return lambda: found


@dataclass(frozen=True, slots=True)
class SubmitJob:
    """`prepare` looks at the addresses a caller's submission names and fetches its inputs.

    `discard` deletes what `prepare` staged for a submission that is refused. `beside` looks a key's record up
    while the job is counted in.
    A provider may take `provider_deadline_s` for an output, and `clip_deadline_s` for a scene of a video.
    """

    ledger: Ledger
    workflow: Workflow
    prepare: Prepare
    discard: Callable[[Submission], None]
    limit_jobs: LimitJobs
    moderate: Moderate
    board: LookAtBoard
    catalogs: Catalogs
    clock: Clock
    ids: Ids
    provider_deadline_s: int
    clip_deadline_s: int
    beside: Beside = in_turn

    def __call__(
        self,
        caller: Caller,
        read: Callable[[], Submission],
        key: IdempotencyKey | None,
        render: Callable[[Job], Mapping[str, Any]],
    ) -> Answered:
        """Replay the answer the key got before, or accept the job that `read` makes of the request.

        The record wins: a replay depends on no price, catalog, parser, moderator, route, address or limit of
        today, and the place that it took meanwhile is given back. Raises what `read` raises,
        `InsufficientBalance`, `MaxCostExceeded`, `ValidationFailed` (moderation, an address or an input),
        `IdempotencyKeyReused`, `IdempotencyInFlight`, `RateLimited`, `Forbidden` (too much of what was asked
        for came to nothing), `Unavailable`: in each of them nothing was written.
        """
        now_ms = self.clock.now_ms()
        find = self.beside(lambda: self.ledger.find_record(key, now_ms)) if key else _no_record
        try:
            submission = read()
            submission.check_max_cost()
            job = self._job(caller, submission, self._admit(caller, submission, now_ms), now_ms)
            self.limit_jobs.enter(job)
        except Exception:
            if earlier := find():
                return _replay(earlier)
            raise
        try:
            if earlier := find():
                answered = _replay(earlier)
            else:
                job = self._judged(caller, job, submission)
                submission = self._prepared(caller, submission)
                job = replace(job, submission=submission.admitted(job.asset))
                answered = self._accept(job, submission, key, render, now_ms)
        except REFUSALS:
            self._take_back(job, submission)
            raise
        if answered.replayed:
            self._take_back(job, submission)
        return answered

    def _take_back(self, job: Job, submission: Submission) -> None:
        """Nothing was written for the job: neither its place nor what was staged for it is needed."""
        self.limit_jobs.leave(job)
        self.discard(submission)

    def _judged(self, caller: Caller, job: Job, submission: Submission) -> Job:
        """By a moderator outside of this process, which may cost: it is shown what can be paid and accepted.

        What it refused counts as spend that comes to nothing.
        """
        if not self.moderate.reaches_out:
            return job
        self._check_funds(caller, submission)
        try:
            return replace(job, moderation=self.moderate(submission))
        except (ValidationFailed, Unavailable) as refused:
            judged = isinstance(refused, ValidationFailed) and not job.test
            self.limit_jobs.leave(job, self.moderate.cost_micros if judged else 0)
            raise

    def _prepared(self, caller: Caller, submission: Submission) -> Submission:
        if submission.input_urls:
            self._check_funds(caller, submission)
        return self.prepare(caller, submission) if submission.reaches_out else submission

    def _accept(
        self,
        paid: Job,
        submission: Submission,
        key: IdempotencyKey | None,
        render: Callable[[Job], Mapping[str, Any]],
        now_ms: int,
    ) -> Answered:
        available = 0
        on_trial = [replace(paid, free_trial=True)] if submission.free_trial_allowed else []
        for job in (paid, *on_trial):
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
        raise _too_little(submission, available)

    def _check_funds(self, caller: Caller, submission: Submission) -> None:
        """Before anything is fetched for it. Raises `InsufficientBalance`."""
        try:
            wallet = self.ledger.wallet(caller.account_id, caller.asset(submission.asset))
        except NotFound:
            raise _too_little(submission, 0) from None
        on_trial = submission.free_trial_allowed and wallet.free_generations > 0
        if wallet.available < submission.price and not on_trial:
            raise _too_little(submission, wallet.available)

    def _admit(self, caller: Caller, submission: Submission, now_ms: int) -> Admitted:
        """Raises `Unavailable` without a route, `ValidationFailed` where moderation within refuses."""
        catalog = self.catalogs.of(submission.catalog_version)
        routes = catalog.routes(submission.brief.model)
        provider = SIMULATOR if caller.test else self.board().provider_of(routes, now_ms)
        return Admitted(provider, None if self.moderate.reaches_out else self.moderate(submission))

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


def _too_little(submission: Submission, available: int) -> InsufficientBalance:
    if submission.brief.kind is Kind.VIDEO:
        return InsufficientCredits.of(submission.price, available)
    return InsufficientBalance()


def _no_record() -> IdempotencyRecord | None:
    return None


def _replay(earlier: IdempotencyRecord) -> Answered:
    return Answered(earlier.status, earlier.body, earlier.job_id, replayed=True)
