"""Deliveries: one event on its way to one endpoint, its attempts, and when the next one is due."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC
from email.utils import parsedate_to_datetime
from enum import StrEnum
from typing import Any

from shoal.domain.addresses import Response
from shoal.domain.events import Event, UrlOf, private_files
from shoal.domain.ids import derived_id, moment_of
from shoal.domain.webhook import DisabledReason, Subscription, requested

BODY_BYTES_MAX = 20_000
"""Bodies stay below this."""

RETRY_DELAYS_S = (60, 300, 1_800, 7_200, 21_600, 86_400)
JITTER_MAX = 0.1
"""Share of a delay that is added at most, so that what failed together is not tried again together."""

KEPT_MS = 30 * 24 * 3_600_000
"""How long a delivery can be looked at and sent again, from its event on."""

RESPONSE_BYTES_KEPT = 1_024
RUNS_MAX = 20
"""How often a delivery is begun, the first time included: its attempts have to fit into one item."""

QUICK_MS = 1_000
"""An endpoint that takes longer to answer is not a good one even if it takes the event."""

ORDERS_AT_ONCE_MAX = 10
"""Attempts one invocation makes side by side: what SQS hands over at once."""

GONE = 410


class DeliveryStatus(StrEnum):
    PENDING = "pending"
    DELIVERED = "delivered"
    FAILED = "failed"


@dataclass(frozen=True, slots=True)
class Attempt:
    """One exchange with an endpoint. `error` says in plain words why it failed, None if it did not.

    `response` is the beginning of the answer's body, as text.
    """

    at_ms: int
    duration_ms: int
    status_code: int | None = None
    error: str | None = None
    response: str | None = None

    @property
    def ended_at_ms(self) -> int:
        return self.at_ms + self.duration_ms

    @property
    def succeeded(self) -> bool:
        return self.error is None

    @property
    def gone(self) -> bool:
        """Whether the endpoint says that it is there no more."""
        return self.status_code == GONE

    @property
    def good(self) -> bool:
        """Whether the endpoint took the event, and quickly."""
        return self.succeeded and self.duration_ms < QUICK_MS


@dataclass(frozen=True, slots=True)
class Order:
    """What a queue carries: make this attempt of this run of a delivery.

    `waits` counts how often it was put off because the endpoint had enough attempts under way.
    """

    account_id: str
    webhook_id: str
    delivery_id: str
    run: int = 1
    attempt: int = 1
    waits: int = 0


@dataclass(frozen=True, slots=True)
class Delivery:
    """One event for one endpoint. Moments are Unix time in milliseconds.

    `url` is set where the request named the endpoint, `once` where one attempt is all (a test). A run is the
    first attempt and its retries; sending a delivery again begins another run. `attempts_in_run` counts only
    those of the current run, `first_failed_at_ms` is the first of them to fail. `bounded`: its account never
    had money, so that few requests a minute may go to one host.
    """

    id: str
    account_id: str
    webhook_id: str
    event_id: str
    event_type: str
    event_at_ms: int
    body: str
    url: str | None = None
    once: bool = False
    status: DeliveryStatus = DeliveryStatus.PENDING
    run: int = 1
    attempts_in_run: int = 0
    attempts: tuple[Attempt, ...] = ()
    first_failed_at_ms: int | None = None
    next_attempt_at_ms: int | None = None
    bounded: bool = False

    @property
    def expires_at_ms(self) -> int:
        return self.event_at_ms + KEPT_MS

    def order(self) -> Order:
        """For the attempt that comes next."""
        return Order(self.account_id, self.webhook_id, self.id, self.run, self.attempts_in_run + 1)

    def disabling_reason(self, ended_at_ms: int) -> tuple[DisabledReason, int]:
        """Why its end disables the subscription, and from when on a success or an enabling prevents that."""
        if self.attempts[-1].gone:
            return DisabledReason.GONE, ended_at_ms
        return DisabledReason.FAILING, self.first_failed_at_ms or ended_at_ms


@dataclass(frozen=True, slots=True)
class RetryLadder:
    """The pauses after the first attempt and each retry but the last, in seconds."""

    delays_s: tuple[int, ...] = RETRY_DELAYS_S

    def next_delay_ms(self, delivery: Delivery, retry_after_s: int | None = None) -> int | None:
        """The pause after one more failed attempt, None if that was the last.

        An endpoint's `Retry-After` counts between the planned delay and twice it. The jitter is drawn from
        the delivery's id: planning the same attempt again gives the same moment.
        """
        made = delivery.attempts_in_run + 1
        if delivery.once or made > len(self.delays_s):
            return None
        planned_ms = self.delays_s[made - 1] * 1000
        jitter_ms = int(planned_ms * JITTER_MAX * _fraction(f"{delivery.id}.{delivery.run}.{made}"))
        asked_ms = min((retry_after_s or 0) * 1000, 2 * planned_ms)
        return max(planned_ms + jitter_ms, asked_ms)


def body_of(event: Event) -> str:
    """The envelope as it is sent, below 20 kB: of data that is longer, the longest fields become null."""
    envelope = {name: event.detail[name] for name in ("id", "type", "created_at")}
    return _fit(envelope, event.detail["data"])


def fresh_body(delivery: Delivery, url_of: UrlOf) -> str:
    """The delivery's body as it is sent now: private files have addresses that have just been signed.

    Those it was written with hold for an hour, and a retry may come a day later.
    """
    envelope = json.loads(delivery.body)
    data = envelope["data"]
    if data.get("synthetic"):
        return delivery.body
    files = private_files(delivery.event_type, data).items()
    fresh = {field: url_of(key) for field, key in files if data.get(field)}
    return _fit(envelope, data | fresh) if fresh else delivery.body


def delivery_of(event: Event, subscription: Subscription) -> Delivery:
    """The event's delivery to a subscription. While that is disabled it is missed, to be sent again later."""
    return _delivery(
        event,
        subscription.account_id,
        subscription.id,
        status=DeliveryStatus.PENDING if subscription.enabled else DeliveryStatus.FAILED,
    )


def delivery_of_request(event: Event, account_id: str, url: str) -> Delivery:
    """The event's delivery to the `webhook_url` of a request."""
    return _delivery(event, account_id, requested(test=event.test), url=url)


def delivery_of_test(event: Event, subscription: Subscription) -> Delivery:
    """A single attempt that nothing follows from."""
    return _delivery(event, subscription.account_id, subscription.id, once=True)


def attempt_of(response: Response, at_ms: int) -> Attempt:
    """The attempt that brought a whole answer: only 2xx takes the event."""
    status = response.status
    error = None
    if status >= 300 or status < 200:
        redirected = 300 <= status < 400
        error = f"The endpoint answered {status}{'; redirects are not followed' if redirected else ''}."
    return Attempt(
        at_ms=at_ms,
        duration_ms=response.duration_ms,
        status_code=status,
        error=error,
        response=_excerpt(response.body),
    )


def _excerpt(body: bytes) -> str:
    """Its beginning as text that can be shown. Cut again: what stands for other bytes is three bytes long."""
    text = body[:RESPONSE_BYTES_KEPT].decode("utf-8", "replace")
    text = "".join(each if each.isprintable() or each in "\n\t" else "\ufffd" for each in text)
    return text.encode()[:RESPONSE_BYTES_KEPT].decode("utf-8", "ignore")


def retry_after_s(headers: Mapping[str, str], now_ms: int) -> int | None:
    """`Retry-After` (RFC 9110, section 10.2.3) in seconds from now; None if it says nothing usable."""
    text = headers.get("retry-after", "").strip()
    if text.isascii() and text.isdigit():
        return int(text[:9])
    try:
        moment = parsedate_to_datetime(text)
    except (ValueError, OverflowError):  # the latter for numbers no C integer holds
        return None
    at_s = moment.replace(tzinfo=moment.tzinfo or UTC).timestamp()
    return max(0, round(at_s - now_ms / 1000))


def _delivery(event: Event, account_id: str, webhook_id: str, **fields: Any) -> Delivery:
    event_id: str = event.detail["id"]
    at_ms = moment_of(event_id)
    return Delivery(
        id=derived_id("dlv", at_ms, event_id, account_id, webhook_id),
        account_id=account_id,
        webhook_id=webhook_id,
        event_id=event_id,
        event_type=event.type,
        event_at_ms=at_ms,
        body=body_of(event),
        **fields,
    )


def _fraction(seed: str) -> float:
    """From 0 up to 1, the same for the same seed."""
    return int.from_bytes(hashlib.sha256(seed.encode()).digest()[:6], "big") / 2**48


def _fit(envelope: Mapping[str, Any], data: Mapping[str, Any]) -> str:
    kept = dict(data)
    while len((body := _json({**envelope, "data": kept})).encode()) >= BODY_BYTES_MAX:
        kept[max(kept, key=lambda name: len(_json(kept[name]).encode()))] = None
    return body


def _json(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))
