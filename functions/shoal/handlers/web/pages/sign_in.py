"""Register, confirm, sign in and out, reset a password."""

from __future__ import annotations

import re
from dataclasses import replace

from shoal.composition.dashboard import ForMembers
from shoal.domain import person
from shoal.domain.errors import SignInRefused, Unavailable, ValidationFailed
from shoal.handlers.web.authenticator import app_of, sent_secret
from shoal.handlers.web.rendering import page
from shoal.handlers.web.visit import (
    EMAIL_COOKIE,
    OUT_OF_DATE,
    SESSION_COOKIE,
    THEME_COOKIE,
    THEME_KEPT_S,
    THEMES,
    Page,
    Visit,
    cookie,
    email_cookie,
    no_cookie,
    redirect,
)
from shoal.observability import logger

EMAIL_LENGTH_MAX = 254
PASSWORD_LENGTH_MAX = 256
CHALLENGE_LENGTH_MAX = 2048
"""Of a session of the pool that waits for an answer, in Cognito's API reference."""
_EMAIL = re.compile(r"[^@\s]+@[^@\s]+\.[^@\s.]+")
_PATH = re.compile(r"/[a-z0-9_/-]*(\?[a-z0-9_=&%.+-]{0,1000})?", re.ASCII | re.IGNORECASE)
REFUSED = 422


def show_sign_in(visit: Visit[ForMembers]) -> Page:
    return page(
        visit,
        "guests/sign_in.html",
        email="",
        next=next_path(visit.query.get("next", "")),
        notice=_notice(visit),
    )


def sign_in(visit: Visit[ForMembers]) -> Page:
    """On to where the person wanted to go, with a session; 422 and the form again if they are refused."""
    email, password = _credentials(visit)
    try:
        return _enter(visit, email, password)
    except SignInRefused as refused:
        wanted = next_path(visit.field("next"))
        return page(
            visit, "guests/sign_in.html", status=REFUSED, email=email, next=wanted, error=str(refused)
        )


def sign_up(visit: Visit[ForMembers]) -> Page:
    """Who registers is signed in where nothing has to be confirmed, else asked for the code and a password.

    The answer is the same for an address that is known. What is registered meanwhile has a password nobody
    knows: the person with the code chooses one, not the first to type the address.
    """
    settings, identity = visit.use.sign_up, visit.use.identity()
    email, password = _credentials(visit)
    try:
        _check_email(email)
        if not person.may_register(email, settings.sign_up_domains):
            raise SignInRefused("This e-mail address cannot register here.")
        if not settings.sign_ups_confirmed:
            identity.sign_up(email, visit.site.ids.secret(person.SECRET_LENGTH))
            return redirect("/confirm", cookies=(email_cookie(email),))
        _check_password(password)
        identity.sign_up(email, password)
        return _enter(visit, email, password)
    except SignInRefused as refused:
        return show_sign_up(visit, email, str(refused))


def show_sign_up(visit: Visit[ForMembers], email: str = "", error: str = "") -> Page:
    return page(
        visit,
        "guests/sign_up.html",
        status=REFUSED if error else 200,
        email=email,
        error=error,
        password_min=person.PASSWORD_LENGTH_MIN,
        with_password=visit.use.sign_up.sign_ups_confirmed,
    )


def show_confirm(visit: Visit[ForMembers]) -> Page:
    return _confirm(visit, visit.email)


def confirm(visit: Visit[ForMembers]) -> Page:
    """Signed in with the password that is chosen here; one answer for every code that does not fit."""
    email, password = _credentials(visit)
    identity = visit.use.identity()
    try:
        _check_email(email)
        if visit.field("again"):
            identity.send_code(email)
            return redirect("/confirm", cookies=(email_cookie(email),), done="code")
        _check_password(password)
        identity.confirm(email, visit.field("code"), password)
        return _enter(visit, email, password)
    except SignInRefused as refused:
        return _confirm(visit, email, str(refused))


def _confirm(visit: Visit[ForMembers], email: str, error: str = "") -> Page:
    return page(
        visit,
        "guests/confirm.html",
        status=REFUSED if error else 200,
        email=email,
        error=error,
        notice=_notice(visit),
        password_min=person.PASSWORD_LENGTH_MIN,
    )


def show_forgot(visit: Visit[ForMembers]) -> Page:
    return page(visit, "guests/forgot.html", email="")


def forgot(visit: Visit[ForMembers]) -> Page:
    """The same for known and unknown addresses."""
    email, _ = _credentials(visit)
    try:
        _check_email(email)
        visit.use.identity().forgot(email)
    except SignInRefused as refused:
        return page(visit, "guests/forgot.html", status=REFUSED, email=email, error=str(refused))
    return redirect("/reset", cookies=(email_cookie(email),))


def show_reset(visit: Visit[ForMembers]) -> Page:
    return page(visit, "guests/reset.html", email=visit.email, password_min=person.PASSWORD_LENGTH_MIN)


def reset(visit: Visit[ForMembers]) -> Page:
    """All sessions end. What keys were made lately is told: not all of them need be the person's own."""
    email, password = _credentials(visit)
    try:
        _check_email(email)
        _check_password(password)
        account_id = visit.site.sign_in().reset(email, visit.field("code"), password)
    except SignInRefused as refused:
        return page(
            visit,
            "guests/reset.html",
            status=REFUSED,
            email=email,
            error=str(refused),
            password_min=person.PASSWORD_LENGTH_MIN,
        )
    keys = visit.use.look_around().new_keys(account_id) if account_id else []
    done = page(visit, "guests/reset_done.html", keys=keys)
    return replace(done, cookies=(*done.cookies, no_cookie(EMAIL_COOKIE), no_cookie(SESSION_COOKIE)))


def sign_out(visit: Visit[ForMembers]) -> Page:
    """Out, also where the pool does not answer: the session has ended by then."""
    try:
        visit.site.sign_in().sign_out(visit.session)
    except Unavailable:
        logger.warning("a refresh token outlives its session: the pool did not answer")
    return redirect("/sign-in", cookies=(no_cookie(SESSION_COOKIE),), done="out")


def switch_mode(visit: Visit[ForMembers]) -> Page:
    """Real money or play money from now on."""
    visit.site.sign_in().switch(visit.session, test=visit.field("mode") == "test")
    return redirect(next_path(visit.field("next")))


def choose_theme(visit: Visit[ForMembers]) -> Page:
    theme = visit.field("theme")
    kept = cookie(THEME_COOKIE, theme, THEME_KEPT_S) if theme in THEMES else no_cookie(THEME_COOKIE)
    return redirect(next_path(visit.field("next")), cookies=(kept,))


def _enter(visit: Visit[ForMembers], email: str, password: str) -> Page:
    """Into the dashboard, or to the form that asks for a second factor. Raises `SignInRefused`."""
    found = visit.site.sign_in()(email, password)
    if isinstance(found, person.Challenge):
        return _ask(visit, found)
    return _let_in(visit, found)


def answer(visit: Visit[ForMembers]) -> Page:
    """In with the code of the person's app; 422 and the form again if it does not fit."""
    asked = person.Challenge(visit.field("email"), visit.field("challenge"), sent_secret(visit))
    if len(asked.email) > EMAIL_LENGTH_MAX or len(asked.session) > CHALLENGE_LENGTH_MAX:
        raise ValidationFailed(OUT_OF_DATE)
    try:
        return _let_in(visit, visit.site.sign_in().answer(asked, visit.field("code")))
    except SignInRefused as refused:
        return _ask(visit, asked, str(refused))


def _ask(visit: Visit[ForMembers], asked: person.Challenge, error: str = "") -> Page:
    return page(
        visit,
        "guests/second_factor.html",
        status=REFUSED if error else 200,
        asked=asked,
        next=next_path(visit.field("next")),
        error=error,
        app=app_of(visit, asked.email, asked.secret) if asked.secret else None,
    )


def _let_in(visit: Visit[ForMembers], session_id: str) -> Page:
    kept = cookie(SESSION_COOKIE, session_id, person.SESSION_LIFETIME_MS // 1000)
    return redirect(next_path(visit.field("next")), cookies=(kept, no_cookie(EMAIL_COOKIE)))


def _credentials(visit: Visit[ForMembers]) -> tuple[str, str]:
    """E-mail address and password."""
    return visit.field("email").lower(), visit.fields.get("password", [""])[0]


def _check_email(email: str) -> None:
    """What the pool would refuse with less kind words. Raises `SignInRefused`."""
    if len(email) > EMAIL_LENGTH_MAX or not _EMAIL.fullmatch(email):
        raise SignInRefused("That is not an e-mail address.")


def _check_password(password: str) -> None:
    """What the pool would refuse, too late once a code was taken for good. Raises `SignInRefused`."""
    if len(password) < person.PASSWORD_LENGTH_MIN:
        raise SignInRefused(f"Choose a password of at least {person.PASSWORD_LENGTH_MIN} characters.")
    if len(password) > PASSWORD_LENGTH_MAX:
        raise SignInRefused(f"Choose a password of at most {PASSWORD_LENGTH_MAX} characters.")
    if password != password.strip():
        raise SignInRefused("A password begins and ends with no space.")


def next_path(path: str) -> str:
    """A path of the dashboard, never another site's address."""
    return path if _PATH.fullmatch(path) and not path.startswith("//") else "/"


def _notice(visit: Visit[ForMembers]) -> str:
    return {
        "factor": "The second factor is removed, and all sessions have ended. Sign in.",
        "out": "You are signed out.",
        "code": "If this address has to be confirmed and we could send it a mail, a new code is on its way.",
    }.get(visit.query.get("done", ""), "")
