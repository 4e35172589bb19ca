"""Taking payments: the processor, its keys, and what is known of a payment."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

from shoal.domain.payment import Checkout, CheckoutPage, Claim, Payment, PaymentRecord
from shoal.domain.top_up import Purchase
from shoal.domain.wallet import Movement


@dataclass(frozen=True, slots=True)
class Order:
    """Who buys what, and where the browser goes afterwards. `key`: ordering twice is ordering once."""

    account_id: str
    purchase: Purchase
    key: str
    success_url: str
    cancel_url: str


class Processor(Protocol):
    """Who takes the money. Without keys of it every method but `ready` raises `PaymentsOff`."""

    def ready(self) -> bool:
        """Whether the stage takes payments."""

    def open(self, order: Order) -> CheckoutPage:
        """A page to pay the order on. Raises `IdempotencyKeyReused` if its key stands for another one."""

    def checkout(self, checkout_id: str) -> Checkout:
        """Raises `NotFound`."""

    def payment(self, payment_id: str) -> Payment | None:
        """What was paid for. None while it is not paid, and for one that is not of this stage's top-ups.

        Raises ValueError if another sum was paid than the price.
        """

    def claims(self, payment_id: str) -> Sequence[Claim]:
        """All that was ever claimed back of it, as it stands at this moment."""

    def payment_of_event(self, headers: Mapping[str, str], body: bytes) -> str | None:
        """The id of the payment an event is about, None if it is about none.

        Raises `CallbackRefused` unless its signature and age hold.
        """


class Payments(Protocol):
    """What the ledger has taken in of each payment."""

    def record(self, payment: Payment) -> PaymentRecord:
        """One of version 0 if there is none yet."""

    def settle(self, after: PaymentRecord, movements: Sequence[Movement]) -> bool:
        """Write the record with its movements, which its wallet divides, all or nothing.

        False if its predecessor is not the last one any more. Raises `NotFound` for an unknown or full
        wallet.
        """


class ProcessorKeys(Protocol):
    """What a stage signs in with, and what it knows genuine events by."""

    def set(self, *, api_key: str, webhook_secret: str) -> None:
        """Functions use them within minutes."""

    def remove(self) -> None:
        """The stage takes no more payments. Removing nothing is no error."""
