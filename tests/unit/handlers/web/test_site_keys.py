"""API keys on their page: made once and shown once, whatever is clicked twice."""

from __future__ import annotations

import re
from typing import Any

import pytest

from shoal.handlers.web.visit import SESSION_COOKIE
from shoal.use_cases.accounts.manage_accounts import AGAIN_MS
from tests.worlds.site import HIDDEN, Browser, Shown, Site
from tests.worlds.site_fixtures import SCRIPT, customer, inert, member, site
from tests.worlds.world import Customer

__all__ = ["customer", "member", "site"]

WANTED = {"name": "Server", "kind": "sk_live_", "scopes": ["read", "generate"], "rate": "30"}


def filled_in(member: Browser, **fields: Any) -> dict[str, Any]:
    """The page's form, ready to be sent as often as one likes."""
    page = member.get("/keys")
    return {name: page.hidden(name) for name in HIDDEN} | WANTED | fields


def secret_of(shown: Shown) -> str:
    """What the page shows to be copied."""
    assert shown.status == 200
    (secret,) = re.findall(r'id="secret">(\w+)<', shown.text)
    return str(secret)


def test_a_key_works_and_is_shown_once(site: Site, member: Browser) -> None:
    made = member.post("/keys", **filled_in(member, name=SCRIPT))

    (key,) = site.world.tables.keys.values()
    assert (key.name, key.limit.requests_per_minute) == (SCRIPT, 30)
    assert {scope.value for scope in key.scopes} == {"read", "generate"}
    secret = secret_of(made)
    assert secret.startswith("sk_live_")
    assert site.world.authenticate(f"Bearer {secret}").account_id == site.account_of()
    later = member.get("/keys")
    assert secret not in later.text
    assert inert(made)
    assert inert(later)


def test_a_double_click_makes_one_key_and_its_secret_is_on_the_page_that_is_seen(
    site: Site, member: Browser
) -> None:
    form = filled_in(member)

    first, seen = (secret_of(member.post("/keys", **form)) for _ in range(2))

    assert first == seen
    (key,) = site.world.tables.keys.values()
    assert site.world.authenticate(f"Bearer {seen}").key_id == key.id
    assert seen not in repr(site.world.tables)
    assert seen not in repr(site.sessions)


def test_two_forms_make_two_keys(site: Site, member: Browser) -> None:
    secrets = {secret_of(member.post("/keys", **filled_in(member))) for _ in range(2)}

    assert len(secrets) == len(site.world.tables.keys) == 2


@pytest.mark.parametrize(
    "other", [{"name": "Laptop"}, {"rate": "29"}, {"scopes": "read"}, {"kind": "sk_test_"}]
)
def test_a_form_that_was_changed_and_sent_again_is_told_of_the_key_it_made(
    site: Site, member: Browser, other: dict[str, str]
) -> None:
    form = filled_in(member)
    secret = secret_of(member.post("/keys", **form))

    again = member.post("/keys", **form | other)

    (key,) = site.world.tables.keys.values()
    assert again.status == 409
    assert "This form already made a key" in again.text
    kind, rate = other.get("kind", "sk_live_"), other.get("rate", "30")
    assert "It stands for Server (sk_live_, 30/min, " in again.text
    assert f"it cannot stand for {other.get('name', 'Server')} ({kind}, {rate}/min, " in again.text
    assert f"Server (sk_live_…{key.last_four}): if you do not have the secret, revoke that key" in again.text
    assert f'action="/dashboard/keys/{key.id}/revoke"' in again.text
    assert secret not in again.text


def test_a_form_is_not_a_way_to_see_a_secret_again(site: Site, member: Browser) -> None:
    form = filled_in(member)
    secret = secret_of(member.post("/keys", **form))
    (key,) = site.world.tables.keys.values()

    site.world.clock.ms += AGAIN_MS + 1

    later = member.post("/keys", **form)
    assert (later.status, secret in later.text) == (409, False)
    member.submit("/keys", f"/keys/{key.id}/revoke")
    assert "revoked since" in member.post("/keys", **form).text
    assert len(site.world.tables.keys) == 1


def test_a_revoked_key_is_not_shown_as_new(member: Browser, site: Site) -> None:
    form = filled_in(member)
    member.post("/keys", **form)
    (key,) = site.world.tables.keys.values()
    member.submit("/keys", f"/keys/{key.id}/revoke")

    assert member.post("/keys", **form).status == 409


def test_neither_the_form_nor_the_session_alone_tells_the_secret(site: Site, member: Browser) -> None:
    """A thief of what the form holds, or of the cookie and the key's id, makes another secret."""
    form = filled_in(member)
    secret = secret_of(member.post("/keys", **form))
    other = site.member("other@example.com")
    theirs = form | {"csrf": other.get("/keys").hidden("csrf")}
    site.world.tables.keys.clear()

    assert secret_of(other.post("/keys", **theirs)) != secret
    site.world.tables.keys.clear()
    thief = site.browser()
    thief.cookies[SESSION_COOKIE] = member.cookies[SESSION_COOKIE]
    assert secret_of(thief.post("/keys", **filled_in(thief, once=form["once"]))) != secret


@pytest.mark.parametrize(
    "wrong",
    [
        {"kind": "sk_root_"},
        {"scopes": "everything"},
        {"rate": "61"},
        {"rate": "0"},
        {"rate": "9" * 400},
        {"rate": "000000060000"},
        {"rate": "1.5"},
        {"name": "x" * 61},
        {"once": "../../x"},
        {"nonce": ""},
        {"nonce": "x" * 44},
        {"nonce": "é" * 43},
    ],
)
def test_a_key_that_cannot_be_is_refused(site: Site, member: Browser, wrong: dict[str, Any]) -> None:
    shown = member.post("/keys", **filled_in(member, **{"name": "Reef & co"} | wrong))

    assert shown.status == 422
    assert 'role="alert"' in shown.text
    assert "name" in wrong or 'value="Reef &amp; co"' in shown.text, "what was typed is still there"
    assert site.world.tables.keys == {}
    assert secret_of(member.post("/keys", **WANTED | {n: shown.hidden(n) for n in HIDDEN}))


def test_a_revoked_key_is_refused_and_another_accounts_key_is_not_there(
    site: Site, member: Browser, customer: Customer
) -> None:
    theirs = site.world.customer()
    assert member.submit("/keys", f"/keys/{theirs.stored_key.id}/revoke").status == 404
    assert not site.world.tables.keys[theirs.stored_key.digest].revoked

    assert member.submit("/keys", f"/keys/{customer.stored_key.id}/revoke").status == 303
    assert site.world.tables.keys[customer.stored_key.digest].revoked
