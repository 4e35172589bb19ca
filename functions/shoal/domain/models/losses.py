"""Whether a model sells for less than it costs, in any combination that can be asked for."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import product
from math import prod
from typing import Any

from shoal.domain.models.inputs import Property, Values, word_of
from shoal.domain.models.measures import Staged
from shoal.domain.models.model import Model
from shoal.domain.models.pricing import Row
from shoal.domain.models.roles import Role
from shoal.domain.models.tariff import Terms
from shoal.domain.routing import Route

POINTS_MAX = 20_000
"""Requests that are compared; beyond them of a number only the least, the usual and the most are."""
_NUMBERS = frozenset({Role.SECONDS, Role.WIDTH, Role.HEIGHT, Role.SIZE, Role.SCALE, Role.STEPS})
_TYPICAL = {
    Role.IMAGE: Staged(Role.IMAGE, width_px=1_000, height_px=1_000),
    Role.VIDEO: Staged(Role.VIDEO, duration_ms=10_000),
    Role.AUDIO: Staged(Role.AUDIO, duration_ms=10_000),
}


@dataclass(frozen=True, slots=True)
class Compared:
    """One output of a request: what it sells for and costs on a route, both in micro-dollars."""

    route: Route
    combination: Mapping[str, Any]
    price_micros: int
    cost_micros: int

    @property
    def loses(self) -> bool:
        """Whether it sells for less than it costs."""
        return self.price_micros < self.cost_micros

    def __str__(self) -> str:
        at = ", ".join(f"{name} {word_of(value)}" for name, value in self.combination.items())
        sells = (
            f"sells for {self.price_micros} and costs {self.cost_micros} micro-dollars on {self.route.name}"
        )
        return f"{sells} at {at}" if at else sells


def compare(model: Model, credit_micros: int) -> Iterator[Compared]:
    """Every combination with the first route of known cost that takes it."""
    each_micros = 1 if model.asset.in_dollars else credit_micros
    for given in _presences(model):
        known = _first_known(model, given)
        if known is None:
            continue
        route, rows = known
        names = _names(model, rows)
        for combination in _combinations(model, names):
            values = model.inputs.filled({**model.defaults, **given, **combination})
            if model.inputs.refused(values):
                continue
            staged = [_TYPICAL[role] for role in _files(model, values)]
            price = _output(model.terms(values, staged)) * each_micros
            yield Compared(route, combination, price, _output(model.costs_of(rows, values, staged)))


def _output(terms: Terms) -> int:
    return terms.price_of(1)


def _files(model: Model, values: Values) -> Iterator[Role]:
    """The roles of the files that a request has."""
    for name, own in model.inputs.properties.items():
        if own.role in _TYPICAL and values.get(name) is not None:
            yield own.role


def _presences(model: Model) -> Iterator[dict[str, Any]]:
    """What routes ask to be there or absent, in every way."""
    names = sorted({name for template in model.templates.values() for name in template.when})
    for there in product((False, True), repeat=len(names)):
        yield {name: _something(model, name) for name, is_there in zip(names, there, strict=True) if is_there}


def _something(model: Model, name: str) -> Any:
    own = model.inputs.properties[name]
    return ["x"] if own.kind == "array" else (own.values or ("x",))[0]


def _first_known(model: Model, given: Values) -> tuple[Route, tuple[Row, ...]] | None:
    rows = {route.name: cost for route, cost in zip(model.routes, model.costs, strict=True)}
    return next(
        (
            (route, cost)
            for route in model.routes_for({**model.defaults, **given})
            if (cost := rows[route.name])
        ),
        None,
    )


def _names(model: Model, costs: Sequence[Row]) -> list[str]:
    by = {name for row in (*model.rows, *costs) for name in row.by} | set(model.measures.by)
    units = {row.per for row in (*model.rows, *costs)}
    counted = {name for name, own in model.inputs.properties.items() if own.role in _NUMBERS}
    flat = units <= {"output", "request"}
    if flat:
        return sorted({name for row in (*model.rows, *costs) for name in row.by})
    return sorted(by | counted)


def _combinations(model: Model, names: Sequence[str]) -> Iterator[dict[str, Any]]:
    owns = [model.inputs.properties[name] for name in names]
    listed = [_values(own) for own in owns]
    if prod(len(each) for each in listed) > POINTS_MAX:
        listed = [each if own.is_enumerated else _ends(own) for own, each in zip(owns, listed, strict=True)]
    for each in product(*listed):
        yield {name: value for name, value in zip(names, each, strict=True) if value is not None}


def _values(own: Property) -> Sequence[Any]:
    return own.values if own.values is not None else _ends(own)


def _ends(own: Property) -> Sequence[Any]:
    ends = (own.schema.get("minimum"), own.default, own.schema.get("maximum"))
    return list(dict.fromkeys(end for end in ends if end is not None)) or (None,)
