"""Python values as DynamoDB's attribute values and back: the few kinds the table holds.

boto3 has this too, for every kind there is and with a Decimal for every number; here all numbers are whole.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar, Protocol, TypeVar

Item = dict[str, Any]


class Dataclass(Protocol):
    __dataclass_fields__: ClassVar[dict[str, Any]]


Record = TypeVar("Record", bound=Dataclass)


def read(model: type[Record], item: Mapping[str, Any], **formed: Any) -> Record:
    """What the item tells of a model's fields, as it keeps them; `formed` are those it keeps otherwise."""
    kept = {name: item[name] for name in model.__dataclass_fields__ if name in item}
    return model(**kept | formed)


def marshal(values: Mapping[str, Any]) -> dict[str, Any]:
    """Python values as DynamoDB attribute values; None values are left out.

    Raises `TypeError` for what no item of the table holds, a float above all.
    """
    return {name: _attribute(value) for name, value in values.items() if value is not None}


def unmarshal(item: Mapping[str, Any]) -> Item:
    """DynamoDB attribute values as Python values."""
    return {name: _value(attribute) for name, attribute in item.items()}


def _attribute(value: Any) -> dict[str, Any]:
    if isinstance(value, str):
        return {"S": value}
    if isinstance(value, bool):
        return {"BOOL": value}
    if isinstance(value, int):
        return {"N": str(value)}
    if isinstance(value, Mapping):
        return {"M": {name: _attribute(inner) for name, inner in value.items()}}
    if isinstance(value, (list, tuple)):
        return {"L": [_attribute(inner) for inner in value]}
    if isinstance(value, (set, frozenset)) and value and all(isinstance(inner, str) for inner in value):
        return {"SS": sorted(value)}
    if value is None:
        return {"NULL": True}
    raise TypeError(f"an item holds no {type(value).__name__}")


def _value(attribute: Mapping[str, Any]) -> Any:
    ((kind, value),) = attribute.items()
    match kind:
        case "S" | "BOOL":
            return value
        case "N":
            return int(value)
        case "M":
            return unmarshal(value)
        case "L":
            return [_value(inner) for inner in value]
        case "SS":
            return set(value)
        case "NULL":
            return None
    raise TypeError(f"no item holds a {kind}")
