"""What an operator does about payments: the keys of Stripe, and a look at one whose events were lost."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from shoal.domain.errors import NotFound, ValidationFailed
from shoal.domain.payment import PaymentRecord
from shoal.ports.payments import ProcessorKeys
from shoal.use_cases.payments.settle_payment import SettlePayment

KEY_LENGTH_MAX = 1_000
LIVE, TEST = ("sk_live_", "rk_live_"), ("sk_test_", "rk_test_")
"""How secret and restricted keys begin (https://docs.stripe.com/keys), for real money and for none."""
SIGNING = ("whsec_",)


@dataclass(frozen=True, slots=True)
class ManageStripe:
    """`real_money`: whether the stage is paid with it; the tables of other stages are deleted with them.
    `settle` is made when it is needed: setting keys takes none.
    """

    stage: str
    real_money: bool
    keys: ProcessorKeys
    settle: Callable[[], SettlePayment]

    def set_keys(self, api_key: str, webhook_secret: str) -> None:
        """Keep both: functions use them within a minute.

        Raises `ValidationFailed` for what can be no key, and for a key of the wrong money: with a test key
        anybody's play payment would buy what costs real money, with a live one a stage for trying things out
        would take real money.
        """
        self._check(api_key, (*LIVE, *TEST))
        self._check(webhook_secret, SIGNING)
        taken = LIVE if self.real_money else TEST
        if not api_key.startswith(taken):
            has, wants = ("a test", "live") if self.real_money else ("a live", "test")
            raise ValidationFailed(
                f"This is {has} key of Stripe: stage {self.stage} takes {wants} keys only"
                f" ({' or '.join(taken)})."
            )
        self.keys.set(api_key=api_key, webhook_secret=webhook_secret)

    def remove_keys(self) -> None:
        """From then on the stage takes no payments, and accepts no event about one."""
        self.keys.remove()

    def settle_payment(self, payment_id: str) -> PaymentRecord:
        """Bring the ledger to what Stripe knows of a payment. Raises `NotFound` if there is none."""
        record = self.settle()(payment_id)
        if record is None:
            raise NotFound(f"Stripe knows of no payment {payment_id} to this stage.")
        return record

    def _check(self, key: str, prefixes: tuple[str, ...]) -> None:
        usable = key.isascii() and key.isprintable() and len(key) <= KEY_LENGTH_MAX
        if not usable or not key.startswith(prefixes):
            raise ValidationFailed(f"A key was expected that begins with {' or '.join(prefixes)}.")
