"""A person's ways through the dashboard in a real browser, and what is wrong with its pages."""

from __future__ import annotations

import itertools
import os
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Literal
from uuid import uuid4

import pytest
from playwright.sync_api import Browser, Locator, Page, StorageState, expect

from infra.local.cloud import LocalCloud
from shoal.domain.person import OPERATORS
from tests.fakes.stripe import FakeStripe
from tests.support.browser import AXE, WAIT_MS, browser, tab

PASSWORD = "correct horse battery staple"
SIZES = {"phone": (390, 844), "desktop": (1440, 900)}
Scheme = Literal["light", "dark"]
SCHEMES: tuple[Scheme, ...] = ("light", "dark")
LOOKS: tuple[tuple[str, Scheme], ...] = (("phone", "dark"), ("desktop", "light"))


@pytest.fixture(scope="module")
def chromium() -> Iterator[Browser]:
    expect.set_options(timeout=WAIT_MS)
    with browser() as started:
        yield started


@pytest.fixture(scope="module")
def operators(cloud: LocalCloud, chromium: Browser) -> StorageState:
    """The cookies of an operator's session."""
    with tab(chromium) as page:
        email = register(page, cloud)
        cloud.client("cognito-idp").admin_add_user_to_group(
            UserPoolId=cloud.outputs["UserPoolId"], Username=email, GroupName=OPERATORS
        )
        page.get_by_role("button", name="Sign out").click()
        page.get_by_label("E-mail").fill(email)
        page.get_by_label("Password").fill(PASSWORD)
        page.get_by_role("button", name="Sign in").click()
        expect(page.get_by_role("link", name="Operate")).to_be_visible()
        return page.context.storage_state()


def register(page: Page, cloud: LocalCloud) -> str:
    """A new person, signed in; returns the e-mail address."""
    email = f"{uuid4().hex[:12]}@example.com"
    page.goto(f"{cloud.api_url}/dashboard/sign-up")
    page.get_by_label("E-mail").fill(email)
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_role("button", name="Create account").click()
    expect(page.get_by_text(email)).to_be_visible()
    return email


def make_key(page: Page, cloud: LocalCloud, name: str) -> str:
    """A new key's secret, though the button is clicked as some people click all buttons."""
    page.goto(f"{cloud.api_url}/dashboard/keys")
    page.get_by_label("Name").fill(name)
    page.get_by_role("button", name="Create key").dblclick()
    return page.locator("#secret").inner_text()


def tile(page: Page, name: str) -> Locator:
    return page.locator(".tile", has_text=name)


def choose(page: Page, cloud: LocalCloud, offer: str) -> None:
    """From the wallet to the page where this offer is paid."""
    page.goto(f"{cloud.api_url}/dashboard/wallet")
    page.get_by_role("link", name="Top up").click()
    page.get_by_role("button", name=offer, exact=True).click()


def pay(page: Page, stripe: FakeStripe, price: str) -> str:
    """Press the button of Stripe's page, and be sent back. Returns the checkout's id."""
    expect(page.get_by_role("heading", name=f"Pay {price}")).to_be_visible()
    place, _, checkout_id = page.url.rpartition("/")
    assert place == f"{stripe.url}/pay"
    page.get_by_role("button", name="Pay").click()
    expect(page.get_by_role("status")).to_have_text("Thank you: your payment is in the wallet.")
    return checkout_id


def grant(page: Page, cloud: LocalCloud, operator: Page) -> None:
    """The operator grants $10.00, which the wallet shows."""
    page.goto(f"{cloud.api_url}/dashboard/wallet")
    account_id = page.locator("#account-id").inner_text()
    operator.goto(f"{cloud.api_url}/dashboard/operate/accounts/{account_id}")
    operator.get_by_label("Amount").fill("10.00")
    operator.get_by_label("Why").fill("Paid by invoice")
    operator.get_by_role("button", name="Grant").click()
    expect(operator.get_by_role("status")).to_have_text("Granted.")
    page.reload()
    expect(tile(page, "Available")).to_contain_text("$10.00")
    expect(page.get_by_role("row", name=re.compile("Grant .*[+][$]10.00"))).to_be_visible()


def faults(page: Page, cloud: LocalCloud, path: str, name: str) -> list[str]:
    """What is wrong with a page, looked at twice: at every size and in all colours."""
    page.goto(f"{cloud.api_url}/dashboard{path}")
    keep(page, name)
    page.evaluate(AXE.read_text(encoding="utf-8"))
    found = []
    for size, scheme in LOOKS:
        width, height = SIZES[size]
        page.set_viewport_size({"width": width, "height": height})
        page.emulate_media(color_scheme=scheme)
        found += [f"{name}, {size}, {scheme}: {each}" for each in violations(page)]
        if page.evaluate("document.documentElement.scrollWidth") > width:
            found.append(f"{name}, {size}: wider than the screen")
    return found


def violations(page: Page) -> list[str]:
    page.evaluate(AXE.read_text(encoding="utf-8"))
    rules = page.evaluate("axe.run(document)")["violations"]
    return [f"{rule['id']}: {node['html'][:150]}" for rule in rules for node in rule["nodes"]]


def keep(page: Page, name: str) -> None:
    """Pictures of a page at every size in all colours, where SHOAL_SCREENSHOTS names a folder for them."""
    folder = os.environ.get("SHOAL_SCREENSHOTS")
    for (size, (width, height)), scheme in itertools.product(SIZES.items() if folder else (), SCHEMES):
        page.set_viewport_size({"width": width, "height": height})
        page.emulate_media(color_scheme=scheme)
        page.screenshot(path=Path(folder or "") / f"{name}-{size}-{scheme}.png", full_page=True)
