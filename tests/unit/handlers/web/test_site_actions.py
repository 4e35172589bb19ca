"""The pages for doing: the playground, webhooks, the two modes; what is sent twice is done once."""

from __future__ import annotations

import re

import pytest

from shoal.domain.money import Asset
from shoal.handlers.web.visit import THEME_COOKIE
from tests.worlds.site import Browser, Site
from tests.worlds.site_fixtures import SCRIPT, ULID, customer, inert, member, site
from tests.worlds.world import Customer

__all__ = ["customer", "member", "site"]

HOOK = {"name": "n8n", "url": "https://hooks.example.com/shoal", "events": ["*"]}


def test_the_playground_offers_every_models_own_form(site: Site, member: Browser) -> None:
    for model, wanted in (
        ("image", 'name="mode"'),
        ("nanobanana", 'name="input_image_urls"'),
        ("stable-image", 'name="negative_prompt"'),
        ("video", 'name="category"'),
    ):
        shown = member.get("/playground", model=model)
        assert shown.status == 200
        assert wanted in shown.text
    assert member.get("/playground", model="nothing").status == 404


def test_the_playground_quotes_what_is_filled_in(member: Browser) -> None:
    def quote(**fields: str) -> str:
        return member.submit("/playground", "/playground/quote", **fields).text

    assert "$0.03" in quote(model="image", mode="4k", prompt="A whale")
    assert "$0.05" in quote(model="flux", num_outputs="2", prompt="A whale")
    assert "2 credits" in quote(
        model="video", idea="Why", category="story", duration="16", aspect_ratio="16:9"
    )
    assert "curl" in quote(model="image", prompt=SCRIPT)
    assert "<script>alert" not in quote(model="image", prompt=SCRIPT)
    assert 'role="alert"' in quote(model="flux", num_outputs="many", prompt="A whale")
    assert 'role="alert"' not in quote(model="image", prompt="")


def test_running_holds_the_price_once_however_often_the_form_is_sent(
    site: Site, member: Browser, customer: Customer
) -> None:
    page = member.get("/playground")
    form = {name: page.hidden(name) for name in ("csrf", "once")}
    form |= {"model": "image", "mode": "2k", "prompt": "A whale", "aspect_ratio": "16:9"}

    for _ in range(2):
        shown = member.send("POST", "/playground/run", fields=form, partial=True)
        assert 'id="watched"' in shown.text

    assert site.world.wallet(customer).held == 20_000
    assert len(site.world.tables.jobs) == 1


def test_a_form_sent_with_a_trace_makes_a_job_that_follows_it(site: Site, member: Browser) -> None:
    form = {name: member.get("/playground").hidden(name) for name in ("csrf", "once")}
    form |= {"model": "image", "mode": "2k", "prompt": "A whale"}
    trace = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"

    member.send("POST", "/playground/run", fields=form, headers={"traceparent": trace})

    (job,) = site.world.tables.jobs.values()
    assert job.submission.traceparent == trace


def test_what_cannot_run_says_why_in_its_place(site: Site, member: Browser) -> None:
    shown = member.submit("/playground", "/playground/run", model="flux", prompt="A whale")
    assert shown.status == 402
    assert "balance is too low" in shown.text


def test_a_webhook_shows_its_secret_once_and_a_form_sent_twice_makes_one(site: Site, member: Browser) -> None:
    page = member.get("/webhooks")
    form = {name: page.hidden(name) for name in ("csrf", "once")} | HOOK | {"name": SCRIPT}

    first, second = member.post("/webhooks", **form), member.post("/webhooks", **form)

    assert first.status == second.status == 200
    (webhook_id,) = site.hooks.tables.subscriptions
    assert first.text.count("whsec_") == 1
    assert "whsec_" not in member.get(f"/webhooks/{webhook_id}").text
    assert inert(first)
    assert inert(member.get("/webhooks"))


@pytest.mark.parametrize("wrong", [{"url": "http://10.0.0.1/"}, {"url": ""}, {"events": "no.such"}])
def test_a_webhook_that_cannot_be_is_refused(site: Site, member: Browser, wrong: dict[str, str]) -> None:
    shown = member.submit("/webhooks", "/webhooks", **HOOK | wrong)

    assert shown.status == 422
    assert 'role="alert"' in shown.text
    assert 'value="n8n"' in shown.text, "what was typed is still there"
    assert site.hooks.tables.subscriptions == {}
    form = {name: shown.hidden(name) for name in ("csrf", "once")}
    assert member.post("/webhooks", **form | HOOK).status == 200


def test_a_webhooks_form_that_was_changed_and_sent_again_says_so_and_works_then(
    site: Site, member: Browser
) -> None:
    page = member.get("/webhooks")
    form = {name: page.hidden(name) for name in ("csrf", "once")} | HOOK
    member.post("/webhooks", **form)

    again = member.post("/webhooks", **form | {"name": "other"})

    assert (again.status, len(site.hooks.tables.subscriptions)) == (422, 1)
    (first,) = site.hooks.tables.subscriptions.values()
    assert f"made a webhook before, {first.id}." in again.text
    assert member.post("/webhooks", **form | {"once": again.hidden("once")}).status == 200
    assert len(site.hooks.tables.subscriptions) == 2


def test_a_test_event_is_delivered_and_sent_again(site: Site, member: Browser) -> None:
    member.submit("/webhooks", "/webhooks", **HOOK)
    (webhook_id,) = site.hooks.tables.subscriptions

    assert member.submit("/webhooks", f"/webhooks/{webhook_id}/test").status == 303
    site.hooks.run()
    shown = member.get(f"/webhooks/{webhook_id}")
    assert "1 attempt" in shown.text
    (delivery,) = site.hooks.all_of(webhook_id)

    path = f"/webhooks/{webhook_id}/deliveries/{delivery.id}/resend"
    assert member.submit(f"/webhooks/{webhook_id}", path, run=delivery.run).status == 303
    site.hooks.run()
    assert "2 attempts" in member.piece(f"/webhooks/{webhook_id}/deliveries").text


def test_a_test_and_a_resend_that_are_sent_twice_are_one(site: Site, member: Browser) -> None:
    member.submit("/webhooks", "/webhooks", **HOOK)
    (webhook_id,) = site.hooks.tables.subscriptions
    page = f"/webhooks/{webhook_id}"

    def twice(path: str) -> None:
        form = re.search(rf'action="/dashboard{path}".*?</form>', member.get(page).text, re.DOTALL)
        assert form
        fields = dict(re.findall(r'name="(\w+)" value="([^"]*)"', form[0]))
        for _ in range(2):
            assert member.post(path, **fields).status == 303
            site.hooks.run()

    twice(f"{page}/test")
    (delivery,) = site.hooks.all_of(webhook_id)
    assert len(delivery.attempts) == 1
    twice(f"{page}/deliveries/{delivery.id}/resend")
    (delivery,) = site.hooks.all_of(webhook_id)
    assert len(delivery.attempts) == 2


def test_a_form_is_of_the_last_day(site: Site, member: Browser) -> None:
    csrf = member.get("/webhooks").hidden("csrf")
    for once in (ULID, "7ZZZZZZZZZZZZZZZZZZZZZZZZZ"):
        assert member.post("/webhooks", csrf=csrf, once=once, **HOOK).status == 422
    assert site.hooks.tables.subscriptions == {}


def test_a_webhook_is_disabled_enabled_rotated_and_deleted(site: Site, member: Browser) -> None:
    member.submit("/webhooks", "/webhooks", **HOOK)
    (webhook_id,) = site.hooks.tables.subscriptions
    page = f"/webhooks/{webhook_id}"

    member.submit(page, f"{page}/switch", enabled="false")
    assert not site.hooks.subscription(webhook_id).enabled
    member.submit(page, f"{page}/switch", enabled="true")
    assert site.hooks.subscription(webhook_id).enabled
    assert "whsec_" in member.submit(page, f"{page}/rotate").text
    assert member.submit(page, f"{page}/delete").location == "/dashboard/webhooks"
    assert site.hooks.tables.subscriptions == {}


@pytest.mark.parametrize("action", ["test", "switch", "rotate", "delete"])
def test_another_accounts_webhook_is_not_there(site: Site, member: Browser, action: str) -> None:
    webhook_id, _ = site.hooks.subscribed()
    assert member.get(f"/webhooks/{webhook_id}").status == 404
    assert member.submit("/keys", f"/webhooks/{webhook_id}/{action}").status == 404
    assert site.hooks.subscription(webhook_id).enabled


def test_test_mode_shows_and_spends_play_money(site: Site, member: Browser, customer: Customer) -> None:
    site.world.completed(customer, prompt="A manta ray")
    member.submit("", "/mode", mode="test", next="/jobs")

    assert "A manta ray" not in member.get("/jobs").text
    assert "$100.00" in member.get("/wallet").text
    member.submit("/playground", "/playground/run", model="image", mode="1k", prompt="A whale")
    assert site.world.wallet(customer, Asset.TEST_USD).held == 10_000
    assert site.world.wallet(customer).held == 0


def test_colours_are_kept_in_a_cookie_and_nothing_else_is(member: Browser) -> None:
    member.submit("", "/theme", theme="dark", next="/jobs")
    assert 'data-theme="dark"' in member.get("/jobs").text
    member.cookies[THEME_COOKIE] = '"><script>alert(1)</script>'
    assert "<script>alert" not in member.get("/jobs").text
    assert "data-theme" not in member.get("/jobs").text


def test_colours_and_mode_are_switched_where_one_is(member: Browser) -> None:
    shown = member.get("/jobs", status="failed", text="manta & ray")
    here = shown.hidden("next")
    for form in ({"theme": "dark"}, {"mode": "test"}):
        answer = member.post(f"/{next(iter(form))}", csrf=shown.hidden("csrf"), next=here, **form)
        assert answer.location == "/dashboard/jobs?status=failed&text=manta+%26+ray"


def test_colours_are_switched_on_a_page_that_answers_a_form(site: Site, member: Browser) -> None:
    """That page has an address that only forms may be sent to."""
    member.submit("/webhooks", "/webhooks", **HOOK)
    (webhook_id,) = site.hooks.tables.subscriptions
    page = member.get(f"/webhooks/{webhook_id}")
    form = {name: page.hidden(name) for name in ("csrf", "once")}
    sent_from = {"referer": f"https://api.test/dashboard/webhooks/{webhook_id}?cursor=x"}

    shown = member.send("POST", f"/webhooks/{webhook_id}/rotate", fields=form, headers=sent_from)

    assert "whsec_" in shown.text
    assert shown.hidden("next") == f"/webhooks/{webhook_id}?cursor=x"
    rotated = f"/webhooks/{webhook_id}/rotate"
    again = {"referer": f"https://api.test/dashboard{rotated}"}
    here = member.send("POST", rotated, fields=form, headers=again).hidden("next")
    shown = member.get(here)
    assert shown.status == 200
    assert "whsec_" not in shown.text
    elsewhere = {"referer": "https://evil.test/x"}
    shown = member.send("POST", f"/webhooks/{webhook_id}/rotate", fields=form, headers=elsewhere)
    assert shown.hidden("next") == "/"


@pytest.mark.parametrize("csrf", ["forged", None])
def test_a_form_that_says_it_comes_from_no_address_is_answered(member: Browser, csrf: str | None) -> None:
    form = {"csrf": csrf or member.get("/keys").hidden("csrf")}
    shown = member.send("POST", "/keys", fields=form, headers={"referer": "http://["})
    assert shown.status == (403 if csrf else 422)
    assert shown.hidden("next") == "/"


def test_files_are_immutable_under_the_name_of_their_content(site: Site) -> None:
    browser = site.browser()
    addresses = re.findall(r'"/dashboard(/assets/[^"]+)"', browser.get("/sign-in").text)
    assert len(addresses) == 4
    for address in addresses:
        served = browser.get(address)
        assert served.status == 200
        assert "immutable" in served.headers["Cache-Control"]
    assert browser.get("/assets/app.000000000000.css").status == 404
    assert browser.get("/assets/..%2f..%2fsettings.py").status == 404
