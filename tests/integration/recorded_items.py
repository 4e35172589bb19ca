"""What the recorded items mean, in the words of the domain: the expected values of `test_fixtures_items`."""

from __future__ import annotations

from typing import Any

from shoal.domain.api_key import KeyPrefix, Scope
from shoal.domain.breaker import BreakerState
from shoal.domain.delivery import DeliveryStatus
from shoal.domain.job import Closer, HoldState, JobFailure, JobStatus
from shoal.domain.money import Asset
from shoal.domain.payment import ClaimRecord
from shoal.domain.wallet import EntryKind, Wallet
from shoal.domain.webhook import DisabledReason

OPEN = (JobStatus.PROCESSING, HoldState.HELD, 0, None)
QUEUED = (JobStatus.QUEUED, HoldState.HELD, 0, None)
FAILED = (JobStatus.FAILED, HoldState.RELEASED, 0, Closer.WORKFLOW)
CANCELED = (JobStatus.CANCELED, HoldState.RELEASED, 0, Closer.CANCEL)
SWEPT = Closer.SWEEP


def paid(cost: int) -> tuple[JobStatus, HoldState, int, Closer]:
    return JobStatus.COMPLETED, HoldState.CAPTURED, cost, Closer.WORKFLOW


USD, CREDIT = Asset.USD, Asset.CREDIT
JOBS: dict[str, tuple[Any, ...]] = {
    "job.image.queued": (*QUEUED, USD, 20_000, 1),
    "job.image.processing": (*OPEN, USD, 10_000, 1),
    "job.image.put_off": (*OPEN, USD, 10_000, 1),
    "job.image.completed.1k": (*paid(10_000), USD, 10_000, 1),
    "job.image.completed.2k": (*paid(20_000), USD, 20_000, 1),
    "job.image.completed.4k": (*paid(30_000), USD, 30_000, 1),
    "job.image.completed_unannounced": (*paid(10_000), USD, 10_000, 1),
    "job.image.kept_for_an_hour": (*paid(10_000), USD, 10_000, 1),
    "job.image.polled": (*paid(10_000), USD, 10_000, 1),
    "job.image.called_back": (*paid(10_000), USD, 10_000, 1),
    "job.image.told_of": (*paid(10_000), USD, 10_000, 1),
    "job.image.failed": (*FAILED, USD, 10_000, 1),
    "job.image.rejected": (*FAILED, USD, 10_000, 1),
    "job.image.output_invalid": (*FAILED, USD, 10_000, 1),
    "job.image.timed_out": (*FAILED, USD, 10_000, 1),
    "job.image.aborted": (JobStatus.FAILED, HoldState.RELEASED, 0, SWEPT, USD, 10_000, 1),
    "job.image.canceled": (*CANCELED, USD, 10_000, 1),
    "job.image.canceled_unannounced": (*CANCELED, USD, 10_000, 1),
    "job.image.expired": (JobStatus.EXPIRED, HoldState.RELEASED, 0, SWEPT, USD, 10_000, 1),
    "job.image.trial.queued": (*QUEUED, USD, 30_000, 1),
    "job.image.trial.completed": (*paid(0), USD, 10_000, 1),
    "job.image.test": (*paid(10_000), Asset.TEST_USD, 10_000, 1),
    "job.task.processing": (*OPEN, USD, 10_000, 2),
    "job.task.canceled": (*CANCELED, USD, 10_000, 2),
    "job.task.completed_in_part": (*paid(20_000), USD, 10_000, 3),
    "job.task.edited": (*paid(10_000), USD, 10_000, 1),
    "job.task.clip": (*paid(1), CREDIT, 1, 1),
    "job.task.failed": (*FAILED, USD, 10_000, 2),
    "job.task.at_a_provider": (*OPEN, USD, 5_000, 1),
    "job.task.of_a_provider": (*paid(5_000), USD, 5_000, 1),
    "job.video.queued": (*QUEUED, CREDIT, 1, 2),
    "job.video.processing": (*OPEN, CREDIT, 1, 2),
    "job.video.completed": (*paid(2), CREDIT, 1, 2),
    "job.video.failed": (*FAILED, CREDIT, 1, 2),
    "job.video.canceled": (*CANCELED, CREDIT, 1, 2),
}
"""Status, hold, cost and who closed it; asset, price of an output and how many were asked for."""

FAILURES = {
    "job.image.failed": JobFailure("provider_failed", "The provider failed to generate the image."),
    "job.image.rejected": JobFailure("provider_rejected", "The prompt was refused by content moderation."),
    "job.image.output_invalid": JobFailure(
        "output_invalid", "The provider's output ends before its end: the file is cut off."
    ),
    "job.image.timed_out": JobFailure("provider_timeout", "Provider request timed out after 120s."),
    "job.image.aborted": JobFailure("provider_failed", "Generation was interrupted. No charge was applied."),
    "job.image.canceled": JobFailure("canceled", "Canceled by request."),
    "job.image.canceled_unannounced": JobFailure("canceled", "Canceled by request."),
    "job.image.expired": JobFailure(
        "expired", "The job could not be started in time. No charge was applied."
    ),
    "job.task.canceled": JobFailure("canceled", "Canceled by request."),
    "job.task.failed": JobFailure("provider_failed", "The provider failed to generate the image."),
    "job.video.failed": JobFailure("provider_failed", "The provider failed to generate the clip.", scene=1),
    "job.video.canceled": JobFailure("canceled", "Canceled by request."),
}

ASKED = {
    "job.image.queued": "A shark that waits",
    "job.image.completed.4k": "A shark in neon waters",
    "job.image.trial.completed": "A second shark",
    "job.task.completed_in_part": "[fail] mugs",
    "job.task.edited": "at night",
    "job.task.of_a_provider": "a red fox",
    "job.video.completed": "Why sharks glow",
}

WALLETS = {
    "wallet.usd": Wallet("", USD, 9_990_000, 0, 3, 0),
    "wallet.holding": Wallet("", USD, 10_000_000, 20_000, 3, 0),
    "wallet.low": Wallet("", USD, 990_000, 0, 3, 0),
    "wallet.owing": Wallet("", USD, 0, 0, 3, 20_000),
    "wallet.trial_taken": Wallet("", USD, 0, 0, 2, 0),
    "wallet.credit": Wallet("", CREDIT, 19, 0, 0, 0),
    "wallet.test_usd": Wallet("", Asset.TEST_USD, 99_990_000, 0, 3, 0),
    "wallet.test_credit": Wallet("", Asset.TEST_CREDIT, 100, 0, 0, 0),
}

ENTRIES = {
    "entry.top_up.opening": (EntryKind.TOP_UP, 1_000_000, 0, 3, 0, "grant"),
    "entry.top_up.granted": (EntryKind.TOP_UP, 5_000_000, 0, 0, 0, "operator"),
    "entry.top_up.of_a_form": (EntryKind.TOP_UP, 5_000_000, 0, 0, 0, "operator"),
    "entry.top_up.paid": (EntryKind.TOP_UP, 10_000_000, 0, 0, 0, "payment"),
    "entry.hold": (EntryKind.HOLD, 0, 30_000, 0, 0, ""),
    "entry.hold.trial": (EntryKind.HOLD, 0, 0, -1, 0, ""),
    "entry.capture": (EntryKind.CAPTURE, -20_000, -30_000, 0, 0, ""),
    "entry.release": (EntryKind.RELEASE, 0, -20_000, 0, 0, ""),
    "entry.give_back": (EntryKind.GIVE_BACK, 20_000, 0, 0, 0, "operator"),
    "entry.refund": (EntryKind.REFUND, -2_500_000, 0, 0, 0, None),
    "entry.refund_failure": (EntryKind.REFUND_FAILURE, 2_500_000, 0, 0, 0, None),
    "entry.dispute": (EntryKind.DISPUTE, -9_980_000, 0, 0, 20_000, None),
    "entry.dispute_reversal": (EntryKind.DISPUTE_REVERSAL, 9_980_000, 0, 0, -20_000, None),
}
"""Kind; what is added to balance, held, trials and owed; the note, None for the payment's id."""

PAYMENTS: dict[str, tuple[int, int, list[ClaimRecord]]] = {
    "payment.paid": (1, 10_000_000, []),
    "payment.refund_failed": (3, 10_000_000, [ClaimRecord(0, 2)]),
    "payment.disputed": (4, 0, [ClaimRecord(1_000, 1), ClaimRecord(0, 2)]),
    "payment.dispute_won": (5, 10_000_000, [ClaimRecord(0, 2), ClaimRecord(0, 2)]),
}
"""Version, what it is worth to the wallet, what is known of its dispute and its refund."""

SUBSCRIPTIONS: dict[str, tuple[bool, bool, DisabledReason | None, tuple[str, ...], int]] = {
    "subscription.new": (True, False, None, ("image.*",), 0),
    "subscription.good": (True, True, None, ("image.*",), 0),
    "subscription.rotated": (True, True, None, ("image.*",), 1),
    "subscription.disabled": (False, True, DisabledReason.REQUESTED, ("image.*",), 1),
    "subscription.failing": (False, False, DisabledReason.FAILING, ("image.completed",), 0),
    "subscription.gone": (False, False, DisabledReason.GONE, ("image.completed",), 0),
}
"""Enabled, good, why disabled, events, retired secrets."""

DELIVERIES: dict[str, tuple[DeliveryStatus, int, int, list[int], bool]] = {
    "delivery.delivered": (DeliveryStatus.DELIVERED, 1, 1, [200], False),
    "delivery.requested": (DeliveryStatus.DELIVERED, 1, 1, [200], False),
    "delivery.tested": (DeliveryStatus.DELIVERED, 1, 1, [200], True),
    "delivery.of_another_run": (DeliveryStatus.DELIVERED, 2, 1, [200, 200], False),
    "delivery.pending": (DeliveryStatus.PENDING, 1, 3, [500, 500, 500], False),
    "delivery.failed": (DeliveryStatus.FAILED, 1, 4, [500, 500, 500, 500], False),
    "delivery.gone": (DeliveryStatus.FAILED, 1, 1, [410], False),
    "delivery.missed": (DeliveryStatus.FAILED, 1, 0, [], False),
}
"""Status, run, attempts in it, the status of every answer, whether one attempt is all."""

KEYS: dict[str, tuple[KeyPrefix, frozenset[Scope], int, bool, str]] = {
    "key.live": (KeyPrefix.LIVE, frozenset(Scope), 60_000, False, ""),
    "key.test": (KeyPrefix.TEST, frozenset({Scope.READ}), 60_000, False, ""),
    "key.revoked": (KeyPrefix.TEST, frozenset({Scope.READ}), 60_000, True, ""),
    "key.of_a_form": (KeyPrefix.LIVE, frozenset({Scope.READ}), 30, False, "Production server"),
}
"""Prefix, scopes, requests a minute, whether revoked, name."""

RECORDS = {
    "idempotency.image": ("POST /v1/generate", 202, "job_id"),
    "idempotency.test": ("POST /v1/generate with play money", 202, "job_id"),
    "idempotency.task": ("POST /v1/generate", 202, "data"),
    "idempotency.video": ("POST /api/v1/videos", 202, "video"),
    "idempotency.agent": ("POST /mcp", 202, "job_id"),
    "idempotency.form": ("POST /dashboard/playground", 202, "job_id"),
    "idempotency.form_of_a_webhook": ("POST /dashboard/webhooks", 201, "webhook"),
    "idempotency.webhook": ("POST /api/v1/webhooks", 201, "webhook"),
    "idempotency.webhook_rotated": ("POST /api/v1/webhooks/{id}/rotate", 200, "webhook"),
    "idempotency.account_secret.1": ("POST /v1/webhook-secret", 201, "created_at"),
    "idempotency.account_secret.2": ("POST /v1/webhook-secret/rotate", 200, "created_at"),
}
"""The route it counts within, the status of its answer, and a field of that answer."""

BREAKERS: dict[str, tuple[BreakerState, bool, int, str]] = {
    "breaker.counting": (BreakerState.CLOSED, False, 0, ""),
    "breaker.open": (BreakerState.OPEN, False, 1, "401"),
    "breaker.probing": (BreakerState.HALF_OPEN, True, 1, "401"),
    "breaker.closed": (BreakerState.CLOSED, False, 0, ""),
}
"""State, whether a probe is under way, openings in a row, what its reason says."""

OTHERS = {
    "account",
    "account.listed",
    "account.suspended",
    "account.suspended.listed",
    "account_secret.1",
    "account_secret.2",
    "key.suspended",
    "person",
    "provider_key",
    "provider_key.removed",
    "quote",
    "runs",
    "scene.ready",
    "scene.written",
    "session.live",
    "session.operator",
    "session.test",
    "slots",
    "subscriptions_count",
    "usage.credit",
    "usage.test_usd",
    "usage.usd",
}
"""Items that have tests of their own."""
