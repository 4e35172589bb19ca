"""A person at the dashboard, in a real browser, on the deployed stack."""

from __future__ import annotations

import re
from collections.abc import Iterator

import pytest
import requests
from playwright.sync_api import Browser, Page, StorageState, expect

from infra.local.cloud import LocalCloud
from tests.fakes.stripe import FakeStripe
from tests.support.authenticator import code_of
from tests.support.browser import tab
from tests.support.curl import curl
from tests.support.pages import (
    PASSWORD,
    choose,
    chromium,
    faults,
    keep,
    make_key,
    operators,
    pay,
    register,
    tile,
    violations,
)
from tests.support.receiver import Receiver

__all__ = ["chromium", "operators"]

CURL_SECONDS_MAX = 20
FIRST_PAGE_BYTES_MAX = 100_000


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    with Receiver() as listening:
        yield listening


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
    cloud: LocalCloud, chromium: Browser, stripe: FakeStripe, receiver: Receiver
) -> None:
    with tab(chromium) as page:
        register(page, cloud)
        expect(page.get_by_text("Get started")).to_be_visible()
        key = make_key(page, cloud, "My first key")
        command = page.locator("#try").inner_text()
        assert key in command
        expect(page.get_by_role("button", name="Revoke")).to_have_count(1)

        page.goto(f"{cloud.api_url}/dashboard")
        expect(page.get_by_text("Nothing was generated yet.")).to_be_visible()
        assert curl(command).status_code == 202
        # Without a reload: the row comes by itself, and then its picture.
        row = page.get_by_role("row", name=re.compile("neon-lit"))
        expect(row.get_by_text("Completed")).to_be_visible()
        expect(row.locator("img")).to_have_js_property("naturalWidth", 1024)
        expect(tile(page, "Free generations left")).to_contain_text("2")

        choose(page, cloud, "$10.00")
        pay(page, stripe, "$10.00")
        expect(tile(page, "Available")).to_contain_text("$10.00")
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


def test_an_app_is_set_up_by_its_qr_code_and_asked_for_from_then_on(
    cloud: LocalCloud, chromium: Browser
) -> None:
    with tab(chromium) as page:
        email = register(page, cloud)
        page.get_by_role("link", name="Security").click()
        page.get_by_role("button", name="Set up").click()
        expect(page.get_by_role("img", name="QR code")).to_be_visible()
        keep(page, "security-set-up")
        secret = page.locator("#app-key").inner_text()
        page.get_by_label("Code of the app").fill(code_of(secret))
        page.get_by_label("Your password").fill(PASSWORD)
        page.get_by_role("button", name="Turn on").click()
        expect(page.get_by_text("Your second factor is set up")).to_be_visible()

        page.get_by_role("button", name="Sign out").click()
        page.get_by_label("E-mail").fill(email)
        page.get_by_label("Password").fill(PASSWORD)
        page.get_by_role("button", name="Sign in").click()
        page.get_by_label("Code").fill("000000")
        page.get_by_role("button", name="Sign in").click()
        expect(page.get_by_role("alert")).to_contain_text("does not fit")
        keep(page, "second-factor")
        page.get_by_label("Code").fill(code_of(secret))
        page.get_by_role("button", name="Sign in").click()
        expect(page.get_by_text(email)).to_be_visible()

        make_key(page, cloud, "of today")
        page.get_by_role("button", name="Sign out").click()
        page.get_by_role("link", name="Forgot your password?").click()
        page.get_by_label("E-mail").fill(email)
        page.get_by_role("button", name="Send the code").click()
        expect(page.get_by_label("E-mail")).to_have_value(email)
        assert email.partition("@")[0] not in page.url
        page.get_by_label("Code").fill("654321")
        page.get_by_label("New password").fill(f"another {PASSWORD}")
        page.get_by_role("button", name="Set password").click()
        expect(page.get_by_text("of today")).to_be_visible()
        keep(page, "reset-done")


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
FIRST_MEMBERS = (
    *("", "/playground", "/jobs", "/videos", "/usage", "/wallet", "/keys", "/webhooks", "/security"),
    "/nowhere",
)


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
        found += problems(page, cloud)
    assert found == []


def problems(page: Page, cloud: LocalCloud) -> list[str]:
    """What is wrong with pages that say what is wrong with what was filled in."""
    page.goto(f"{cloud.api_url}/dashboard/keys")
    for scope in page.get_by_role("checkbox").all():
        scope.uncheck()
    page.get_by_role("button", name="Create key").click()
    expect(page.get_by_role("alert")).to_have_text("Choose at least one scope.")
    found = violations(page)
    page.goto(f"{cloud.api_url}/dashboard/webhooks")
    page.get_by_label("Address").fill("ftp://example.com")
    page.get_by_role("button", name="Create webhook").click()
    expect(page.get_by_role("alert")).to_contain_text("url")
    found += violations(page)
    page.goto(f"{cloud.api_url}/dashboard/security")
    page.get_by_role("button", name="Set up").click()
    expect(page.get_by_role("img", name="QR code")).to_be_visible()
    return found + violations(page)


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


def test_what_is_shown_stays_while_the_service_does_not_answer(cloud: LocalCloud, chromium: Browser) -> None:
    with tab(chromium) as page:
        register(page, cloud)
        page.route("**/dashboard/live?*", lambda route: route.fulfill(status=503, body="out of order"))
        for _ in range(2):
            page.wait_for_event("response", lambda answer: answer.status == 503)
        expect(page.get_by_text("out of order")).to_have_count(0)
        page.unroute_all()
        page.wait_for_event("response", lambda answer: "/dashboard/live" in answer.url and answer.ok)


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
