"""ReceivePayment: the processor says that something happened to a payment."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from shoal.domain.payment import PaymentRecord
from shoal.ports.payments import Processor
from shoal.use_cases.payments.settle_payment import SettlePayment


@dataclass(frozen=True, slots=True)
class ReceivePayment:
    processor: Processor
    settle: SettlePayment

    def __call__(self, headers: Mapping[str, str], body: bytes) -> PaymentRecord | None:
        """None if the event is about no payment of ours.

        Raises `CallbackRefused` unless the event is genuine, and what `SettlePayment` raises.
        """
        payment_id = self.processor.payment_of_event(headers, body)
        return None if payment_id is None else self.settle(payment_id)
