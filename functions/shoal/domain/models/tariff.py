"""What a job costs: by which rates, for how much of each unit.

    amount = Σ rows of the request + Σ over the outputs Σ rows of an output, × factors, rounded up once a job

All numbers are whole, and nothing is divided before the end. Quantities are in thousandths of a unit
(milliseconds, thousands of pixels), rates in the asset's unit for a unit (micro-dollars a second), factors in
basis points.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

from shoal.domain.money import Asset, format_amount
from shoal.domain.text import json_text

MILLI = 1_000
"""Thousandths in a unit."""
BASIS_POINTS = 10_000
"""The factor that leaves an amount as it is."""
NEAR_MS = 100
"""An output that is shorter by so much than it was asked for counts as what was asked for."""
NEAR_BP = 200
"""So does one that is less by this share, 2 %."""


class Unit(StrEnum):
    """What a rate is for: counted for each delivered output, or once a job."""

    REQUEST = "request"
    OUTPUT = "output"
    SECOND = "second"
    MEGAPIXEL = "megapixel"
    STEP = "step"
    CHARACTER = "character"
    INPUT_IMAGE = "input_image"
    INPUT_SECOND = "input_second"
    INPUT_MEGAPIXEL = "input_megapixel"

    @property
    def of_outputs(self) -> bool:
        """Whether it is counted for each delivered output."""
        return self in _OF_OUTPUTS

    @property
    def words(self) -> str:
        """For people to read: `input image`."""
        return self.replace("_", " ")


_OF_OUTPUTS = frozenset({Unit.OUTPUT, Unit.SECOND, Unit.MEGAPIXEL, Unit.STEP})

Quantities = Mapping[Unit, int]
"""Thousandths of each unit, of one output or of a request."""

Charge = tuple[Unit, int, int]
"""A unit, thousandths of it that are charged, and the rate they are charged at."""


def one_output() -> Quantities:
    """What is counted of an output where nothing but outputs is counted."""
    return {Unit.OUTPUT: MILLI}


@dataclass(frozen=True, slots=True)
class Rate:
    """A row of a tariff for one request: `amount` for each unit, in the asset's unit.

    `round_up`: so many whole units are counted at once, 0 for none. `included`: units that are free, of each
    output or of the request. `minimum` and `maximum` bound what the row comes to over a job, in the asset's
    unit, whatever the factors.
    """

    per: Unit
    amount: int
    round_up: int = 0
    included: int = 0
    minimum: int | None = None
    maximum: int | None = None

    def charged(self, quantity: int) -> int:
        """What is charged of a quantity, both in thousandths of a unit."""
        if self.round_up:
            step = self.round_up * MILLI
            quantity = -(-quantity // step) * step
        return max(0, quantity - self.included * MILLI)

    def sentence(self, asset: Asset) -> str:
        """`$0.062 a second`, `$0.001 a second, counted in steps of 60`."""
        article = "an" if self.per[0] in "aeiou" else "a"
        parts = [f"{format_amount(asset, self.amount)} {article} {self.per.words}"]
        if self.round_up:
            parts.append(f"counted in steps of {self.round_up}")
        if self.included:
            parts.append(f"the first {self.included} free")
        if self.minimum is not None:
            parts.append(f"at least {format_amount(asset, self.minimum)}")
        if self.maximum is not None:
            parts.append(f"at most {format_amount(asset, self.maximum)}")
        return ", ".join(parts)


@dataclass(frozen=True, slots=True)
class Terms:
    """What a job is charged by, frozen when it is accepted.

    `most` is what an output comes to at most: what was asked for, where the request says it. `request` is
    what is counted once a job. `factors_bp` are those of a price list and of a priority.
    """

    rates: tuple[Rate, ...]
    most: Quantities = field(default_factory=one_output)
    request: Quantities = field(default_factory=dict)
    factors_bp: tuple[int, ...] = ()

    @classmethod
    def flat(cls, unit_price: int) -> Terms:
        """So much for each delivered output, in the asset's unit."""
        return cls((Rate(Unit.OUTPUT, unit_price),))

    @property
    def is_flat(self) -> bool:
        """Whether an output costs the same whatever it turns out to be."""
        return len(self.rates) == 1 and self == Terms.flat(self.rates[0].amount)

    def price_of(self, outputs: int) -> int:
        """What so many delivered outputs cost at most, in the asset's unit: what is held for them."""
        return self._amount([self.most] * outputs)

    def cost_of(self, measured: Iterable[Quantities]) -> int:
        """What delivered outputs cost by what was measured of them: never more than `price_of` says."""
        return self._amount([self._counted(each) for each in measured])

    def charges(self, measured: Iterable[Quantities]) -> tuple[Charge, ...]:
        """What a cost is made of, row by row; nothing where nothing was delivered."""
        outputs = [self._counted(each) for each in measured]
        return tuple((rate.per, self._charged(rate, outputs), rate.amount) for rate in self.rates if outputs)

    def expected(self) -> tuple[tuple[Rate, int], ...]:
        """Each row with the most that is counted by it, of one output or of the request, in thousandths."""
        places = {True: self.most, False: {Unit.REQUEST: MILLI, **self.request}}
        return tuple((rate, places[rate.per.of_outputs].get(rate.per, 0)) for rate in self.rates)

    def sentence(self, asset: Asset) -> str:
        """The rows in words, without the factors: `$0.062 a second and $0.001 an input image`."""
        return " and ".join(rate.sentence(asset) for rate in self.rates)

    def units(self, measured: Iterable[Quantities]) -> dict[Unit, int]:
        """Thousandths of each unit that a rate names, as delivered outputs are counted."""
        outputs = [self._counted(each) for each in measured]
        named = dict.fromkeys(rate.per for rate in self.rates)
        return {unit: sum(each.get(unit, 0) for each in self._places(unit, outputs)) for unit in named}

    def _amount(self, outputs: Sequence[Quantities]) -> int:
        if not outputs:
            return 0
        whole: int = MILLI * BASIS_POINTS ** len(self.factors_bp)
        return -(-sum(self._row(rate, outputs, whole) for rate in self.rates) // whole)

    def _row(self, rate: Rate, outputs: Sequence[Quantities], whole: int) -> int:
        """What a row comes to, in parts of which `whole` make one of the asset's unit."""
        row = self._charged(rate, outputs) * rate.amount
        for factor in self.factors_bp:
            row *= factor
        if rate.minimum is not None:
            row = max(row, rate.minimum * whole)
        return row if rate.maximum is None else min(row, rate.maximum * whole)

    def _charged(self, rate: Rate, outputs: Sequence[Quantities]) -> int:
        return sum(rate.charged(each.get(rate.per, 0)) for each in self._places(rate.per, outputs))

    def _places(self, unit: Unit, outputs: Sequence[Quantities]) -> Sequence[Quantities]:
        """Where a unit is counted: in each output, or in the request if anything was delivered."""
        if unit.of_outputs or not outputs:
            return outputs
        return [{Unit.REQUEST: MILLI, **self.request}]

    def _counted(self, measured: Quantities) -> Quantities:
        """What is counted of an output: what was asked for if it is near, and never more.

        A unit that no file tells, a step, counts as it was asked for.
        """
        return {unit: _counted(unit, measured.get(unit, asked), asked) for unit, asked in self.most.items()}

    def to_json(self) -> str:
        """As short as it can be: it is part of a job's item."""
        told: dict[str, Any] = {"rates": [_told(rate) for rate in self.rates], "most": self.most}
        if self.request:
            told["request"] = self.request
        if self.factors_bp:
            told["factors_bp"] = self.factors_bp
        return json_text(told)

    @classmethod
    def from_json(cls, text: str) -> Terms:
        told = json.loads(text)
        return cls(
            rates=tuple(Rate(**row | {"per": Unit(row["per"])}) for row in told["rates"]),
            most=_quantities(told["most"]),
            request=_quantities(told.get("request", {})),
            factors_bp=tuple(told.get("factors_bp", ())),
        )


def measured_quantities(*, width_px: int, height_px: int, duration_ms: int) -> dict[Unit, int]:
    """What the file of one output says, with 0 for what it says nothing of."""
    quantities = {Unit.OUTPUT: MILLI}
    if duration_ms:
        quantities[Unit.SECOND] = duration_ms
    if width_px and height_px:
        quantities[Unit.MEGAPIXEL] = thousands_of_pixels(width_px, height_px)
    return quantities


def whole_or_decimal(thousandths: int) -> int | float:
    """A quantity as answers show it. Nothing is charged by it."""
    whole, rest = divmod(thousandths, MILLI)
    return thousandths / MILLI if rest else whole


def thousands_of_pixels(width_px: int, height_px: int) -> int:
    """Thousandths of a megapixel, rounded up."""
    return -(-width_px * height_px // MILLI)


def _counted(unit: Unit, measured: int, asked: int) -> int:
    near = max(NEAR_MS if unit is Unit.SECOND else 0, asked * NEAR_BP // BASIS_POINTS)
    return asked if measured >= asked - near else measured


def _told(rate: Rate) -> dict[str, Any]:
    """Its fields but for those that say nothing."""
    told = {
        "per": rate.per,
        "amount": rate.amount,
        "round_up": rate.round_up or None,
        "included": rate.included or None,
        "minimum": rate.minimum,
        "maximum": rate.maximum,
    }
    return {name: value for name, value in told.items() if value is not None}


def _quantities(told: Mapping[str, int]) -> dict[Unit, int]:
    return {Unit(name): quantity for name, quantity in told.items()}
