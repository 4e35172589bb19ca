"""What can be bought: dollars of any amount within bounds, and packs of credits, as the catalog has them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Self

from pydantic import BaseModel, ConfigDict, Field, PositiveInt, model_validator

from shoal.domain.errors import ValidationFailed
from shoal.domain.money import MICROS_PER_USD, Asset, format_amount, format_usd

MICROS_PER_CENT = MICROS_PER_USD // 100


@dataclass(frozen=True, slots=True)
class Purchase:
    """An amount in the asset's unit for a price."""

    asset: Asset
    amount: int
    price_cents: int

    @property
    def title(self) -> str:
        """What the payer reads."""
        return f"Shoal: {format_amount(self.asset, self.amount)}"

    @property
    def told(self) -> str:
        """What is bought, and for how much."""
        return (
            f"{format_amount(self.asset, self.amount)} for {format_usd(self.price_cents * MICROS_PER_CENT)}"
        )


class Pack(BaseModel):
    """So many credits for one price."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)

    credits: PositiveInt
    price_cents: PositiveInt


class TopUp(BaseModel):
    """Prices in cents. `amounts_cents` are those a page offers, any other in between can be chosen, too."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)

    min_cents: PositiveInt
    max_cents: PositiveInt
    amounts_cents: tuple[int, ...] = Field(min_length=1, strict=False)
    packs: tuple[Pack, ...] = Field(min_length=1, strict=False)

    @model_validator(mode="after")
    def _within_bounds(self) -> Self:
        for cents in (*self.amounts_cents, *(pack.price_cents for pack in self.packs)):
            if not self.min_cents <= cents <= self.max_cents:
                raise ValueError(f"{cents} cents are not from {self.min_cents} to {self.max_cents}")
        if len({pack.credits for pack in self.packs}) != len(self.packs):
            raise ValueError("two packs have the same number of credits")
        return self

    @property
    def credit_micros_min(self) -> int:
        """What a credit brings at least, in micro-dollars: in the pack where it is cheapest."""
        return min(pack.price_cents * MICROS_PER_CENT // pack.credits for pack in self.packs)

    def dollars(self, cents: int) -> Purchase:
        """So much balance. Raises `ValidationFailed` for an amount that is not sold."""
        if not self.min_cents <= cents <= self.max_cents:
            bounds = (format_usd(bound * MICROS_PER_CENT) for bound in (self.min_cents, self.max_cents))
            raise ValidationFailed(f"The amount must be from {' to '.join(bounds)}.")
        return Purchase(Asset.USD, cents * MICROS_PER_CENT, cents)

    def pack(self, credits: int) -> Purchase:
        """The pack of so many credits. Raises `ValidationFailed` if there is none."""
        for pack in self.packs:
            if pack.credits == credits:
                return Purchase(Asset.CREDIT, credits, pack.price_cents)
        raise ValidationFailed("There is no such pack of credits.")
