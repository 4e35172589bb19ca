"""CreateCheckout: somebody buys balance or credits, and is sent to a page to pay on."""

from __future__ import annotations

from dataclasses import dataclass

from shoal.domain.errors import ValidationFailed
from shoal.domain.payment import CheckoutPage
from shoal.domain.top_up import Purchase
from shoal.ports.payments import Order, Processor

KEY_LENGTH_MAX = 100
"""With stage and account it stays below the 255 characters that Stripe takes."""


@dataclass(frozen=True, slots=True)
class CreateCheckout:
    processor: Processor

    def ready(self) -> bool:
        """Whether the stage takes payments; without, its operator grants."""
        return self.processor.ready()

    def __call__(
        self, account_id: str, purchase: Purchase, key: str, *, success_url: str, cancel_url: str
    ) -> CheckoutPage:
        """The page to pay on. The same `key` with the same purchase gives the same page for a day.

        `{CHECKOUT_SESSION_ID}` in the success URL becomes the checkout's id. Raises `PaymentsOff`,
        `IdempotencyKeyReused`, `ValidationFailed` for a key of no or too many characters.
        """
        if not (0 < len(key) <= KEY_LENGTH_MAX and key.isascii() and key.isprintable()):
            raise ValidationFailed(f"The key must be 1 to {KEY_LENGTH_MAX} printable ASCII characters.")
        return self.processor.open(Order(account_id, purchase, key, success_url, cancel_url))
