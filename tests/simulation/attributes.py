"""Attribute values as they travel (`{"S": "shark"}`): their sizes, their order and their equality."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Context, Decimal, Inexact, Overflow
from typing import Any

Attribute = Mapping[str, Any]
Item = Mapping[str, Attribute]
Key = tuple[str, str]

EXACT = Context(prec=38, traps=[Inexact, Overflow])
"""DynamoDB's numbers: 38 digits, and an error instead of rounding."""

_SCALARS = {"S": str, "N": Decimal, "BOOL": bool, "B": bytes}
_CONTAINER_BYTES = 3


class Invalid(Exception):
    """A request that DynamoDB refuses with a ValidationException."""


def kind_of(attribute: Attribute) -> str:
    """Its type, such as `S`."""
    return next(iter(attribute))


def comparable(attribute: Attribute) -> tuple[str, Any]:
    """Type and value so that equal attributes are equal, and ordered ones of one type sort as DynamoDB
    sorts them."""
    ((kind, value),) = attribute.items()
    if kind in _SCALARS:
        return kind, _SCALARS[kind](value)
    if kind in ("SS", "BS"):
        return kind, frozenset(value)
    if kind == "NS":
        return kind, frozenset(map(Decimal, value))
    if kind == "L":
        return kind, [comparable(inner) for inner in value]
    if kind == "M":
        return kind, {name: comparable(inner) for name, inner in value.items()}
    return kind, value


def number(attribute: Attribute) -> Decimal:
    """Raises `Invalid` if it is none."""
    if "N" not in attribute:
        raise Invalid(f"An operand in the update expression has an incorrect data type: {kind_of(attribute)}")
    return Decimal(attribute["N"])


def number_attribute(value: Decimal) -> Attribute:
    return {"N": format(value, "f")}


def item_bytes(item: Item) -> int:
    """What an item counts for ("Item sizes and formats" in the Developer Guide)."""
    return sum(len(name.encode()) + _attribute_bytes(attribute) for name, attribute in item.items())


def _attribute_bytes(attribute: Attribute) -> int:
    ((kind, value),) = attribute.items()
    match kind:
        case "S":
            return len(value) if value.isascii() else len(value.encode())
        case "N":
            return _number_bytes(value)
        case "B":
            return len(value)
        case "SS" | "BS":
            return sum(len(inner) if isinstance(inner, bytes) else len(inner.encode()) for inner in value)
        case "NS":
            return sum(map(_number_bytes, value))
        case "L":
            return _CONTAINER_BYTES + sum(1 + _attribute_bytes(inner) for inner in value)
        case "M":
            return _CONTAINER_BYTES + len(value) + item_bytes(value)
    return 1  # BOOL and NULL


def _number_bytes(text: str) -> int:
    """A byte for two significant digits, one more for the sign and exponent."""
    digits = text.lstrip("-").replace(".", "").strip("0")
    return (len(digits) + 1) // 2 + 1 + text.startswith("-")
