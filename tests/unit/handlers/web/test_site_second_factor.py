"""Second factors: set up, asked for, removed; and operators who need one."""

from __future__ import annotations

import pytest

from shoal.domain.errors import SignInRefused
from shoal.handlers.web.visit import SESSION_COOKIE
from tests.fakes.dashboard import APP_CODE, SECRET
from tests.worlds.site import EMAIL, PASSWORD, Browser, Shown, Site
from tests.worlds.site_fixtures import site

__all__ = ["site"]


def set_up(browser: Browser, *, code: str = APP_CODE, password: str = PASSWORD) -> Shown:
    begun = browser.submit("/security", "/security/begin")
    assert "<svg" in begun.text
    assert "JBSW Y3DP EHPK 3PXP" in begun.text
    return browser.fill(begun, "/security/confirm", code=code, password=password)


def sign_in(browser: Browser, **fields: str) -> Shown:
    return browser.submit("/sign-in", "/sign-in", email=EMAIL, password=PASSWORD, **fields)


def test_a_code_is_asked_for_once_an_app_is_set_up(site: Site) -> None:
    assert set_up(site.member()).location == "/dashboard/security?done=set"

    browser = site.browser()
    asked = sign_in(browser, next="/keys")
    assert (asked.status, SESSION_COOKIE in browser.cookies) == (200, False)
    wrong = browser.fill(asked, "/sign-in/code", code="000000")
    assert (wrong.status, SESSION_COOKIE in browser.cookies) == (422, False)
    assert browser.fill(wrong, "/sign-in/code", code=APP_CODE).location == "/dashboard/keys"
    assert browser.get("/keys").status == 200


@pytest.mark.parametrize("fields", [{"code": "000000"}, {"password": "not the password"}])
def test_nothing_is_set_up_without_a_code_of_the_app_and_the_password(
    site: Site, fields: dict[str, str]
) -> None:
    browser = site.member()

    refused = set_up(browser, **fields)

    assert (refused.status, 'role="alert"' in refused.text) == (422, True)
    assert refused.hidden("secret") == SECRET
    assert sign_in(site.browser()).status == 303


@pytest.mark.parametrize("fields", [{"code": "000000"}, {"password": "not the password"}])
def test_an_open_session_alone_removes_no_second_factor(site: Site, fields: dict[str, str]) -> None:
    browser = site.member()
    set_up(browser)

    sent = {"code": APP_CODE, "password": PASSWORD} | fields
    assert browser.submit("/security", "/security/remove", **sent).status == 422

    assert sign_in(site.browser()).status == 200


def test_removing_it_signs_out_everywhere_and_a_password_is_enough_again(site: Site) -> None:
    browser, other = site.member(), site.member()
    set_up(browser)

    gone = browser.submit("/security", "/security/remove", code=APP_CODE, password=PASSWORD)

    assert "/sign-in" in gone.location
    assert [each.get("").status for each in (browser, other)] == [303, 303]
    site.world.clock.ms += 1
    assert sign_in(site.browser()).location == "/dashboard"


def test_a_second_app_waits_until_the_first_is_removed(site: Site) -> None:
    browser = site.member()
    set_up(browser)
    shown = browser.get("/security")
    assert browser.fill(shown, "/security/begin").status == 422


def test_who_has_to_set_up_an_app_does_so_at_the_sign_in(site: Site) -> None:
    site.member()
    site.identity.demands = True
    browser = site.browser()

    asked = sign_in(browser)
    assert "JBSW Y3DP EHPK 3PXP" in asked.text
    again = browser.fill(asked, "/sign-in/code", code="000000")
    assert "JBSW Y3DP EHPK 3PXP" in again.text
    assert browser.fill(again, "/sign-in/code", code=APP_CODE).location == "/dashboard"


def test_what_else_the_pool_asks_for_is_told(site: Site) -> None:
    site.member()
    said = "Codes by text message are not taken here."
    site.world.network.fail("identity.sign_in", SignInRefused(said))
    refused = sign_in(site.browser())
    assert (refused.status, said in refused.text) == (422, True)


@pytest.mark.parametrize("fields", [{"email": "x" * 400}, {"challenge": "x" * 3000}, {"secret": "x" * 5000}])
def test_a_form_that_is_none_of_ours_breaks_nothing(site: Site, fields: dict[str, str]) -> None:
    set_up(site.member())
    browser = site.browser()
    asked = sign_in(browser)
    assert browser.fill(asked, "/sign-in/code", **{"code": "000000"} | fields).status == 422


def test_operators_pages_are_closed_to_a_password_alone_where_that_is_so(site: Site) -> None:
    operator = site.member(operator=True)
    assert operator.get("/operate").status == 200, "this stage does not ask for more"

    site.second_factor_required = True

    assert operator.get("/operate").location == "/dashboard/security?done=operators"
    assert "Operators need a second factor" in operator.get("/security", done="operators").text
    csrf = operator.get("").hidden("csrf")
    assert operator.post("/operate/audit", csrf=csrf).location == "/dashboard/security?done=operators"
    assert "audit_ledger" not in str(site.world.network.calls)


def test_an_operator_who_showed_a_code_gets_in(site: Site) -> None:
    site.second_factor_required = True
    operator = site.member(operator=True)
    set_up(operator)
    assert operator.get("/operate").status == 200

    again = site.browser()
    again.fill(sign_in(again), "/sign-in/code", code=APP_CODE)
    assert again.get("/operate").status == 200


def test_who_is_no_operator_learns_nothing_of_their_pages(site: Site) -> None:
    site.second_factor_required = True
    assert site.member().get("/operate").status == 404
