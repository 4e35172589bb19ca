"""Shoal in one process: every use case over the fakes."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from shoal.composition.jobs import Sweeping
from shoal.dialects import video
from shoal.dialects.either import choose
from shoal.domain.api_key import ApiKey, Caller, KeyPrefix, Scope
from shoal.domain.catalog import LowBalance, load_catalog
from shoal.domain.idempotency import IdempotencyKey
from shoal.domain.job import Job, Output
from shoal.domain.money import Asset, parse_usd
from shoal.domain.rate_limit import Allowance, RateLimit
from shoal.domain.routing import WITHIN, Board, Phase, ProviderCall, Route
from shoal.domain.wallet import Wallet
from shoal.ports.moderation import Moderator
from shoal.ports.routing import Provider
from shoal.use_cases.accounts.authenticate import Authenticate
from shoal.use_cases.accounts.limit_rates import LimitRates
from shoal.use_cases.accounts.manage_accounts import ManageAccounts
from shoal.use_cases.accounts.tell_events import TellEvents
from shoal.use_cases.catalogs.read_catalogs import OneCatalog
from shoal.use_cases.files.manage_files import ManageFiles
from shoal.use_cases.files.open_file import OpenFile
from shoal.use_cases.jobs.await_job import AwaitJob
from shoal.use_cases.jobs.cancel_job import CancelJob
from shoal.use_cases.jobs.clean_up import CleanUp
from shoal.use_cases.jobs.close_execution import CloseExecution
from shoal.use_cases.jobs.close_job import CloseJob
from shoal.use_cases.jobs.finish_canceled import FinishCanceled
from shoal.use_cases.jobs.limit_jobs import LimitJobs, NoteClosed
from shoal.use_cases.jobs.prepare_submission import PrepareSubmission
from shoal.use_cases.jobs.quote import QuoteJob
from shoal.use_cases.jobs.read_job import ListJobs, ReadJob, ReadWallet
from shoal.use_cases.jobs.release_hold import ReleaseHold
from shoal.use_cases.jobs.see_to_job import SeeToJob
from shoal.use_cases.jobs.settle_wallet import SettleWallet
from shoal.use_cases.jobs.start_again import StartAgain
from shoal.use_cases.jobs.store_output import StoreOutput
from shoal.use_cases.jobs.submit_job import Answered, SubmitJob
from shoal.use_cases.jobs.sweep_jobs import SweepJobs
from shoal.use_cases.money.audit_ledger import AuditLedger
from shoal.use_cases.money.give_grant import GiveGrant
from shoal.use_cases.money.note_low_balance import NoteLowBalance
from shoal.use_cases.money.summarize_usage import SummarizeUsage
from shoal.use_cases.providers.call_provider import CallProvider
from shoal.use_cases.providers.moderate import Moderate
from shoal.use_cases.providers.poll_provider import PollProvider
from shoal.use_cases.providers.receive_callback import ReceiveCallback
from shoal.use_cases.providers.resolve_answer import ResolveAnswer
from shoal.use_cases.providers.try_routes import TryRoutes
from shoal.use_cases.videos.narrate import Narrate
from shoal.use_cases.videos.render_scene import RenderScene
from shoal.use_cases.videos.stitch_video import StitchVideo
from shoal.use_cases.videos.store_clip import StoreClip
from shoal.use_cases.videos.write_script import WriteScript
from tests.fakes import (
    FakeAccounts,
    FakeBus,
    FakeByName,
    FakeCallbackUrls,
    FakeCallerHttp,
    FakeClock,
    FakeIds,
    FakeJobs,
    FakeKeys,
    FakeLedger,
    FakeOutbox,
    FakeOutputs,
    FakePollQueue,
    FakeProvider,
    FakeProviders,
    FakeRuns,
    FakeScenes,
    FakeScriptWriter,
    FakeSpeaker,
    FakeStaging,
    FakeStudio,
    FakeTaskTokens,
    FakeUsage,
    FakeVideoFiles,
    FakeWorkflow,
    Network,
    Tables,
)
from tests.fakes.dashboard import FakeDirectory
from tests.fakes.files import FakeFileObjects, FakeFiles
from tests.fakes.ledger import FakeAuditProgress
from tests.fakes.limits import FakeFetching, FakeOpenJobs, FakeRates
from tests.fakes.routing import FakeBoard, FakeBreakers, FakeFetcher, FakeMeter
from tests.fakes.services import in_turn
from tests.fakes.webhooks import FakeRecords, WebhookTables
from tests.support.asking import ask_provider
from tests.support.factories import VIDEOS_BUCKET, url_of
from tests.support.looks import check_any, inspect_any

OPEN_JOBS_MAX, FAILURES_MULTIPLE = 50, 2
FILES_BYTES_MAX = 200_000_000
DEADLINE_S, CLIP_DEADLINE_S = 180, 240
LOW_BALANCE = LowBalance(micros=1_000_000, credits=5)
STORED = Output("images/x/0.png", "image/png", 2048, 2048, 7)


@dataclass(frozen=True)
class Customer:
    """An account with one key: the key's text, and the caller it authenticates."""

    account_id: str
    key: str
    stored_key: ApiKey
    caller: Caller


class World:
    """The fakes and the use cases over them. The provider's name is the catalog's: `simulator`."""

    def __init__(self) -> None:
        self.network, self.tables = Network(), Tables()
        self.clock, self.ids = FakeClock(), FakeIds()
        self.accounts = FakeAccounts(self.network, self.tables)
        self.keys = FakeKeys(self.network, self.tables)
        self.jobs = FakeJobs(self.network, self.tables)
        self.ledger = FakeLedger(self.network, self.tables)
        self.workflow, self.tokens = FakeWorkflow(self.network), FakeTaskTokens(self.network)
        self.bus, self.poll_queue = FakeBus(self.network), FakePollQueue(self.network)
        self.staging, self.outputs = FakeStaging(self.network), FakeOutputs(self.network)
        self.usage, self.runs = FakeUsage(self.network, self.tables), FakeRuns(self.network)
        self.caller_http = FakeCallerHttp(self.network)
        self.rates = FakeRates(self.network)
        self.limit_rates = LimitRates(self.rates, self.clock)
        self.fetching = FakeFetching(self.network)
        self.open_jobs = FakeOpenJobs(self.network, self.tables)
        records = WebhookTables()
        self.records = FakeRecords(self.network, records)
        self.files = FakeFiles(self.network, records)
        self.file_objects = FakeFileObjects(self.network)
        self.callback_urls = FakeCallbackUrls()
        self.scenes = FakeScenes(self.network, self.tables)
        self.video_files = FakeVideoFiles(self.network, self.staging)
        self.writer, self.speaker = FakeScriptWriter(self.network), FakeSpeaker(self.network)
        self.writers, self.speakers = FakeByName(self.writer), FakeByName(self.speaker)
        self.clean_up = CleanUp(self.video_files)
        self.finish_canceled = FinishCanceled(self.ledger, self.scenes, self.clock)
        self.provider = FakeProvider(self.network)
        self.providers = FakeProviders({"simulator": self.provider})
        self.breakers, self.meter = FakeBreakers(), FakeMeter()
        self.board, self.fetcher = FakeBoard(Board(simulator_allowed=True)), FakeFetcher(self.network)
        self._wire_api()
        self._wire_workflow()
        self._wire_videos()

    def use_provider(self, provider: Provider) -> None:
        self.providers.providers["simulator"] = provider

    def moderate_with(
        self,
        moderator: Moderator | None,
        *,
        name: str = "keywords",
        fail_open: bool = False,
        cost_micros: int = 0,
    ) -> None:
        """Have requests judged before they are accepted."""
        self.submit_job = SubmitJob(
            ledger=self.ledger,
            workflow=self.workflow,
            prepare=self.prepare,
            discard=self.prepare.discard,
            limit_jobs=self.limit_jobs,
            moderate=Moderate(moderator, name, fail_open, cost_micros),
            board=self.board,
            catalogs=self.catalogs,
            clock=self.clock,
            ids=self.ids,
            provider_deadline_s=DEADLINE_S,
            clip_deadline_s=CLIP_DEADLINE_S,
        )

    def _wire_api(self) -> None:
        self.catalogs = OneCatalog(load_catalog())
        self.note_closed = NoteClosed(self.open_jobs, self.catalogs, self.clock)
        self.limit_jobs = LimitJobs(
            self.open_jobs, self.note_closed, self.clock, OPEN_JOBS_MAX, FAILURES_MULTIPLE
        )
        self.cap_grants({})
        self.authenticate = Authenticate(self.keys, self.clock, self.limit_rates)
        open_file = OpenFile(self.files, self.file_objects, self.clock)
        self.prepare = PrepareSubmission(
            self.caller_http, self.staging, self.fetching, open_file, check_any, self.clock, self.ids
        )
        self.manage_files = ManageFiles(
            self.files,
            self.file_objects,
            self.records,
            self.fetching,
            self.clock,
            self.ids,
            FILES_BYTES_MAX,
        )
        self.moderate_with(None)
        self.read_job = ReadJob(self.jobs)
        self.list_jobs = ListJobs(self.jobs)
        self.await_job = AwaitJob(self.jobs, self.clock, self.clock.pass_seconds)
        self.quote_job = QuoteJob(self.runs, self.clock, self.catalogs)
        self.summarize_usage = SummarizeUsage(self.usage)
        self.read_wallet = ReadWallet(self.ledger)
        self.note_low_balance = NoteLowBalance(self.ledger, lambda _: LOW_BALANCE)
        self.close_job = CloseJob(
            self.jobs,
            self.ledger,
            self.bus,
            self.workflow,
            self.note_low_balance,
            self.clean_up,
            self.note_closed,
            self.finish_canceled,
            self.clock,
            url_of,
            VIDEOS_BUCKET,
        )
        self.receive_callback = ReceiveCallback(
            self.jobs, self.providers, self.callback_urls, self.poll_queue, self.clock
        )

    def _wire_workflow(self) -> None:
        self.ask_provider = ask_provider(
            jobs=self.jobs,
            providers=self.providers,
            breakers=self.breakers,
            meter=self.meter,
            callback_urls=self.callback_urls,
            staging=self.staging,
            scenes=self.scenes,
            fetcher=self.fetcher,
            catalogs=self.catalogs,
            clock=self.clock,
            ids=self.ids,
        )
        self.resolve = ResolveAnswer(self.ask_provider, self.tokens, self.poll_queue)
        self.call_provider = CallProvider(self.bus, self.resolve)
        self.poll_provider = PollProvider(self.jobs, self.providers, self.resolve)
        self.keep_outputs_for(None)
        self.release_hold = ReleaseHold(
            self.jobs,
            self.ledger,
            self.clean_up,
            self.note_closed,
            self.finish_canceled,
            self.clock,
            url_of,
            VIDEOS_BUCKET,
        )
        start_again = StartAgain(self.jobs, self.workflow)
        self.see_to_job = SeeToJob(
            self.jobs,
            self.workflow,
            self.tokens,
            self.poll_queue,
            self.staging,
            self.outputs,
            self.video_files,
            self.close_job,
            start_again,
            self.clock,
        )
        self.sweep_jobs = SweepJobs(self.jobs, self.see_to_job, self.clock, in_turn)
        self.outbox = FakeOutbox(self.network)
        self.sweeping = Sweeping(self.sweep_jobs, TellEvents(self.outbox, self.bus))
        self.close_execution = CloseExecution(self.jobs, self.close_job, start_again)
        self.audit_progress = FakeAuditProgress()
        directory = FakeDirectory(self.network, self.tables)
        self.audit_ledger = AuditLedger(
            self.ledger, directory, self.audit_progress, in_turn, self.outbox, self.clock
        )

    def _wire_videos(self) -> None:
        studio, files = FakeStudio(), self.video_files
        try_routes = TryRoutes(self.breakers, self.meter, self.clock)

        def routes(_: Job) -> tuple[Route, ...]:
            return (WITHIN,)

        self.write_script = WriteScript(
            self.jobs, self.scenes, self.bus, self.writers, try_routes, routes, self.clock
        )
        self.narrate = Narrate(
            self.jobs, self.scenes, files, self.speakers, try_routes, routes, studio, self.clock
        )
        self.render_scene = RenderScene(self.resolve)
        self.store_clip = StoreClip(self.jobs, self.scenes, files, studio, self.clock, url_of, VIDEOS_BUCKET)
        self.stitch_video = StitchVideo(self.jobs, files, studio, self.clock)

    def keep_outputs_for(self, seconds: int | None) -> None:
        """Give the stage a retention; None is for ever."""
        self.store_output = StoreOutput(
            self.jobs, self.staging, self.outputs, inspect_any, self.clock, seconds
        )
        self.settle_wallet = SettleWallet(
            self.jobs,
            self.ledger,
            self.runs,
            self.note_low_balance,
            self.note_closed,
            self.finish_canceled,
            self.clock,
            url_of,
            VIDEOS_BUCKET,
            seconds,
        )
        self.cancel_job = CancelJob(self.read_job, self.close_job, seconds)

    def cap_grants(self, caps: dict[Asset, int]) -> None:
        """Give the stage caps, above which a second operator confirms a grant."""
        self.give_grant = GiveGrant(self.ledger, self.clock, caps)
        self.manage = ManageAccounts(self.accounts, self.keys, self.give_grant, self.clock, self.ids)

    def customer(
        self,
        *,
        usd: str = "10.00",
        credits: int = 0,
        prefix: KeyPrefix = KeyPrefix.LIVE,
        limit: RateLimit | None = None,
        scopes: frozenset[Scope] = frozenset(Scope),
    ) -> Customer:
        account, _ = self.manage.open("diver@example.com", usd_micros=parse_usd(usd), credits=credits)
        new = self.manage.create_key(account.id, prefix, limit or RateLimit(), scopes)
        allowance = Allowance(new.key.limit, 0, 0)
        caller = Caller(account.id, new.key.id, scopes, prefix is KeyPrefix.TEST, allowance)
        return Customer(account.id, new.secret, new.key, caller)

    def submit(self, customer: Customer, **body: Any) -> Answered:
        """Submit without an idempotency key; `body` completes `{"mode":"2k","prompt":"A shark"}`."""
        return self.submit_body(customer, {"mode": "2k", "prompt": "A shark"} | body, None)

    def submit_body(self, customer: Customer, body: dict[str, Any], key: str | None) -> Answered:
        scoped = key and IdempotencyKey.of(customer.account_id, "POST /v1/generate", key, body)
        spoken = choose(body)
        return self.submit_job(
            customer.caller, lambda: spoken.parse(body, load_catalog()), scoped or None, spoken.accepted
        )

    def submit_task(self, customer: Customer, **body: Any) -> Answered:
        """As `submit`; `body` completes `{"model":"nanobanana","prompt":"A shark"}`."""
        return self.submit_body(customer, {"model": "nanobanana", "prompt": "A shark"} | body, None)

    def submit_video(self, customer: Customer, key: str | None = None, **body: Any) -> Answered:
        """`body` completes a story of two scenes."""
        body = {"idea": "Why sharks glow", "category": "story", "duration": 16, "aspect_ratio": "9:16"} | body
        scoped = key and IdempotencyKey.of(customer.account_id, "POST /api/v1/videos", key, body)
        return self.submit_job(
            customer.caller,
            lambda: video.parse_submission(body, load_catalog()),
            scoped or None,
            video.acceptance,
        )

    def video(self, customer: Customer, **body: Any) -> Job:
        """A video just submitted."""
        return self.job(customer, self.submit_video(customer, **body).job_id)

    def queued(self, customer: Customer, **body: Any) -> Job:
        """A job just submitted: a task if `body` names a model."""
        submit = self.submit_task if "model" in body else self.submit
        return self.job(customer, submit(customer, **body).job_id)

    def processing(self, customer: Customer, **body: Any) -> Job:
        """A job whose execution waits at its token, or at one for each output."""
        job = self.queued(customer, **body)
        for index in range(job.output_count):
            job = self.jobs.begin(job.account_id, job.id, index, self.tokens.issue(), self.clock.now_ms())
        return job

    def asked(self, job: Job, ref: str | None = None, index: int = 0) -> Job:
        """The job once its provider was asked for an output; `ref` is what it calls the work."""
        call = ProviderCall(
            1, f"{job.provider}/", Phase.ASKED, mark=f"run-{index}", free=not self.provider.bills
        )
        job = self.jobs.note_call(self.now(job), index, call)
        return self.jobs.note_provider_ref(job, index, ref) if ref else job

    def completed(self, customer: Customer, **body: Any) -> Job:
        """A job that delivered all its outputs."""
        job = self.asked(self.processing(customer, **body))
        return self.settle_wallet(job.account_id, job.id, [STORED] * job.output_count)[0]

    def failed(self, customer: Customer, **body: Any) -> Job:
        """A job whose provider had no luck."""
        job = self.processing(customer, **body)
        return self.release_hold(job.account_id, job.id, "ProviderFailed", "no luck")[0]

    def job(self, customer: Customer, job_id: str) -> Job:
        return self.jobs.get(customer.account_id, job_id)

    def now(self, job: Job) -> Job:
        """The job as it is stored by now."""
        return self.tables.stored(job)

    def wallet(self, customer: Customer, asset: Asset = Asset.USD) -> Wallet:
        return self.tables.wallets[customer.account_id, asset]

    def entries(self, customer: Customer, asset: Asset = Asset.USD) -> list[str]:
        """The kinds of a wallet's entries in order, such as `["top_up", "hold", "capture"]`."""
        return [entry.kind.value for entry in self.tables.entries[customer.account_id, asset].values()]
