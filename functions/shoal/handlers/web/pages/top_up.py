"""Topping up: what is sold, the way to the page where one pays, and the way back from it."""

from __future__ import annotations

import re
from dataclasses import replace
from urllib.parse import urlencode, urlsplit

from shoal.composition.dashboard import ForBuyers
from shoal.domain.errors import NotFound, ValidationFailed
from shoal.domain.money import Asset, parse_usd
from shoal.domain.top_up import MICROS_PER_CENT, Purchase
from shoal.handlers.web.rendering import page
from shoal.handlers.web.visit import ROOT, Page, Visit, redirect

STRIPE_HOST, CHECKOUT_ORIGIN = "api.stripe.com", "https://checkout.stripe.com"
"""Stripe's API names pages of another origin than its own; whatever stands for it locally does not."""
CHECKOUT_ID = re.compile(r"cs_[A-Za-z0-9_]{1,200}")


def show(visit: Visit[ForBuyers]) -> Page:
    """What is sold; with a checkout's id, which Stripe puts into the address, what became of it."""
    checkout_id = visit.query.get("checkout")
    return _offers(visit) if checkout_id is None else _come_back(visit, checkout_id)


def buy(visit: Visit[ForBuyers]) -> Page:
    """On to the page where one pays: the same one when the form is sent twice."""
    try:
        purchase, once = _purchase(visit), visit.once
    except ValidationFailed as error:
        return _offers(visit, error)
    root = f"{visit.site.api_url}{ROOT}/top-up"
    back = urlencode({"asset": purchase.asset.value})
    checkout = visit.use.create_checkout()(
        visit.session.account_id,
        purchase,
        # A buyer who goes back and chooses something else may still have the earlier form.
        f"{once}.{purchase.asset}.{purchase.amount}",
        success_url=f"{root}?{back}&checkout={{CHECKOUT_SESSION_ID}}",
        cancel_url=root,
    )
    return Page(303, headers={"Location": checkout.url})


def _come_back(visit: Visit[ForBuyers], checkout_id: str) -> Page:
    """To the wallet, which by then is credited if it was paid. Raises `NotFound`, `PaymentsOff`."""
    if not CHECKOUT_ID.fullmatch(checkout_id):
        raise NotFound("There is no such checkout.")
    state = visit.use.confirm_checkout()(visit.session.account_id, checkout_id)
    asset = Asset.CREDIT if visit.query.get("asset") == Asset.CREDIT else Asset.USD
    return redirect("/wallet", asset=asset.value, top_up=state.value)


def _offers(visit: Visit[ForBuyers], problem: ValidationFailed | None = None) -> Page:
    ready = visit.use.create_checkout().ready()
    top_up = visit.site.catalog().top_up
    shown = page(
        visit,
        "top_up.html",
        status=problem.status if problem else 200,
        ready=ready,
        amounts=[top_up.dollars(cents) for cents in top_up.amounts_cents],
        packs=[top_up.pack(pack.credits) for pack in top_up.packs],
        bounds=[cents * MICROS_PER_CENT for cents in (top_up.min_cents, top_up.max_cents)],
        per_cent=MICROS_PER_CENT,
        typed=visit.field("amount") if problem else "",
        problem=problem.message if problem else "",
    )
    return replace(shown, leads_to=(_origin(visit.use.stripe_url),)) if ready else shown


def _purchase(visit: Visit[ForBuyers]) -> Purchase:
    """Raises `ValidationFailed`."""
    if visit.session.test:
        raise ValidationFailed("Play money is not sold: switch to Live.")
    top_up, pack = visit.site.catalog().top_up, visit.field("credits")
    if pack:
        return top_up.pack(int(pack) if re.fullmatch("[0-9]{1,9}", pack) else 0)
    return top_up.dollars(_cents(visit.field("amount")))


def _cents(text: str) -> int:
    """Raises `ValidationFailed` for what is no amount of dollars and whole cents."""
    try:
        cents, fraction = divmod(parse_usd(text), MICROS_PER_CENT)
    except ValueError:
        fraction = 1
    if fraction:
        raise ValidationFailed("An amount has the form 25 or 25.00.")
    return cents


def _origin(stripe_url: str) -> str:
    """Of the pages where one pays."""
    api = urlsplit(stripe_url)
    return CHECKOUT_ORIGIN if api.hostname == STRIPE_HOST else f"{api.scheme}://{api.netloc}"
