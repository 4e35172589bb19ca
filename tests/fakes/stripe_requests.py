"""How Stripe reads requests: forms with nested names, and nothing it does not know."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any
from urllib.parse import parse_qsl

Json = dict[str, Any]

METADATA_MAX = 50
METADATA_KEY_MAX, METADATA_VALUE_MAX = 40, 500
MINIMUM_CENTS = 50


class Refused(Exception):
    """Stripe's answer to a request it does not take: status, and the fields of `error`."""

    def __init__(self, status: int, **error: str) -> None:
        self.status, self.error = status, error
        super().__init__(str(error))


def invalid(message: str, **more: str) -> Refused:
    return Refused(400, type="invalid_request_error", message=message, **more)


def missing(what: str) -> Refused:
    return Refused(404, type="invalid_request_error", code="resource_missing", message=f"No such {what}")


def form(text: str) -> Json:
    """`a[b][0][c]=1` as nested objects; lists are objects with the keys 0, 1, …"""
    parsed: Json = {}
    for name, value in parse_qsl(text, keep_blank_values=True, strict_parsing=bool(text)):
        first, *rest = re.findall(r"[^\[\]]+", name)
        place, path = parsed, [first, *rest]
        for part in path[:-1]:
            place = place.setdefault(part, {})
        if path[-1] in place:
            raise invalid(f"{name} was given twice")
        place[path[-1]] = value
    return parsed


def take(given: Mapping[str, Any], required: Mapping[str, type], optional: tuple[str, ...] = ()) -> None:
    """Exactly these parameters, of these types."""
    if unknown := given.keys() - required.keys() - set(optional):
        raise invalid(f"Received unknown parameter: {min(unknown)}", code="parameter_unknown")
    for name, type_ in required.items():
        if name not in given:
            raise invalid(f"Missing required param: {name}", code="parameter_missing")
        if not isinstance(given[name], type_):
            raise invalid(f"Invalid {name}")


def order(given: Json) -> Json:
    """A Checkout Session as `Books.open` takes it."""
    take(
        given,
        {
            "mode": str,
            "client_reference_id": str,
            "line_items": dict,
            "metadata": dict,
            "payment_intent_data": dict,
            "success_url": str,
            "cancel_url": str,
        },
    )
    if given["mode"] != "payment":
        raise invalid("mode must be payment, here")
    if len(given["client_reference_id"]) > 200:
        raise invalid("client_reference_id is too long")
    for name in ("success_url", "cancel_url"):
        if not re.match(r"https?://[^\s]+$", given[name]) or len(given[name]) > 5_000:
            raise invalid(f"{name}: Not a valid URL", code="url_invalid")
    take(given["payment_intent_data"], {"metadata": dict, "description": str})
    for metadata in (given["metadata"], given["payment_intent_data"]["metadata"]):
        _metadata(metadata)
    if given["line_items"].keys() != {"0"}:
        raise invalid("one line item was expected, here")
    return given | {"line_items": [_item(given["line_items"]["0"])]}


def _item(item: Json) -> Json:
    take(item, {"quantity": str, "price_data": dict})
    price = item["price_data"]
    take(price, {"currency": str, "unit_amount": str, "product_data": dict})
    take(price["product_data"], {"name": str})
    if price["currency"] != "usd" or not price["product_data"]["name"]:
        raise invalid("the price must be in usd, and its product must have a name")
    cents, quantity = _whole(price["unit_amount"]), _whole(item["quantity"])
    if cents * quantity < MINIMUM_CENTS:
        raise invalid("The total must be at least $0.50 usd.", code="amount_too_small")
    return {"quantity": quantity, "price_data": price | {"unit_amount": cents}}


def _whole(text: str) -> int:
    if not re.fullmatch("[0-9]{1,8}", text):
        raise invalid(f"Invalid integer: {text}", code="parameter_invalid_integer")
    return int(text)


def _metadata(metadata: Json) -> None:
    for name, value in metadata.items():
        if len(name) > METADATA_KEY_MAX or not isinstance(value, str) or len(value) > METADATA_VALUE_MAX:
            raise invalid(f"metadata {name} is too long, or no text")
    if len(metadata) > METADATA_MAX:
        raise invalid("too much metadata")


def bearer(headers: Mapping[str, str], key: str) -> None:
    """The key, and headers that every client of Stripe's sends."""
    if headers.get("Authorization") != f"Bearer {key}":
        raise Refused(401, type="invalid_request_error", message="Invalid API Key provided")
    if not re.fullmatch(r"20\d\d-\d\d-\d\d\.\w+", headers.get("Stripe-Version", "")):
        raise invalid("the version of the API is not pinned")
