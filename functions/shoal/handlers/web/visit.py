"""One request of a browser, and what it gets: pages, redirects, cookies."""

from __future__ import annotations

import hashlib
import hmac
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, Generic
from urllib.parse import parse_qs, quote, unquote, urlencode, urlsplit

from shoal.composition.dashboard import Dashboard, Use_co
from shoal.domain.api_key import Caller, Scope
from shoal.domain.errors import Forbidden, NotFound, UnsupportedMediaType, ValidationFailed
from shoal.domain.ids import is_ulid, moment_of
from shoal.domain.person import SECRET_LENGTH, SESSION_LIFETIME_MS, Session
from shoal.domain.rate_limit import Allowance, RateLimit
from shoal.domain.text import is_blank
from shoal.handlers.http.endpoint import Request
from shoal.ports.accounts import Account

ROOT = "/dashboard"
SESSION_COOKIE = "__Host-shoal_session"
FORM_COOKIE = "__Host-shoal_form"
EMAIL_COOKIE = "__Host-shoal_email"
"""The address that a code was sent to, for the form that asks for the code: addresses stand in no URL."""
EMAIL_KEPT_S = 3600
THEME_COOKIE = "__Host-shoal_theme"
THEMES = ("light", "dark")
THEME_KEPT_S = 365 * 24 * 3600
FIELDS_MAX = 100
_ID = re.compile(r"[A-Za-z0-9_-]{1,64}")
CLOCKS_DIFFER_MS = 60_000
"""A form may be sent to another machine than the one that showed it."""
KEY_ID = "dashboard"
"""Stands for the key's id in jobs that were submitted here."""
OUT_OF_DATE = "The form is out of date: load the page again."
_ATTRIBUTES = "Path=/; Secure; HttpOnly; SameSite=Lax"


@dataclass(frozen=True, slots=True)
class Page:
    """What the browser gets: `cookies` are Set-Cookie lines, `leads_to` other origins a form may end at."""

    status: int
    body: str | bytes = ""
    headers: Mapping[str, str] = field(default_factory=dict)
    cookies: tuple[str, ...] = ()
    leads_to: tuple[str, ...] = ()


class Visit(Generic[Use_co]):
    """A request, the session it came with, if any, and the account it may look at.

    `site` is what all pages use, `use` what those of this function do beside it.
    """

    def __init__(self, site: Dashboard[Use_co], request: Request) -> None:
        self.site, self.use = site, site.use
        self.request = request
        self.cookies = parse_cookies(request.cookies)
        self.parameters: Mapping[str, str] = {}
        self._session: Session | None = None

    @property
    def signed_in(self) -> bool:
        return self._session is not None

    @property
    def session(self) -> Session:
        """Raises LookupError outside of the pages for people who are signed in."""
        if self._session is None:
            raise LookupError("nobody is signed in")
        return self._session

    def enter(self, session: Session) -> None:
        """From here on the visit is somebody's."""
        self._session = session

    @cached_property
    def account(self) -> Account:
        return self.site.accounts().get(self.session.account_id)

    @property
    def caller(self) -> Caller:
        """Who asks, for the use cases that the API has too: the account, in the mode the person chose."""
        return Caller(
            account_id=self.session.account_id,
            key_id=KEY_ID,
            scopes=frozenset(Scope),
            test=self.session.test,
            allowance=Allowance(RateLimit(), 0, 0),
        )

    @property
    def email(self) -> str:
        """The address that this browser asked a code for, empty if it did not."""
        return unquote(self.cookies.get(EMAIL_COOKIE, ""))

    @property
    def partial(self) -> bool:
        """Whether htmx asks for a piece of a page."""
        return self.request.headers.get("hx-request") == "true"

    @property
    def query(self) -> dict[str, str]:
        """What of the query is filled in: an empty field of a filter is no filter."""
        return {name: text for name, value in (self.request.query or {}).items() if (text := value.strip())}

    @cached_property
    def fields(self) -> dict[str, list[str]]:
        """The form, by field. Raises `UnsupportedMediaType`, `ValidationFailed`."""
        body = self.request.body
        if body and not self.request.headers.get("content-type", "").startswith(
            "application/x-www-form-urlencoded"
        ):
            raise UnsupportedMediaType("Send the form as a browser does.")
        try:
            if self.request.lost_bytes:
                raise ValueError("bytes were lost on the way")
            return parse_qs(body.decode(), keep_blank_values=True, max_num_fields=FIELDS_MAX, errors="strict")
        except ValueError:
            raise ValidationFailed("The form is not readable.") from None

    def field(self, name: str) -> str:
        """The first value of a field, empty if there is none or nothing of it can be seen."""
        text = self.fields.get(name, [""])[0].strip()
        return "" if is_blank(text) else text

    @property
    def once(self) -> str:
        """What makes this form the same when it is sent twice: a ULID of the form's moment.

        Raises `ValidationFailed`, also for a form that is older than any session, or not shown yet.
        """
        ulid, now_ms = self.field("once"), self.site.clock.now_ms()
        if is_ulid(ulid) and -CLOCKS_DIFFER_MS <= now_ms - moment_of(f"once_{ulid}") <= SESSION_LIFETIME_MS:
            return ulid
        raise ValidationFailed(OUT_OF_DATE)

    @property
    def seed(self) -> bytes:
        """64 bytes that this browser and this form make together, the same whenever the form is sent.

        From the cookie, of which only a digest is kept, and the form's `nonce`, which nothing keeps: neither
        the table nor a stolen session alone tells what was made of them. Raises `ValidationFailed`.
        """
        nonce = self.field("nonce")
        if not _secret(nonce):
            raise ValidationFailed(OUT_OF_DATE)
        session_id = self.cookies[SESSION_COOKIE].encode()
        return hmac.digest(session_id, f"{self.once}.{nonce}".encode(), hashlib.sha512)

    @cached_property
    def csrf(self) -> str:
        """What a form of this visit carries: the session's token, or that of a cookie before there is one."""
        if self._session is not None:
            return self._session.form_token
        token = self.cookies.get(FORM_COOKIE, "")
        return token if _secret(token) else self.new_nonce()

    def check_form(self, *, any_mode: bool = False) -> None:
        """That the form is one of ours, shown in this mode unless it is one for both. Raises `Forbidden`."""
        expected: tuple[str, ...] = (self.cookies.get(FORM_COOKIE, ""),)
        if self._session is not None:
            expected = self._session.form_tokens if any_mode else (self._session.form_token,)
        sent = self.field("csrf") or self._sent_by_script
        site = self.request.headers.get("sec-fetch-site", "same-origin")
        genuine = any(each and hmac.compare_digest(sent.encode(), each.encode()) for each in expected)
        if not genuine or site not in ("same-origin", "none"):
            raise Forbidden("This form has expired. Load the page again and retry.")

    @property
    def of_another_mode(self) -> bool:
        """Whether a piece is asked for by a page that was shown before the mode, or the person, changed."""
        return self.partial and self._sent_by_script not in ("", self.session.form_token)

    @property
    def _sent_by_script(self) -> str:
        """The form token that htmx adds to all that it asks for."""
        return self.request.headers.get("x-csrf", "")

    def new_once(self) -> str:
        return self.site.ids.new("once", self.site.clock.now_ms()).partition("_")[2]

    def new_nonce(self) -> str:
        return self.site.ids.secret(SECRET_LENGTH)

    @property
    def here(self) -> str:
        """The page to come back to: this one, or for the answer to a form the one that it was on."""
        if self.request.method == "GET":
            path, query = self.request.path, urlencode(self.request.query)
        else:
            path, query = _parts(self.request.headers.get("referer", ""))
        inside = path.removeprefix(ROOT) if path.startswith(f"{ROOT}/") else ""
        return (inside or "/") + (f"?{query}" if query else "")

    def parameter(self, name: str) -> str:
        """A part of the path. Raises `NotFound` for one no id of ours can be."""
        return known_id(self.parameters.get(name, ""))


View = Callable[[Visit[Use_co]], Page]


def _secret(text: str) -> bool:
    """Whether a text can be one that the ids port made."""
    return len(text) == SECRET_LENGTH and text.isascii() and text.isalnum()


def _parts(address: str) -> tuple[str, str]:
    """Path and query, empty for what is no address."""
    try:
        parts = urlsplit(address)
    except ValueError:
        return "", ""
    return parts.path, parts.query


def known_id(text: str) -> str:
    """The same text. Raises `NotFound` for one no id of ours can be: the table refuses to look for some."""
    if not _ID.fullmatch(text):
        raise NotFound()
    return text


def redirect(path: str, *, cookies: tuple[str, ...] = (), **query: str) -> Page:
    """Go on to another page of the dashboard with a GET."""
    target = ROOT + path.rstrip("/") + (f"?{urlencode(query)}" if query else "")
    return Page(303, headers={"Location": target}, cookies=cookies)


def cookie(name: str, value: str, max_age_s: int) -> str:
    """A Set-Cookie line that only this host gets back, over TLS, out of reach of scripts."""
    return f"{name}={value}; Max-Age={max_age_s}; {_ATTRIBUTES}"


def no_cookie(name: str) -> str:
    return cookie(name, "", 0)


def email_cookie(email: str) -> str:
    return cookie(EMAIL_COOKIE, quote(email, safe="@"), EMAIL_KEPT_S)


def parse_cookies(lines: list[str]) -> dict[str, str]:
    """The `cookies` of an HTTP API's event."""
    pairs = (line.partition("=") for line in lines)
    return {name.strip(): value for name, _, value in pairs}


def known_theme(visit: Visit[object]) -> str:
    """The colours the person chose, empty for those of their device."""
    theme = visit.cookies.get(THEME_COOKIE, "")
    return theme if theme in THEMES else ""


Context = dict[str, Any]
