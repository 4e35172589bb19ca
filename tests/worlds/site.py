"""The dashboard over worlds of fakes: a browser's requests in, what it would show out."""

from __future__ import annotations

import base64
import gzip
import html
import re
from dataclasses import dataclass, field, replace
from typing import Any
from urllib.parse import urlencode, urlsplit

import pytest

from shoal.composition import dashboard as bootstrap_dashboard
from shoal.composition import jobs as bootstrap
from shoal.composition import payments as bootstrap_payments
from shoal.composition import videos as bootstrap_videos
from shoal.composition import webhooks as bootstrap_webhooks
from shoal.domain.catalog import load_catalog
from shoal.domain.person import OPERATORS, Person
from shoal.handlers.web.visit import FORM_COOKIE, SESSION_COOKIE
from shoal.use_cases.accounts.inspect_account import InspectAccount
from shoal.use_cases.people.look_around import LookAround
from shoal.use_cases.people.operate import Operate
from shoal.use_cases.people.sign_in import SignIn
from tests.fakes.dashboard import (
    FakeDirectory,
    FakeEntries,
    FakeIdentity,
    FakeKeyUses,
    FakePeople,
    FakeSessions,
    Registered,
)
from tests.support.api import SETTINGS, USE_CASES, LambdaContext
from tests.support.events import event
from tests.support.factories import url_of
from tests.support.handlers import handler_of
from tests.worlds.payment_world import PaymentWorld
from tests.worlds.webhook_world import WebhookWorld
from tests.worlds.world import World

EMAIL, PASSWORD = "diver@example.com", "correct horse battery"
ROOT = "/dashboard"
POOL = {"SHOAL_USER_POOL_ID": "eu-west-1_Abc", "SHOAL_USER_POOL_CLIENT_ID": "client"}
SIGN_UP = {"SHOAL_SIGN_UP_DOMAINS": "", "SHOAL_SIGN_UPS_CONFIRMED": "true"}
STRIPE = {"SHOAL_STRIPE_URL": "https://api.stripe.com"}
HIDDEN = ("csrf", "once", "nonce")
"""What forms hold beside what people fill in."""
VERBS = {"operate": "operate", "top-up": "top_up"}
"""The functions behind the first parts of paths; `show_dashboard` is behind all others."""


@dataclass(frozen=True)
class Shown:
    """What a browser got."""

    status: int
    headers: dict[str, str]
    text: str

    @property
    def location(self) -> str:
        return self.headers["Location"]

    def hidden(self, name: str) -> str:
        """The value of a form's hidden field."""
        found = re.search(rf'name="{name}" value="([^"]*)"', self.text)
        assert found, f"no field {name}"
        return html.unescape(found[1])


@dataclass
class Browser:
    """Keeps cookies, and nothing else."""

    world: World
    cookies: dict[str, str] = field(default_factory=dict)

    def get(self, path: str, **query: str) -> Shown:
        return self.send("GET", path, query=query)

    def post(self, path: str, **fields: Any) -> Shown:
        return self.send("POST", path, fields=fields)

    def piece(self, path: str, **query: str) -> Shown:
        """What htmx asks for."""
        return self.send("GET", path, query=query, partial=True)

    def submit(self, page: str, path: str, **fields: Any) -> Shown:
        """Open a page and send its form, with the hidden fields that it has."""
        shown = self.get(page)
        hidden = {
            name: shown.hidden(name) for name in ("csrf", "once", "nonce") if f'name="{name}"' in shown.text
        }
        return self.post(path, **hidden | fields)

    def send(
        self,
        method: str,
        path: str,
        *,
        query: dict[str, str] | None = None,
        fields: dict[str, Any] | None = None,
        partial: bool = False,
        headers: dict[str, str] | None = None,
    ) -> Shown:
        sent = event("http_get_health")
        sent |= {"rawPath": f"{ROOT}{path}", "routeKey": f"ANY {ROOT}/{{path+}}"}
        sent["requestContext"]["http"] |= {"method": method, "path": f"{ROOT}{path}"}
        sent["headers"] |= {"accept-encoding": "gzip"} | (headers or {})
        sent["cookies"] = [f"{name}={value}" for name, value in self.cookies.items()]
        if query:
            sent["queryStringParameters"] = query
        if partial:
            sent["headers"]["hx-request"] = "true"
        if fields is not None:
            sent["headers"].setdefault("content-type", "application/x-www-form-urlencoded")
            sent["body"] = urlencode(fields, doseq=True)
        verb = VERBS.get(path.strip("/").partition("/")[0], "show_dashboard")
        handler = handler_of(verb)
        return self._read(handler(sent, LambdaContext(self.world.clock)))

    def _read(self, answer: dict[str, Any]) -> Shown:
        for line in answer["cookies"]:
            name, _, rest = line.partition("=")
            assert all(word in rest for word in ("Secure", "HttpOnly", "SameSite=Lax", "Path=/"))
            self.cookies[name] = rest.partition(";")[0]
            if "Max-Age=0" in rest:
                del self.cookies[name]
        body = answer["body"]
        data = base64.b64decode(body) if answer["isBase64Encoded"] else body.encode()
        if answer["headers"].get("Content-Encoding") == "gzip":
            data = gzip.decompress(data)
        return Shown(answer["statusCode"], answer["headers"], data.decode())


class Site:
    """The dashboard's functions with a world of their own behind them."""

    def __init__(self, world: World, patch: pytest.MonkeyPatch) -> None:
        self.world, self.hooks, self.till = world, WebhookWorld(), PaymentWorld(world)
        network, tables = world.network, world.tables
        self.identity = FakeIdentity(network, world.clock)
        self.sessions = FakeSessions(network)
        self.people = FakePeople(network, tables)
        self.sign_in = SignIn(self.identity, self.people, self.sessions, world.clock, world.ids)
        directory = FakeDirectory(network, tables)
        self.look_around = LookAround(
            world.accounts,
            world.keys,
            FakeKeyUses(network, tables),
            world.usage,
            FakeEntries(network, tables),
            world.clock,
        )
        self.operate = Operate(
            world.accounts, directory, world.jobs, world.ledger, world.board, load_catalog(), world.clock
        )
        self._patch(patch)

    def _patch(self, patch: pytest.MonkeyPatch) -> None:
        world = self.world
        for name, value in (SETTINGS | POOL | SIGN_UP | STRIPE).items():
            patch.setenv(name, value)
        for module in (bootstrap, bootstrap_dashboard):
            patch.setattr(module, "settings_of", lambda model: model.from_environment())
            patch.setattr(module, "clock", world.clock)
            patch.setattr(module, "ids", world.ids)
        for name in USE_CASES:
            patch.setattr(bootstrap, name, lambda name=name: getattr(world, name))
        patch.setattr(bootstrap, "output_urls", lambda _settings: url_of)
        patch.setattr(bootstrap_videos, "read_video", lambda: world.read_video)
        patch.setattr(bootstrap_webhooks, "manage_webhooks", lambda: self.hooks.manage)
        patch.setattr(bootstrap_webhooks, "manage_deliveries", lambda: self.hooks.deliveries)
        patch.setattr(bootstrap_payments, "settings_of", lambda model: model.from_environment())
        patch.setattr(bootstrap_payments, "create_checkout", lambda _settings: self.till.create_checkout)
        patch.setattr(bootstrap_payments, "confirm_checkout", lambda _settings: self.till.confirm_checkout)
        inspect = InspectAccount(world.accounts, world.keys, world.jobs, world.ledger)
        of_the_dashboard = {
            "identity": self.identity,
            "sign_in": self.sign_in,
            "accounts": world.accounts,
            "look_around": self.look_around,
            "manage_accounts": world.manage,
            "inspect_account": inspect,
            "operate": self.operate,
            "audit_ledger": world.audit_ledger,
            "board": world.board,
            "media_origins": ("https://cdn.test",),
        }
        for name, part in of_the_dashboard.items():
            patch.setattr(bootstrap_dashboard, name, lambda part=part: part)

    def asks_for_codes(self, patch: pytest.MonkeyPatch, domains: str = "") -> None:
        """From now on who registers has to confirm the address, as on stages of AWS."""
        patch.setenv("SHOAL_SIGN_UPS_CONFIRMED", "false")
        patch.setenv("SHOAL_SIGN_UP_DOMAINS", domains)
        self.identity.confirms = False

    def browser(self) -> Browser:
        return Browser(self.world)

    def member(self, email: str = EMAIL, *, operator: bool = False) -> Browser:
        """A browser in which somebody is signed in."""
        groups = frozenset({OPERATORS}) if operator else frozenset()
        person = Person(f"sub-of-{email}", email, groups)
        self.identity.people[email] = Registered(person, PASSWORD, confirmed=True)
        browser = self.browser()
        answer = browser.submit("/sign-in", "/sign-in", email=email, password=PASSWORD)
        assert urlsplit(answer.location).path == ROOT
        browser.cookies.pop(FORM_COOKIE, None)
        assert SESSION_COOKIE in browser.cookies
        return browser

    def account_of(self, email: str = EMAIL) -> str:
        return self.people.accounts[f"sub-of-{email}"]

    def disable(self, email: str = EMAIL) -> None:
        """As an operator of the pool does."""
        self.identity.people[email] = replace(self.identity.people[email], enabled=False)
