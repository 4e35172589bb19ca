"""ConfirmCheckout: somebody comes back from the page where one pays."""

from __future__ import annotations

from dataclasses import dataclass

from shoal.domain.errors import NotFound
from shoal.domain.payment import CheckoutState
from shoal.ports.payments import Processor
from shoal.use_cases.payments.settle_payment import SettlePayment


@dataclass(frozen=True, slots=True)
class ConfirmCheckout:
    processor: Processor
    settle: SettlePayment

    def __call__(self, account_id: str, checkout_id: str) -> CheckoutState:
        """How far the checkout is. If it is paid the wallet has been credited, by this call or before.

        Raises `NotFound`, also for a checkout of another account, and `PaymentsOff`.
        """
        checkout = self.processor.checkout(checkout_id)
        if checkout.account_id != account_id:
            raise NotFound("There is no such checkout.")
        if checkout.state is CheckoutState.PAID and checkout.payment_id is not None:
            self.settle(checkout.payment_id)
        return checkout.state
