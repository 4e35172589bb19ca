"""What a dialect understood of a request, priced: what a quote tells, a submit takes and a job holds."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from shoal.domain.brief import Brief
from shoal.domain.errors import MaxCostExceeded
from shoal.domain.families import Family
from shoal.domain.models.tariff import Terms
from shoal.domain.money import Asset, format_amount


@dataclass(frozen=True, slots=True)
class Submission:
    """`terms` are what it is charged by, frozen once the job is accepted.

    `brief` is what the engine reads. `words` are the fields of the request as they came, for dialects and
    pages alone: a word that is named like a field of the brief says the same. `metadata` is the caller's
    own, handed back as it came. `ttl_s` is how long the outputs are kept, None for the stage's own retention.
    `catalog_version` is that of the catalog it was accepted by, empty before there were versions.
    `traceparent` is the request's, for who follows it through the events of its job.

    Only admission needs the last three: `max_cost` is what the caller is ready to pay in all, `input_urls`
    are pictures to edit that are not fetched yet.
    """

    family: Family
    model: str
    mode: str | None
    brief: Brief
    words: Mapping[str, Any]
    asset: Asset
    terms: Terms
    price_version: str
    catalog_version: str = ""
    output_count: int = 1
    metadata: dict[str, Any] | None = None
    webhook_url: str | None = None
    ttl_s: int | None = None
    traceparent: str | None = None
    free_trial_allowed: bool = False
    max_cost: int | None = None
    input_urls: tuple[str, ...] = ()

    @property
    def price(self) -> int:
        """The most it can cost, in the asset's unit: every output delivered."""
        return self.terms.price_of(self.output_count)

    @property
    def unit_price(self) -> int:
        """The most that one output can cost by itself."""
        return self.terms.price_of(1)

    @property
    def reaches_out(self) -> bool:
        """Whether addresses the caller chose have to be looked at before it can be accepted."""
        return bool(self.input_urls or self.webhook_url)

    def admitted(self, asset: Asset) -> Submission:
        """As a job holds it, paid in an asset."""
        return replace(self, asset=asset, free_trial_allowed=False, max_cost=None, input_urls=())

    def check_max_cost(self) -> None:
        """Raises `MaxCostExceeded`."""
        if self.max_cost is not None and self.price > self.max_cost:
            details = {
                "price": format_amount(self.asset, self.price),
                "max_cost": format_amount(self.asset, self.max_cost),
            }
            raise MaxCostExceeded(details=details)
