"""Builders of the job functions, and what their handlers are given."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache, partial
from typing import TYPE_CHECKING

from shoal import settings as environment
from shoal.composition import parts
from shoal.composition import providers as upstreams

if TYPE_CHECKING:
    from shoal.dialects.spoken import View
    from shoal.domain.api_key import Caller
    from shoal.domain.catalog import Catalog
    from shoal.domain.submission import Submission
    from shoal.ports.routing import LookAtBoard
    from shoal.ports.system import TimeLeft
    from shoal.use_cases.jobs.await_job import AwaitJob
    from shoal.use_cases.jobs.cancel_job import CancelJob
    from shoal.use_cases.jobs.close_execution import CloseExecution
    from shoal.use_cases.jobs.quote import QuoteJob
    from shoal.use_cases.jobs.read_job import ListJobs, ReadJob
    from shoal.use_cases.jobs.release_hold import ReleaseHold
    from shoal.use_cases.jobs.settle_wallet import SettleWallet
    from shoal.use_cases.jobs.store_output import StoreOutput
    from shoal.use_cases.jobs.submit_job import SubmitJob
    from shoal.use_cases.jobs.sweep_jobs import Report
    from shoal.use_cases.providers.call_provider import CallProvider
    from shoal.use_cases.providers.poll_provider import PollProvider
    from shoal.use_cases.providers.receive_callback import ReceiveCallback

clock, ids = parts.clock, parts.ids
settings_of, output_urls, public_urls = parts.settings_of, parts.output_urls, parts.public_urls


@dataclass(frozen=True, slots=True)
class Submitting:
    """`read_ahead` begins to read catalog and board of routes; `view` is how a job is shown by now."""

    catalog: Callable[[], Catalog]
    submit_job: Callable[[], SubmitJob]
    read_ahead: Callable[[], None]
    await_job: Callable[[], AwaitJob]
    view: Callable[[], View]


@dataclass(frozen=True, slots=True)
class Reading:
    """`view` is how a job is shown by now."""

    read_job: ReadJob
    await_job: Callable[[], AwaitJob]
    view: Callable[[], View]


@dataclass(frozen=True, slots=True)
class Listing:
    """`view` is how jobs are shown by now."""

    list_jobs: ListJobs
    view: Callable[[], View]


@dataclass(frozen=True, slots=True)
class Canceling:
    """`view` is how a job is shown by now."""

    cancel_job: CancelJob
    view: Callable[[], View]


@dataclass(frozen=True, slots=True)
class Sweeping:
    """What is done every minute."""

    sweep_jobs: Callable[[TimeLeft, Report], Counter[str]]
    tell_events: Callable[[TimeLeft], int]


@dataclass(frozen=True, slots=True)
class ReadingModels:
    """`read_ahead` begins to read catalog and board of routes."""

    catalog: Callable[[], Catalog]
    board: LookAtBoard
    read_ahead: Callable[[], None]
    now_ms: Callable[[], int]


@cache
def submitting() -> Submitting:
    settings = settings_of(environment.SubmitJobSettings)
    return Submitting(
        catalog=parts.catalogs(settings).current,
        submit_job=submit_job,
        read_ahead=partial(_read_ahead, settings),
        await_job=partial(_await_job, settings.table),
        view=parts.view(public_urls(settings.public_url), settings.table),
    )


@cache
def reading() -> Reading:
    settings = settings_of(environment.ReadJobSettings)
    view = parts.view(output_urls(settings), settings.table)
    return Reading(read_job(), partial(_await_job, settings.table), view)


@cache
def listing() -> Listing:
    settings = settings_of(environment.ListJobsSettings)
    return Listing(list_jobs(), parts.view(output_urls(settings), settings.table))


@cache
def canceling() -> Canceling:
    settings = settings_of(environment.CancelJobSettings)
    return Canceling(cancel_job(), parts.view(output_urls(settings), settings.table))


@cache
def reading_models() -> ReadingModels:
    settings = settings_of(environment.ReadModelsSettings)
    read_ahead = partial(_read_ahead, settings)
    return ReadingModels(
        parts.catalogs(settings).current, upstreams.board(settings), read_ahead, clock.now_ms
    )


def _read_ahead(settings: environment.BoardSettings) -> None:
    parts.catalogs(settings).read_ahead()
    upstreams.board(settings).read_ahead()


@cache
def submit_job() -> SubmitJob:
    from shoal.adapters.system import beside
    from shoal.use_cases.jobs.submit_job import SubmitJob

    settings = settings_of(environment.SubmitJobSettings)

    def prepare(caller: Caller, submission: Submission) -> Submission:
        """Made for the few submissions that need it: S3 would be a third of a cold start."""
        return parts.prepare_submission(settings)(caller, submission)

    def discard(submission: Submission) -> None:
        if submission.brief.input_keys:
            parts.prepare_submission(settings).discard(submission)

    return SubmitJob(
        ledger=parts.ledger(settings.table),
        workflow=parts.workflow(settings),
        prepare=prepare,
        discard=discard,
        limit_jobs=parts.limit_jobs(settings),
        moderate=upstreams.moderate(settings),
        board=upstreams.board(settings),
        catalogs=parts.catalogs(settings),
        clock=clock,
        ids=ids,
        provider_deadline_s=settings.provider_deadline_s,
        clip_deadline_s=settings.clip_deadline_s,
        beside=beside,
    )


@cache
def read_job() -> ReadJob:
    from shoal.use_cases.jobs.read_job import ReadJob

    return ReadJob(parts.jobs(settings_of(environment.ReadJobSettings).table))


@cache
def list_jobs() -> ListJobs:
    from shoal.use_cases.jobs.read_job import ListJobs

    return ListJobs(parts.jobs(settings_of(environment.ListJobsSettings).table))


@cache
def _await_job(table_name: str) -> AwaitJob:
    from shoal.use_cases.jobs.await_job import AwaitJob

    return AwaitJob(parts.jobs(table_name), clock, time.sleep)


@cache
def quote_job() -> QuoteJob:
    from shoal.use_cases.jobs.quote import QuoteJob

    settings = settings_of(environment.QuoteJobSettings)
    return QuoteJob(parts.runs(settings.table), clock, parts.catalogs(settings))


@cache
def cancel_job() -> CancelJob:
    from shoal.use_cases.jobs.cancel_job import CancelJob
    from shoal.use_cases.jobs.read_job import ReadJob

    settings = settings_of(environment.CancelJobSettings)
    read_job = ReadJob(parts.jobs(settings.table))
    return CancelJob(read_job, parts.close_job(settings), parts.retention_s(settings.retention_days))


@cache
def receive_callback() -> ReceiveCallback:
    from shoal.use_cases.providers.receive_callback import ReceiveCallback

    settings = settings_of(environment.ReceiveCallbackSettings)
    secret = parts.secret_at(settings.callback_secret_arn)
    return ReceiveCallback(
        jobs=parts.jobs(settings.table),
        providers=upstreams.providers(settings, secret),
        callback_urls=parts.callback_urls(secret),
        poll_queue=parts.poll_queue(settings),
        clock=clock,
    )


@cache
def call_provider(*, draws: bool = False) -> CallProvider:
    """`draws`: for simulated work, and none other."""
    from shoal.adapters.aws.eventbridge import EventBridgeBus
    from shoal.use_cases.providers.call_provider import CallProvider

    settings = settings_of(environment.CallProviderSettings)
    secret = parts.secret_at(settings.callback_secret_arn)
    return CallProvider(
        bus=EventBridgeBus(parts.client("events"), settings.event_bus),
        resolve=upstreams.resolve(settings, secret, draws=draws),
    )


@cache
def poll_provider(*, draws: bool = False) -> PollProvider:
    """`draws`: for simulated work, and none other."""
    from shoal.use_cases.providers.poll_provider import PollProvider

    settings = settings_of(environment.PollProviderSettings)
    secret = parts.secret_at(settings.callback_secret_arn)
    return PollProvider(
        jobs=parts.jobs(settings.table),
        providers=upstreams.providers(settings, secret, draws=draws),
        resolve=upstreams.resolve(settings, secret, draws=draws),
    )


@cache
def store_output() -> StoreOutput:
    from shoal.adapters.aws.s3 import S3Outputs, S3Staging
    from shoal.adapters.system import beside
    from shoal.media.inspection.inspect import inspect
    from shoal.use_cases.jobs.store_output import StoreOutput

    settings = settings_of(environment.StoreOutputSettings)
    s3 = parts.client("s3")
    return StoreOutput(
        jobs=parts.jobs(settings.table),
        staging=S3Staging(s3, settings.staging_bucket),
        outputs=S3Outputs(s3, settings.outputs_bucket),
        inspect=inspect,
        clock=clock,
        retention_s=parts.retention_s(settings.retention_days),
        beside=beside,
    )


@cache
def settle_wallet() -> SettleWallet:
    from shoal.adapters.system import beside
    from shoal.use_cases.jobs.settle_wallet import SettleWallet

    settings = settings_of(environment.SettleWalletSettings)
    return SettleWallet(
        jobs=parts.jobs(settings.table),
        ledger=parts.ledger(settings.table),
        runs=parts.runs(settings.table),
        note_low_balance=parts.note_low_balance(settings),
        note_closed=parts.note_closed(settings),
        finish_canceled=parts.finish_canceled(settings.table),
        clock=clock,
        url_of=output_urls(settings),
        videos_bucket=settings.videos_bucket,
        retention_s=parts.retention_s(settings.retention_days),
        beside=beside,
    )


@cache
def release_hold() -> ReleaseHold:
    from shoal.use_cases.jobs.release_hold import ReleaseHold

    settings = settings_of(environment.ReleaseHoldSettings)
    return ReleaseHold(
        jobs=parts.jobs(settings.table),
        ledger=parts.ledger(settings.table),
        clean_up=parts.clean_up(settings),
        note_closed=parts.note_closed(settings),
        finish_canceled=parts.finish_canceled(settings.table),
        clock=clock,
        url_of=output_urls(settings),
        videos_bucket=settings.videos_bucket,
    )


@cache
def sweeping() -> Sweeping:
    settings = settings_of(environment.SweepJobsSettings)
    return Sweeping(parts.sweep_jobs(settings), parts.tell_events(settings))


@cache
def close_execution() -> CloseExecution:
    from shoal.use_cases.jobs.close_execution import CloseExecution

    settings = settings_of(environment.CloseExecutionSettings)
    return CloseExecution(parts.jobs(settings.table), parts.close_job(settings), parts.start_again(settings))
