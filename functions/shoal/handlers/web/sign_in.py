"""Register, confirm, sign in and out, reset a password."""

from __future__ import annotations

import re

from shoal import bootstrap_dashboard
from shoal.domain.errors import NotConfirmed, SignInRefused
from shoal.domain.person import PASSWORD_LENGTH_MIN, SESSION_LIFETIME_MS
from shoal.handlers.web.rendering import page
from shoal.handlers.web.visit import (
    SESSION_COOKIE,
    THEME_COOKIE,
    THEME_KEPT_S,
    THEMES,
    Page,
    Visit,
    cookie,
    no_cookie,
    redirect,
)

EMAIL_LENGTH_MAX = 254
PASSWORD_LENGTH_MAX = 256
_EMAIL = re.compile(r"[^@\s]+@[^@\s]+\.[^@\s.]+")
_PATH = re.compile(r"/[a-z0-9_/-]*", re.ASCII | re.IGNORECASE)
REFUSED = 422


def show_sign_in(visit: Visit) -> Page:
    return page(
        visit, "sign_in.html", email="", next=_next(visit.query.get("next", "")), notice=_notice(visit)
    )


def sign_in(visit: Visit) -> Page:
    """On to where the person wanted to go, with a session; 422 and the form again if they are refused."""
    email = visit.field("email").lower()
    try:
        return _entered(visit, email, visit.fields.get("password", [""])[0])
    except NotConfirmed:
        return redirect("/confirm", email=email)
    except SignInRefused as refused:
        wanted = _next(visit.field("next"))
        return page(visit, "sign_in.html", status=REFUSED, email=email, next=wanted, error=str(refused))


def show_sign_up(visit: Visit) -> Page:
    return page(visit, "sign_up.html", email="", password_min=PASSWORD_LENGTH_MIN)


def sign_up(visit: Visit) -> Page:
    """A registered person is signed in where nothing has to be confirmed, else asked for the code."""
    email, password = visit.field("email").lower(), visit.fields.get("password", [""])[0]
    try:
        _check(email, password)
        if not bootstrap_dashboard.identity().sign_up(email, password):
            return redirect("/confirm", email=email)
        return _entered(visit, email, password)
    except SignInRefused as refused:
        return page(
            visit,
            "sign_up.html",
            status=REFUSED,
            email=email,
            error=str(refused),
            password_min=PASSWORD_LENGTH_MIN,
        )


def show_confirm(visit: Visit) -> Page:
    return page(visit, "confirm.html", email=visit.query.get("email", ""), notice=_notice(visit))


def confirm(visit: Visit) -> Page:
    email = visit.field("email").lower()
    try:
        if visit.field("again"):
            bootstrap_dashboard.identity().send_code(email)
            return redirect("/confirm", email=email, done="code")
        bootstrap_dashboard.identity().confirm(email, visit.field("code"))
    except SignInRefused as refused:
        return page(visit, "confirm.html", status=REFUSED, email=email, error=str(refused))
    return redirect("/sign-in", done="confirmed")


def show_forgot(visit: Visit) -> Page:
    return page(visit, "forgot.html", email="")


def forgot(visit: Visit) -> Page:
    """The same for known and unknown addresses."""
    email = visit.field("email").lower()
    try:
        bootstrap_dashboard.identity().forgot(email)
    except SignInRefused as refused:
        return page(visit, "forgot.html", status=REFUSED, email=email, error=str(refused))
    return redirect("/reset", email=email)


def show_reset(visit: Visit) -> Page:
    email = visit.query.get("email", "")
    return page(visit, "reset.html", email=email, password_min=PASSWORD_LENGTH_MIN)


def reset(visit: Visit) -> Page:
    email, password = visit.field("email").lower(), visit.fields.get("password", [""])[0]
    try:
        _check(email, password)
        bootstrap_dashboard.identity().reset(email, visit.field("code"), password)
    except SignInRefused as refused:
        return page(
            visit,
            "reset.html",
            status=REFUSED,
            email=email,
            error=str(refused),
            password_min=PASSWORD_LENGTH_MIN,
        )
    return redirect("/sign-in", done="reset")


def sign_out(visit: Visit) -> Page:
    bootstrap_dashboard.sign_in().sign_out(visit.session)
    return redirect("/sign-in", cookies=(no_cookie(SESSION_COOKIE),), done="out")


def switch_mode(visit: Visit) -> Page:
    """Real money or play money from now on."""
    bootstrap_dashboard.sign_in().switch(visit.session, test=visit.field("mode") == "test")
    return redirect(_next(visit.field("next")))


def choose_theme(visit: Visit) -> Page:
    theme = visit.field("theme")
    kept = cookie(THEME_COOKIE, theme, THEME_KEPT_S) if theme in THEMES else no_cookie(THEME_COOKIE)
    return redirect(_next(visit.field("next")), cookies=(kept,))


def _entered(visit: Visit, email: str, password: str) -> Page:
    session_id, _ = bootstrap_dashboard.sign_in()(email, password)
    kept = cookie(SESSION_COOKIE, session_id, SESSION_LIFETIME_MS // 1000)
    return redirect(_next(visit.field("next")), cookies=(kept,))


def _check(email: str, password: str) -> None:
    """What the pool would refuse with less kind words. Raises `SignInRefused`."""
    if len(email) > EMAIL_LENGTH_MAX or not _EMAIL.fullmatch(email):
        raise SignInRefused("That is not an e-mail address.")
    if not PASSWORD_LENGTH_MIN <= len(password) <= PASSWORD_LENGTH_MAX:
        raise SignInRefused(f"Choose a password of at least {PASSWORD_LENGTH_MIN} characters.")


def _next(path: str) -> str:
    """A path of the dashboard, never another site's address."""
    return path if _PATH.fullmatch(path) and not path.startswith("//") else "/"


def _notice(visit: Visit) -> str:
    return {
        "confirmed": "Your address is confirmed. Sign in.",
        "reset": "Your new password is set. Sign in.",
        "out": "You are signed out.",
        "code": "A new code is on its way.",
    }.get(visit.query.get("done", ""), "")
