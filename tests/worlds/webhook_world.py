"""Webhooks in one process: every use case over the fakes, and queues that hand out what is due."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from itertools import count
from operator import attrgetter
from typing import Any, cast

from shoal.dialects import webhooks as dialect
from shoal.domain.addresses import AddressRules, Response, vet
from shoal.domain.api_key import Caller, Scope
from shoal.domain.delivery import Delivery, Order, RetryLadder, fresh_body
from shoal.domain.errors import ExchangeError, NotFound
from shoal.domain.events import Event
from shoal.domain.job import Job
from shoal.domain.rate_limit import Allowance, RateLimit
from shoal.domain.webhook import REQUESTED, Subscription, new_secret
from shoal.domain.webhook_samples import sample_event
from shoal.ports.jobs import Jobs
from shoal.ports.webhooks import Lane, RecoverOrder, WebhookHttp
from shoal.use_cases.webhooks.deliver_webhook import DeliverWebhook
from shoal.use_cases.webhooks.fan_out_event import FanOutEvent
from shoal.use_cases.webhooks.manage_deliveries import ManageDeliveries
from shoal.use_cases.webhooks.manage_webhook_secret import ManageWebhookSecret
from shoal.use_cases.webhooks.manage_webhooks import Answered, ManageWebhooks, NewWebhook
from shoal.use_cases.webhooks.recover_deliveries import RecoverDeliveries
from tests.fakes import FakeBus, FakeClock, FakeIds, Network
from tests.fakes.webhook_deliveries import FakeDeliveries, FakeFunds, FakeHostCounts, FakeSecretBox, FakeSlots
from tests.fakes.webhooks import (
    FakeAccountSecrets,
    FakeRecords,
    FakeSubscriptions,
    RepeatingNetwork,
    WebhookTables,
    reached,
)
from tests.support.resolver import Resolver

URL = "https://hooks.example.com/shoal"
PUBLIC_ADDRESS = "93.184.216.34"
ACCOUNT = "acc_01JBQRSTVWXYZ0123456789ABC"
REDELIVERED_AFTER_MS = 180_000
TURNS_MAX = 5_000
DELAY_S_MAX = 900
UNPAID_SENDS_MAX = 5

Reply = int | Response | ExchangeError
"""A status, a whole answer, or what went wrong on the way."""


def answer(status: int, headers: Mapping[str, str] | None = None, body: bytes = b"", ms: int = 5) -> Response:
    return Response(status, headers or {}, body, truncated=False, duration_ms=ms)


@dataclass(frozen=True)
class Sent:
    """A request as an endpoint received it."""

    at_ms: int
    url: str
    headers: Mapping[str, str]
    body: bytes

    @property
    def event_id(self) -> str:
        return self.headers["webhook-id"]


@dataclass
class Endpoints:
    """Every endpoint there is; `replies` of a URL are given in turn, the last one for ever."""

    network: Network
    clock: FakeClock
    replies: dict[str, list[Reply]] = field(default_factory=dict)
    sent: list[Sent] = field(default_factory=list)
    rules: AddressRules = field(default_factory=AddressRules)
    resolve: Resolver = field(default_factory=lambda: Resolver([PUBLIC_ADDRESS]))
    port: str = "http"

    def at(self, *replies: Reply, url: str = URL) -> None:
        self.replies[url] = list(replies)

    def vet(self, url: str) -> None:
        """By the rules of production, unless a test has others."""
        vet(url, self.rules, self.resolve)

    def fetch(self, url: str, *, bytes_max: int, seconds_max: float) -> bytes:
        raise AssertionError(f"webhooks fetch nothing: {url}, {bytes_max}, {seconds_max}")

    @reached
    def post(self, url: str, headers: Mapping[str, str], body: bytes) -> Response:
        self.sent.append(Sent(self.clock.ms, url, headers, body))
        replies = self.replies.get(url, [200])
        reply = replies.pop(0) if len(replies) > 1 else replies[0]
        if isinstance(reply, ExchangeError):
            raise reply
        found = answer(reply) if isinstance(reply, int) else reply
        self.clock.ms += found.duration_ms
        return found


@dataclass(order=True)
class Message:
    due_ms: int
    number: int
    content: Any = field(compare=False)


@dataclass
class Queues:
    """The queues and schedules of the pipeline: at least once, in any order, when due."""

    network: Network
    clock: FakeClock
    waiting: list[Message] = field(default_factory=list)
    scheduled: set[tuple[str, int, int]] = field(default_factory=set)
    numbers: Iterable[int] = field(default_factory=count)
    port: str = "queue"

    def put(self, content: Any, due_ms: int | None = None) -> None:
        self.waiting.append(Message(due_ms or self.clock.ms, next(iter(self.numbers)), content))

    @reached
    def send(self, lane: Lane, orders: Sequence[Order], *, delay_s: int = 0) -> None:
        self._send(lane, orders, delay_s)

    @reached
    def plan(self, order: Order, at_ms: int, now_ms: int) -> None:
        delay_s = max(0, -(-(at_ms - now_ms) // 1000))
        if delay_s <= DELAY_S_MAX:
            self._send(Lane.CAREFUL, [order], delay_s)
            return
        name = order.delivery_id, order.run, order.attempt
        if name not in self.scheduled:
            self.scheduled.add(name)
            self.put((Lane.CAREFUL, order), at_ms)

    def _send(self, lane: Lane, orders: Sequence[Order], delay_s: int) -> None:
        if not 0 <= delay_s <= DELAY_S_MAX:
            raise ValueError(f"the queue cannot delay by {delay_s} s")
        for order in orders:
            self.put((lane, order), self.clock.ms + delay_s * 1000)


@dataclass
class KnownJobs:
    """As much of the jobs as the fan-out asks for."""

    network: Network
    jobs: dict[tuple[str, str], Job] = field(default_factory=dict)
    port: str = "jobs"

    @reached
    def get(self, account_id: str, job_id: str) -> Job:
        if (account_id, job_id) not in self.jobs:
            raise NotFound("There is no job with this id.")
        return self.jobs[account_id, job_id]


@dataclass
class RecoverQueue:
    network: Network
    queues: Queues
    port: str = "recover_queue"

    @reached
    def send(self, order: RecoverOrder) -> None:
        self.queues.put(order)


class WebhookWorld:
    """`handed_out`: how often every message is handed out that is seen to; a queue may do so twice.

    `http` is how endpoints are reached instead of those in memory.
    """

    def __init__(
        self, *, subscriptions_max: int = 20, handed_out: int = 1, http: WebhookHttp | None = None
    ) -> None:
        self.network, self.tables = RepeatingNetwork(), WebhookTables()
        self.clock, self.ids = FakeClock(), FakeIds()
        self.handed_out = handed_out
        self.bus = FakeBus(self.network)
        self.endpoints = Endpoints(self.network, self.clock)
        self.queues = Queues(self.network, self.clock)
        self.jobs = KnownJobs(self.network)
        self.crashes: list[Exception] = []
        self._heard = 0
        self._wire(subscriptions_max, http or self.endpoints)

    def _wire(self, subscriptions_max: int, http: WebhookHttp) -> None:
        network, tables, clock, queues = self.network, self.tables, self.clock, self.queues
        jobs, slots = cast(Jobs, self.jobs), FakeSlots(network)
        self.funds, host_counts = FakeFunds(network), FakeHostCounts(network)
        subscriptions = FakeSubscriptions(network, tables)
        deliveries, secret_box = FakeDeliveries(network, tables), FakeSecretBox(network)
        account_secrets, records = FakeAccountSecrets(network, tables), FakeRecords(network, tables)
        self.manage = ManageWebhooks(
            subscriptions,
            records,
            secret_box,
            self.endpoints,
            self.secret,
            clock,
            self.ids,
            subscriptions_max,
        )
        self.manage_secret = ManageWebhookSecret(account_secrets, records, secret_box, self.secret, clock)
        recover_queue = RecoverQueue(network, queues)
        self.deliveries = ManageDeliveries(
            subscriptions,
            deliveries,
            queues,
            recover_queue,
            slots,
            self.funds,
            records,
            clock,
            self.ids,
            self._sleep,
        )
        self.recover = RecoverDeliveries(deliveries, queues, recover_queue, clock)
        self.fan_out = FanOutEvent(
            subscriptions,
            account_secrets,
            deliveries,
            queues,
            jobs,
            secret_box,
            self.secret,
            self.funds,
            clock,
        )
        bodies: dict[Lane, Callable[[Delivery], str]] = {lane: attrgetter("body") for lane in Lane}
        bodies[Lane.CAREFUL] = partial(fresh_body, url_of=self.signed)
        self.lanes = {
            lane: DeliverWebhook(
                *(lane, bodies[lane], subscriptions, deliveries, slots, queues, queues),
                *(secret_box, http, self.bus, RetryLadder(), host_counts, UNPAID_SENDS_MAX, clock),
            )
            for lane in Lane
        }

    def signed(self, key: str) -> str:
        """The address of a private file, as it is signed at this moment."""
        return f"https://videos.test/{key}?signed={self.clock.ms}"

    def caller(self, account_id: str = ACCOUNT, *, test: bool = False) -> Caller:
        quota = Allowance(RateLimit(), 0, 0)
        return Caller(account_id, "key_of_the_test", frozenset(Scope), test=test, allowance=quota)

    def secret(self) -> str:
        return new_secret(self.ids.secret(32).encode())

    def create(self, *events: str, url: str = URL, account_id: str = ACCOUNT, test: bool = False) -> Answered:
        new = NewWebhook("n8n production", url, events or ("*",))
        return self.manage.create(self.caller(account_id, test=test), lambda: new, None, dialect.webhook)

    def subscribed(self, *events: str, url: str = URL, test: bool = False) -> tuple[str, str]:
        """The id and the secret of a new subscription."""
        body = self.create(*events, url=url, test=test).body
        self.clock.pass_seconds(1)
        return body["webhook"]["id"], body["secret"]

    def recover_since(self, caller: Caller, webhook_id: str, since_ms: int) -> Answered:
        return self.deliveries.recover(caller, webhook_id, lambda: since_ms, None, dialect.recover_resource)

    def send_test(self, caller: Caller, webhook_id: str) -> Answered:
        """A made-up event of the subscription's own choice; nobody waits for its attempt."""
        return self.deliveries.test(caller, webhook_id, None, 0, None, dialect.delivery_answer)

    def resend(self, caller: Caller, webhook_id: str, delivery_id: str) -> Answered:
        return self.deliveries.resend(caller, webhook_id, delivery_id, None, dialect.delivery_answer)

    def subscription(self, webhook_id: str) -> Subscription:
        return self.tables.subscriptions[webhook_id]

    def event(
        self, event_type: str = "image.completed", account_id: str = ACCOUNT, *, test: bool = False
    ) -> Event:
        """An event of now that has gone over the bus."""
        event = sample_event(event_type, self.ids.new("evt", self.clock.ms), account_id, self.clock.ms)
        event.detail["data"] |= {"test": test}
        self.queues.put(event)
        return event

    def all_of(self, webhook_id: str = REQUESTED) -> list[Delivery]:
        """A subscription's deliveries, oldest first."""
        every = self.tables.deliveries.values()
        return sorted((each for each in every if each.webhook_id == webhook_id), key=lambda each: each.id)

    def run(self, *, until_ms: int | None = None) -> None:
        """Hand out what is queued, the clock going on to each moment, until nothing is left (or so late)."""
        for _ in range(TURNS_MAX):
            self._hear()
            if not self.queues.waiting:
                return
            if (message := min(self.queues.waiting)).due_ms > (until_ms or message.due_ms):
                self.clock.ms = max(self.clock.ms, until_ms or 0)
                return
            self.clock.ms = max(self.clock.ms, message.due_ms)
            self.queues.waiting.remove(message)
            self._see_to(message)
        raise AssertionError("the queues never run dry")

    def _see_to(self, message: Message) -> None:
        for _ in range(self.handed_out):
            try:
                self._consumer(message.content)
            except Exception as error:  # noqa: BLE001 - as a queue does
                self.crashes.append(error)
                self.queues.put(message.content, self.clock.ms + REDELIVERED_AFTER_MS)
                return

    def _consumer(self, content: Any) -> None:
        if isinstance(content, Event):
            self.fan_out(content)
        elif isinstance(content, RecoverOrder):
            self.recover(content)
        else:
            lane, order = content
            self.lanes[lane](replace(order))

    def _hear(self) -> None:
        """The bus's rule: what is published goes to the queue of events."""
        for event in self.bus.published[self._heard :]:
            self.queues.put(event)
        self._heard = len(self.bus.published)

    def _sleep(self, seconds: float) -> None:
        self.run(until_ms=self.clock.ms + round(seconds * 1000))
