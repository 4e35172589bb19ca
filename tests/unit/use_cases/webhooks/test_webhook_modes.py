"""Test and live are apart: a key of one mode knows, moves and hears nothing of the other's webhooks."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace

import pytest

from shoal.dialects import webhooks as dialect
from shoal.domain.delivery import DeliveryStatus
from shoal.domain.errors import NotFound, TooManyWebhooks
from shoal.domain.job import Job
from shoal.domain.money import Asset
from shoal.domain.webhook import REQUESTED, Changes, disabled_event
from shoal.ports.webhooks import DeliveryFilter
from tests.support.factories import a_job
from tests.support.webhooks import assert_signed
from tests.worlds.webhook_world import URL, WebhookWorld

TEST_URL = "https://hooks.example.com/test"


@pytest.fixture
def webhooks() -> WebhookWorld:
    return WebhookWorld()


Use = Callable[[WebhookWorld, str], object]
TOUCHES: dict[str, Use] = {
    "read": lambda hooks, id_: hooks.manage.read(hooks.caller(test=True), id_),
    "change": lambda hooks, id_: hooks.manage.change(hooks.caller(test=True), id_, Changes(url=TEST_URL)),
    "delete": lambda hooks, id_: hooks.manage.delete(hooks.caller(test=True), id_),
    "rotate": lambda hooks, id_: hooks.manage.rotate(hooks.caller(test=True), id_, None, dialect.webhook),
    "test": lambda hooks, id_: hooks.send_test(hooks.caller(test=True), id_),
    "deliveries": lambda hooks, id_: hooks.deliveries.list(
        hooks.caller(test=True), id_, DeliveryFilter(), limit=10, cursor=None
    ),
    "recover": lambda hooks, id_: hooks.recover_since(hooks.caller(test=True), id_, 0),
}


@pytest.mark.parametrize("use", TOUCHES.values(), ids=TOUCHES.keys())
def test_a_test_key_touches_no_live_webhook(webhooks: WebhookWorld, use: Use) -> None:
    webhook_id, _ = webhooks.subscribed()
    before = webhooks.subscription(webhook_id)

    with pytest.raises(NotFound):
        use(webhooks, webhook_id)

    assert webhooks.subscription(webhook_id) == before
    assert webhooks.endpoints.sent == []


def test_a_live_key_touches_no_test_webhook(webhooks: WebhookWorld) -> None:
    webhook_id, _ = webhooks.subscribed(test=True)

    with pytest.raises(NotFound):
        webhooks.manage.read(webhooks.caller(), webhook_id)


def test_a_test_key_resends_no_live_delivery(webhooks: WebhookWorld) -> None:
    webhook_id, _ = webhooks.subscribed()
    webhooks.event()
    webhooks.run()
    (delivery,) = webhooks.all_of(webhook_id)

    with pytest.raises(NotFound):
        webhooks.resend(webhooks.caller(test=True), webhook_id, delivery.id)


def test_a_list_holds_the_webhooks_of_its_mode(webhooks: WebhookWorld) -> None:
    live, _ = webhooks.subscribed()
    test, _ = webhooks.subscribed(test=True)

    for mode, expected in ((False, live), (True, test)):
        listed = webhooks.manage.list(webhooks.caller(test=mode))
        assert [each.id for each in listed] == [expected]


@pytest.mark.parametrize("test", [False, True])
def test_events_go_to_the_webhooks_of_their_mode(webhooks: WebhookWorld, test: bool) -> None:
    webhooks.subscribed(url=URL)
    webhooks.subscribed(url=TEST_URL, test=True)

    webhooks.event(test=test)
    webhooks.run()

    assert [sent.url for sent in webhooks.endpoints.sent] == [TEST_URL if test else URL]


def test_a_disabling_is_told_in_the_mode_of_its_webhook(webhooks: WebhookWorld) -> None:
    for test in (False, True):
        webhook_id, _ = webhooks.subscribed(test=test)
        assert disabled_event(webhooks.subscription(webhook_id)).test is test


def test_test_webhooks_take_no_room_from_live_ones() -> None:
    hooks = WebhookWorld(subscriptions_max=1)
    hooks.create(test=True)
    with pytest.raises(TooManyWebhooks):
        hooks.create(test=True)

    assert hooks.create().status == 201


def a_job_of(test: bool) -> Job:
    job = a_job(webhook_url=TEST_URL if test else URL)
    return replace(job, submission=replace(job.submission, asset=Asset("test_usd" if test else "usd")))


def ended(webhooks: WebhookWorld, *, test: bool) -> None:
    job = a_job_of(test)
    webhooks.jobs.jobs[job.account_id, job.id] = job
    event = webhooks.event(account_id=job.account_id, test=test)
    event.detail["data"] |= {"job_id": job.id}
    webhooks.run()


def test_each_mode_has_an_account_secret_of_its_own(webhooks: WebhookWorld) -> None:
    render = dialect.secret_resource
    secrets = {
        test: webhooks.manage_secret.rotate(webhooks.caller(test=test), None, render).body["secret"]
        for test in (False, True)
    }
    assert secrets[False] != secrets[True]

    for test in (False, True):
        ended(webhooks, test=test)
        sent = webhooks.endpoints.sent[-1]
        now_s = webhooks.clock.ms / 1000
        assert_signed(secrets[test], sent.headers, sent.body, now_s=now_s)
        with pytest.raises(AssertionError):
            assert_signed(secrets[not test], sent.headers, sent.body, now_s=now_s)


def test_a_test_key_sees_no_delivery_to_the_address_of_a_live_request(webhooks: WebhookWorld) -> None:
    ended(webhooks, test=False)
    ended(webhooks, test=True)

    for test in (False, True):
        page = webhooks.deliveries.list(
            webhooks.caller(test=test), REQUESTED, DeliveryFilter(), limit=10, cursor=None
        )
        (delivery,) = page.deliveries
        assert (delivery.url, delivery.status) == (TEST_URL if test else URL, DeliveryStatus.DELIVERED)
        assert json.loads(delivery.body)["data"]["test"] is test


def test_only_the_public_name_leads_to_deliveries_of_requests(webhooks: WebhookWorld) -> None:
    ended(webhooks, test=True)

    with pytest.raises(NotFound):
        webhooks.recover_since(webhooks.caller(), "requested-in-test", 0)
