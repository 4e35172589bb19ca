"""A person at the dashboard, in a real browser, on the deployed stack."""

from __future__ import annotations

import itertools
import os
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Literal
from uuid import uuid4

import pytest
import requests
from playwright.sync_api import Browser, Locator, Page, StorageState, expect

from infra.local.cloud import LocalCloud
from shoal.domain.person import OPERATORS
from tests.support_browser import AXE, WAIT_MS, browser, tab
from tests.support_curl import curl
from tests.support_receiver import Receiver

PASSWORD = "correct horse battery staple"
FIRST_PAGE_BYTES_MAX = 100_000
SIZES = {"phone": (390, 844), "desktop": (1440, 900)}
Scheme = Literal["light", "dark"]
SCHEMES: tuple[Scheme, ...] = ("light", "dark")
LOOKS: tuple[tuple[str, Scheme], ...] = (("phone", "dark"), ("desktop", "light"))
CURL_SECONDS_MAX = 20


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


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    with Receiver() as listening:
        yield listening


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
    page.goto(f"{cloud.api_url}/dashboard/keys")
    page.get_by_label("Name").fill(name)
    page.get_by_role("button", name="Create key").click()
    return page.locator("#secret").inner_text()


def generate(
    cloud: LocalCloud, key: str, prompt: str = "A shark swimming in neon-lit deep ocean"
) -> requests.Response:
    """As the quick start's curl does."""
    return requests.post(
        f"{cloud.api_url}/v1/generate",
        headers={"Authorization": f"Bearer {key}"},
        json={"mode": "1k", "prompt": prompt},
        timeout=CURL_SECONDS_MAX,
    )


def test_from_registering_to_a_revoked_key(
    cloud: LocalCloud, chromium: Browser, operators: StorageState, receiver: Receiver
) -> None:
    with tab(chromium) as page:
        register(page, cloud)
        expect(page.get_by_text("Get started")).to_be_visible()
        key = make_key(page, cloud, "My first key")
        command = page.locator("#try").inner_text()
        assert key in command

        page.goto(f"{cloud.api_url}/dashboard")
        expect(page.get_by_text("Nothing was generated yet.")).to_be_visible()
        assert curl(command).status_code == 202
        # Without a reload: the row comes by itself, and then its picture.
        row = page.get_by_role("row", name=re.compile("neon-lit"))
        expect(row.get_by_text("Completed")).to_be_visible()
        expect(row.locator("img")).to_have_js_property("naturalWidth", 1024)
        expect(tile(page, "Free generations left")).to_contain_text("2")

        top_up(page, cloud, chromium, operators)
        assert curl(command).status_code == 202
        page.goto(f"{cloud.api_url}/dashboard")
        expect(page.locator(".badge.completed")).to_have_count(2)
        expect(tile(page, "Available")).to_contain_text("$9.99")
        page.goto(f"{cloud.api_url}/dashboard/usage")
        expect(page.get_by_role("row", name="shoal-image 2 2 $0.01", exact=True)).to_be_visible()

        webhook(page, cloud, receiver)

        page.goto(f"{cloud.api_url}/dashboard/keys")
        page.get_by_role("button", name="Revoke My first key").click()
        expect(page.get_by_text("Revoked")).to_be_visible()
        assert curl(command).status_code == 401


def tile(page: Page, name: str) -> Locator:
    return page.locator(".tile", has_text=name)


def top_up(page: Page, cloud: LocalCloud, chromium: Browser, operators: StorageState) -> None:
    """An operator grants $10.00, which the wallet shows."""
    page.goto(f"{cloud.api_url}/dashboard/wallet")
    account_id = page.locator("#account-id").inner_text()
    with tab(chromium, storage_state=operators) as desk:
        desk.goto(f"{cloud.api_url}/dashboard/operate")
        desk.get_by_label("Account id").fill(account_id)
        desk.get_by_role("button", name="Find").click()
        desk.get_by_label("Amount").fill("10.00")
        desk.get_by_role("button", name="Grant").click()
        expect(desk.get_by_role("status")).to_have_text("Granted.")
    page.reload()
    expect(tile(page, "Available")).to_contain_text("$10.00")
    expect(page.get_by_role("row", name=re.compile("Grant .*[+][$]10.00"))).to_be_visible()


def webhook(page: Page, cloud: LocalCloud, receiver: Receiver) -> None:
    """Create one, try it, see the delivery."""
    page.goto(f"{cloud.api_url}/dashboard/webhooks")
    page.get_by_label("Name").fill("My endpoint")
    page.get_by_label("Address").fill(receiver.url("/dashboard"))
    page.get_by_role("button", name="Create webhook").click()
    assert page.locator("#secret").inner_text().startswith("whsec_")
    page.get_by_role("button", name="Send a test").click()
    delivered = page.get_by_role("row", name=re.compile("Test"))
    expect(delivered.get_by_text("Delivered")).to_be_visible()
    expect(delivered.get_by_text("1 attempt, 200")).to_be_visible()


def test_the_playground_quotes_runs_and_shows_the_picture(cloud: LocalCloud, chromium: Browser) -> None:
    with tab(chromium) as page:
        register(page, cloud)
        page.goto(f"{cloud.api_url}/dashboard/playground")
        page.get_by_label("Prompt").fill("A manta ray <script>alert(1)</script>")
        page.get_by_label("Mode (optional)").select_option("4k")
        expect(page.locator(".price")).to_have_text("$0.03")
        expect(page.locator("#code-1")).to_contain_text("curl -X POST")
        page.get_by_label("Mode (optional)").select_option("1k")
        expect(page.locator(".price")).to_have_text("$0.01")
        page.get_by_role("button", name="Generate").click()
        expect(page.locator("#watched").get_by_text("Completed", exact=True)).to_be_visible()
        expect(page.locator("#watched img")).to_have_js_property("naturalWidth", 1024)


def test_the_first_page_is_light_and_asks_nobody_else(cloud: LocalCloud, chromium: Browser) -> None:
    with tab(chromium) as page:
        register(page, cloud)
    with tab(chromium) as page:
        sizes: list[int] = []
        hosts: set[str] = set()
        page.on("requestfinished", lambda request: sizes.append(request.sizes()["responseBodySize"]))
        page.on("request", lambda request: hosts.add(request.url.split("/")[2]))
        page.goto(f"{cloud.api_url}/dashboard/sign-in")
        page.wait_for_load_state("networkidle")
        assert sum(sizes) < FIRST_PAGE_BYTES_MAX
        assert hosts == {cloud.api_url.split("/")[2]}


GUESTS = ("/sign-in", "/sign-up", "/confirm", "/forgot", "/reset")
FIRST_MEMBERS = ("", "/playground", "/jobs", "/videos", "/usage", "/wallet", "/keys", "/webhooks", "/nowhere")


def live_in(page: Page, cloud: LocalCloud) -> dict[str, str]:
    """Leave something on every page; returns the paths of those that are about one thing, by name."""
    key = make_key(page, cloud, "Production server")
    job_id = generate(cloud, key).json()["job_id"]
    page.goto(f"{cloud.api_url}/dashboard/webhooks")
    page.get_by_label("Address").fill("http://localhost:9/hooks")
    page.get_by_role("button", name="Create webhook").click()
    expect(page.locator("#secret")).to_be_visible()
    page.goto(f"{cloud.api_url}/dashboard/webhooks")
    webhook = page.locator("a.what").get_attribute("href") or ""
    page.goto(f"{cloud.api_url}/dashboard/wallet")
    account = f"/operate/accounts/{page.locator('#account-id').inner_text()}"
    failing_id = generate(cloud, key, "A shark [fail]").json()["job_id"]
    for id_, badge in ((job_id, "completed"), (failing_id, "failed")):
        page.goto(f"{cloud.api_url}/dashboard/jobs/{id_}")
        expect(page.locator(f".badge.{badge}")).to_be_visible()
    return {
        "job": f"/jobs/{job_id}",
        "webhook": webhook.removeprefix("/dashboard"),
        "operate": "/operate",
        "operate-failed": "/operate/failed",
        "operate-account": account,
        "operate-job": f"{account}/jobs/{job_id}",
    }


def test_every_page_can_be_used_by_everybody(
    cloud: LocalCloud, chromium: Browser, operators: StorageState
) -> None:
    """axe finds nothing, and nothing runs out of a narrow screen."""
    # axe is put into the page from outside, which the pages' own policy rightly forbids.
    with tab(chromium, bypass_csp=True) as page:
        found = [each for path in GUESTS for each in faults(page, cloud, path, path.strip("/"))]
    with tab(chromium, bypass_csp=True, storage_state=operators) as page:
        paths = {path.strip("/") or "overview": path for path in FIRST_MEMBERS} | live_in(page, cloud)
        for name, path in paths.items():
            found += faults(page, cloud, path, name)
    assert found == []


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


def test_the_keyboard_is_enough(cloud: LocalCloud, chromium: Browser) -> None:
    with tab(chromium) as page:
        register(page, cloud)
        page.goto(f"{cloud.api_url}/dashboard/jobs")
        page.keyboard.press("Tab")
        expect(page.get_by_role("link", name="Skip to content")).to_be_focused()
        page.keyboard.press("Enter")
        page.keyboard.press("Tab")
        expect(page.get_by_role("link", name="Generate")).to_be_focused()
        page.keyboard.press("Enter")
        expect(page.get_by_role("heading", name="Playground")).to_be_visible()


def test_nothing_shown_can_run(cloud: LocalCloud, chromium: Browser) -> None:
    """Script in names, prompts and metadata stays text in a real browser, too."""
    with tab(chromium) as page:
        ran: list[str] = []
        page.expose_function("alert", lambda *_: ran.append("alert"))
        register(page, cloud)
        script = "<img src=x onerror=alert(1)><script>alert(2)</script>"
        key = make_key(page, cloud, script[:60])
        generate(cloud, key, script)
        for path in ("", "/jobs", "/keys"):
            page.goto(f"{cloud.api_url}/dashboard{path}")
            expect(page.get_by_text("<img src=x onerror=alert(1)>").first).to_be_visible()
        assert ran == []
