"""The Lambda behind the dashboard's addresses: find the view, see who is there, answer a page."""

from __future__ import annotations

import base64
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Generic

from shoal.composition.dashboard import Dashboard, Use
from shoal.domain.errors import ApiError, Forbidden, InternalError, NotFound, SessionEnded
from shoal.handlers.http.endpoint import Proxied, Request, frame
from shoal.handlers.web.rendering import page, policy
from shoal.handlers.web.visit import (
    ROOT,
    SESSION_COOKIE,
    Page,
    View,
    Visit,
    no_cookie,
    redirect,
)
from shoal.observability import logger

HEADERS = {
    "Content-Type": "text/html; charset=utf-8",
    "Cache-Control": "no-store",
    "X-Content-Type-Options": "nosniff",
    "Strict-Transport-Security": "max-age=63072000; includeSubDomains",
    "Referrer-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Permissions-Policy": "camera=(), geolocation=(), microphone=(), payment=()",
}
ALWAYS = frozenset({"/sign-out", "/theme"})
"""What even people of a suspended account may send."""
FOR_BOTH_MODES = ALWAYS | {"/mode"}
"""What works from a tab that was left open when the mode was switched in another: it moves no money."""
SUSPENDED = "This account is suspended."


class SecondFactorMissing(Exception):
    """An operator has to show a second factor first."""


Views = Mapping[str, View[Use]]


@dataclass(frozen=True, slots=True)
class WebEndpoint(Generic[Use]):
    """A Lambda handler. `members` are views for people who are signed in, `guests` for anybody.

    A view's key is its method and path, such as `GET /jobs/{id}`. `build` makes what views use.
    `operators`: only for them.
    """

    build: Callable[[], Dashboard[Use]]
    members: Views[Use]
    guests: Views[Use] = field(default_factory=dict)
    operators: bool = False

    def __call__(self, event: dict[str, Any], context: Any) -> Proxied:
        return frame(self._respond)(event, context)

    def _respond(self, request: Request) -> Proxied:
        visit = Visit(self.build(), request)
        return _encode(visit, self._answer(visit))

    def _answer(self, visit: Visit[Use]) -> Page:
        try:
            return self._show(visit)
        except ApiError as error:  # the frame around another error asks the table, too
            return _error(visit, error)
        except Exception:  # noqa: BLE001 - the last line of defence: logged whole, shown as internal_error
            logger.exception("unexpected error")
            return _error(visit, InternalError())

    def _show(self, visit: Visit[Use]) -> Page:
        """What a view answers, or why it does not. Raises what the page that tells why raises."""
        try:
            guest = _find_view(visit, self.guests)
            view = guest or _find_view(visit, self.members)
            if guest is None:
                _enter(visit, self.operators)
                visit.site.limit_rates().of_session(visit.session.digest)
            else:
                _limit_guest(visit)
            if view is None:
                raise NotFound("There is no such page.")
            if visit.request.method == "POST":
                _check_post(visit)
            elif guest is None and visit.of_another_mode:
                return Page(200, headers={"HX-Refresh": "true"})
            return view(visit)
        except SessionEnded:
            return _sign_in_first(visit)
        except SecondFactorMissing:
            return redirect("/security", done="operators")
        except ApiError as error:
            return _error(visit, error)


def _find_view(visit: Visit[Use], views: Views[Use]) -> View[Use] | None:
    """The view of a path; what stands for its {placeholders} goes into the visit."""
    path = visit.request.path.removeprefix(ROOT).rstrip("/") or "/"
    parts = f"{visit.request.method} {path}".split("/")
    for key, view in views.items():
        pattern = key.split("/")
        pairs = list(zip(pattern, parts, strict=False))
        if len(pattern) == len(parts) and all(p == part or p.startswith("{") for p, part in pairs):
            visit.parameters = {p.strip("{}"): part for p, part in pairs if p.startswith("{")}
            return view
    return None


def _enter(visit: Visit[object], operators: bool) -> None:
    """Raises `SessionEnded`, and `NotFound` where only operators may look: nothing tells that it is there.

    Raises `Forbidden` for an operator who is suspended: those pages show what is others'. Raises
    `SecondFactorMissing` for one who signed in with a password alone, where that is not enough.
    """
    session_id = visit.cookies.get(SESSION_COOKIE)
    if not session_id:
        raise SessionEnded
    visit.enter(visit.site.sign_in().resume(session_id))
    logger.append_keys(account_id=visit.session.account_id)
    if operators and not visit.session.operator:
        raise NotFound("There is no such page.")
    if operators and visit.account.suspended:
        raise Forbidden(SUSPENDED)
    if operators and visit.site.second_factor_required and not visit.session.second_factor:
        raise SecondFactorMissing


def _limit_guest(visit: Visit[object]) -> None:
    """By source address, and forms by the e-mail address they name. Raises `RateLimited`."""
    if visit.request.path.startswith(f"{ROOT}/assets/"):
        return
    email = visit.field("email") if visit.request.method == "POST" else None
    visit.site.limit_rates().of_guest(visit.request.source(visit.site.front_token), email)


def _check_post(visit: Visit[object]) -> None:
    """Raises `Forbidden`."""
    path = visit.request.path.removeprefix(ROOT)
    visit.check_form(any_mode=path in FOR_BOTH_MODES)
    if visit.signed_in and path not in ALWAYS and visit.account.suspended:
        raise Forbidden(SUSPENDED)


def _sign_in_first(visit: Visit[object]) -> Page:
    cookies = (no_cookie(SESSION_COOKIE),) if SESSION_COOKIE in visit.cookies else ()
    if visit.partial:
        # htmx follows redirects by itself and would put the sign-in page into the middle of this one.
        return Page(200, headers={"HX-Redirect": f"{ROOT}/sign-in"}, cookies=cookies)
    wanted = {"next": visit.here} if visit.request.method == "GET" and visit.here != "/" else {}
    return redirect("/sign-in", cookies=cookies, **wanted)


def _error(visit: Visit[object], error: ApiError) -> Page:
    template = "error_notice.html" if visit.partial else "error.html"
    shown = page(visit, template, status=error.status, error=error)
    return replace(shown, headers={**shown.headers, **error.headers})


def _encode(visit: Visit[object], answer: Page) -> Proxied:
    binary = isinstance(answer.body, bytes)
    body = base64.b64encode(answer.body).decode() if isinstance(answer.body, bytes) else answer.body
    security = {"Content-Security-Policy": policy(visit.site.media_origins, answer.leads_to)}
    return {
        "statusCode": answer.status,
        "headers": HEADERS | security | visit.request.headers_out | dict(answer.headers),
        "cookies": list(answer.cookies),
        "body": body,
        "isBase64Encoded": binary,
    }
