"""What a customer does on a stage, and what an operator does for one; each step says what it saw."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any, TypeVar

import requests

from infra.smoke.inbox import Inbox, Message, request_of
from shoal.composition.operator import Operator
from shoal.domain.errors import ShoalError
from shoal.domain.grant import Decision
from shoal.domain.job import Job
from shoal.domain.money import Asset, parse_usd
from shoal_client import Shoal, verify
from shoal_client.errors import Conflict

PROMPT = "A shark swimming in neon-lit deep ocean"
SLOW = f"{PROMPT} [slow:5]"
"""The simulator takes its time over it, as every other provider does."""
MODEL = "nanobanana"
VIDEO = {"idea": "Why the sea is salty", "category": "story", "duration": 8}
EVENTS = ("image.completed",)
JOB_SECONDS_MAX = 200.0
VIDEO_SECONDS_MAX = 600.0
ARRIVAL_SECONDS_MAX = 90.0
PAUSE_SECONDS = 0.5


class WalkFailed(Exception):
    """A step did not come out as a customer may expect; the message says which and how."""


T = TypeVar("T")
Step = Callable[[], str]


@dataclass
class Walk:
    """One customer on one stage. `jobs`, `tokens` and `timed_ms` are what a measurement starts from."""

    operator: Operator
    shoal: Shoal
    account_id: str
    api_url: str
    inbox: Inbox
    pictures: int
    jobs: dict[str, str] = field(default_factory=dict)
    tokens: list[str] = field(default_factory=list)
    timed_ms: dict[str, list[float]] = field(default_factory=dict)

    def steps(self) -> Iterator[tuple[str, Step]]:
        """In their order: what a step does stands on those before it."""
        yield "health", self.health
        yield "image", self.image
        yield "webhook", self.webhook
        yield "event", self.event
        yield "pictures", self.more_pictures
        yield "task", self.task
        yield "cancel", self.cancel
        yield "refund", self.refund
        yield "video", self.video

    def health(self) -> str:
        answer = self._timed("health", lambda: requests.get(f"{self.api_url}/healthz", timeout=30))
        self._hold(answer.status_code == requests.codes.ok, f"GET /healthz answered {answer.status_code}")
        return f"{self.api_url} answers"

    def image(self) -> str:
        """A picture that is made, fetched and paid for."""
        made = self.shoal.webhooks.create(self.inbox.address, EVENTS, name="smoke")
        self._webhook_id, self._secret = made["webhook"]["id"], made["secret"]
        before = self._balance()
        accepted = self._timed("submit", lambda: self.shoal.generate(PROMPT, mode="2k"))
        self.jobs["image"] = accepted["job_id"]
        job = self.shoal.wait(accepted, timeout_s=JOB_SECONDS_MAX, pause_s=PAUSE_SECONDS)
        self._timed("read", lambda: self.shoal.job(accepted["job_id"]))
        picture = self._timed("download", lambda: self.shoal.download(str(job["image_url"])))
        paid = before - self._balance()
        self._paid = str(job["cost"])
        self._hold(paid == amount(self._paid) > 0, f"it cost {self._paid}, the wallet has {paid} less")
        return f"{len(picture)} bytes for {self._paid}"

    def webhook(self) -> str:
        """Its event, posted to the customer's endpoint and signed with the customer's secret."""

        def about_it(message: Message) -> bool:
            return "headers" in message and self.jobs["image"] in str(message["body"])

        headers, body = request_of(self.inbox.wait_for(about_it, seconds_max=ARRIVAL_SECONDS_MAX))
        event = verify(self._secret, headers, body)
        self._hold(event["type"] in EVENTS, f"an event of type {event['type']} came")
        self.shoal.webhooks.delete(self._webhook_id)
        return f"{event['type']}, its signature holds"

    def event(self) -> str:
        """The same on the stage's bus, for who works beside it in the account."""

        def about_it(message: Message) -> bool:
            data = message.get("detail", {}).get("data", {})
            return message.get("detail-type") in EVENTS and data.get("job_id") == self.jobs["image"]

        found = self.inbox.wait_for(about_it, seconds_max=ARRIVAL_SECONDS_MAX)
        return f"{found['detail-type']} of source {found['source']}"

    def more_pictures(self) -> str:
        """One after the other, for the measurement."""
        for number in range(self.pictures):
            accepted = self._timed("submit", lambda: self.shoal.generate(PROMPT, mode="1k"))
            self.jobs[f"picture {number}"] = accepted["job_id"]
            self.shoal.wait(accepted, timeout_s=JOB_SECONDS_MAX, pause_s=PAUSE_SECONDS)
        return f"{self.pictures} more"

    def task(self) -> str:
        """Two outputs of a model by its name."""
        accepted = self._timed(
            "submit", lambda: self.shoal.tasks.create(MODEL, PROMPT, num_outputs=2, max_cost="1.00")
        )
        self.jobs["task"] = accepted["id"]
        task = self.shoal.tasks.wait(accepted, timeout_s=JOB_SECONDS_MAX)
        return f"{task['status']} for {task['cost']}"

    def cancel(self) -> str:
        """What is canceled costs what the answer says, and nothing stays held."""
        before = self._balance()
        accepted = self._timed("submit", lambda: self.shoal.generate(SLOW, mode="2k"))
        self.jobs["cancel"] = accepted["job_id"]
        working = self._until(lambda: self._at_work(accepted["job_id"]), "its execution did not begin")
        self.tokens += working.task_tokens.values()
        try:
            self._timed("cancel", lambda: self.shoal.cancel(accepted["job_id"]))
        except Conflict:
            raise WalkFailed("the picture was there before the cancel: is its provider that fast?") from None
        cost = self._until(
            lambda: None if amount(self.shoal.wallet()["held"]) else before - self._balance(), "a hold stays"
        )
        return f"cost {cost}, nothing is held"

    def refund(self) -> str:
        """An operator gives the picture's price back, once however often it is asked for."""
        before = self._balance()
        decision = Decision.of(self.operator.who(), "smoke: a refund")
        price = parse_usd(self._paid.removeprefix("$"))
        for first in (True, False):
            given = self.operator.manage.grant(
                self.account_id, Asset.USD, price, decision, self.jobs["image"]
            )
            self._hold(given is first, f"a refund was {'not given' if first else 'given twice'}")
        back = self._balance() - before
        self._hold(back == amount(self._paid), f"{self._paid} were given back, {back} came")
        return f"{self._paid} back, once"

    def video(self) -> str:
        """A film of one scene, paid in credits."""
        before = self.shoal.credits()["credits_remaining"]
        made = self._timed("submit", lambda: self.shoal.videos.create(**VIDEO))  # type: ignore[arg-type]
        self.jobs["video"] = made["id"]
        video = self.shoal.videos.wait(made, timeout_s=VIDEO_SECONDS_MAX, pause_s=2 * PAUSE_SECONDS)
        film = self.shoal.download(str(video["final_video_url"]))
        charged = before - self.shoal.credits()["credits_remaining"]
        self._hold(charged == video["credits_charged"] > 0, f"{charged} credits are gone")
        return f"{len(film)} bytes for {charged} credits"

    def _balance(self) -> Decimal:
        return amount(self.shoal.wallet()["balance"])

    def _at_work(self, job_id: str) -> Job | None:
        """The job once a task of its execution waits for an answer, or it is too late for that."""
        job = self.operator.inspect.job(self.account_id, job_id)
        return job if job.task_tokens or job.status.terminal else None

    def _until(self, look: Callable[[], T | None], otherwise: str) -> T:
        deadline = time.monotonic() + JOB_SECONDS_MAX
        while (found := look()) is None:
            self._hold(time.monotonic() < deadline, otherwise)
            time.sleep(PAUSE_SECONDS)
        return found

    def _timed(self, name: str, call: Callable[[], Any]) -> Any:
        began = time.perf_counter()
        answer = call()
        self.timed_ms.setdefault(name, []).append((time.perf_counter() - began) * 1000)
        return answer

    def _hold(self, true: bool, otherwise: str) -> None:
        if not true:
            raise WalkFailed(otherwise)


def amount(dollars: str) -> Decimal:
    """The number in `$0.02`."""
    return Decimal(dollars.replace("$", ""))


FAILURES = (WalkFailed, TimeoutError, ShoalError, requests.RequestException)
"""What ends a walk beside the client's own errors."""
