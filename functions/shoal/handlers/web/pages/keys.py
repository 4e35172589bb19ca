"""API keys: make, look at, revoke."""

from __future__ import annotations

import re
from dataclasses import dataclass

from shoal.composition.dashboard import ForMembers
from shoal.domain.api_key import KeyPrefix, Once, Scope
from shoal.domain.errors import ApiError, KeyExists, ValidationFailed
from shoal.domain.rate_limit import REQUESTS_PER_MINUTE, RateLimit
from shoal.handlers.web.rendering import page
from shoal.handlers.web.visit import Page, Visit, redirect
from shoal.use_cases.accounts.manage_accounts import NewKey

NAME_LENGTH_MAX = 60
_RATE = re.compile(r"[0-9]{1,9}")
KINDS = {
    KeyPrefix.LIVE: "Live, for pictures and tasks (sk_live_)",
    KeyPrefix.VIDEO: "Live, for videos (vsk_live_)",
    KeyPrefix.TEST: "Test, play money and the simulator (sk_test_)",
}
SCOPES = {
    Scope.GENERATE: "Generate: submit and cancel jobs",
    Scope.READ: "Read: jobs, wallet, usage, models",
    Scope.WEBHOOKS: "Webhooks: manage them and their deliveries",
}


@dataclass(frozen=True, slots=True)
class Wanted:
    """What the form asks for, as it was filled in; by default as it is first shown."""

    name: str = ""
    kind: str = KeyPrefix.LIVE
    scopes: frozenset[str] = frozenset(Scope)
    rate: str = str(REQUESTS_PER_MINUTE)


def show(visit: Visit[ForMembers]) -> Page:
    return _page(visit, Wanted(kind=KeyPrefix.TEST if visit.session.test else KeyPrefix.LIVE))


def create(visit: Visit[ForMembers]) -> Page:
    """The page with the new key's secret, this once. The same form again makes no second key."""
    scopes = frozenset(visit.fields.get("scopes", []))
    wanted = Wanted(visit.field("name"), visit.field("kind"), scopes, visit.field("rate"))
    try:
        return _page(visit, Wanted(kind=wanted.kind), new=_make(visit, wanted))
    except (ValidationFailed, KeyExists) as error:
        return _page(visit, wanted, error)


def _make(visit: Visit[ForMembers], wanted: Wanted) -> NewKey:
    """Raises `ValidationFailed`, `KeyExists`."""
    if wanted.kind not in list(KeyPrefix):
        raise ValidationFailed("Choose what the key is for.")
    if len(wanted.name) > NAME_LENGTH_MAX:
        raise ValidationFailed(f"A name has at most {NAME_LENGTH_MAX} characters.")
    if not wanted.scopes or not wanted.scopes <= frozenset(Scope):
        raise ValidationFailed("Choose at least one scope.")
    if not _RATE.fullmatch(wanted.rate) or not 1 <= int(wanted.rate) <= REQUESTS_PER_MINUTE:
        raise ValidationFailed(f"The rate is a whole number from 1 to {REQUESTS_PER_MINUTE} a minute.")
    return visit.use.manage_accounts().create_key(
        visit.session.account_id,
        KeyPrefix(wanted.kind),
        RateLimit.of_rate(int(wanted.rate)),
        frozenset(map(Scope, wanted.scopes)),
        name=wanted.name,
        once=Once(visit.once, visit.seed),
    )


def revoke(visit: Visit[ForMembers]) -> Page:
    manage = visit.use.manage_accounts()
    manage.revoke_key(visit.session.account_id, visit.parameter("id"))
    return redirect("/keys")


def _page(
    visit: Visit[ForMembers], wanted: Wanted, problem: ApiError | None = None, *, new: NewKey | None = None
) -> Page:
    keys = visit.use.look_around().used_keys(visit.caller)
    before = f"key_{visit.once}" if isinstance(problem, KeyExists) else None
    return page(
        visit,
        "keys.html",
        status=problem.status if problem else 200,
        keys=keys,
        new=new,
        wanted=wanted,
        problem=problem.message if problem else "",
        before=next((used.key for used in keys if used.key.id == before), None),
        kinds=KINDS,
        scopes=SCOPES,
        rate_max=REQUESTS_PER_MINUTE,
        api_url=visit.site.api_url,
    )
