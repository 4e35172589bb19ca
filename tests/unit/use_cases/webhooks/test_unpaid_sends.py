"""An account that never had money floods no host that never agreed to it."""

from __future__ import annotations

from collections import Counter

import pytest

from shoal.domain.delivery import DeliveryStatus
from tests.support.factories import a_job
from tests.worlds.webhook_world import ACCOUNT, UNPAID_SENDS_MAX, URL, WebhookWorld

WEBHOOKS = 5
VICTIM = "https://victim.example.com"


@pytest.fixture
def webhooks() -> WebhookWorld:
    return WebhookWorld()


def a_free_request(webhooks: WebhookWorld) -> None:
    """One job whose end goes to five webhooks of one host and its `webhook_url` there, and nobody answers."""
    for number in range(WEBHOOKS):
        url = f"{VICTIM}/{number}"
        webhooks.endpoints.at(500, url=url)
        webhooks.create(url=url)
    job = a_job(account_id=ACCOUNT, webhook_url=f"{VICTIM}/job")
    webhooks.endpoints.at(500, url=f"{VICTIM}/job")
    webhooks.jobs.jobs[ACCOUNT, job.id] = job
    webhooks.event().detail["data"] |= {"job_id": job.id}


def by_minute(webhooks: WebhookWorld) -> Counter[int]:
    return Counter(sent.at_ms // 60_000 for sent in webhooks.endpoints.sent)


def test_one_free_request_sends_a_host_few_requests_a_minute(webhooks: WebhookWorld) -> None:
    """It made 42 POSTs: six deliveries, seven attempts each; as many more as somebody tests and resends."""
    webhooks.funds.penniless.add(ACCOUNT)
    a_free_request(webhooks)
    for _ in range(20):
        (webhook_id, *_) = webhooks.tables.subscriptions
        webhooks.send_test(webhooks.caller(), webhook_id)

    webhooks.run()

    assert max(by_minute(webhooks).values()) == UNPAID_SENDS_MAX


def test_what_is_over_the_bound_comes_later(webhooks: WebhookWorld) -> None:
    webhooks.funds.penniless.add(ACCOUNT)
    webhook_id, _ = webhooks.subscribed()
    for _ in range(3 * UNPAID_SENDS_MAX):
        webhooks.event()

    webhooks.run()

    assert {each.status for each in webhooks.all_of(webhook_id)} == {DeliveryStatus.DELIVERED}
    assert len(by_minute(webhooks)) >= 3


def test_another_host_is_counted_by_itself(webhooks: WebhookWorld) -> None:
    webhooks.funds.penniless.add(ACCOUNT)
    for number in range(3):
        webhooks.create(url=f"https://host-{number}.example.com/")
    for _ in range(UNPAID_SENDS_MAX):
        webhooks.event()

    webhooks.run()

    assert max(by_minute(webhooks).values()) == 3 * UNPAID_SENDS_MAX


def test_spellings_of_a_host_are_one_host(webhooks: WebhookWorld) -> None:
    webhooks.funds.penniless.add(ACCOUNT)
    for url in (
        "https://victim.example.com/a",
        "https://VICTIM.example.com/b",
        "https://victim.example.com:443/c",
    ):
        webhooks.create(url=url)
    for _ in range(UNPAID_SENDS_MAX):
        webhooks.event()

    webhooks.run()

    assert max(by_minute(webhooks).values()) == UNPAID_SENDS_MAX


def test_an_account_that_had_money_is_not_bounded(webhooks: WebhookWorld) -> None:
    webhooks.create(url=URL)
    for _ in range(4 * UNPAID_SENDS_MAX):
        webhooks.event()

    webhooks.run()

    assert max(by_minute(webhooks).values()) > UNPAID_SENDS_MAX
