"""The real use cases over the real table; only workflow, bus, clock and ids are fakes."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from functools import partial
from typing import Any

from shoal.adapters.dynamodb.accounts import DynamoDbAccounts, DynamoDbKeys
from shoal.adapters.dynamodb.audit import DynamoDbAuditProgress
from shoal.adapters.dynamodb.directory import DynamoDbDirectory
from shoal.adapters.dynamodb.items import wallet_key
from shoal.adapters.dynamodb.jobs import DynamoDbJobs
from shoal.adapters.dynamodb.ledger import DynamoDbLedger
from shoal.adapters.dynamodb.limits import DynamoDbOpenJobs
from shoal.adapters.dynamodb.outbox import DynamoDbOutbox
from shoal.adapters.dynamodb.payments import DynamoDbPayments
from shoal.adapters.dynamodb.people import DynamoDbPeople, DynamoDbSessions
from shoal.adapters.dynamodb.scenes import DynamoDbScenes
from shoal.adapters.dynamodb.table import Item, Table
from shoal.adapters.dynamodb.usage import DynamoDbRuns, DynamoDbUsage
from shoal.adapters.system import RandomIds
from shoal.dialects import image, tasks, video
from shoal.domain.api_key import Caller, Scope
from shoal.domain.catalog import LowBalance, load_catalog
from shoal.domain.events import output_url
from shoal.domain.idempotency import IdempotencyKey
from shoal.domain.job import Job, Output
from shoal.domain.models.tariff import Terms
from shoal.domain.money import Asset
from shoal.domain.rate_limit import Allowance, RateLimit
from shoal.domain.submission import Submission
from shoal.domain.top_up import MICROS_PER_CENT, Purchase
from shoal.domain.wallet import Wallet
from shoal.ports.money import Rollup
from shoal.ports.payments import Order
from shoal.ports.system import Ids
from shoal.use_cases.accounts.manage_accounts import ManageAccounts
from shoal.use_cases.accounts.tell_events import TellEvents
from shoal.use_cases.catalogs.read_catalogs import OneCatalog
from shoal.use_cases.jobs.cancel_job import CancelJob
from shoal.use_cases.jobs.clean_up import CleanUp
from shoal.use_cases.jobs.close_execution import CloseExecution
from shoal.use_cases.jobs.close_job import CloseJob
from shoal.use_cases.jobs.finish_canceled import FinishCanceled
from shoal.use_cases.jobs.limit_jobs import LimitJobs, NoteClosed
from shoal.use_cases.jobs.read_job import ReadJob
from shoal.use_cases.jobs.release_hold import ReleaseHold
from shoal.use_cases.jobs.see_to_job import SeeToJob
from shoal.use_cases.jobs.settle_wallet import SettleWallet
from shoal.use_cases.jobs.start_again import StartAgain
from shoal.use_cases.jobs.submit_job import Answered, SubmitJob
from shoal.use_cases.jobs.sweep_jobs import SweepJobs
from shoal.use_cases.money.audit_ledger import AuditLedger
from shoal.use_cases.money.give_grant import GiveGrant
from shoal.use_cases.money.note_low_balance import NoteLowBalance
from shoal.use_cases.payments.settle_payment import SettlePayment
from shoal.use_cases.providers.moderate import Moderate
from tests.fakes import (
    FakeBus,
    FakeClock,
    FakeOutputs,
    FakePollQueue,
    FakeStaging,
    FakeTaskTokens,
    FakeVideoFiles,
    FakeWorkflow,
    Network,
)
from tests.fakes.payments import FakeProcessor
from tests.fakes.routing import SIMULATED_STAGE
from tests.fakes.services import in_turn
from tests.fakes.stripe_books import Books
from tests.support.deployed import as_it_is, nothing_staged
from tests.support.factories import VIDEOS_BUCKET
from tests.support.tasks import MODEL

PUBLIC_URL = "https://cdn.test"
DEADLINE_S = 180
LOW_BALANCE = LowBalance(micros=5_000, credits=1)
PRICE = 10_000
"""What an image of mode 1k costs, and each output of a task."""

OUTPUTS = tuple(Output(f"images/x/{n}.png", "image/png", 1024, 1024, 7) for n in range(4))
"""As many as a job may have."""

OPEN_JOBS_MAX = 200


class Bench:
    """One table and everything that works on it. `network` makes the fakes fail."""

    def __init__(self, table: Table, ids: Ids | None = None, clock: FakeClock | None = None) -> None:
        self.table, self.clock, self.ids = table, clock or FakeClock(), ids or RandomIds()
        self.network = Network()
        self.workflow, self.bus = FakeWorkflow(self.network), FakeBus(self.network)
        self.outputs, self.runs, self.usage = (
            FakeOutputs(self.network),
            DynamoDbRuns(table),
            DynamoDbUsage(table),
        )
        self.jobs, self.ledger, self.keys = DynamoDbJobs(table), DynamoDbLedger(table), DynamoDbKeys(table)
        self.processor, self.payments = FakeProcessor(self.network), DynamoDbPayments(table)
        self.settle_payment = SettlePayment(self.processor, self.payments, self.clock)
        self.people, self.sessions = DynamoDbPeople(table), DynamoDbSessions(table)
        self.directory, self.outbox = DynamoDbDirectory(table), DynamoDbOutbox(table)
        self.tell_events = TellEvents(self.outbox, self.bus)
        self.give_grant = GiveGrant(self.ledger, self.clock)
        self.accounts = ManageAccounts(
            DynamoDbAccounts(table), self.keys, self.give_grant, self.clock, self.ids
        )
        self.open_jobs = DynamoDbOpenJobs(table)
        self.note_closed = NoteClosed(self.open_jobs, OneCatalog(load_catalog()), self.clock)
        self.limit_jobs = LimitJobs(self.open_jobs, self.note_closed, self.clock, OPEN_JOBS_MAX, 1)
        self.submit_job = SubmitJob(
            ledger=self.ledger,
            workflow=self.workflow,
            prepare=as_it_is,
            discard=nothing_staged,
            limit_jobs=self.limit_jobs,
            moderate=Moderate(None),
            board=SIMULATED_STAGE,
            catalogs=OneCatalog(load_catalog()),
            clock=self.clock,
            ids=self.ids,
            provider_deadline_s=DEADLINE_S,
            clip_deadline_s=DEADLINE_S,
        )
        self.scenes = DynamoDbScenes(table)
        self.video_files = FakeVideoFiles(self.network, FakeStaging(self.network))
        clean_up, url_of = CleanUp(self.video_files), partial(output_url, public_url=PUBLIC_URL)
        finish = FinishCanceled(self.ledger, self.scenes, self.clock)
        note_low = NoteLowBalance(self.ledger, lambda _: LOW_BALANCE)
        self.close_job = CloseJob(
            self.jobs,
            self.ledger,
            self.bus,
            self.workflow,
            note_low,
            clean_up,
            self.note_closed,
            finish,
            self.clock,
            url_of,
            VIDEOS_BUCKET,
        )
        self.cancel_job = CancelJob(ReadJob(self.jobs), self.close_job)
        start_again = StartAgain(self.jobs, self.workflow)
        self.close_execution = CloseExecution(self.jobs, self.close_job, start_again)
        self.settle_wallet = SettleWallet(
            self.jobs,
            self.ledger,
            self.runs,
            note_low,
            self.note_closed,
            finish,
            self.clock,
            url_of,
            VIDEOS_BUCKET,
        )
        self.release_hold = ReleaseHold(
            self.jobs, self.ledger, clean_up, self.note_closed, finish, self.clock, url_of, VIDEOS_BUCKET
        )
        see_to_job = SeeToJob(
            self.jobs,
            self.workflow,
            FakeTaskTokens(self.network),
            FakePollQueue(self.network),
            FakeStaging(self.network),
            self.outputs,
            self.video_files,
            self.close_job,
            start_again,
            self.clock,
        )
        self.sweep_jobs = SweepJobs(self.jobs, see_to_job, self.clock, in_turn)

        progress = DynamoDbAuditProgress(table)
        self.audit_ledger = AuditLedger(
            self.ledger, self.directory, progress, in_turn, self.outbox, self.clock
        )

    def over(self, table: Table) -> Bench:
        """The same bench, reaching its table another way."""
        other = Bench(table, self.ids, self.clock)
        other.network, other.workflow, other.bus = self.network, self.workflow, self.bus
        other.processor.books = self.books
        return other

    @property
    def books(self) -> Books:
        """What Stripe knows."""
        return self.processor.books

    def paid(self, caller: Caller, cents: int) -> str:
        """The id of a payment of so many cents, of which nobody has heard yet."""
        purchase = Purchase(Asset.USD, cents * MICROS_PER_CENT, cents)
        key = f"key-{len(self.processor.opened)}"
        page = self.processor.open(
            Order(caller.account_id, purchase, key, "https://a.test", "https://a.test")
        )
        return self.books.pay(page.id)

    def account(self, micros: int, credits: int = 0) -> Caller:
        """A new account's caller."""
        account, key = self.accounts.open("someone@example.com", usd_micros=micros, credits=credits)
        allowance = Allowance(RateLimit(), 0, 0)
        return Caller(account.id, key.key.id, frozenset(Scope), test=False, allowance=allowance)

    def submit(
        self,
        caller: Caller,
        key: str | None = None,
        prompt: str = "A shark",
        mode: str = "1k",
        *,
        meanwhile: Callable[[], object] = bool,
    ) -> Answered:
        """A submit as the handler makes it; `meanwhile` happens once no earlier answer was found."""
        body: dict[str, Any] = {"mode": mode, "prompt": prompt}

        def read() -> Submission:
            meanwhile()
            return image.parse_submission(body, load_catalog())

        return self.submit_job(caller, read, _scoped(caller, key, body), image.acceptance)

    def submit_task(
        self,
        caller: Caller,
        outputs: int,
        key: str | None = None,
        prompt: str = "A mug",
        terms: Terms | None = None,
        **more: Any,
    ) -> Answered:
        """Likewise a task of so many outputs; `more` are fields of its request.

        `terms` are what it is charged by, instead of the catalog's.
        """
        body = {"model": MODEL, "prompt": prompt, "num_outputs": outputs, **more}
        submission = tasks.parse_submission(body, load_catalog())
        submission = replace(submission, terms=terms) if terms else submission
        return self.submit_job(caller, lambda: submission, _scoped(caller, key, body), tasks.acceptance)

    def submit_video(
        self, caller: Caller, scenes: int, key: str | None = None, idea: str = "Why sharks glow", **more: Any
    ) -> Answered:
        """Likewise a video of so many scenes."""
        body = {"idea": idea, "category": "story", "duration": 8 * scenes, "aspect_ratio": "9:16", **more}
        submission = video.parse_submission(body, load_catalog())
        return self.submit_job(caller, lambda: submission, _scoped(caller, key, body), video.acceptance)

    def accept(self, caller: Caller, mode: str = "1k") -> Job:
        """A job that was submitted."""
        return self.jobs.get(caller.account_id, self.submit(caller, mode=mode).job_id)

    def accept_task(self, caller: Caller, outputs: int, **more: Any) -> Job:
        """A task that was submitted."""
        return self.jobs.get(caller.account_id, self.submit_task(caller, outputs, **more).job_id)

    def begin(self, job: Job, index: int = 0) -> Job:
        """The workflow asks for one of the job's outputs."""
        token = f"token {index} of {job.id}"
        return self.jobs.begin(job.account_id, job.id, index, token, self.clock.now_ms())

    def settle(self, job: Job, delivered: int | None = None) -> Job:
        """The workflow's SettleWallet, with so many outputs; all of them if not told."""
        outputs = OUTPUTS[: job.output_count if delivered is None else delivered]
        return self.settle_wallet(job.account_id, job.id, outputs)[0]

    def fail(self, job: Job) -> Job:
        """The workflow's ReleaseHold."""
        return self.release_hold(job.account_id, job.id, "ProviderFailed", "no luck")[0]

    def job(self, job: Job) -> Job:
        """The job as it stands now."""
        return self.jobs.get(job.account_id, job.id)

    def wallet(self, caller: Caller, asset: Asset = Asset.USD) -> Wallet:
        return self.ledger.wallet(caller.account_id, asset)

    def rollups(self, caller: Caller, asset: Asset = Asset.USD) -> list[Rollup]:
        """The usage of an account in all its days."""
        rollups = self.usage.between(caller.account_id, None, None)
        return [rollup for rollup in rollups if rollup.asset is asset]

    def entries(self, caller: Caller, asset: Asset = Asset.USD) -> list[Item]:
        """Every ledger entry of a wallet."""
        pages = self.table.query(
            KeyConditionExpression="pk = :pk AND begins_with(sk, :entry)",
            values={":pk": wallet_key(caller.account_id, asset)[0], ":entry": "ENTRY#"},
        )
        return [item for items, _ in pages for item in items]

    def all_jobs(self, caller: Caller) -> list[Item]:
        """Every job of an account as it lies in the table."""
        pages = self.table.query(
            KeyConditionExpression="pk = :pk AND begins_with(sk, :job)",
            values={":pk": f"ACCOUNT#{caller.account_id}", ":job": "JOB#"},
        )
        return [item for items, _ in pages for item in items]


def _scoped(caller: Caller, key: str | None, body: dict[str, Any]) -> IdempotencyKey | None:
    return IdempotencyKey.of(caller.account_id, "POST /v1/generate", key, body) if key else None
