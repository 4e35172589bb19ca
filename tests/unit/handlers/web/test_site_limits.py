"""Pages, and forms of who is not signed in, have rates: by session, by source address, by e-mail address."""

from __future__ import annotations

from contextlib import suppress

import pytest

from shoal.domain.errors import RateLimited
from shoal.domain.rate_limit import Ask
from shoal.use_cases.accounts.limit_rates import ACCOUNT, BLOCK, EMAIL_FORMS, SESSION, SOURCE, SOURCE_FORMS
from tests.worlds.site import EMAIL, FRONT_TOKEN, PASSWORD, Browser, Site
from tests.worlds.site_fixtures import site
from tests.worlds.world import World

__all__ = ["site"]


def wrong(browser: Browser, form: dict[str, str], email: str, source: str | None = None) -> int:
    """The status of a wrong password, through the firewall if a source is named."""
    passed = (
        {}
        if source is None
        else {"x-shoal-front": FRONT_TOKEN, "x-forwarded-for": f"10.9.9.9, {source}, 198.51.100.1"}
    )
    fields = form | {"email": email, "password": "wrong wrong wrong"}
    return browser.send("POST", "/sign-in", fields=fields, headers=passed).status


@pytest.fixture
def guest(site: Site) -> Browser:
    site.member()
    return site.browser()


@pytest.fixture
def form(guest: Browser) -> dict[str, str]:
    return {"csrf": guest.get("/sign-in").hidden("csrf")}


def test_passwords_cannot_be_guessed_from_one_address(guest: Browser, form: dict[str, str]) -> None:
    statuses = [wrong(guest, form, f"{n}@example.com") for n in range(60)]

    assert statuses.count(429) >= 60 - SOURCE_FORMS.burst
    assert statuses[:10].count(429) == 0
    guest.site.world.clock.pass_seconds(60)
    assert guest.submit("/sign-in", "/sign-in", email=EMAIL, password=PASSWORD).status == 303


def test_passwords_of_one_person_cannot_be_guessed_from_many_addresses(
    guest: Browser, form: dict[str, str]
) -> None:
    statuses = [wrong(guest, form, f"  {EMAIL.upper()}", f"192.0.2.{n}") for n in range(60)]

    assert statuses.count(429) >= 60 - EMAIL_FORMS.burst


def test_the_viewer_behind_the_firewall_is_limited_and_not_the_firewall(
    guest: Browser, form: dict[str, str]
) -> None:
    for n in range(SOURCE_FORMS.burst):
        assert wrong(guest, form, f"{n}@example.com", "192.0.2.1") != 429

    assert wrong(guest, form, "last@example.com", "192.0.2.1") == 429
    assert wrong(guest, form, "last@example.com", "192.0.2.2") != 429


def test_one_ipv6_network_is_one_source(guest: Browser, form: dict[str, str]) -> None:
    statuses = [wrong(guest, form, f"{n}@example.com", f"2001:db8:1:2::{n}") for n in range(60)]

    assert statuses.count(429) == 60 - SOURCE_FORMS.burst


def test_nobody_else_is_believed_about_where_a_request_comes_from(
    guest: Browser, form: dict[str, str]
) -> None:
    statuses = []
    for n in range(60):
        headers = {"x-forwarded-for": f"192.0.2.{n}, 203.0.113.7", "x-shoal-front": "guessed"}
        fields = form | {"email": f"{n}@example.com", "password": "wrong wrong wrong"}
        statuses.append(guest.send("POST", "/sign-in", fields=fields, headers=headers).status)

    assert statuses.count(429) >= 60 - SOURCE_FORMS.burst


def test_pages_of_a_session_are_limited(site: Site) -> None:
    member, other = site.member(), site.member("other@example.com")
    statuses = [member.get("/wallet").status for _ in range(150)]

    assert SESSION.burst - BLOCK <= statuses.count(200) <= SESSION.burst + BLOCK
    assert set(statuses) == {200, 429}
    assert other.get("/wallet").status == 200
    site.world.clock.pass_seconds(20)
    assert member.get("/wallet").status == 200


def test_pages_of_guests_are_limited_and_what_they_load_is_not(guest: Browser) -> None:
    statuses = [guest.get("/forgot").status for _ in range(150)]

    assert SOURCE.burst - BLOCK <= statuses.count(200) <= SOURCE.burst + BLOCK
    assert 429 not in {guest.get("/assets/nothing.css").status for _ in range(10)}


@pytest.mark.parametrize("polls", [False, True])
def test_an_account_has_no_more_for_having_many_keys(world: World, polls: bool) -> None:
    customer, ask = world.customer(), Ask(polls=polls)
    keys = [
        customer.key,
        *(
            world.manage.create_key(
                customer.account_id,
                customer.stored_key.prefix,
                customer.stored_key.limit,
                customer.caller.scopes,
            ).secret
            for _ in range(7)
        ),
    ]
    passed = 0
    for key in keys * 20 * (10 if polls else 1):
        with suppress(RateLimited):
            world.authenticate(f"Bearer {key}", ask)
            passed += 1

    burst = ACCOUNT.of_polls.burst if polls else ACCOUNT.burst
    assert burst - BLOCK <= passed <= burst + BLOCK
    world.authenticate(f"Bearer {world.customer().key}", ask)
