"""Browsers that were open before an upgrade: their sessions go on, and their forms do once what they say."""

from __future__ import annotations

from dataclasses import replace

import pytest

from shoal.adapters.dynamodb.idempotency import record_of
from shoal.adapters.dynamodb.items import api_key_of
from shoal.adapters.dynamodb.values import unmarshal
from shoal.domain.api_key import ApiKey
from shoal.domain.idempotency import IdempotencyKey
from shoal.domain.money import Asset
from shoal.domain.person import Person, Session, session_digest
from shoal.handlers.web.visit import SESSION_COOKIE
from shoal.ports.accounts import Account
from shoal.use_cases.accounts.manage_accounts import opening_grants
from tests.fakes.dashboard import Registered
from tests.fixtures.files import Json, load, versions
from tests.worlds.site import Browser, Site
from tests.worlds.site_fixtures import site

__all__ = ["site"]


@pytest.fixture(params=versions())
def version(request: pytest.FixtureRequest) -> str:
    return str(request.param)


class Returned:
    """Somebody whose browser still has the cookie of an earlier version, and the items that version kept."""

    def __init__(self, site: Site, version: str, session: str) -> None:
        self.site, self.forms = site, load(version, "forms")
        self.items = {name: unmarshal(item) for name, item in load(version, "items").items()}
        self.session = _session(self.items[f"session.{session}"])
        self.cookie = self.forms[f"session.{session}"]["cookie"]
        site.world.clock.ms = self.session.vouched_until_ms - 60_000
        site.sessions.sessions[self.session.digest] = self.session
        site.identity.people[self.session.person.email] = Registered(self.session.person, "", confirmed=True)
        account = Account(self.session.account_id, self.session.person.email, site.world.clock.ms)
        site.people.open(self.session.person.subject, account, opening_grants(account, 10_000_000, 0))

    @property
    def browser(self) -> Browser:
        return Browser(self.site, {SESSION_COOKIE: self.cookie})

    def send(self, name: str, **more: str) -> tuple[int, str]:
        """Send a form that was shown before the upgrade. Status, and where that leads to."""
        form = self.forms[name]
        shown = self.browser.post(form["path"], **form["fields"] | more)
        return shown.status, shown.headers.get("Location", "")

    def remember(self, name: str) -> None:
        """The idempotency record that the form's first sending left."""
        item = self.items[name]
        _, account_id, route, key_text = item["pk"].split("#")
        key = IdempotencyKey(account_id, route, key_text, item["fingerprint"])
        record = record_of(item, key)
        for tables in (self.site.world.tables, self.site.hooks.tables):
            tables.records[account_id, route, key_text] = record


def _session(item: Json) -> Session:
    return Session(
        digest=item["pk"].removeprefix("SESSION#"),
        person=Person(item["subject"], item["email"], frozenset(item["groups"])),
        account_id=item["account_id"],
        csrf=item["csrf"],
        refresh_token=item["refresh_token"],
        vouched_until_ms=item["vouched_until_ms"],
        expires_at_ms=item["expires_at"] * 1000,
        test=item["test"],
    )


def test_every_recorded_form_is_sent(version: str) -> None:
    sessions = {f"session.{name}" for name in ("live", "test", "operator")}
    assert set(load(version, "forms")) == sessions | {"key", "picture", "webhook", "grant"}


@pytest.mark.parametrize(
    ("session", "seen"), [("live", "Wallet"), ("test", "Wallet"), ("operator", "Unfinished work")]
)
def test_a_recorded_cookie_is_a_session(site: Site, version: str, session: str, seen: str) -> None:
    returned = Returned(site, version, session)
    assert session_digest(returned.cookie) == returned.session.digest

    shown = returned.browser.get("/operate" if session == "operator" else "/wallet")

    assert (shown.status, seen in shown.text) == (200, True)
    assert returned.session.account_id in returned.browser.get("/wallet").text


def test_the_form_of_a_key_makes_the_very_key_it_made(site: Site, version: str) -> None:
    """From cookie, form and nothing else: sent twice over an upgrade it is one key, with one secret."""
    returned = Returned(site, version, "live")
    before = api_key_of(returned.items["key.of_a_form.listed"])

    assert returned.send("key")[0] == 200

    (made,) = site.world.tables.keys.values()
    assert made == _at(before, made.created_at_ms)
    assert made.digest == returned.forms["key"]["digest"]


def _at(key: ApiKey, created_at_ms: int) -> ApiKey:
    return replace(key, created_at_ms=created_at_ms)


def test_the_form_of_a_picture_leads_to_the_job_it_made(site: Site, version: str) -> None:
    returned = Returned(site, version, "live")
    returned.remember("idempotency.form")

    status, leads_to = returned.send("picture")

    assert (status, leads_to) == (303, f"/dashboard/jobs/{returned.forms['picture']['job_id']}")
    assert site.world.tables.jobs == {}


def test_the_form_of_a_webhook_shows_the_webhook_it_made(site: Site, version: str) -> None:
    returned = Returned(site, version, "live")
    item = returned.items["idempotency.form_of_a_webhook"]
    fields = returned.forms["webhook"]["fields"]
    body = {"name": fields["name"], "url": fields["url"], "events": [fields["events"]]}
    key = IdempotencyKey.of(returned.session.account_id, "POST /dashboard/webhooks", fields["once"], body)

    assert record_of(item, key).job_id == item["job_id"], "another body would be refused"
    assert item["pk"] == f"IDEMPOTENCY#{key.account_id}#{key.route}#{key.key}"


def test_the_form_of_a_grant_grants_once(site: Site, version: str) -> None:
    returned = Returned(site, version, "operator")
    wallets, wallet_id = site.world.tables.wallets, (returned.session.account_id, Asset.USD)

    assert returned.send("grant")[1] == "", "a form of 0.1 has no reason, and one is required"
    first, again = (returned.send("grant", reason="Sorry")[1].partition("?")[2] for _ in range(2))

    assert (first, again) == ("done=granted", "done=granted-before")
    assert wallets[wallet_id].balance == 15_000_000
    (granted,) = [
        entry for entry in site.world.tables.entries[wallet_id].values() if entry.note == "operator"
    ]
    recorded = returned.items["entry.top_up.of_a_form"]
    assert (granted.entry_id, granted.balance_delta) == (
        recorded["sk"].removeprefix("ENTRY#"),
        recorded["balance_delta"],
    )
