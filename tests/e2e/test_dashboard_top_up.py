"""A person buys, in a real browser: from the wallet to Stripe's page, and back with the money."""

from __future__ import annotations

import re

from playwright.sync_api import Browser, Locator, Page, expect

from infra.local.cloud import LocalCloud
from tests.e2e.test_dashboard import chromium, faults, keep, register, tile, violations
from tests.fakes.stripe import FakeStripe
from tests.support_browser import tab

__all__ = ["chromium"]


def choose(page: Page, cloud: LocalCloud, offer: str) -> None:
    """From the wallet to the page where this offer is paid."""
    page.goto(f"{cloud.api_url}/dashboard/wallet")
    page.get_by_role("link", name="Top up").click()
    page.get_by_role("button", name=offer).click()


def pay(page: Page, stripe: FakeStripe, price: str) -> str:
    """Press the button of Stripe's page, and be sent back. Returns the checkout's id."""
    expect(page.get_by_role("heading", name=f"Pay {price}")).to_be_visible()
    place, _, checkout_id = page.url.rpartition("/")
    assert place == f"{stripe.url}/pay"
    page.get_by_role("button", name="Pay").click()
    expect(page.get_by_role("status")).to_have_text("Thank you: your payment is in the wallet.")
    return checkout_id


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
