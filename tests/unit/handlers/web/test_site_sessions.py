"""Who gets in: registering, signing in and out, forged and expired sessions, forms from elsewhere."""

from __future__ import annotations

from dataclasses import replace
from urllib.parse import parse_qs, urlsplit

import pytest

from shoal.domain.errors import Unavailable
from shoal.domain.money import Asset
from shoal.domain.person import SESSION_LIFETIME_MS
from shoal.handlers.web.visit import FORM_COOKIE, SESSION_COOKIE
from tests.fakes.dashboard import CODE, TOKEN_MS
from tests.worlds.site import EMAIL, PASSWORD, Site
from tests.worlds.site_fixtures import site

MEMBERS_PAGES = [
    "",
    "/keys",
    "/wallet",
    "/usage",
    "/usage.csv",
    "/jobs",
    "/videos",
    "/webhooks",
    "/playground",
]
OPERATORS_PAGES = ["/operate", "/operate/accounts/acc_1"]


__all__ = ["site"]


def test_the_first_sign_in_opens_an_account_with_three_free_trials_and_later_ones_do_not(site: Site) -> None:
    site.member()
    site.member()

    (account,) = site.world.tables.accounts.values()
    assert account.email == EMAIL
    wallet = site.world.tables.wallets[account.id, Asset.USD]
    assert (wallet.balance, wallet.free_generations) == (0, 3)
    assert site.world.tables.keys == {}


def test_two_first_sign_ins_at_once_are_one_account(site: Site) -> None:
    site.identity.sign_up(EMAIL, PASSWORD)
    site.world.network.before("people.open", lambda: site.sign_in(EMAIL, PASSWORD))

    assert site.sign_in(EMAIL, PASSWORD)

    accounts = {session.account_id for session in site.sessions.sessions.values()}
    assert (len(site.sessions.sessions), accounts) == (2, set(site.world.tables.accounts))
    assert len(accounts) == 1


@pytest.mark.parametrize("path", MEMBERS_PAGES + OPERATORS_PAGES)
@pytest.mark.parametrize("forged", [None, "", "x" * 43, "../../etc", "' OR 1=1"])
def test_without_a_session_every_page_leads_to_the_sign_in(site: Site, path: str, forged: str | None) -> None:
    browser = site.browser()
    if forged is not None:
        browser.cookies[SESSION_COOKIE] = forged
    answer = browser.get(path)
    assert answer.status == 303
    assert answer.location.startswith("/dashboard/sign-in")
    assert SESSION_COOKIE not in browser.cookies


@pytest.mark.parametrize("path", OPERATORS_PAGES)
def test_nothing_tells_others_that_there_are_pages_for_operators(site: Site, path: str) -> None:
    assert site.member().get(path).status == 404
    assert site.member("op@example.com", operator=True).get("/operate").status == 200


def test_a_piece_of_a_page_does_not_show_the_sign_in_in_its_place(site: Site) -> None:
    answer = site.browser().piece("/live")
    assert (answer.status, answer.text) == (200, "")
    assert answer.headers["HX-Redirect"] == "/dashboard/sign-in"


def test_a_session_ends_after_a_day(site: Site) -> None:
    browser = site.member()
    site.world.clock.ms += SESSION_LIFETIME_MS
    assert browser.get("").status == 303


def test_a_session_is_vouched_for_again_every_hour(site: Site) -> None:
    browser = site.member()
    site.world.clock.ms += TOKEN_MS
    assert browser.get("").status == 200
    assert site.world.network.calls.count("identity.renew") == 1
    assert browser.get("").status == 200
    assert site.world.network.calls.count("identity.renew") == 1


def test_a_disabled_person_is_out_within_the_hour(site: Site) -> None:
    browser = site.member()
    site.disable()
    assert browser.get("").status == 200
    site.world.clock.ms += TOKEN_MS
    assert browser.get("").status == 303
    assert site.sessions.sessions == {}


def test_who_loses_the_group_is_no_operator_any_more(site: Site) -> None:
    browser = site.member(operator=True)
    known = site.identity.people[EMAIL]
    site.identity.people[EMAIL] = replace(known, person=replace(known.person, groups=frozenset()))
    site.world.clock.ms += TOKEN_MS
    assert browser.get("/operate").status == 404


def test_signing_out_ends_the_session_and_revokes_its_token(site: Site) -> None:
    browser = site.member()
    stolen = browser.cookies[SESSION_COOKIE]
    assert browser.submit("", "/sign-out").status == 303
    assert len(site.identity.revoked) == 1

    again = site.browser()
    again.cookies[SESSION_COOKIE] = stolen
    assert again.get("").status == 303


def test_signing_out_does_not_wait_for_the_pool(site: Site) -> None:
    browser = site.member()
    site.world.network.fail("identity.revoke", Unavailable(retry_after_seconds=1))

    assert browser.submit("", "/sign-out").location == "/dashboard/sign-in?done=out"
    assert (browser.cookies.get(SESSION_COOKIE), site.sessions.sessions) == (None, {})


def test_a_cookie_alone_is_not_what_is_stored(site: Site) -> None:
    browser = site.member()
    assert browser.cookies[SESSION_COOKIE] not in repr(site.sessions.sessions)


@pytest.mark.parametrize("token", ["", "wrong", "0" * 43])
def test_a_form_of_another_site_changes_nothing(site: Site, token: str) -> None:
    browser = site.member()
    fields = {
        "csrf": token,
        "once": "01JD7Q3V9GM8T2XKZ5N4R6W0YB",
        "kind": "sk_live_",
        "scopes": "read",
        "rate": "60",
    }
    assert browser.post("/keys", **fields).status == 403
    assert site.world.tables.keys == {}


def test_the_token_of_one_session_is_no_token_of_another(site: Site) -> None:
    theirs = site.member("other@example.com").get("/keys").hidden("csrf")
    mine = site.member()
    assert mine.post("/sign-out", csrf=theirs).status == 403


def test_a_request_that_the_browser_calls_cross_site_is_refused(site: Site) -> None:
    browser = site.member()
    csrf = browser.get("").hidden("csrf")
    answer = browser.send(
        "POST", "/sign-out", fields={"csrf": csrf}, headers={"sec-fetch-site": "cross-site"}
    )
    assert answer.status == 403


def test_a_sign_in_form_of_another_site_is_refused(site: Site) -> None:
    site.identity.sign_up(EMAIL, PASSWORD)
    browser = site.browser()
    assert browser.post("/sign-in", email=EMAIL, password=PASSWORD).status == 403
    browser.cookies[FORM_COOKIE] = ""
    assert browser.post("/sign-in", csrf="", email=EMAIL, password=PASSWORD).status == 403


@pytest.mark.parametrize(
    "target", ["https://evil.test", "//evil.test", "/\\evil.test", "javascript:alert(1)"]
)
def test_nobody_is_led_to_another_site_after_the_sign_in(site: Site, target: str) -> None:
    site.identity.sign_up(EMAIL, PASSWORD)
    answer = site.browser().submit("/sign-in", "/sign-in", email=EMAIL, password=PASSWORD, next=target)
    assert answer.location == "/dashboard"


def test_the_sign_in_leads_to_what_was_asked_for(site: Site) -> None:
    site.identity.sign_up(EMAIL, PASSWORD)
    browser = site.browser()
    asked = browser.get("/top-up", asset="usd", checkout="cs_test_1")
    wanted = parse_qs(urlsplit(asked.location).query)["next"][0]

    answer = browser.submit("/sign-in", "/sign-in", email=EMAIL, password=PASSWORD, next=wanted)

    assert answer.location == "/dashboard/top-up?asset=usd&checkout=cs_test_1"


def test_every_answer_forbids_what_it_does_not_need(site: Site) -> None:
    for shown in (site.browser().get("/sign-in"), site.member().get(""), site.member().get("/nowhere")):
        policy = shown.headers["Content-Security-Policy"]
        assert "default-src 'none'" in policy
        assert "unsafe" not in policy
        assert "frame-ancestors 'none'" in policy
        assert shown.headers["X-Content-Type-Options"] == "nosniff"
        assert shown.headers["Cache-Control"] == "no-store"
        assert " style=" not in shown.text
        assert " onclick" not in shown.text


def test_an_account_that_is_suspended_can_look_but_not_act(site: Site) -> None:
    browser = site.member()
    site.operate.suspend(site.account_of(), "acc_other")
    shown = browser.get("/keys")
    assert shown.status == 200
    assert "suspended" in shown.text
    fields = {"kind": "sk_live_", "scopes": "read", "rate": "60"}
    assert browser.submit("/keys", "/keys", **fields).status == 403
    assert site.world.tables.keys == {}
    assert browser.submit("", "/sign-out").status == 303


def test_a_form_shown_for_play_money_does_not_work_in_live_mode(site: Site) -> None:
    browser = site.member()
    browser.submit("", "/mode", mode="test")
    page = browser.get("/playground")
    form = {name: page.hidden(name) for name in ("csrf", "once")} | {"model": "image", "prompt": "A whale"}
    browser.submit("", "/mode", mode="live")

    assert browser.post("/playground/run", **form).status == 403
    assert site.world.tables.jobs == {}


@pytest.mark.parametrize(("shown", "now"), [("live", "test"), ("test", "live")])
def test_a_tab_left_open_in_the_other_mode_signs_out_all_the_same(site: Site, shown: str, now: str) -> None:
    browser = site.member()
    browser.submit("", "/mode", mode=shown)
    stale = browser.get("/keys").hidden("csrf")
    browser.submit("", "/mode", mode=now)

    assert browser.post("/theme", csrf=stale, theme="dark").status == 303
    assert browser.post("/mode", csrf=stale, mode=shown).status == 303
    (session,) = site.sessions.sessions.values()
    assert session.test == (shown == "test")
    browser.submit("", "/mode", mode=now)
    assert browser.post("/sign-out", csrf=stale).status == 303
    assert site.sessions.sessions == {}


def test_a_page_left_open_in_the_other_mode_is_loaded_again_rather_than_mixed(site: Site) -> None:
    browser = site.member()
    shown = {"x-csrf": browser.get("").hidden("csrf")}
    assert browser.send("GET", "/live", partial=True, headers=shown).text

    browser.submit("", "/mode", mode="test")

    stale = browser.send("GET", "/live", partial=True, headers=shown)
    assert (stale.headers["HX-Refresh"], stale.text) == ("true", "")
    fresh = {"x-csrf": browser.get("").hidden("csrf")}
    assert "HX-Refresh" not in browser.send("GET", "/live", partial=True, headers=fresh).headers


def test_a_new_password_ends_the_sessions_of_the_old_one_at_once(site: Site) -> None:
    thieves = [site.member() for _ in range(3)]
    somebody_else = site.member("other@example.com")
    site.browser().submit("/reset", "/reset", email=EMAIL, code=CODE, password="another long password")

    assert [thief.get("").status for thief in thieves] == [303] * 3
    assert somebody_else.get("").status == 200


def test_a_sign_in_that_was_under_way_at_a_reset_opens_no_session(site: Site) -> None:
    site.member()
    subject = site.identity.people[EMAIL].person.subject
    slow = site.browser()
    site.world.network.before("sessions.put", lambda: site.sessions.end_all(subject, site.world.clock.ms))

    refused = slow.submit("/sign-in", "/sign-in", email=EMAIL, password=PASSWORD)

    assert (refused.status, "signed out meanwhile" in refused.text) == (422, True)
    assert site.sessions.sessions == {}


def test_a_code_that_is_wrong_puts_nobody_out(site: Site) -> None:
    browser = site.member()
    site.browser().submit("/reset", "/reset", email=EMAIL, code="0", password="another long password")
    site.world.clock.ms += TOKEN_MS
    assert browser.get("").status == 200


def test_a_table_that_does_not_answer_is_told_on_a_page(site: Site) -> None:
    browser = site.member()
    site.world.network.fail("accounts.get", Unavailable(retry_after_seconds=1))
    shown = browser.get("/keys")
    assert shown.status == 503
    assert "briefly unavailable" in shown.text


def test_a_table_that_does_not_answer_while_an_error_is_told_is_told_on_a_page_too(site: Site) -> None:
    browser = site.member()
    site.world.network.fail("accounts.get", Unavailable(retry_after_seconds=1))
    for shown in (browser.get("/no-such-page"), browser.post("/keys", csrf="forged")):
        assert shown.status == 503
        assert "briefly unavailable" in shown.text


def test_an_id_that_is_none_of_ours_is_not_looked_for(site: Site) -> None:
    browser = site.member()
    # The table takes no keys of more than 1,024 bytes: looking for one would be an error of ours.
    assert browser.submit("/keys", f"/keys/{'x' * 1_100}/revoke").status == 404
    assert "keys.revoke" not in site.world.network.calls
