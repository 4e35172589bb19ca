"""The pure tariff under random models and requests: what is held, captured and quoted."""

from __future__ import annotations

from dataclasses import replace
from random import Random
from typing import Any

import pytest

from shoal.domain.models.tariff import MILLI, Terms, Unit
from tests.support.models.catalogs import a_catalog, wrong_in
from tests.support.models.random_models import Asked, a_random_model, requests

SEED = 18
OF_ONE_MODEL = 200


@pytest.mark.parametrize(
    "count",
    [
        pytest.param(20_000, id="some"),
        pytest.param(1_000_000, id="all", marks=[pytest.mark.nightly, pytest.mark.timeout(3_600)]),
    ],
)
def test_nothing_is_captured_that_was_not_held_and_more_costs_no_less(count: int) -> None:
    random, seen = Random(SEED), 0  # noqa: S311
    for asked in requests(random, count, OF_ONE_MODEL):
        terms = asked.model.terms(asked.values, asked.staged)
        held, quoted = terms.price_of(asked.count), Terms.from_json(terms.to_json()).price_of(asked.count)
        captured = terms.cost_of(asked.measured)

        assert 0 <= captured <= held == quoted, (SEED, seen, asked)
        assert type(held) is type(captured) is int
        assert "." not in terms.to_json()
        _check_monotone(random, asked, terms)
        seen += 1
    assert seen == count


def test_the_models_that_are_drawn_are_right() -> None:
    random = Random(SEED)  # noqa: S311
    for _ in range(20):
        assert wrong_in(a_catalog(models={"m": a_random_model(random)})) == {}


def _check_monotone(random: Random, asked: Asked, terms: Terms) -> None:
    """One unit more of anything costs no less, asked for and delivered."""
    unit = random.choice(list(Unit))
    more: dict[str, Any] = {
        "most": _with_one_more(terms.most, unit),
        "request": _with_one_more(terms.request, unit),
    }
    assert replace(terms, **more).price_of(asked.count) >= terms.price_of(asked.count), (unit, asked)
    assert terms.price_of(asked.count + 1) >= terms.price_of(asked.count)
    larger = [_with_one_more(each, unit) for each in asked.measured]
    assert terms.cost_of(larger) >= terms.cost_of(asked.measured), (unit, asked)


def _with_one_more(quantities: Any, unit: Unit) -> Any:
    return {**quantities, unit: quantities[unit] + MILLI} if unit in quantities else quantities
