"""What a model takes: its parameters, what they mean, and which of them do not go together."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import product
from math import prod
from typing import Any

from shoal.domain.models.roles import Role
from shoal.domain.models.schema import Schema, type_of, values_of

Values = Mapping[str, Any]
"""A request's parameters, defaults filled in, without those that are absent."""

SPAN_MAX = 128
"""Whole numbers of so many values count as an enumeration."""


@dataclass(frozen=True, slots=True)
class Property:
    """A parameter. `schema` is as the catalog has it, without the role."""

    name: str
    schema: Schema
    role: Role | None
    required: bool

    @property
    def kind(self) -> str:
        """Its JSON type."""
        return type_of(self.schema)

    @property
    def default(self) -> Any:
        """None if it has none."""
        return self.schema.get("default")

    @property
    def values(self) -> Sequence[Any] | None:
        """All that may be given, where that can be listed: enumerations, booleans, a few numbers."""
        listed = values_of(self.schema)
        if listed is None and self.kind == "integer" and {"minimum", "maximum"} <= self.schema.keys():
            span = range(self.schema["minimum"], self.schema["maximum"] + 1)
            return span if len(span) <= SPAN_MAX else None
        return listed

    @property
    def is_enumerated(self) -> bool:
        """Whether a price may depend on it."""
        return values_of(self.schema) is not None

    @property
    def most(self) -> int | None:
        """The most that a whole number, a text's length or a list's may be; None without a bound."""
        listed = values_of(self.schema)
        if self.kind == "string" and listed is None:
            return self.schema.get("maxLength")
        if self.kind == "array":
            return self.schema.get("maxItems")
        if listed is not None:
            numbers = [whole_of(value) for value in listed]
            return max((number for number in numbers if number is not None), default=None)
        return self.schema.get("maximum")


@dataclass(frozen=True, slots=True)
class Refusal:
    """Values that do not go together: for each parameter those of which one is given."""

    values: Mapping[str, Sequence[Any]]

    def meets(self, values: Values) -> bool:
        """Whether a request has such a combination."""
        return all(
            any(_same(values.get(name), each) for each in listed) for name, listed in self.values.items()
        )


@dataclass(frozen=True, slots=True)
class Inputs:
    """All that a model takes. A role belongs to one parameter."""

    properties: Mapping[str, Property]
    refusals: tuple[Refusal, ...] = ()

    @classmethod
    def from_document(cls, told: Mapping[str, Any], refuse: Sequence[Mapping[str, Any]]) -> Inputs:
        """Of a document that was checked."""
        required = told.get("required", ())
        return cls(
            {
                name: Property(name, _without_role(schema), _role_of(schema), name in required)
                for name, schema in told.get("properties", {}).items()
            },
            tuple(Refusal(each) for each in refuse),
        )

    def of_role(self, role: Role) -> Property | None:
        """The parameter that means this."""
        return next((each for each in self.properties.values() if each.role is role), None)

    def filled(self, values: Values) -> dict[str, Any]:
        """With the defaults of what is absent, and without what is null."""
        given = {name: value for name, value in values.items() if value is not None}
        defaults = {name: each.default for name, each in self.properties.items() if each.default is not None}
        return defaults | given

    def refused(self, values: Values) -> Refusal | None:
        """The combination that a request has and must not have; `values` are filled."""
        return next((each for each in self.refusals if each.meets(values)), None)

    def combinations(self, names: Sequence[str]) -> Iterator[dict[str, Any]]:
        """All values of listed parameters together that some request may have."""
        others = {name for refusal in self.refusals for name in refusal.values} - set(names)
        seen: set[tuple[str, ...]] = set()
        for combination in self._product((*names, *sorted(others))):
            key = tuple(word_of(combination.get(name)) for name in names)
            if key not in seen and self.refused(combination) is None:
                seen.add(key)
                yield {name: combination[name] for name in names}

    def count_combinations(self, names: Sequence[str]) -> int:
        """How many there are at most, with the parameters that refusals name."""
        named = set(names) | {name for refusal in self.refusals for name in refusal.values}
        return prod(len(self.properties[name].values or ()) for name in named if name in self.properties)

    def _product(self, names: Sequence[str]) -> Iterator[dict[str, Any]]:
        listed = [self.properties[name].values or () for name in names]
        for each in product(*listed):
            yield dict(zip(names, each, strict=True))


def word_of(value: Any) -> str:
    """A value as tables of prices and sizes name it: `true`, `720p`, `5`."""
    return str(value).lower() if isinstance(value, bool) else str(value)


def whole_of(value: Any) -> int | None:
    """A whole number, or a text of digits, as some providers enumerate seconds; else None."""
    if isinstance(value, bool):
        return None
    if isinstance(value, int):
        return value
    return int(value) if isinstance(value, str) and value.isascii() and value.isdigit() else None


def _same(given: Any, listed: Any) -> bool:
    """`true` is not 1."""
    return given == listed and isinstance(given, bool) is isinstance(listed, bool)


def _role_of(schema: Schema) -> Role | None:
    return Role(schema["role"]) if "role" in schema else None


def _without_role(schema: Schema) -> Schema:
    return {name: value for name, value in schema.items() if name != "role"}
