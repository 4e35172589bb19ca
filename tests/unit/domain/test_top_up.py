"""What can be bought, and what cannot."""

from __future__ import annotations

import pytest

from shoal.domain.catalog import load_catalog
from shoal.domain.errors import ValidationFailed
from shoal.domain.money import Asset
from shoal.domain.top_up import Purchase

TOP_UP = load_catalog().top_up


def test_ten_dollars_are_the_least() -> None:
    assert TOP_UP.dollars(1_000) == Purchase(Asset.USD, 10_000_000, 1_000)
    with pytest.raises(ValidationFailed, match=r"from \$10\.00 to \$1000\.00"):
        TOP_UP.dollars(999)


@pytest.mark.parametrize("cents", [0, -1_000, 100_001])
def test_amounts_out_of_bounds_are_not_sold(cents: int) -> None:
    with pytest.raises(ValidationFailed):
        TOP_UP.dollars(cents)


def test_every_pack_and_offered_amount_can_be_bought() -> None:
    assert [TOP_UP.pack(pack.credits).price_cents for pack in TOP_UP.packs] == [1_000, 4_500, 16_000]
    assert TOP_UP.pack(50) == Purchase(Asset.CREDIT, 50, 4_500)
    assert [TOP_UP.dollars(cents).price_cents for cents in TOP_UP.amounts_cents] == list(TOP_UP.amounts_cents)


@pytest.mark.parametrize("credits", [0, 1, -10, 11])
def test_other_numbers_of_credits_are_not_sold(credits: int) -> None:
    with pytest.raises(ValidationFailed):
        TOP_UP.pack(credits)


def test_a_purchase_says_what_it_is() -> None:
    assert TOP_UP.dollars(1_250).title == "Shoal: $12.50"
    assert TOP_UP.pack(10).title == "Shoal: 10 credits"
