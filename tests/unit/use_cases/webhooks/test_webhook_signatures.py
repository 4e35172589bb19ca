"""Every delivery is accepted by the published verifiers, also while a rotation is under way."""

from __future__ import annotations

import base64
import json
import time
from typing import Any

import pytest
from standardwebhooks import Webhook, WebhookVerificationError
from svix.webhooks import Webhook as SvixWebhook

from shoal.dialects import webhooks as dialect
from shoal.domain.events import Event
from shoal.domain.webhook import EVENT_TYPES, SECRETS_MAX
from tests.support.webhooks import assert_signed, vidshark_accepts
from tests.worlds.webhook_world import ACCOUNT, Sent, WebhookWorld

DAY_S = 24 * 3600
BODY_BYTES_MAX = 20_000


@pytest.fixture
def webhooks() -> WebhookWorld:
    """A world of today: the packages' verifiers look at the clock on the wall."""
    world = WebhookWorld()
    world.clock.ms = round(time.time() * 1000)
    return world


def rotate(webhooks: WebhookWorld, webhook_id: str) -> str:
    answered = webhooks.manage.rotate(webhooks.caller(), webhook_id, None, dialect.webhook)
    secret: str = answered.body["secret"]
    return secret


def delivered(webhooks: WebhookWorld, event_type: str = "image.completed") -> Sent:
    webhooks.event(event_type)
    webhooks.run()
    return webhooks.endpoints.sent[-1]


def standard_accepts(verifier: Any, sent: Sent) -> bool:
    headers = {name.lower(): value for name, value in sent.headers.items()}
    headers |= {name.replace("webhook-", "svix-"): value for name, value in headers.items()}
    try:
        verifier.verify(sent.body, headers)
    except WebhookVerificationError:
        return False
    return True


@pytest.mark.parametrize("event_type", EVENT_TYPES)
def test_every_published_verifier_accepts_every_type_of_event(
    webhooks: WebhookWorld, event_type: str
) -> None:
    _, secret = webhooks.subscribed("*")

    sent = delivered(webhooks, event_type)

    event = assert_signed(secret, sent.headers, sent.body)
    assert list(event) == ["id", "type", "created_at", "data"]
    assert (event["id"], event["type"]) == (sent.event_id, event_type)
    assert len(sent.body) < BODY_BYTES_MAX


def test_a_signature_holds_for_this_body_and_this_secret_alone(webhooks: WebhookWorld) -> None:
    _, secret = webhooks.subscribed("*")
    sent = delivered(webhooks)
    headers = {name.lower(): value for name, value in sent.headers.items()}
    other = webhooks.secret()

    assert not vidshark_accepts(secret, headers, sent.body + b" ", time.time())
    assert not vidshark_accepts(other, headers, sent.body, time.time())
    assert not standard_accepts(Webhook(other), sent)
    assert not standard_accepts(Webhook(secret), Sent(0, "", sent.headers, sent.body + b" "))


def test_without_a_rotation_there_is_exactly_one_signature_of_each_family(webhooks: WebhookWorld) -> None:
    _, secret = webhooks.subscribed("*")

    sent = delivered(webhooks)

    assert sent.headers["VidShark-Signature"].count("v1=") == 1
    assert len(sent.headers["webhook-signature"].split(" ")) == 1
    assert len(base64.b64decode(secret.removeprefix("whsec_"), validate=True)) == 32


def test_during_a_rotation_both_secrets_sign_and_the_current_one_comes_last(webhooks: WebhookWorld) -> None:
    webhook_id, old = webhooks.subscribed("*")
    new = rotate(webhooks, webhook_id)

    sent = delivered(webhooks)

    assert_signed(new, sent.headers, sent.body)
    assert standard_accepts(Webhook(old), sent)
    assert standard_accepts(SvixWebhook(old), sent)
    stamp, first, _ = sent.headers["VidShark-Signature"].split(",")
    assert vidshark_accepts(old, {"vidshark-signature": f"{stamp},{first}"}, sent.body, time.time())


@pytest.mark.parametrize(("later_s", "accepted"), [(DAY_S - 60, True), (DAY_S + 60, False)])
def test_a_replaced_secret_signs_for_a_day(webhooks: WebhookWorld, later_s: int, accepted: bool) -> None:
    webhooks.clock.pass_seconds(-later_s)
    webhook_id, old = webhooks.subscribed("*")
    new = rotate(webhooks, webhook_id)
    webhooks.clock.ms = round(time.time() * 1000)

    sent = delivered(webhooks)

    assert_signed(new, sent.headers, sent.body)
    assert standard_accepts(Webhook(old), sent) is accepted


def test_many_rotations_within_a_day_keep_the_newest_secrets(webhooks: WebhookWorld) -> None:
    webhook_id, first = webhooks.subscribed("*")
    later = [rotate(webhooks, webhook_id) for _ in range(SECRETS_MAX)]

    sent = delivered(webhooks)

    assert_signed(later[-1], sent.headers, sent.body)
    assert all(standard_accepts(Webhook(secret), sent) for secret in later)
    assert not standard_accepts(Webhook(first), sent)


def test_a_retry_after_a_rotation_is_signed_by_the_new_secret_at_its_own_time(webhooks: WebhookWorld) -> None:
    webhooks.clock.pass_seconds(-60)
    webhook_id, _ = webhooks.subscribed("*")
    webhooks.endpoints.at(500, 200)
    webhooks.event()
    webhooks.run(until_ms=webhooks.clock.ms + 1_000)
    new = rotate(webhooks, webhook_id)

    webhooks.run()

    first, retry = webhooks.endpoints.sent
    assert (retry.event_id, retry.body) == (first.event_id, first.body)
    assert retry.headers["webhook-timestamp"] != first.headers["webhook-timestamp"]
    assert_signed(new, retry.headers, retry.body)


def test_the_account_secret_signs_what_requests_asked_for(webhooks: WebhookWorld) -> None:
    made = webhooks.manage_secret.rotate(webhooks.caller(), None, dialect.secret_resource).body["secret"]
    again = webhooks.manage_secret.rotate(webhooks.caller(), None, dialect.secret_resource).body["secret"]
    sealed = webhooks.tables.account_secrets[ACCOUNT, False].secrets

    assert made != again
    assert [made[::-1] in each for each in sealed.signing_secrets(webhooks.clock.ms)] == [False, True]


def test_a_body_is_as_long_as_its_bytes(webhooks: WebhookWorld) -> None:
    """4,000 fish are 16 kB and were cut: their escapes made 48 kB."""
    webhooks.subscribed("*")
    event = webhooks.event()
    webhooks.queues.waiting.clear()
    webhooks.queues.put(Event(event.type, event.detail | {"data": {"text": "\U0001f988" * 4_000}}))

    webhooks.run()

    (sent,) = webhooks.endpoints.sent
    assert json.loads(sent.body)["data"] == {"text": "\U0001f988" * 4_000}


def test_a_body_that_would_be_too_long_is_cut_and_still_signed(webhooks: WebhookWorld) -> None:
    _, secret = webhooks.subscribed("*")
    event = webhooks.event()
    webhooks.queues.waiting.clear()
    detail = event.detail | {"data": {"job_id": "job_x", "metadata": {"text": "ü" * 40_000}, "urls": []}}
    webhooks.queues.put(Event(event.type, detail))

    webhooks.run()

    (sent,) = webhooks.endpoints.sent
    assert len(sent.body) < BODY_BYTES_MAX
    assert_signed(secret, sent.headers, sent.body)
    assert json.loads(sent.body)["data"] == {"job_id": "job_x", "metadata": None, "urls": []}
