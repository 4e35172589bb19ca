"""Money is whole numbers: micro-dollars for `usd`, whole credits for `credit`. No float comes near it."""

from __future__ import annotations

import re
from decimal import Decimal
from enum import StrEnum

MICROS_PER_USD = 1_000_000
AMOUNT_MAX = 10**15
"""A billion dollars in micro-dollars: an operator's typing error stops here."""

_DECIMAL_USD = re.compile(r"\$?([0-9]{1,9})(?:\.([0-9]{1,6}))?")


class Asset(StrEnum):
    """What a wallet holds. The `test_` assets are play money: `sk_test_` keys spend nothing else."""

    USD = "usd"
    CREDIT = "credit"
    TEST_USD = "test_usd"
    TEST_CREDIT = "test_credit"

    @property
    def in_dollars(self) -> bool:
        """Whether its unit is the micro-dollar (else the credit)."""
        return self in (Asset.USD, Asset.TEST_USD)


def parse_usd(text: str) -> int:
    """Micro-dollars of a decimal amount such as `10.00` or `$0.0125`. Raises ValueError on any other form."""
    match = _DECIMAL_USD.fullmatch(text)
    if match is None:
        raise ValueError("an amount has the form 10.00, with at most six decimals")
    whole, fraction = match.groups()
    return int(whole) * MICROS_PER_USD + int((fraction or "").ljust(6, "0"))


def decimal_usd(micros: int, *, decimals_min: int = 2) -> str:
    """`0.02`, `0.0125`: as many decimals as the amount needs, at least `decimals_min`."""
    sign = "-" if micros < 0 else ""
    whole, fraction = divmod(abs(micros), MICROS_PER_USD)
    digits = f"{fraction:06d}".rstrip("0").ljust(decimals_min, "0")
    return f"{sign}{whole}.{digits}"


def format_usd(micros: int, *, decimals_min: int = 2) -> str:
    """`$0.02`, `$0.0125`, `-$1.00`."""
    text = decimal_usd(micros, decimals_min=decimals_min)
    return f"-${text[1:]}" if text.startswith("-") else f"${text}"


def format_amount(asset: Asset, amount: int, *, decimals_min: int = 2) -> str:
    """An amount of any asset for people to read: `$0.02`, `3 credits`."""
    if asset.in_dollars:
        return format_usd(amount, decimals_min=decimals_min)
    return f"{amount} credit{'' if amount == 1 else 's'}"


def decimal_amount(asset: Asset, amount: int) -> str:
    """An amount of any asset as a decimal string: dollars with two decimals or more, credits whole."""
    return decimal_usd(amount) if asset.in_dollars else str(Decimal(amount))
