"""JSON as callers send it, read so strictly that whatever passes can be stored, hashed and sent on."""

from __future__ import annotations

import json
from typing import Any

from shoal.domain.errors import InvalidJson, ValidationFailed

NESTING_MAX = 32
"""Levels of objects and lists: well below what every reader of JSON on the way can take."""

DIGITS_MAX = 308
"""Digits of a whole number: a longer one does not fit a double, and other readers have nothing else."""


def json_object(data: bytes) -> dict[str, Any]:
    """The object that `data` is. Raises `InvalidJson`, and `ValidationFailed` for JSON that is no object."""
    try:
        # As text: bytes it would also take as UTF-16 and UTF-32. RFC 8259, section 8.1: UTF-8 it must be, and
        # a byte order mark may be ignored.
        value = json.loads(data.decode("utf-8-sig"), parse_constant=_refuse_constant, parse_int=_whole_number)
        # Neither a lone surrogate nor a number beyond a double can be stored or sent on.
        json.dumps(value, ensure_ascii=False, allow_nan=False).encode()
    except (ValueError, RecursionError):
        raise InvalidJson() from None
    if not isinstance(value, dict):
        raise ValidationFailed("The request body must be a JSON object.")
    if _is_deeper(value, NESTING_MAX):
        raise ValidationFailed(f"The request body is nested more than {NESTING_MAX} levels deep.")
    return value


def _refuse_constant(name: str) -> None:
    raise ValueError(f"{name} is not JSON")


def _whole_number(text: str) -> int:
    if len(text) > DIGITS_MAX:
        raise ValueError("a number this long is not portable (RFC 8259, section 6)")
    return int(text)


def _is_deeper(value: Any, levels: int) -> bool:
    """Whether containers stand in each other more than `levels` deep. Walks level by level: no recursion."""
    inside = [value]
    for _ in range(levels + 1):
        containers = [item for item in inside if isinstance(item, (dict, list))]
        if not containers:
            return False
        inside = [inner for item in containers for inner in _values(item)]
    return True


def _values(container: dict[str, Any] | list[Any]) -> list[Any]:
    return list(container.values()) if isinstance(container, dict) else container
