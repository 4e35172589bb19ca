"""Fields against a contract: each is required or optional, and has a check; none other is taken."""

from __future__ import annotations

import base64
import binascii
import json
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from tests.fakes.providers.server import Malformed, Part

Check = Callable[[Any], bool]


def text(length_max: int = 1_000_000, length_min: int = 1) -> Check:
    return lambda value: isinstance(value, str) and length_min <= len(value) <= length_max


def one_of(*values: Any) -> Check:
    return lambda value: any(value == allowed and type(value) is type(allowed) for allowed in values)


def integer(least: int, most: int) -> Check:
    return lambda value: isinstance(value, int) and not isinstance(value, bool) and least <= value <= most


def number(least: float, most: float) -> Check:
    return lambda value: (
        isinstance(value, int | float) and not isinstance(value, bool) and least <= value <= most
    )


def digits(least: int, most: int) -> Check:
    """A number as a form carries it."""
    return lambda value: isinstance(value, str) and value.isdigit() and least <= int(value) <= most


def decimal(least: float, most: float) -> Check:
    """A number with a fraction as a form carries it."""
    return lambda value: value.replace(".", "", 1).isdigit() and least <= float(value) <= most


def obj(required: Mapping[str, Check], optional: Mapping[str, Check] | None = None) -> Check:
    def check(value: Any) -> bool:
        if not isinstance(value, dict):
            return False
        check_fields(value, required, optional or {})
        return True

    return check


def array(item: Check, least: int = 0, most: int = 1000) -> Check:
    return lambda value: isinstance(value, list) and least <= len(value) <= most and all(map(item, value))


def encoded(value: Any) -> bool:
    """Base64 of something."""
    try:
        return isinstance(value, str) and bool(base64.b64decode(value, validate=True))
    except binascii.Error:
        return False


def data_url(value: Any) -> bool:
    return data_url_of("image/")(value)


def data_url_of(kind: str) -> Check:
    """A file inside an address, of a type that begins like this."""

    def check(value: Any) -> bool:
        head, _, tail = value.partition(";base64,") if isinstance(value, str) else ("", "", "")
        return head.startswith(f"data:{kind}") and encoded(tail)

    return check


def anything(_: Any) -> bool:
    return True


def check_fields(
    value: Mapping[str, Any], required: Mapping[str, Check], optional: Mapping[str, Check]
) -> None:
    """Raises `Malformed` for the first field that is missing, unknown or wrong."""
    for name in required:
        if name not in value:
            raise Malformed(name, "is required")
    for name, given in value.items():
        check = required.get(name) or optional.get(name)
        if check is None:
            raise Malformed(name, "is not a known field")
        if not check(given):
            raise Malformed(name, f"{json.dumps(given, default=str)[:80]} is not a valid value")


def plain(parts: Sequence[Part]) -> dict[str, str]:
    """A form's plain fields. Raises `Malformed` for one that comes twice."""
    fields: dict[str, str] = {}
    for part in parts:
        if part.filename is None:
            if part.name in fields:
                raise Malformed(part.name, "comes twice")
            fields[part.name] = part.data.decode()
    return fields


def pictures(parts: Sequence[Part], name: str, most: int) -> list[bytes]:
    """A form's pictures. Raises `Malformed` for a file under another name, or of no picture's type."""
    files = [part for part in parts if part.filename is not None]
    for part in files:
        if part.name != name:
            raise Malformed(part.name, "is not a known file")
        if part.content_type not in ("image/png", "image/jpeg", "image/webp"):
            raise Malformed(part.name, f"{part.content_type} is no picture's type")
    if len(files) > most:
        raise Malformed(name, "too many")
    return [part.data for part in files]
