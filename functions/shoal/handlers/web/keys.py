"""API keys: make, look at, revoke."""

from __future__ import annotations

import re

from shoal import bootstrap_dashboard
from shoal.domain.api_key import KeyPrefix, Scope
from shoal.domain.errors import ValidationFailed
from shoal.domain.rate_limit import REQUESTS_PER_MINUTE, RateLimit
from shoal.handlers.web.rendering import page
from shoal.handlers.web.visit import Page, Visit, redirect
from shoal.use_cases.manage_accounts import NewKey

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


def show(visit: Visit) -> Page:
    return _page(visit, new=None)


def create(visit: Visit) -> Page:
    """The page with the new key's secret, this once. The same form again makes no second key."""
    name, rate = visit.field("name"), visit.field("rate")
    scopes = frozenset(scope for scope in Scope if scope.value in visit.fields.get("scopes", []))
    if visit.field("kind") not in list(KeyPrefix):
        raise ValidationFailed("Choose what the key is for.")
    if len(name) > NAME_LENGTH_MAX:
        raise ValidationFailed(f"A name has at most {NAME_LENGTH_MAX} characters.")
    if not scopes:
        raise ValidationFailed("Choose at least one scope.")
    if not _RATE.fullmatch(rate) or not 1 <= int(rate) <= REQUESTS_PER_MINUTE:
        raise ValidationFailed(f"The rate is a whole number from 1 to {REQUESTS_PER_MINUTE} a minute.")
    new = bootstrap_dashboard.manage_accounts().create_key(
        visit.session.account_id,
        KeyPrefix(visit.field("kind")),
        RateLimit.of_rate(int(rate)),
        scopes,
        name=name,
        ulid=visit.once,
    )
    return _page(visit, new)


def revoke(visit: Visit) -> Page:
    manage = bootstrap_dashboard.manage_accounts()
    manage.revoke_key(visit.session.account_id, visit.parameter("id"))
    return redirect("/keys")


def _page(visit: Visit, new: NewKey | None) -> Page:
    keys = bootstrap_dashboard.look_around().used_keys(visit.caller)
    api_url = bootstrap_dashboard.settings().api_url
    return page(
        visit,
        "keys.html",
        keys=keys,
        new=new,
        kinds=KINDS,
        scopes=SCOPES,
        rate_max=REQUESTS_PER_MINUTE,
        api_url=api_url,
    )
