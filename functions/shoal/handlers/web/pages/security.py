"""The second factor of the person who is signed in: set up, confirm, remove."""

from __future__ import annotations

from shoal.composition.dashboard import ForMembers
from shoal.domain.errors import SignInRefused
from shoal.handlers.web.authenticator import app_of, sent_secret
from shoal.handlers.web.rendering import page
from shoal.handlers.web.visit import SESSION_COOKIE, Page, Visit, no_cookie, redirect

REFUSED = 422
NOTES = {
    "set": "Your second factor is set up: from now on its code is asked for.",
    "operators": "Operators need a second factor on this stage.",
}
"""What the page may be asked to say: nobody else's words."""


def show(visit: Visit[ForMembers]) -> Page:
    return _page(visit, there=visit.use.second_factor().there(visit.session))


def begin(visit: Visit[ForMembers]) -> Page:
    """A secret for the app, and the form that asks for its first code."""
    try:
        return _page(visit, there=False, secret=visit.use.second_factor().begin(visit.session))
    except SignInRefused as refused:
        return _page(visit, there=True, error=str(refused))


def confirm(visit: Visit[ForMembers]) -> Page:
    """Nothing is set up until a code of the app is shown; the same secret is shown until then."""
    try:
        visit.use.second_factor().confirm(visit.session, _password(visit), visit.field("code"))
    except SignInRefused as refused:
        return _page(visit, there=False, secret=sent_secret(visit), error=str(refused))
    return redirect("/security", done="set")


def remove(visit: Visit[ForMembers]) -> Page:
    """All sessions end with it, this one too."""
    try:
        visit.use.second_factor().remove(visit.session, _password(visit), visit.field("code"))
    except SignInRefused as refused:
        return _page(visit, there=True, error=str(refused))
    return redirect("/sign-in", cookies=(no_cookie(SESSION_COOKIE),), done="factor")


def _page(visit: Visit[ForMembers], *, there: bool, secret: str = "", error: str = "") -> Page:
    return page(
        visit,
        "security.html",
        status=REFUSED if error else 200,
        there=there,
        secret=secret,
        app=app_of(visit, visit.session.person.email, secret) if secret else None,
        error=error,
        notice=NOTES.get(visit.query.get("done", ""), ""),
    )


def _password(visit: Visit[ForMembers]) -> str:
    return visit.fields.get("password", [""])[0]
