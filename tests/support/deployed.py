"""What tests of the deployed stack share: waiting for something, and the stack as a workbench."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Any, TypeVar
from uuid import uuid4

import requests

from infra.local.cloud import TEST_CLIP_DEADLINE_SECONDS, TEST_DEADLINE_SECONDS, LocalCloud
from shoal.adapters.dynamodb.items import job_key, open_shard
from shoal.adapters.dynamodb.jobs import DynamoDbJobs
from shoal.adapters.dynamodb.ledger import DynamoDbLedger
from shoal.adapters.dynamodb.limits import DynamoDbOpenJobs
from shoal.adapters.dynamodb.table import Item, Table
from shoal.adapters.system import RandomIds, SystemClock
from shoal.composition.accounts import manage_accounts
from shoal.dialects import image, tasks, video
from shoal.domain.api_key import Caller, KeyPrefix, Scope
from shoal.domain.catalog import load_catalog
from shoal.domain.errors import JobClosed, Unavailable
from shoal.domain.job import Closer, Job, JobFailure, JobStatus
from shoal.domain.money import Asset, parse_usd
from shoal.domain.rate_limit import REQUESTS_PER_MINUTE_MAX, Allowance, RateLimit
from shoal.domain.submission import Submission
from shoal.domain.wallet import Wallet
from shoal.ports.jobs import ExecutionState, JobFilter
from shoal.ports.system import Clock
from shoal.use_cases.accounts.manage_accounts import ManageAccounts
from shoal.use_cases.catalogs.read_catalogs import OneCatalog
from shoal.use_cases.jobs.limit_jobs import LimitJobs, NoteClosed
from shoal.use_cases.jobs.submit_job import SubmitJob
from shoal.use_cases.providers.moderate import Moderate
from tests.fakes.routing import SIMULATED_STAGE
from tests.support.bus import BusLog
from tests.support.client import Client
from tests.support.secrets import SecretsSeen
from tests.support.tasks import MODEL
from tests.support.videos import video_request

WAIT_SECONDS_MAX = 60.0
PAUSE_SECONDS = 0.03
TEST_DEADLINE_S = TEST_DEADLINE_SECONDS
UNHURRIED = RateLimit.of_rate(REQUESTS_PER_MINUTE_MAX)
"""A rate no test reaches."""

T = TypeVar("T")


def eventually(look: Callable[[], T | None], *, seconds_max: float = WAIT_SECONDS_MAX) -> T:
    """What `look` finds, once that is neither None nor false."""
    deadline = time.monotonic() + seconds_max
    while not (found := look()):
        assert time.monotonic() < deadline, f"nothing came in {seconds_max} s"
        time.sleep(PAUSE_SECONDS)
    return found


class NoWorkflow:
    """A workflow that cannot be reached: what is accepted stays queued until somebody starts it."""

    def start(self, job: Job) -> bool:
        raise Unavailable(job.id)

    def state(self, job: Job) -> ExecutionState:
        raise Unavailable(job.id)

    def stop(self, job: Job) -> None:
        raise Unavailable(job.id)


def as_it_is(_: Caller, submission: Submission) -> Submission:
    """Prepares nothing: no address is looked at, no input is fetched."""
    return submission


def limit_jobs(table: Table, clock: Clock) -> LimitJobs:
    """The limits of an account, as its stage has them."""
    open_jobs = DynamoDbOpenJobs(table)
    return LimitJobs(open_jobs, NoteClosed(open_jobs, OneCatalog(load_catalog()), clock), clock, 200, 1)


def nothing_staged(_: Submission) -> None:
    """Beside `as_it_is` there is nothing to delete."""


class ClockAt:
    """A clock that stands still at a moment, in Unix milliseconds."""

    def __init__(self, at_ms: int) -> None:
        self._at_ms = at_ms

    def now_ms(self) -> int:
        return self._at_ms


@dataclass(frozen=True)
class Customer:
    """An account of its own for one test, with a key that is never rate-limited."""

    account_id: str
    key: str
    client: Client

    @property
    def caller(self) -> Caller:
        """What authentication makes of the customer's key."""
        allowance = Allowance(UNHURRIED, 0, 0)
        return Caller(self.account_id, "key_of_the_test", frozenset(Scope), test=False, allowance=allowance)


@dataclass(frozen=True)
class Deployed:
    """The stack in the local cloud, reached from outside as operators and tests do."""

    cloud: LocalCloud
    http: requests.Session
    bus: BusLog
    secrets: SecretsSeen = field(default_factory=SecretsSeen)

    @cached_property
    def table(self) -> Table:
        return Table(self.cloud.client("dynamodb"), self.cloud.outputs["TableName"])

    @cached_property
    def jobs(self) -> DynamoDbJobs:
        return DynamoDbJobs(self.table)

    @cached_property
    def ledger(self) -> DynamoDbLedger:
        return DynamoDbLedger(self.table)

    @cached_property
    def accounts(self) -> ManageAccounts:
        return manage_accounts(self.table)

    def customer(self, usd: str = "10.00", credits: int = 0) -> Customer:
        """A new account with this grant."""
        account, _ = self.accounts.open("someone@example.com", usd_micros=parse_usd(usd), credits=credits)
        return Customer(account.id, *self.key_of(account.id))

    def key_of(
        self,
        account_id: str,
        *,
        prefix: KeyPrefix = KeyPrefix.LIVE,
        limit: RateLimit = UNHURRIED,
        scopes: frozenset[Scope] = frozenset(Scope),
    ) -> tuple[str, Client]:
        """Another key of the account, and a client that uses it."""
        key = self.accounts.create_key(account_id, prefix, limit, scopes).secret
        return key, self.client(key)

    def client(self, key: str) -> Client:
        """A client of the API with this key."""
        return Client(self.http, self.cloud.api_url, key)

    def accept(
        self, customer: Customer, prompt: str = "A shark", mode: str = "1k", clock: Clock | None = None
    ) -> Job:
        """An image that was paid for and never started, as when the workflow cannot be reached."""
        return self._accepted(
            customer, image.parse_submission({"mode": mode, "prompt": prompt}, load_catalog()), clock
        )

    def accept_task(self, customer: Customer, prompt: str, outputs: int, **more: Any) -> Job:
        """Likewise a task of several outputs; `more` are fields of its request."""
        body = {"model": MODEL, "prompt": prompt, "num_outputs": outputs, **more}
        submission = tasks.parse_submission(body, load_catalog())
        return self._accepted(customer, submission)

    def accept_video(self, customer: Customer, idea: str, scenes: int, **more: Any) -> Job:
        """Likewise a video of so many scenes."""
        body = video_request(idea, scenes, **more)
        return self._accepted(customer, video.parse_submission(body, load_catalog()))

    def _accepted(self, customer: Customer, submission: Submission, clock: Clock | None = None) -> Job:
        clock = clock or SystemClock()
        submit = SubmitJob(
            ledger=self.ledger,
            workflow=NoWorkflow(),
            prepare=as_it_is,
            discard=nothing_staged,
            limit_jobs=limit_jobs(self.table, clock),
            moderate=Moderate(None),
            board=SIMULATED_STAGE,
            catalogs=OneCatalog(load_catalog()),
            clock=clock,
            ids=RandomIds(),
            provider_deadline_s=TEST_DEADLINE_S,
            clip_deadline_s=TEST_CLIP_DEADLINE_SECONDS,
        )
        answered = submit(customer.caller, lambda: submission, None, tasks.acceptance)
        return self.jobs.get(customer.account_id, answered.job_id)

    def job(self, customer: Customer, job_id: str) -> Job:
        """The job as the engine stores it."""
        return self.jobs.get(customer.account_id, job_id)

    def fresh_table(self) -> Table:
        """An empty table like the stack's own, for tests that sweep or audit all that is in it."""
        dynamodb = self.cloud.client("dynamodb")
        own = dynamodb.describe_table(TableName=self.cloud.outputs["TableName"])["Table"]
        indexes = [
            {part: index[part] for part in ("IndexName", "KeySchema", "Projection")}
            for index in own["GlobalSecondaryIndexes"]
        ]
        name = f"table-{uuid4().hex}"
        dynamodb.create_table(
            TableName=name,
            KeySchema=own["KeySchema"],
            AttributeDefinitions=own["AttributeDefinitions"],
            GlobalSecondaryIndexes=indexes,
            BillingMode="PAY_PER_REQUEST",
        )
        return Table(dynamodb, name)

    def abandon(self, customer: Customer) -> None:
        """Close the customer's open jobs and see to it that nobody looks at them again."""
        still_open = JobFilter(statuses=frozenset({JobStatus.QUEUED, JobStatus.PROCESSING}))
        for job in self.jobs.page(customer.account_id, still_open, limit=1000, cursor=None).jobs:
            with suppress(JobClosed):
                abandoned = JobFailure("canceled", "The test is over.")
                self.ledger.release(job, abandoned, Closer.WORKFLOW, job.created_at_ms)

    def wallet(self, customer: Customer, asset: Asset = Asset.USD) -> Wallet:
        return self.ledger.wallet(customer.account_id, asset)

    def item(self, job: Job) -> Item:
        """The job's item as it lies in the table; empty if there is none."""
        return self.table.get(*job_key(job.account_id, job.ulid)) or {}

    def delete_item(self, job: Job) -> None:
        """Take the job's item out of the table."""
        pk, sk = job_key(job.account_id, job.ulid)
        self.cloud.client("dynamodb").delete_item(
            TableName=self.cloud.outputs["TableName"], Key={"pk": {"S": pk}, "sk": {"S": sk}}
        )

    def make_due(self, job: Job) -> None:
        """Let the job's deadline be long past, also where it had none any more, and its providers' time."""
        now = self.jobs.get(job.account_id, job.id)
        calls = {
            str(index): {"S": replace(call, answer_by_ms=1).to_json()} for index, call in now.calls.items()
        }
        counted_from_begin = now.started_at_ms and not calls
        moments = ("deadline_at", "started_at_ms") if counted_from_begin else ("deadline_at",)
        self._make_past(job, *moments, calls=calls)

    def make_due_while_waiting(self, job: Job) -> None:
        """Let the sweeper see to the job though its providers still have time."""
        self._make_past(job, "deadline_at")

    def expire_outputs(self, job: Job) -> None:
        """Let the moment be long past at which the job's outputs are to be deleted."""
        self._make_past(job, "deadline_at", "outputs_expire_at_ms")

    def _make_past(self, job: Job, *moments: str, calls: Mapping[str, Any] | None = None) -> None:
        changes: dict[str, Any] = {moment: {"N": "1"} for moment in moments} | {
            "open_shard": {"S": open_shard(job.ulid)}
        }
        changes |= {"calls": {"M": calls}} if calls else {}
        pk, sk = job_key(job.account_id, job.ulid)
        self.cloud.client("dynamodb").update_item(
            TableName=self.cloud.outputs["TableName"],
            Key={"pk": {"S": pk}, "sk": {"S": sk}},
            UpdateExpression=f"SET {', '.join(f'{name} = :{name}' for name in changes)}",
            ExpressionAttributeValues={f":{name}": value for name, value in changes.items()},
        )

    def invoke(self, function: str, event: object) -> Any:
        """Run a function of the stack, named by its verb; it must not fail."""
        answer = self.cloud.client("lambda").invoke(
            FunctionName=f"shoal-local-{function}", Payload=json.dumps(event)
        )
        payload = json.load(answer["Payload"])
        assert "FunctionError" not in answer, payload
        return payload

    def sweep(self) -> dict[str, int]:
        """Run the sweeper now. Returns what it did."""
        done: dict[str, int] = self.invoke("sweep-jobs", {})
        return done

    def troubles(self) -> list[str]:
        """What an operator would be alarmed by: dead letters, unexpected errors, a ledger that is off."""
        found = [f"{queue}: {count} dead letters" for queue, count in self.dead_letters().items() if count]
        logged = list(self.logged())
        found += [line for line in logged if "unexpected error" in line]
        found += [f"a secret in the log: {line}" for line in self.secrets.leaks(logged)]
        audit = self.invoke("audit-ledger", {})
        fine = audit["ended"] and not audit["discrepancies"] and not audit["not_audited"]
        return found if fine else [*found, str(audit)]

    def dead_letters(self) -> dict[str, int]:
        """How many messages were given up, by the queue that has them."""
        sqs = self.cloud.client("sqs")
        urls = [
            url for url in sqs.list_queues()["QueueUrls"] if "DeadLetters" in url or "AsyncFailures" in url
        ]
        assert urls, "the stack has no dead-letter queues"
        wanted = "ApproximateNumberOfMessages"
        return {
            url: int(sqs.get_queue_attributes(QueueUrl=url, AttributeNames=[wanted])["Attributes"][wanted])
            for url in urls
        }

    def logged(self) -> Iterator[str]:
        logs = self.cloud.client("logs")
        groups = logs.describe_log_groups(logGroupNamePrefix="/aws/lambda/shoal-local-")["logGroups"]
        assert groups, "the stack has no logs"
        for group in groups:
            pages = logs.get_paginator("filter_log_events").paginate(logGroupName=group["logGroupName"])
            yield from (event["message"] for page in pages for event in page["events"])
