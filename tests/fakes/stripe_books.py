"""What Stripe knows of payments, and what it lets happen to them; its objects as its API shows them.

Told by https://docs.stripe.com/api (Checkout Sessions, PaymentIntents, Refunds, Disputes, Events) as of API
version 2026-10-28. Amounts are in cents.
"""

from __future__ import annotations

import itertools
import time
from dataclasses import dataclass, field
from typing import Any

Json = dict[str, Any]

DISPUTE_FEE = 1_500


@dataclass
class Books:
    """One account at Stripe. Everything that happens is an event, and the events are kept in order."""

    sessions: dict[str, Json] = field(default_factory=dict)
    payments: dict[str, Json] = field(default_factory=dict)
    refunds: dict[str, Json] = field(default_factory=dict)
    disputes: dict[str, Json] = field(default_factory=dict)
    events: list[Json] = field(default_factory=list)
    _numbers: Any = field(default_factory=lambda: itertools.count(1))

    def open(self, order: Json, page: str) -> Json:
        """A Checkout Session for an order as the API takes it; `page` is the root of the pages to pay on."""
        session_id = self._id("cs_test")
        (item,) = order["line_items"]
        session = {
            "id": session_id,
            "object": "checkout.session",
            "mode": order["mode"],
            "status": "open",
            "payment_status": "unpaid",
            "amount_total": item["price_data"]["unit_amount"] * item["quantity"],
            "currency": item["price_data"]["currency"],
            "client_reference_id": order["client_reference_id"],
            "metadata": order["metadata"],
            "payment_intent": None,
            "success_url": order["success_url"],
            "cancel_url": order["cancel_url"],
            "url": f"{page}/{session_id}",
            "livemode": False,
        }
        self.sessions[session_id] = session | {"_of_payment": order["payment_intent_data"]}
        return self.session(session_id)

    def session(self, session_id: str) -> Json:
        """As the API shows it."""
        return {name: value for name, value in self.sessions[session_id].items() if name[0] != "_"}

    def pay(self, session_id: str, *, settled: bool = True) -> str:
        """The payer pays; unless `settled` the bank needs some days. Returns the payment's id."""
        session, payment_id = self.sessions[session_id], self._id("pi")
        status = "succeeded" if settled else "processing"
        self.payments[payment_id] = {
            "id": payment_id,
            "object": "payment_intent",
            "status": status,
            "amount": session["amount_total"],
            "amount_received": session["amount_total"] if settled else 0,
            "currency": session["currency"],
            "metadata": session["_of_payment"]["metadata"],
            "latest_charge": self._id("ch"),
            "livemode": False,
        }
        session.update(status="complete", url=None, payment_intent=payment_id)
        session["payment_status"] = "paid" if settled else "unpaid"
        if settled:
            self._happen("payment_intent.succeeded", self.payments[payment_id])
        self._happen("checkout.session.completed", self.session(session_id))
        return payment_id

    def arrive(self, session_id: str) -> None:
        """The bank has sent what was paid."""
        session = self.sessions[session_id]
        payment = self.payments[session["payment_intent"]]
        payment.update(status="succeeded", amount_received=payment["amount"])
        session["payment_status"] = "paid"
        self._happen("payment_intent.succeeded", payment)
        self._happen("checkout.session.async_payment_succeeded", self.session(session_id))

    def expire(self, session_id: str) -> None:
        """Nobody has paid for a day."""
        self.sessions[session_id].update(status="expired", url=None)
        self._happen("checkout.session.expired", self.session(session_id))

    def refund(self, payment_id: str, cents: int, status: str = "succeeded") -> str:
        """The operator gives money back."""
        payment = self.payments[payment_id]
        refund = {
            "id": self._id("re"),
            "object": "refund",
            "amount": cents,
            "currency": payment["currency"],
            "payment_intent": payment_id,
            "charge": payment["latest_charge"],
            "metadata": {},
            "status": status,
        }
        self.refunds[refund["id"]] = refund
        self._happen("refund.created", refund)
        self._happen("charge.refunded", self._charge(payment))
        return str(refund["id"])

    def fail_refund(self, refund_id: str) -> None:
        """The payer's bank did not take it."""
        self.refunds[refund_id]["status"] = "failed"
        self._happen("refund.failed", self.refunds[refund_id])

    def dispute(self, payment_id: str, cents: int, *, inquiry: bool = False) -> str:
        """The payer's bank takes money back, or asks about it first."""
        payment = self.payments[payment_id]
        dispute = {
            "id": self._id("du"),
            "object": "dispute",
            "amount": cents,
            "currency": payment["currency"],
            "payment_intent": payment_id,
            "charge": payment["latest_charge"],
            "metadata": {},
            "balance_transactions": [],
            "status": "warning_needs_response" if inquiry else "needs_response",
        }
        self.disputes[dispute["id"]] = dispute
        self._happen("charge.dispute.created", dispute)
        if not inquiry:
            self.withdraw(dispute["id"])
        return str(dispute["id"])

    def withdraw(self, dispute_id: str) -> None:
        """The bank has its money, for which Stripe takes a fee."""
        dispute = self.disputes[dispute_id]
        dispute["status"] = "needs_response"
        self._transact(dispute, -dispute["amount"], fee=DISPUTE_FEE)
        self._happen("charge.dispute.funds_withdrawn", dispute)

    def win(self, dispute_id: str, cents: int | None = None) -> None:
        """The bank gives the money back, or so much of it."""
        dispute = self.disputes[dispute_id]
        dispute["status"] = "won"
        self._happen("charge.dispute.closed", dispute)
        self._transact(dispute, dispute["amount"] if cents is None else cents, fee=-DISPUTE_FEE)
        self._happen("charge.dispute.funds_reinstated", dispute)

    def lose(self, dispute_id: str) -> None:
        self.disputes[dispute_id]["status"] = "lost"
        self._happen("charge.dispute.closed", self.disputes[dispute_id])

    def of_payment(self, things: dict[str, Json], payment_id: str) -> list[Json]:
        """Refunds or disputes, newest first as Stripe lists them."""
        found = [thing for thing in things.values() if thing["payment_intent"] == payment_id]
        return found[::-1]

    def _charge(self, payment: Json) -> Json:
        refunds = self.of_payment(self.refunds, payment["id"])
        refunded = sum(refund["amount"] for refund in refunds if refund["status"] == "succeeded")
        return {
            "id": payment["latest_charge"],
            "object": "charge",
            "amount": payment["amount"],
            "amount_refunded": refunded,
            "payment_intent": payment["id"],
            "metadata": payment["metadata"],
            "refunded": refunded == payment["amount"],
        }

    def _transact(self, dispute: Json, cents: int, *, fee: int) -> None:
        dispute["balance_transactions"].append(
            {
                "id": self._id("txn"),
                "object": "balance_transaction",
                "amount": cents,
                "currency": dispute["currency"],
                "fee": fee,
                "net": cents - fee,
            }
        )

    def _happen(self, type_: str, subject: Json) -> None:
        copy = {name: list(value) if isinstance(value, list) else value for name, value in subject.items()}
        self.events.append(
            {
                "id": self._id("evt"),
                "object": "event",
                "type": type_,
                "created": int(time.time()),
                "livemode": False,
                "data": {"object": copy},
            }
        )

    def _id(self, prefix: str) -> str:
        return f"{prefix}_{next(self._numbers):06}"
