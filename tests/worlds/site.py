"""The dashboard over worlds of fakes: a browser's requests in, what it would show out."""

from __future__ import annotations

import base64
import gzip
import html
import re
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import Any, TypeVar
from urllib.parse import urlencode, urlsplit

from shoal.composition.dashboard import Dashboard, ForBuyers, ForMembers, ForOperators
from shoal.dialects.spoken import View
from shoal.domain.money import Asset
from shoal.domain.person import OPERATORS, Person
from shoal.handlers.web import operate, show_dashboard, top_up
from shoal.handlers.web.visit import FORM_COOKIE, SESSION_COOKIE
from shoal.settings import SignUpSettings
from shoal.use_cases.accounts.inspect_account import InspectAccount
from shoal.use_cases.people.look_around import LookAround
from shoal.use_cases.people.operate import Operate
from shoal.use_cases.people.second_factor import SecondFactor
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
from tests.support.api import API_URL, LambdaContext
from tests.support.events import event
from tests.support.factories import url_of
from tests.worlds.payment_world import PaymentWorld
from tests.worlds.webhook_world import WebhookWorld
from tests.worlds.world import World

EMAIL, PASSWORD = "diver@example.com", "correct horse battery"
ROOT = "/dashboard"
STRIPE_URL = "https://api.stripe.com"
FRONT_TOKEN = "front-token"
HIDDEN = ("csrf", "once", "nonce")
"""What forms hold beside what people fill in."""
CARRIED = ("next", "email", "challenge", "secret")
"""What some carry on from page to page."""
Use = TypeVar("Use")
Part = TypeVar("Part")
Handler = Callable[[dict[str, Any], Any], dict[str, Any]]


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

    site: Site
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
        return self.fill(shown, path, **fields)

    def fill(self, shown: Shown, path: str, **fields: Any) -> Shown:
        """Send a form of a page that is open, with the hidden fields that it has."""
        there = [each for each in (*HIDDEN, *CARRIED) if f'type="hidden" name="{each}"' in shown.text]
        hidden = {name: shown.hidden(name) for name in there}
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
        handler = self.site.handlers.get(path.strip("/").partition("/")[0], self.site.all_else)
        return self._read(handler(sent, LambdaContext(self.site.world.clock)))

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

    def __init__(self, world: World) -> None:
        self.world, self.hooks, self.till = world, WebhookWorld(), PaymentWorld(world)
        network, tables = world.network, world.tables
        self.identity = FakeIdentity(network, world.clock)
        self.sessions = FakeSessions(network)
        self.people = FakePeople(network, tables)
        self.sign_in = SignIn(made(self.identity), self.people, self.sessions, world.clock, world.ids)
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
            world.accounts,
            directory,
            world.jobs,
            world.give_grant,
            world.board,
            world.open_jobs,
            world.catalogs,
            world.clock,
        )
        self.second_factor = SecondFactor(made(self.identity), self.sessions, world.clock)
        self.second_factor_required = False
        self.sign_up, self.stripe_url = sign_up_settings(confirmed=True), STRIPE_URL
        self.all_else: Handler = replace(
            show_dashboard.handler, build=lambda: self._dashboard(self._for_members())
        )
        self.handlers: dict[str, Handler] = {
            "operate": replace(operate.handler, build=lambda: self._dashboard(self._for_operators())),
            "top-up": replace(top_up.handler, build=lambda: self._dashboard(self._for_buyers())),
        }
        """By the first parts of their paths."""

    def _dashboard(self, use: Use) -> Dashboard[Use]:
        return Dashboard(
            clock=self.world.clock,
            ids=self.world.ids,
            api_url=API_URL,
            url_of=url_of,
            media_origins=("https://cdn.test",),
            sign_in=made(self.sign_in),
            accounts=made(self.world.accounts),
            second_factor_required=self.second_factor_required,
            limit_rates=made(self.world.limit_rates),
            front_token=FRONT_TOKEN,
            catalog=self.world.catalogs.current,
            use=use,
        )

    def _for_members(self) -> ForMembers:
        world = self.world
        return ForMembers(
            identity=made(self.identity),
            sign_up=self.sign_up,
            look_around=made(self.look_around),
            second_factor=made(self.second_factor),
            manage_accounts=made(world.manage),
            board=made(world.board),
            submit_job=made(world.submit_job),
            quote_job=made(world.quote_job),
            read_job=made(world.read_job),
            list_jobs=made(world.list_jobs),
            cancel_job=made(world.cancel_job),
            view=lambda: View(url_of, world.clock.now_ms(), made(world.scenes)),
            read_wallet=made(world.read_wallet),
            manage_webhooks=made(self.hooks.manage),
            manage_deliveries=made(self.hooks.deliveries),
        )

    def cap_grants(self, caps: dict[Asset, int]) -> None:
        """Give the stage caps, above which a second operator confirms what one grants or refunds."""
        self.world.cap_grants(caps)
        self.operate = replace(self.operate, give_grant=self.world.give_grant)

    def _for_operators(self) -> ForOperators:
        world = self.world
        return ForOperators(
            operate=made(self.operate),
            inspect_account=made(InspectAccount(world.accounts, world.keys, world.jobs, world.ledger)),
            manage_accounts=made(world.manage),
            give_grant=made(world.give_grant),
            audit_ledger=made(world.audit_ledger),
        )

    def _for_buyers(self) -> ForBuyers:
        return ForBuyers(
            stripe_url=self.stripe_url,
            create_checkout=made(self.till.create_checkout),
            confirm_checkout=made(self.till.confirm_checkout),
        )

    def asks_for_codes(self, domains: str = "") -> None:
        """From now on who registers has to confirm the address, as on stages of AWS."""
        self.sign_up = sign_up_settings(confirmed=False, domains=domains)
        self.identity.confirms = False

    def browser(self) -> Browser:
        return Browser(self)

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


def made(part: Part) -> Callable[[], Part]:
    """What makes a part, which is there already."""
    return lambda: part


def sign_up_settings(*, confirmed: bool, domains: str = "") -> SignUpSettings:
    found = {"stage": "unit", "sign_up_domains": domains, "sign_ups_confirmed": confirmed}
    return SignUpSettings.model_validate(found)
