"""A person buys, in a real browser: from the wallet to Stripe's page, and back with the money."""

from __future__ import annotations

import re
from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, Locator, Page, StorageState, expect

from infra.local.aws import STAGE
from infra.local.cloud import LocalCloud
from shoal.adapters.stripe.keys import StripeKeys
from shoal.adapters.system import SystemClock
from tests.fakes.stripe import FakeStripe
from tests.support.browser import tab
from tests.support.cloud import connect
from tests.support.pages import (
    choose,
    chromium,
    faults,
    grant,
    keep,
    operators,
    pay,
    register,
    tile,
    violations,
)

__all__ = ["chromium", "operators"]


@pytest.fixture
def without_keys(cloud: LocalCloud, stripe: FakeStripe) -> Iterator[None]:
    """The shared stage takes no payments meanwhile, and does again afterwards."""
    StripeKeys(cloud.client("secretsmanager"), STAGE, SystemClock()).remove()
    forget_keys(cloud)
    try:
        yield
    finally:
        connect(stripe, cloud)
        forget_keys(cloud)


def forget_keys(cloud: LocalCloud) -> None:
    """Have the page ask for keys again at once, which it otherwise does every minute."""
    functions, name = cloud.client("lambda"), f"shoal-{STAGE}-top-up"
    known = functions.get_function_configuration(FunctionName=name)["Environment"]
    # Lambda starts new instances of a function whose environment is set.
    functions.update_function_configuration(FunctionName=name, Environment=known)


def entry(page: Page, what: str) -> Locator:
    return page.get_by_role("row", name=re.compile(what))


def test_what_is_paid_at_stripes_page_is_in_the_wallet(
    cloud: LocalCloud, chromium: Browser, stripe: FakeStripe
) -> None:
    with tab(chromium) as page:
        register(page, cloud)
        choose(page, cloud, "$25.00")
        checkout_id = pay(page, stripe, "$25.00")
        expect(tile(page, "Available")).to_contain_text("$25.00")
        expect(entry(page, r"Top-up pi_\w+ .*[+][$]25\.00")).to_have_count(1)

        page.goto(f"{cloud.api_url}/dashboard/top-up?checkout={checkout_id}")
        expect(tile(page, "Available")).to_contain_text("$25.00")

        choose(page, cloud, "10 credits for $10.00")
        pay(page, stripe, "$10.00")
        expect(tile(page, "Credits")).to_contain_text("10 balance")
        expect(entry(page, r"Top-up pi_\w+ .*[+]10")).to_have_count(1)
        keep(page, "wallet-paid")


def test_what_is_not_sold_is_said_and_all_can_use_the_page(cloud: LocalCloud, chromium: Browser) -> None:
    with tab(chromium, bypass_csp=True) as page:
        register(page, cloud)
        assert faults(page, cloud, "/top-up", "top-up") == []
        page.get_by_label("Another amount").fill("9.99")
        page.get_by_role("button", name="Continue to payment").click()
        expect(page.get_by_role("alert")).to_have_text("The amount must be from $10.00 to $1000.00.")
        expect(page.get_by_label("Another amount")).to_have_value("9.99")
        assert violations(page) == []

        page.get_by_label("Another amount").fill("12.34")
        page.keyboard.press("Enter")
        expect(page.get_by_role("heading", name="Pay $12.34")).to_be_visible()
        page.get_by_role("link", name="Back").click()
        expect(page.get_by_role("heading", name="Top up")).to_be_visible()

        page.get_by_role("button", name="Test", exact=True).click()
        expect(page.get_by_text("Play money is not sold.")).to_be_visible()
        assert faults(page, cloud, "/top-up", "top-up-test-mode") == []


@pytest.mark.usefixtures("without_keys")
def test_a_stage_without_keys_leads_to_its_operator_who_grants(
    cloud: LocalCloud, chromium: Browser, operators: StorageState
) -> None:
    with tab(chromium, bypass_csp=True) as page, tab(chromium, storage_state=operators) as desk:
        register(page, cloud)
        page.goto(f"{cloud.api_url}/dashboard/wallet")
        page.get_by_role("link", name="Top up").click()
        expect(page.get_by_role("heading", name="Ask the operator")).to_be_visible()
        account_id = page.locator("#account-id").inner_text()
        assert faults(page, cloud, "/top-up", "top-up-no-keys") == []

        grant(page, cloud, desk)
        assert page.locator("#account-id").inner_text() == account_id
