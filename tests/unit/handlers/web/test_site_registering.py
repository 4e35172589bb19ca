"""Registering, confirming, resetting: who is new gets in, and nobody learns who is registered."""

from __future__ import annotations

import html
import re

import pytest

from shoal.handlers.web.visit import SESSION_COOKIE
from tests.fakes.dashboard import CODE
from tests.worlds.site import EMAIL, PASSWORD, Browser, Shown, Site
from tests.worlds.site_fixtures import site

__all__ = ["site"]

OTHER = "another long password"


@pytest.fixture
def mailed(site: Site) -> Site:
    """A site whose people confirm their addresses with codes."""
    site.asks_for_codes()
    return site


def known(site: Site, state: str) -> None:
    """Let somebody else have come so far with the address."""
    browser = site.browser()
    for path in ("/sign-up", "/confirm") if state == "confirmed" else ("/sign-up",) if state != "new" else ():
        fields = {"code": CODE, "password": PASSWORD} if path == "/confirm" else {}
        assert browser.submit(path, path, email=EMAIL, **fields).status == 303


def told(shown: Shown) -> tuple[int, str, str]:
    """All that an outsider learns of an answer: what changes each time is left out."""
    return shown.status, shown.headers.get("Location", ""), re.sub(r'name="csrf" value="\w+"', "", shown.text)


def register(browser: Browser, password: str = PASSWORD) -> Shown:
    browser.submit("/sign-up", "/sign-up", email=EMAIL)
    return browser.submit("/confirm", "/confirm", email=EMAIL, code=CODE, password=password)


def test_registering_where_nothing_is_to_confirm_leads_into_the_dashboard(site: Site) -> None:
    browser = site.browser()

    answer = browser.submit("/sign-up", "/sign-up", email="New@Example.com ", password=PASSWORD)

    assert (answer.status, answer.location) == (303, "/dashboard")
    shown = browser.get("")
    assert shown.status == 200
    assert "new@example.com" in shown.text


def test_registering_twice_where_nothing_is_to_confirm_lets_in_with_the_password_only(site: Site) -> None:
    for _ in range(2):
        browser = site.browser()
        assert browser.submit("/sign-up", "/sign-up", email=EMAIL, password=PASSWORD).location == "/dashboard"

    refused = site.browser().submit("/sign-up", "/sign-up", email=EMAIL, password=OTHER)
    assert (refused.status, 'role="alert"' in refused.text) == (422, True)
    assert len(site.world.tables.accounts) == 1


def test_an_unconfirmed_address_is_confirmed_with_its_code(mailed: Site) -> None:
    browser = mailed.browser()
    assert 'name="password"' not in browser.get("/sign-up").text
    asked = browser.submit("/sign-up", "/sign-up", email=EMAIL)
    assert asked.location == "/dashboard/confirm"
    assert f'value="{EMAIL}"' in browser.get("/confirm").text

    wrong = browser.submit("/confirm", "/confirm", email=EMAIL, code="0", password=PASSWORD)
    assert wrong.status == 422
    assert "not the code" in wrong.text
    short = browser.submit("/confirm", "/confirm", email=EMAIL, code=CODE, password="short")
    assert (short.status, "at least 12" in short.text) == (422, True)
    spaced = browser.submit("/confirm", "/confirm", email=EMAIL, code=CODE, password=f"{PASSWORD} ")
    assert (spaced.status, "no space" in spaced.text) == (422, True)
    assert browser.submit("/confirm", "/confirm", email=EMAIL, code=CODE, password=PASSWORD).status == 303

    assert EMAIL in browser.get("").text
    later = mailed.browser()
    assert later.submit("/sign-in", "/sign-in", email=EMAIL, password=PASSWORD).location == "/dashboard"


@pytest.mark.parametrize(
    ("path", "fields", "status"),
    [
        ("/sign-up", {}, 303),
        ("/sign-in", {"password": OTHER}, 422),
        ("/confirm", {"again": "1"}, 303),
        ("/confirm", {"code": "0", "password": OTHER}, 422),
        ("/forgot", {}, 303),
        ("/reset", {"code": "0", "password": OTHER}, 422),
    ],
)
def test_an_outsider_learns_of_no_address_whether_it_is_known(
    mailed: Site, path: str, fields: dict[str, str], status: int
) -> None:
    answers = []
    for state in ("new", "registered", "confirmed"):
        mailed.identity.people.clear()
        known(mailed, state)
        outsider = mailed.browser()
        answers.append(told(outsider.submit(path, path, email=EMAIL, **fields)))
        assert SESSION_COOKIE not in outsider.cookies

    assert answers == [answers[0]] * 3
    assert answers[0][0] == status


def test_a_new_person_gets_in_though_somebody_else_registered_the_address_before(mailed: Site) -> None:
    outsider = mailed.browser()
    outsider.submit("/sign-up", "/sign-up", email=EMAIL, password=OTHER)

    owner = mailed.browser()
    assert register(owner).location == "/dashboard"

    assert EMAIL in owner.get("").text
    assert outsider.submit("/sign-in", "/sign-in", email=EMAIL, password=OTHER).status == 422


def test_whose_addresses_may_not_register_is_told_to_all_of_them(site: Site) -> None:
    site.member()
    site.asks_for_codes(domains="example.org")

    for email in (EMAIL, "new@example.com"):
        shown = site.browser().submit("/sign-up", "/sign-up", email=email)
        assert (shown.status, "cannot register here" in shown.text) == (422, True)
    assert site.browser().submit("/sign-up", "/sign-up", email="new@example.org").status == 303
    assert list(site.identity.people) == [EMAIL, "new@example.org"]


def test_a_password_is_reset_with_its_code(site: Site) -> None:
    site.identity.sign_up(EMAIL, PASSWORD)
    browser = site.browser()
    asked = browser.submit("/forgot", "/forgot", email=EMAIL)
    assert asked.location == "/dashboard/reset"
    assert f'value="{EMAIL}"' in browser.get("/reset").text

    new = "another long password"
    assert browser.submit("/reset", "/reset", email=EMAIL, code=CODE, password=new).status == 200
    assert EMAIL not in browser.get("/reset").text
    site.world.clock.ms += 1

    assert browser.submit("/sign-in", "/sign-in", email=EMAIL, password=PASSWORD).status == 422
    assert browser.submit("/sign-in", "/sign-in", email=EMAIL, password=new).status == 303


def test_asking_for_a_reset_tells_nobody_which_addresses_are_known(site: Site) -> None:
    answer = site.browser().submit("/forgot", "/forgot", email="nobody@example.com")
    assert answer.location == "/dashboard/reset"


def test_the_address_for_a_code_may_hold_what_no_cookie_may(site: Site) -> None:
    browser, email = site.browser(), "o'h;are,\u00fc=1@example.com"
    browser.submit("/forgot", "/forgot", email=email)
    assert html.escape(email, quote=True).replace("&#x27;", "&#39;") in browser.get("/reset").text


def test_a_reset_tells_which_keys_were_made_in_the_last_day(site: Site) -> None:
    browser = site.member()
    browser.submit("/keys", "/keys", name="old one", kind="sk_live_", scopes=["read"], rate="60")
    site.world.clock.ms += 25 * 3_600_000
    browser = site.member()
    browser.submit("/keys", "/keys", name="<b>thief's</b>", kind="sk_live_", scopes=["read"], rate="60")

    shown = site.browser().submit("/reset", "/reset", email=EMAIL, code=CODE, password=OTHER)

    assert "&lt;b&gt;thief" in shown.text
    assert "old one" not in shown.text


def test_a_reset_of_somebody_who_never_signed_in_tells_of_no_keys(site: Site) -> None:
    site.identity.sign_up(EMAIL, PASSWORD)
    shown = site.browser().submit("/reset", "/reset", email=EMAIL, code=CODE, password=OTHER)
    assert "No API key was made" in shown.text


@pytest.mark.parametrize(
    ("email", "password"),
    [("no address", PASSWORD), (EMAIL, "short"), (EMAIL, "x" * 257), (EMAIL, f" {PASSWORD}")],
)
def test_what_cannot_register_is_told_why(site: Site, email: str, password: str) -> None:
    answer = site.browser().submit("/sign-up", "/sign-up", email=email, password=password)
    assert answer.status == 422
    assert 'role="alert"' in answer.text
    assert site.identity.people == {}
