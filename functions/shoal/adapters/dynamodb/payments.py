"""Payments in the table: beside the wallet they paid into, and written with what they moved there."""

from __future__ import annotations

from collections.abc import Sequence

from shoal.adapters.dynamodb import items
from shoal.adapters.dynamodb.ledger import LOOKS_MAX, NEW
from shoal.adapters.dynamodb.outbox import outbox_updates
from shoal.adapters.dynamodb.table import Put, Table, TransactionRefused, Update
from shoal.adapters.dynamodb.wallets import credit_or_debit, is_full
from shoal.domain.errors import NotFound, Unavailable
from shoal.domain.events import movement_event
from shoal.domain.payment import Payment, PaymentRecord
from shoal.domain.wallet import Movement, Wallet

FIRST_VERSION = 1
SUCCEEDS = "version = :before"


class DynamoDbPayments:
    """Implements the `Payments` port."""

    def __init__(self, table: Table) -> None:
        self._table = table

    def record(self, payment: Payment) -> PaymentRecord:
        item = self._table.get(*items.payment_key(payment))
        return items.payment_record_of(payment, item) if item else PaymentRecord(payment)

    def settle(self, after: PaymentRecord, movements: Sequence[Movement]) -> bool:
        for _ in range(LOOKS_MAX):
            before = self._wallet(after.payment)
            wallet, divided = before, []
            for movement in movements:
                divided.append(movement.split_for(wallet))
                wallet = wallet.after(divided[-1])
            entries = [Put(items.entry_item(each), NEW) for each in divided]
            try:
                told = outbox_updates([movement_event(each) for each in divided])
                parts: list[Put | Update] = [_put(after), credit_or_debit(before, wallet), *entries, *told]
                self._table.transact(parts, find=True)
            except TransactionRefused as refused:
                if refused.failed(0):
                    return False
                if not refused.failed(1):
                    raise
                if is_full(refused.reasons[1].item):
                    raise NotFound("The wallet is full.") from None
            else:
                return True
        raise Unavailable(retry_after_seconds=1)

    def _wallet(self, payment: Payment) -> Wallet:
        item = self._table.get(*items.wallet_key(payment.account_id, payment.asset))
        if item is None:
            raise NotFound("No such wallet.")
        return items.wallet_of(item)


def _put(after: PaymentRecord) -> Put:
    if after.version == FIRST_VERSION:
        return Put(items.payment_item(after), NEW)
    return Put(items.payment_item(after), SUCCEEDS, {":before": after.version - 1})
