"""What a dialect understood of a request, priced: what a quote tells and a submit takes."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from shoal.domain.errors import MaxCostExceeded
from shoal.domain.job import Dialect
from shoal.domain.money import Asset, format_amount


@dataclass(frozen=True, slots=True)
class Submission:
    """`unit_price` is per output in the asset's unit, `max_cost` what the caller is ready to pay in all.

    `input_urls` are pictures to edit, not fetched yet. `ttl_s` is how long the outputs are kept.
    """

    dialect: Dialect
    model: str
    mode: str | None
    request: Mapping[str, Any]
    asset: Asset
    unit_price: int
    price_version: str
    free_trial_allowed: bool
    output_count: int = 1
    max_cost: int | None = None
    webhook_url: str | None = None
    input_urls: tuple[str, ...] = ()
    ttl_s: int | None = None

    @property
    def routed_model(self) -> str:
        """The catalog's model that makes its outputs: those of a video are clips."""
        return str(self.request.get("clip_model", self.model))

    @property
    def price(self) -> int:
        """The most it can cost: every output delivered."""
        return self.unit_price * self.output_count

    @property
    def reaches_out(self) -> bool:
        """Whether addresses the caller chose have to be looked at before it can be accepted."""
        return bool(self.input_urls or self.webhook_url)

    def check_max_cost(self) -> None:
        """Raises `MaxCostExceeded`."""
        if self.max_cost is not None and self.price > self.max_cost:
            details = {
                "price": format_amount(self.asset, self.price),
                "max_cost": format_amount(self.asset, self.max_cost),
            }
            raise MaxCostExceeded(details=details)
