"""Usage by model, from the rollups that settlements wrote."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Mapping
from dataclasses import dataclass, field

from shoal.domain.api_key import Caller
from shoal.domain.models.tariff import Unit
from shoal.domain.money import Asset
from shoal.ports.money import UsageRollups


@dataclass(frozen=True, slots=True)
class ModelUsage:
    """`cost` is in the asset's unit, `units` are delivered outputs, `requests` are completed jobs.

    `by_unit` are thousandths of what else was charged by than outputs.
    """

    model: str
    asset: Asset
    units: int
    cost: int
    requests: int
    by_unit: Mapping[Unit, int] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class SummarizeUsage:
    rollups: UsageRollups

    def __call__(self, caller: Caller, from_day: str | None, to_day: str | None) -> list[ModelUsage]:
        """Per model, by name, from one UTC day (`2026-01-31`) to another, both included."""
        assets = {caller.asset(Asset.USD), caller.asset(Asset.CREDIT)}
        sums: dict[tuple[str, Asset], list[int]] = defaultdict(lambda: [0, 0, 0])
        by_unit: dict[tuple[str, Asset], Counter[Unit]] = defaultdict(Counter)
        for rollup in self.rollups.between(caller.account_id, from_day, to_day):
            if rollup.asset in assets:
                total = sums[rollup.model, rollup.asset]
                for place, amount in enumerate((rollup.units, rollup.cost, rollup.requests)):
                    total[place] += amount
                by_unit[rollup.model, rollup.asset].update(rollup.by_unit)
        used = [(of, amounts) for of, amounts in sorted(sums.items()) if any(amounts)]
        return [
            ModelUsage(model, asset, units, cost, requests, by_unit[model, asset])
            for (model, asset), (units, cost, requests) in used
        ]
