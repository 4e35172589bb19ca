"""How a movement changes its wallet's item: under a condition, always."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from shoal.adapters.dynamodb.items import wallet_key
from shoal.adapters.dynamodb.table import Item, Update
from shoal.domain.money import AMOUNT_MAX
from shoal.domain.wallet import EntryKind, Movement, Wallet

COVERED = "balance <= :balance_max AND owed = :owed AND available >= :least"
INDEBTED = "owed = :owed AND available = :least"

_MOVE = "SET balance = balance + :balance, held = held + :held_delta, available = available + :available"
_MOVE_OWED = ", owed = owed + :owed_delta"
_MOVE_TRIALS = ", free_generations = free_generations + :trials"


def movement_update(movement: Movement, condition: str, values: dict[str, Any]) -> Update:
    """The wallet's part of a movement."""
    arguments = {
        ":balance": movement.balance_delta,
        ":held_delta": movement.held_delta,
        ":available": movement.available_delta,
    }
    expression = _MOVE
    if movement.owed_delta:
        expression += _MOVE_OWED
        arguments[":owed_delta"] = movement.owed_delta
    if movement.free_generations_delta:
        expression += _MOVE_TRIALS
        arguments[":trials"] = movement.free_generations_delta
    key = wallet_key(movement.account_id, movement.asset)
    return Update(key, expression, condition, arguments | values)


def credit_or_debit(before: Wallet, after: Wallet) -> Update:
    """The wallet's part of movements that were divided over the wallet `before`.

    If they leave nothing owed, as much must still be free as they take. If they do, they take all that is
    free, and that must still be the same: what came in meanwhile would have to be taken, too.
    """
    change = Movement(
        before.account_id,
        before.asset,
        EntryKind.TOP_UP,
        reference="",
        at_ms=0,
        balance_delta=after.balance - before.balance,
        owed_delta=after.owed - before.owed,
    )
    values = {":owed": before.owed, ":least": -change.balance_delta - before.owed}
    if after.owed:
        update = movement_update(change, INDEBTED, values)
    else:
        # What is taken back is taken from a full wallet, too.
        room = {":balance_max": AMOUNT_MAX if change.net > 0 else 2 * AMOUNT_MAX}
        update = movement_update(change, COVERED, values | room)
    # More money may run low again.
    return replace(update, expression=f"{update.expression} REMOVE low_since") if change.net > 0 else update


def is_full(item: Item | None) -> bool:
    """Whether the wallet takes no more money: an operator's typing error stops here."""
    return item is not None and int(item["balance"]) > AMOUNT_MAX
