"""What a job costs: rows, factors, rounding, and the bounds that no measure crosses."""

from __future__ import annotations

import random
from collections.abc import Sequence
from itertools import pairwise

import pytest

from shoal.domain.models.tariff import MILLI, Quantities, Rate, Terms, Unit, measured_quantities
from shoal.domain.money import Asset

CLIP_5S: Quantities = {Unit.OUTPUT: MILLI, Unit.SECOND: 5_000}
SECONDS = Terms((Rate(Unit.SECOND, 62_000),), most=CLIP_5S)
MUSIC = Terms((Rate(Unit.SECOND, 500, round_up=60),), most={Unit.SECOND: 90_000})
UPSCALER = Terms((Rate(Unit.MEGAPIXEL, 3_000, included=1, round_up=1),), most={Unit.MEGAPIXEL: 16_778})


def of_seconds(milliseconds: int) -> Quantities:
    return measured_quantities(width_px=1280, height_px=720, duration_ms=milliseconds)


@pytest.mark.parametrize(
    ("milliseconds", "cost"),
    [
        (5_000, 310_000),
        (4_900, 310_000),  # within 0.1 s
        (4_899, 303_738),
        (4_000, 248_000),
        (9_000, 310_000),  # a longer clip is not charged for
        (1, 62),
    ],
)
def test_seconds_are_charged_as_they_were_measured(milliseconds: int, cost: int) -> None:
    assert SECONDS.price_of(1) == 310_000
    assert SECONDS.cost_of([of_seconds(milliseconds)]) == cost


def test_two_percent_less_counts_as_what_was_asked_for() -> None:
    minute = Terms((Rate(Unit.SECOND, 1_000),), most={Unit.SECOND: 60_000})

    assert minute.cost_of([of_seconds(58_800)]) == 60_000
    assert minute.cost_of([of_seconds(58_799)]) == 58_799


def test_a_unit_that_no_file_tells_counts_as_it_was_asked_for() -> None:
    steps = Terms((Rate(Unit.STEP, 100),), most={Unit.STEP: 30 * MILLI})

    assert steps.cost_of([measured_quantities(width_px=1024, height_px=1024, duration_ms=0)] * 2) == 6_000


@pytest.mark.parametrize(("seconds", "cost"), [(1, 30_000), (60, 30_000), (61, 60_000), (90, 60_000)])
def test_whole_steps_are_counted_before_the_price(seconds: int, cost: int) -> None:
    assert MUSIC.price_of(1) == 60_000
    assert MUSIC.cost_of([of_seconds(seconds * 1_000)]) == cost


@pytest.mark.parametrize(
    ("pixels", "cost"), [((1000, 1000), 0), ((1000, 1001), 3_000), ((4096, 4096), 48_000)]
)
def test_what_is_included_is_free_for_each_output(pixels: tuple[int, int], cost: int) -> None:
    measured = measured_quantities(width_px=pixels[0], height_px=pixels[1], duration_ms=0)

    assert UPSCALER.cost_of([measured]) == cost
    assert UPSCALER.cost_of([measured] * 2) == 2 * cost


def test_rows_of_the_request_count_once_and_only_if_anything_was_delivered() -> None:
    terms = Terms(
        (Rate(Unit.REQUEST, 5_000), Rate(Unit.INPUT_IMAGE, 1_000), Rate(Unit.OUTPUT, 10_000)),
        request={Unit.INPUT_IMAGE: 2 * MILLI},
    )

    assert [terms.price_of(n) for n in range(4)] == [0, 17_000, 27_000, 37_000]
    assert terms.cost_of([]) == 0
    assert terms.charges([{Unit.OUTPUT: MILLI}] * 2) == (
        (Unit.REQUEST, 1_000, 5_000),
        (Unit.INPUT_IMAGE, 2_000, 1_000),
        (Unit.OUTPUT, 2_000, 10_000),
    )


def test_an_amount_is_rounded_up_once() -> None:
    tenths = Terms((Rate(Unit.CHARACTER, 1), Rate(Unit.SECOND, 1)), {Unit.SECOND: 100}, {Unit.CHARACTER: 100})

    assert tenths.price_of(1) == 1
    assert tenths.price_of(9) == 1
    assert tenths.price_of(10) == 2


def test_factors_come_before_the_bounds_of_a_row() -> None:
    row = Rate(Unit.OUTPUT, 10_000, minimum=6_000, maximum=50_000)

    assert Terms((row,), factors_bp=(5_000,)).price_of(1) == 6_000
    assert Terms((row,), factors_bp=(7_500,)).price_of(1) == 7_500
    assert Terms((row,), factors_bp=(9_000, 5_000)).price_of(2) == 9_000
    assert Terms((row,)).price_of(100) == 50_000


def test_terms_are_read_as_they_were_written() -> None:
    terms = Terms(
        (Rate(Unit.SECOND, 1, round_up=5, included=1, minimum=0, maximum=9), Rate(Unit.REQUEST, 2)),
        most={Unit.SECOND: 7_500},
        request={Unit.CHARACTER: 12_000},
        factors_bp=(9_000,),
    )

    assert Terms.from_json(terms.to_json()) == terms
    assert Terms.from_json(Terms.flat(20_000).to_json()) == Terms.flat(20_000)
    assert (Terms.flat(20_000).is_flat, terms.is_flat) == (True, False)


def test_a_price_in_words() -> None:
    rates = (
        Rate(Unit.SECOND, 62_000),
        Rate(Unit.INPUT_IMAGE, 1_000, included=1),
        Rate(Unit.MEGAPIXEL, 5_000, round_up=4, minimum=10_000, maximum=20_000),
    )

    assert Terms(rates).sentence(Asset.USD) == (
        "$0.062 a second and $0.001 an input image, the first 1 free"
        " and $0.005 a megapixel, counted in steps of 4, at least $0.01, at most $0.02"
    )


def some_terms(chance: random.Random) -> Terms:
    def rate(unit: Unit) -> Rate:
        bounds = sorted(chance.sample(range(200_000), 2))
        return Rate(
            unit,
            chance.randrange(100_000),
            round_up=chance.choice((0, 0, 1, 5, 60)),
            included=chance.choice((0, 0, 1, 3)),
            minimum=chance.choice((None, bounds[0])),
            maximum=chance.choice((None, bounds[1])),
        )

    return Terms(
        tuple(rate(unit) for unit in chance.sample(list(Unit), chance.randint(1, 4))),
        most={unit: chance.randrange(1, 100_000) for unit in Unit if unit.of_outputs},
        request={unit: chance.randrange(100_000) for unit in Unit if not unit.of_outputs},
        factors_bp=tuple(chance.choices((2_500, 9_000, 10_000, 12_345), k=chance.randrange(3))),
    )


def some_outputs(chance: random.Random, terms: Terms) -> Sequence[Quantities]:
    return [
        {unit: chance.randrange(2 * most) for unit, most in terms.most.items() if chance.random() < 0.8}
        for _ in range(chance.randint(1, 4))
    ]


@pytest.mark.parametrize("seed", range(40))
def test_no_cost_exceeds_its_price_and_none_falls_with_what_was_delivered(seed: int) -> None:
    """Of random tariffs: capture ≤ hold, monotone in each unit and in the outputs, and whole throughout."""
    chance = random.Random(seed)  # noqa: S311 - no secret
    for _ in range(250):
        terms = some_terms(chance)
        outputs = some_outputs(chance, terms)
        cost, price = terms.cost_of(outputs), terms.price_of(len(outputs))
        assert type(cost) is type(price) is int
        assert 0 <= cost <= price
        assert Terms.from_json(terms.to_json()).cost_of(outputs) == cost
        more = {unit: quantity + chance.randrange(5_000) for unit, quantity in outputs[0].items()}
        assert terms.cost_of([more, *outputs[1:]]) >= cost
        assert all(less <= more for less, more in pairwise(terms.price_of(n) for n in range(6)))
