"""SettlePayment: bring the ledger to what is known of a payment, whatever made somebody look at it."""

from __future__ import annotations

from dataclasses import dataclass

from shoal.domain.errors import Unavailable
from shoal.domain.payment import PaymentRecord
from shoal.ports.payments import Payments, Processor
from shoal.ports.system import Clock

LOOKS_MAX = 6


@dataclass(frozen=True, slots=True)
class SettlePayment:
    processor: Processor
    payments: Payments
    clock: Clock

    def __call__(self, payment_id: str) -> PaymentRecord | None:
        """Credit the payment, debit what was refunded or disputed of it: each once, however often it is run.

        None for a payment that was not made, or is none of ours. Raises `Unavailable`, `NotFound` for an
        unknown or full wallet, ValueError if another sum was paid than the price.
        """
        payment = self.processor.payment(payment_id)
        if payment is None:
            return None
        for _ in range(LOOKS_MAX):
            # In this order: who settles the record's successor first has looked before us or after us,
            # and in either case we look again. So an older look never overwrites a newer one.
            before = self.payments.record(payment)
            after, movements = before.settle(self.processor.claims(payment.id), self.clock.now_ms())
            if not movements or self.payments.settle(after, movements):
                return after
        raise Unavailable(retry_after_seconds=1)
