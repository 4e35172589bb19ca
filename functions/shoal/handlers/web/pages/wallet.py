"""The wallet: what is there, what is held, and every entry of its ledger."""

from __future__ import annotations

from shoal.composition.dashboard import ForMembers
from shoal.domain.ids import is_ulid
from shoal.domain.money import Asset
from shoal.domain.payment import OF_PAYMENTS, PAID, CheckoutState, name_of
from shoal.domain.wallet import EntryKind, Movement
from shoal.handlers.web.rendering import page
from shoal.handlers.web.visit import Page, Visit

LIMIT = 25
WORDS = {
    EntryKind.TOP_UP: "Top-up",
    EntryKind.HOLD: "Hold",
    EntryKind.CAPTURE: "Capture",
    EntryKind.RELEASE: "Release",
    EntryKind.GIVE_BACK: "Given back",
    EntryKind.UNDELIVERED: "Not delivered",
    EntryKind.REFUND: "Payment refunded",
    EntryKind.REFUND_FAILURE: "Refund failed",
    EntryKind.DISPUTE: "Payment disputed",
    EntryKind.DISPUTE_REVERSAL: "Dispute won",
}
GRANTED = ("grant", "operator")
"""Notes of top-ups that nobody paid for."""
OF_A_JOB = frozenset(
    {EntryKind.HOLD, EntryKind.CAPTURE, EntryKind.RELEASE, EntryKind.GIVE_BACK, EntryKind.UNDELIVERED}
)
CAME_BACK: dict[str, tuple[str, str]] = {
    CheckoutState.PAID: ("good", "Thank you: your payment is in the wallet."),
    CheckoutState.PROCESSING: (
        "warn",
        "Your payment is still on its way: the wallet is credited when it arrives.",
    ),
    CheckoutState.OPEN: ("warn", "Nothing was paid."),
    CheckoutState.EXPIRED: ("warn", "The page to pay on has expired, and nothing was paid."),
}
"""What somebody who comes back from paying is told."""


def show(visit: Visit[ForMembers]) -> Page:
    asset = Asset.CREDIT if visit.query.get("asset") == "credit" else Asset.USD
    ledger = visit.use.look_around().ledger(
        visit.caller, asset, limit=LIMIT, cursor=visit.query.get("cursor")
    )
    return page(
        visit,
        "wallet.html",
        usd=visit.use.read_wallet()(visit.caller, Asset.USD),
        credit=visit.use.read_wallet()(visit.caller, Asset.CREDIT),
        asset=asset,
        entries=[(entry, _word(entry), _job(entry), *_payment(entry)) for entry in ledger.entries],
        next_cursor=ledger.next_cursor,
        query={"asset": asset.value},
        notice=CAME_BACK.get(visit.query.get("top_up", "")),
    )


def _word(entry: Movement) -> str:
    if entry.kind is EntryKind.TOP_UP and entry.note in GRANTED:
        return "Grant"
    return WORDS[entry.kind]


def _job(entry: Movement) -> str | None:
    """The ULID of the job it belongs to."""
    return entry.reference if entry.kind in OF_A_JOB and is_ulid(entry.reference) else None


def _payment(entry: Movement) -> tuple[str, str | None]:
    """What it is called, and the id of the payment that was refunded or restored."""
    if entry.kind in OF_PAYMENTS:
        return name_of(entry), entry.note
    return name_of(entry) if entry.note == PAID else entry.reference, None
