"""The product on the simulated table: its own use cases and adapters, with time, ids and chance from the
kernel.

The one file of the simulation that imports the product. What is not its own here: the provider, the bytes
of pictures and the bus take time and do nothing; Step Functions is `workflow`.
"""

from __future__ import annotations

import string
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, TypeVar, cast

from shoal.adapters.aws.client import CLIENT
from shoal.adapters.dynamodb.accounts import DynamoDbAccounts, DynamoDbKeys
from shoal.adapters.dynamodb.audit import DynamoDbAuditProgress
from shoal.adapters.dynamodb.board import DynamoDbBoard
from shoal.adapters.dynamodb.directory import DynamoDbDirectory
from shoal.adapters.dynamodb.jobs import DynamoDbJobs
from shoal.adapters.dynamodb.ledger import DynamoDbLedger
from shoal.adapters.dynamodb.limits import DynamoDbOpenJobs, DynamoDbRates
from shoal.adapters.dynamodb.outbox import DynamoDbOutbox
from shoal.adapters.dynamodb.scenes import DynamoDbScenes
from shoal.adapters.dynamodb.table import Table
from shoal.adapters.dynamodb.usage import DynamoDbRuns
from shoal.adapters.providers.keywords import KeywordModerator, listed_terms
from shoal.adapters.system import THREADS_MAX
from shoal.composition.providers import SUBMIT_BOARD_MS
from shoal.composition.upstreams import keyed
from shoal.dialects import image
from shoal.domain.api_key import KeyPrefix, Scope
from shoal.domain.catalog import load_catalog
from shoal.domain.errors import ApiError, ShoalError, Unavailable
from shoal.domain.events import Event
from shoal.domain.idempotency import IdempotencyKey
from shoal.domain.ids import ulid
from shoal.domain.job import Job, Output
from shoal.domain.rate_limit import RateLimit
from shoal.domain.routing import Phase, ProviderCall
from shoal.ports.jobs import ExecutionState
from shoal.ports.money import Discrepancy
from shoal.use_cases.accounts.authenticate import Authenticate
from shoal.use_cases.accounts.limit_rates import LimitRates
from shoal.use_cases.accounts.manage_accounts import ManageAccounts
from shoal.use_cases.catalogs.read_catalogs import OneCatalog
from shoal.use_cases.jobs.clean_up import CleanUp
from shoal.use_cases.jobs.close_job import CloseJob
from shoal.use_cases.jobs.finish_canceled import FinishCanceled
from shoal.use_cases.jobs.limit_jobs import LimitJobs, NoteClosed
from shoal.use_cases.jobs.release_hold import ReleaseHold
from shoal.use_cases.jobs.see_to_job import SeeToJob
from shoal.use_cases.jobs.settle_wallet import SettleWallet
from shoal.use_cases.jobs.start_again import StartAgain
from shoal.use_cases.jobs.submit_job import SubmitJob
from shoal.use_cases.jobs.sweep_jobs import SweepJobs
from shoal.use_cases.money.audit_ledger import AuditLedger
from shoal.use_cases.money.give_grant import GiveGrant
from shoal.use_cases.money.note_low_balance import NoteLowBalance
from shoal.use_cases.providers.moderate import Moderate
from tests.fakes import FakeOutputs, FakePollQueue, FakeStaging, FakeTaskTokens, FakeVideoFiles, Network
from tests.simulation import assumptions
from tests.simulation.assumptions import PUT_EVENTS, START_EXECUTION, SWEEPER_CPU_S
from tests.simulation.client import SimulatedClient
from tests.simulation.kernel import Kernel
from tests.simulation.table import SimulatedTable
from tests.simulation.workflow import Executions, Step

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient

Given = TypeVar("Given")
Result = TypeVar("Result")

ROUTE = "POST /v1/generate"
BODY = {"mode": "2k", "prompt": "A shark swimming in neon-lit deep ocean", "aspect_ratio": "16:9"}
VIDEOS_BUCKET = "videos"
DEADLINE_S = 180
LETTERS = string.ascii_letters + string.digits

ATTEMPTS_MAX: int = CLIENT.retries["total_max_attempts"]  # type: ignore[attr-defined]
"""Of the product's own client, for every call."""


@dataclass(frozen=True, slots=True)
class Customer:
    """An account and the secret of its key."""

    account_id: str
    secret: str


@dataclass(frozen=True, slots=True)
class SimulatedIds:
    """Implements the `Ids` port."""

    kernel: Kernel

    def new(self, prefix: str, at_ms: int) -> str:
        return f"{prefix}_{ulid(at_ms, self.kernel.random.randbytes(10))}"

    def secret(self, length: int) -> str:
        return "".join(self.kernel.random.choices(LETTERS, k=length))


@dataclass(frozen=True, slots=True)
class SimulatedBus:
    """Implements the `Bus` port."""

    kernel: Kernel

    def publish(self, events: Sequence[Event]) -> None:  # noqa: ARG002 - nobody listens
        self.kernel.sleep(PUT_EVENTS.draw_s(self.kernel.random))


@dataclass
class SimulatedWorkflow:
    """Implements the `Workflow` port. While it is not `open` it answers as a throttled Step Functions
    does."""

    product: Product
    executions: Executions
    open: bool = True
    begins_only: bool = False
    """Whether executions end once their job has begun."""

    def start(self, job: Job) -> bool:
        kernel = self.product.kernel
        kernel.sleep(START_EXECUTION.draw_s(kernel.random))
        if not self.open:
            raise Unavailable(retry_after_seconds=1)
        steps_of = self.product.first_step_of if self.begins_only else self.product.steps_of
        return self.executions.start(job.id, steps_of(job.account_id, job.id))

    def state(self, job: Job) -> ExecutionState:
        if job.id in self.executions.running:
            return ExecutionState.RUNNING
        return ExecutionState.ENDED if job.id in self.executions.ended else ExecutionState.ABSENT

    def stop(self, job: Job) -> None:
        self.executions.stop(job.id)


class Product:
    """All of one stage. What it does takes virtual time, so it is done by processes of the kernel."""

    def __init__(self, kernel: Kernel, table: SimulatedTable, client: SimulatedClient | None = None) -> None:
        self.kernel, self.simulated = kernel, table
        client = client or SimulatedClient(kernel, table, attempts_max=ATTEMPTS_MAX)
        self.table = Table(
            cast("DynamoDBClient", client), "simulated", sleep=kernel.sleep, jitter=kernel.random.random
        )
        self.ids, self.catalog = SimulatedIds(kernel), load_catalog()
        self.jobs, self.ledger = DynamoDbJobs(self.table), DynamoDbLedger(self.table)
        self.keys = DynamoDbKeys(self.table)
        routes = self.catalog.all_routes
        self.board = DynamoDbBoard(self.table, routes, keyed(), kernel, lifetime_ms=SUBMIT_BOARD_MS)
        self.executions = Executions(kernel, ShoalError)
        self.workflow = SimulatedWorkflow(self, self.executions)
        self._computed_s = 0.0
        self._wire()

    def _wire(self) -> None:
        kernel, jobs, ledger = self.kernel, self.jobs, self.ledger
        network = Network()
        files = FakeVideoFiles(network, FakeStaging(network))
        clean_up, low = CleanUp(files), NoteLowBalance(ledger, lambda _: self.catalog.low_balance)
        give_grant = GiveGrant(ledger, kernel)
        self.accounts = ManageAccounts(DynamoDbAccounts(self.table), self.keys, give_grant, kernel, self.ids)
        self.authenticate = Authenticate(self.keys, kernel, LimitRates(DynamoDbRates(self.table), kernel))
        directory, progress = DynamoDbDirectory(self.table), DynamoDbAuditProgress(self.table)
        self.audit_ledger = AuditLedger(
            ledger, directory, progress, self._at_once, DynamoDbOutbox(self.table), kernel
        )
        open_jobs = DynamoDbOpenJobs(self.table)
        self.note_closed = NoteClosed(open_jobs, OneCatalog(self.catalog), kernel)
        self.submit_job = SubmitJob(
            ledger=ledger,
            workflow=self.workflow,
            prepare=lambda _, submission: submission,
            discard=lambda _: None,
            limit_jobs=LimitJobs(open_jobs, self.note_closed, kernel, 100_000, 1),
            moderate=Moderate(KeywordModerator(listed_terms()), "keywords"),
            board=self.board,
            catalogs=OneCatalog(self.catalog),
            clock=kernel,
            ids=self.ids,
            provider_deadline_s=DEADLINE_S,
            clip_deadline_s=DEADLINE_S,
        )
        finish = FinishCanceled(ledger, DynamoDbScenes(self.table), kernel)
        closed = self.note_closed
        self.settle_wallet = SettleWallet(
            jobs, ledger, DynamoDbRuns(self.table), low, closed, finish, kernel, url_of, VIDEOS_BUCKET
        )
        self.release_hold = ReleaseHold(jobs, ledger, clean_up, closed, finish, kernel, url_of, VIDEOS_BUCKET)
        self.close_job = CloseJob(
            jobs,
            ledger,
            SimulatedBus(kernel),
            self.workflow,
            low,
            clean_up,
            closed,
            finish,
            kernel,
            url_of,
            VIDEOS_BUCKET,
        )
        see_to_job = SeeToJob(
            jobs,
            self.workflow,
            FakeTaskTokens(network),
            FakePollQueue(network),
            FakeStaging(network),
            FakeOutputs(network),
            files,
            self.close_job,
            StartAgain(jobs, self.workflow),
            kernel,
        )
        self.sweep_jobs = SweepJobs(jobs, see_to_job, kernel, self._at_once)

    def _at_once(self, work: Callable[[Given], Result], each: Iterable[Given]) -> list[Result]:
        """As many processes as the product has threads, which compute one at a time."""

        def compute_and_work(given: Given) -> Result:
            now_s = self.kernel.now_s
            self._computed_s = max(now_s, self._computed_s) + SWEEPER_CPU_S
            self.kernel.sleep(self._computed_s - now_s)
            return work(given)

        return self.kernel.at_once(compute_and_work, each, processes=THREADS_MAX)

    # What people do.

    def open_account(self, *, usd_micros: int, requests_per_minute: int) -> Customer:
        """An account with money and a key of that rate; every provider has its key."""
        for name in sorted({route.key_name for route in self.catalog.all_routes()}):
            self.board.note_key(name, there=True)
        self.board.outdate()
        account, _ = self.accounts.open("diver@example.com", usd_micros=usd_micros)
        limit = RateLimit.of_rate(requests_per_minute)
        new = self.accounts.create_key(account.id, KeyPrefix.LIVE, limit, frozenset(Scope))
        return Customer(account.id, new.secret)

    def submit(self, customer: Customer) -> int:
        """Ask for a picture. Returns the status of the answer."""
        try:
            caller = self.authenticate(f"Bearer {customer.secret}")
            order = self.ids.secret(16)
            key = IdempotencyKey.of(caller.account_id, caller.counts_in(ROUTE), order, BODY)
            submission = image.parse_submission(BODY, self.catalog)
            return self.submit_job(caller, lambda: submission, key, image.acceptance).status
        except ApiError as error:
            return error.status

    def knock(self, customer: Customer) -> int:
        """Authenticate and do nothing else. Returns the status of the answer."""
        try:
            self.authenticate(f"Bearer {customer.secret}")
        except ApiError as error:
            return error.status
        return 200

    def audit(self) -> list[Discrepancy]:
        """What the product's audit finds in a copy of the table, made when no transaction is half
        committed."""
        while self.simulated.locks:
            self.kernel.step()
        still = Kernel(seed=0)
        return still.result_of(Product(still, self.simulated.copy()).audit_ledger)

    # What the state machine does.

    def steps_of(self, account_id: str, job_id: str) -> Mapping[str, Step]:
        """What the states of a job's execution do. It ends where it would publish: the bus is not
        simulated."""
        return {
            "CallProvider": lambda _error, _cause: self._call_provider(account_id, job_id),
            "StoreOutput": lambda _error, _cause: self._store_output(account_id, job_id),
            "SettleWallet": lambda _error, _cause: self._settle(account_id, job_id),
            "ReleaseHold": lambda error, cause: self._release(account_id, job_id, error, cause),
        }

    def first_step_of(self, account_id: str, job_id: str) -> Mapping[str, Step]:
        """What an execution does that ends once its job has begun."""

        def begin(_error: str, _cause: str) -> None:
            self._begin(account_id, job_id)

        return {"CallProvider": begin}

    def _call_provider(self, account_id: str, job_id: str) -> None:
        """The one write of the product's CallProvider, and the time a provider takes."""
        begun = self.jobs.get(account_id, job_id).begun(self.kernel.now_ms())
        job = replace(begun, task_tokens={0: assumptions.TASK_TOKEN})
        call = ProviderCall(1, f"{job.provider}/model", Phase.ASKED, mark=self.ids.secret(8))
        self.jobs.note_call(job, 0, call, begins=True)
        self.kernel.sleep(self.kernel.random.uniform(*assumptions.PROVIDER_S))

    def _begin(self, account_id: str, job_id: str) -> Job:
        return self.jobs.begin(account_id, job_id, 0, assumptions.TASK_TOKEN, self.kernel.now_ms())

    def _store_output(self, account_id: str, job_id: str) -> None:
        self.jobs.get(account_id, job_id)
        self.kernel.sleep(assumptions.STORE_OUTPUT.draw_s(self.kernel.random))

    def _settle(self, account_id: str, job_id: str) -> None:
        output = Output(f"images/{job_id}/0-abcdefgh.png", "image/png", 2048, 1152, 2_500_000)
        self.settle_wallet(account_id, job_id, [output])

    def _release(self, account_id: str, job_id: str, error: str, cause: str) -> None:
        self.release_hold(account_id, job_id, error, cause)


def url_of(key: str) -> str:
    return f"https://cdn.example.com/{key}"


def world(seed: int, make_client: type[SimulatedClient] = SimulatedClient) -> Product:
    """A stage of its own, with nothing in it."""
    kernel = Kernel(seed)
    table = SimulatedTable(lambda: kernel.now_s)
    return Product(kernel, table, make_client(kernel, table, attempts_max=ATTEMPTS_MAX))
