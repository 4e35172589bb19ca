"""A person at the deployed dashboard who needs no browser: forms and links over HTTP."""

from __future__ import annotations

import html
import re
from uuid import uuid4

import requests

from infra.local.cloud import LocalCloud
from shoal.domain.person import OPERATORS
from shoal.handlers.web.visit import SESSION_COOKIE
from tests.support.authenticator import code_of
from tests.support.deployed import eventually

PASSWORD = "correct horse battery staple"
ANSWER_SECONDS_MAX = 30
JOB_SECONDS_MAX = 120
RESET_CODE = "654321"
"""What the local cloud sends to everybody."""
NOBODY = "http://127.0.0.1:9/nobody"
HIDDEN = re.compile(r'name="(csrf|once|nonce|next|model|run|challenge|secret)" value="([^"]*)"')


class Visitor:
    """Registers on the way in."""

    def __init__(self, cloud: LocalCloud) -> None:
        self.email = f"{uuid4().hex[:12]}@example.com"
        self._cloud, self._http = cloud, requests.Session()
        self.send("/sign-up", email=self.email, password=PASSWORD)
        self.account_id = self.found(r'id="account-id">(acc_\w+)<', "/wallet")

    def become_operator(self) -> None:
        self._cloud.client("cognito-idp").admin_add_user_to_group(
            UserPoolId=self._cloud.outputs["UserPoolId"], Username=self.email, GroupName=OPERATORS
        )
        self.send("", to="/sign-out")
        self.send("/sign-in", email=self.email, password=PASSWORD)

    def get(self, path: str) -> str:
        """The page, which is there."""
        answer = self._ask("GET", path)
        assert answer.status_code in (200, 204), f"{path}: {answer.status_code} {answer.text}"
        return answer.text

    def found(self, pattern: str, path: str) -> str:
        """What a page says."""
        match = re.search(pattern, self.get(path))
        assert match, f"{path} has no {pattern}"
        return match[1]

    @property
    def session_id(self) -> str:
        """What the browser is known by."""
        (cookie,) = [each for each in self._http.cookies if each.name == SESSION_COOKIE]
        return str(cookie.value)

    def form(self, path: str) -> dict[str, str]:
        """What a page's form holds beside what people fill in."""
        return {name: html.unescape(value) for name, value in HIDDEN.findall(self.get(path))}

    def fill(self, page: str, to: str, **fields: str) -> str:
        """Fill in a form of a page that is open and send it. Returns the page it leads to."""
        hidden = {name: html.unescape(value) for name, value in HIDDEN.findall(page)}
        answer = self._ask("POST", to, hidden | fields)
        assert answer.status_code in (200, 303), f"{to}: {answer.status_code} {answer.text}"
        leads_to = answer.headers.get("Location", "").removeprefix("/dashboard")
        return self.get(leads_to) if answer.status_code == 303 else answer.text

    def send(self, path: str, *, to: str | None = None, **fields: str) -> str:
        """Fill in a form of a page and send it. Returns the path it leads to."""
        hidden = self.form(path)
        action = path if to is None else to
        answer = self._ask("POST", action, hidden | {"next": "/"} | fields)
        assert answer.status_code in (200, 303), f"{action}: {answer.status_code} {answer.text}"
        leads_to = answer.headers.get("Location", "").removeprefix("/dashboard")
        self.get(leads_to)
        return leads_to.partition("?")[0]

    def buy(self, **offer: str) -> str:
        """Choose an offer. Returns the address of the page to pay on."""
        return self._led("POST", "/top-up", self.form("/top-up") | offer)

    def come_back(self, checkout_id: str) -> str:
        """From paying. Returns where that leads to."""
        return self._led("GET", f"/top-up?checkout={checkout_id}")

    def _led(self, method: str, path: str, fields: dict[str, str] | None = None) -> str:
        answer = self._ask(method, path, fields)
        assert answer.status_code == 303, f"{path}: {answer.status_code} {answer.text}"
        return str(answer.headers["Location"])

    def _ask(self, method: str, path: str, fields: dict[str, str] | None = None) -> requests.Response:
        answer = self._http.request(
            method,
            f"{self._cloud.api_url}/dashboard{path}",
            data=fields,
            allow_redirects=False,
            timeout=ANSWER_SECONDS_MAX,
        )
        for cookie in self._http.cookies:
            cookie.secure = False  # browsers, unlike requests, take the loopback interface for as safe as TLS
        return answer


def use_dashboard(cloud: LocalCloud) -> None:
    """A person who becomes an operator opens every page and sends every form."""
    person = Visitor(cloud)
    person.become_operator()
    for path in ("", "/live", "/jobs", "/videos", "/usage", "/usage.csv", "/playground"):
        person.get(path)
    person.send("/keys", name="mine", kind="sk_live_", scopes="read", rate="60")
    person.send("", to=f"/keys/{person.found(r'/keys/(key_[A-Z0-9]+)/revoke', '/keys')}/revoke")
    person.send("", to="/mode", mode="test")
    person.send("", to="/mode", mode="live")
    account = f"/operate/accounts/{person.account_id}"
    for asset, amount in (("usd", "1.00"), ("credit", "2")):
        person.send(account, to=f"{account}/grant", asset=asset, amount=amount, reason="tour")
    operate_a_job(person, account)
    for path in (account, "/operate", "/operate/failed"):
        person.get(path)
    person.send("/operate", to="/operate/audit")
    other = f"/operate/accounts/{Visitor(cloud).account_id}"
    person.send(other, to=f"{other}/suspend")
    person.send(other, to=f"{other}/resume")
    manage_a_webhook(person)
    guard_an_account(Visitor(cloud))


def operate_a_job(person: Visitor, account: str) -> None:
    """Pictures that are made, repeated, refunded and canceled; a video that is canceled."""
    person.send("/playground", to="/playground/quote", prompt="sharks")
    first = person.send("/playground", to="/playground/run", prompt="sharks", mode="1k")
    eventually(lambda: "badge completed" in person.get(first), seconds_max=JOB_SECONDS_MAX)
    person.get(f"{first}/live")
    person.get(f"{first}/card")
    person.send(first, to=f"{first}/retry")
    person.send(f"{account}{first}", to=f"{account}{first}/refund", reason="tour")
    for model, field in (("image", "prompt"), ("video", "idea")):
        body = {field: "[timeout] sharks"}
        if model == "video":
            body |= {"category": "story", "duration": "8", "aspect_ratio": "16:9"}
        job = person.send(f"/playground?model={model}", to="/playground/run", **body)
        person.get(job)
        person.send(job, to=f"{job}/cancel")


def manage_a_webhook(person: Visitor) -> None:
    person.send("/webhooks", name="mine", url=NOBODY, events="*")
    webhook = person.found(r'href="/dashboard(/webhooks/wh_[A-Z0-9]+)"', "/webhooks")
    person.send(webhook, to=f"{webhook}/test")
    delivery = person.found(r"(/deliveries/dlv_[A-Z0-9]+/resend)", webhook)
    person.send(webhook, to=f"{webhook}{delivery}")
    person.get(f"{webhook}/deliveries")
    person.send(webhook, to=f"{webhook}/rotate")
    for enabled in ("false", "true"):
        person.send(webhook, to=f"{webhook}/switch", enabled=enabled)
    person.send(webhook, to=f"{webhook}/delete")


def guard_an_account(person: Visitor) -> None:
    """A second factor is set up, asked for and removed; then the password is reset."""
    begun = person.fill(person.get("/security"), "/security/begin")
    secret = dict(HIDDEN.findall(begun))["secret"]
    proof = {"code": code_of(secret), "password": PASSWORD}
    assert "is set up" in person.fill(begun, "/security/confirm", **proof)
    person.fill(person.get("/security"), "/sign-out")
    asked = person.fill(person.get("/sign-in"), "/sign-in", email=person.email, password=PASSWORD)
    person.fill(asked, "/sign-in/code", email=person.email, code=code_of(secret))
    assert "badge completed" in person.get("/security")
    person.fill(person.get("/security"), "/security/remove", code=code_of(secret), password=PASSWORD)
    person.send("/sign-in", email=person.email, password=PASSWORD)
    person.send("/keys", name="of today", kind="sk_live_", scopes="read", rate="60")
    person.fill(person.get("/forgot"), "/forgot", email=person.email)
    new = {"email": person.email, "code": RESET_CODE, "password": f"another {PASSWORD}"}
    assert "of today" in person.fill(person.get("/reset"), "/reset", **new)
