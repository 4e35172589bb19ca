"""Rows of prices and of costs as a catalog has them, and the rates that a request gets of them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from shoal.domain.models.inputs import Values, word_of
from shoal.domain.models.measures import Measures, Staged
from shoal.domain.models.tariff import MILLI, Rate, Terms, Unit


@dataclass(frozen=True, slots=True)
class Row:
    """What a unit costs, in the asset's unit; `amounts` by the words of the parameters in `by`.

    Without `by` there is one amount, of no words. The rest is that of a `Rate`.
    """

    per: Unit
    amounts: Mapping[tuple[str, ...], int]
    by: tuple[str, ...] = ()
    round_up: int = 0
    included: int = 0
    minimum: int | None = None
    maximum: int | None = None

    @classmethod
    def from_document(cls, told: Mapping[str, Any]) -> Row:
        """Of a document that was checked."""
        amount = told["credits"] if "credits" in told else told["micros"]
        by = tuple(amount["by"]) if isinstance(amount, Mapping) else ()
        return cls(
            per=Unit(told["per"]),
            amounts=amounts_of(amount) if isinstance(amount, Mapping) else {(): amount},
            by=by,
            round_up=told.get("round_up", 0),
            included=told.get("included", 0),
            minimum=told.get("minimum"),
            maximum=told.get("maximum"),
        )

    def rate(self, values: Values) -> Rate:
        """For a request that was checked: every combination has its amount."""
        amount = self.amounts[tuple(word_of(values[name]) for name in self.by)]
        return Rate(self.per, amount, self.round_up, self.included, self.minimum, self.maximum)

    @property
    def is_flat(self) -> bool:
        """Whether it is so much an output, whatever was asked for."""
        plain = Rate(Unit.OUTPUT, self.amounts[()]) if () in self.amounts else None
        return plain is not None and self.rate({}) == plain


def amounts_of(table: Mapping[str, Any]) -> dict[tuple[str, ...], Any]:
    """The amounts of a row with `by`: `"720p,true"` is the key of two words."""
    return {tuple(_words(words)): amount for words, amount in table.items() if words != "by"}


def terms_of(rows: Iterable[Row], sold: Measures, values: Values, staged: Sequence[Staged]) -> Terms:
    """What a request is charged by, at the most that it can come to; `values` are filled."""
    rates = tuple(row.rate(values) for row in rows)
    counted = {rate.per: sold.most(rate.per, values, staged) for rate in rates}
    return Terms(
        rates,
        most={Unit.OUTPUT: MILLI} | {unit: most for unit, most in counted.items() if unit.of_outputs},
        request={
            unit: most for unit, most in counted.items() if not unit.of_outputs and unit is not Unit.REQUEST
        },
    )


def _words(words: str) -> Sequence[str]:
    return [word.strip() for word in words.split(",")]
