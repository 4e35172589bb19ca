"""What a catalog says beside its models, and of its models together: what is refused, and where."""

from __future__ import annotations

from typing import Any

import pytest
from pydantic import ValidationError

from shoal.domain.catalog import Catalog
from tests.support.models.catalogs import (
    a_catalog,
    a_mode,
    a_model,
    a_top_up,
    a_video,
    wrong_in,
    wrong_in_model,
)


def test_a_small_catalog_is_right() -> None:
    assert wrong_in(a_catalog()) == {}


@pytest.mark.parametrize(
    ("field", "wrong"),
    [
        ("", {"default_mode": "8k"}),
        ("", {"modes": {"2k": a_mode(model="unknown")}}),
        ("modes.2k.price_micros", {"modes": {"2k": a_mode(price_micros=-1)}}),
        ("modes.2k.price_micros", {"modes": {"2k": a_mode(price_micros=0.02)}}),
        ("modes.2k.price_micros", {"modes": {"2k": a_mode(price_micros="20000")}}),
        ("modes.2k.long_side_px", {"modes": {"2k": a_mode(long_side_px=0)}}),
        ("modes.2k.colour", {"modes": {"2k": a_mode(colour="red")}}),
        ("low_balance.micros", {"low_balance": {"micros": -1, "credits": 1}}),
        ("low_balance.credits", {"low_balance": {"micros": 1}}),
        ("top_up.min_cents", {"top_up": a_top_up(min_cents=0)}),
        ("top_up.amounts_cents", {"top_up": a_top_up(amounts_cents=[])}),
        ("top_up", {"top_up": a_top_up(amounts_cents=[999])}),
        ("top_up", {"top_up": a_top_up(amounts_cents=[5_001])}),
        ("top_up.amounts_cents[0]", {"top_up": a_top_up(amounts_cents=[1_000.5])}),
        ("top_up.packs", {"top_up": a_top_up(packs=[])}),
        ("top_up.packs[0].credits", {"top_up": a_top_up(packs=[{"credits": 0, "price_cents": 1_000}])}),
        ("top_up", {"top_up": a_top_up(packs=[{"credits": 10, "price_cents": 999}])}),
        ("top_up", {"top_up": a_top_up(packs=[{"credits": 10, "price_cents": 1_000}] * 2)}),
        ("top_up.colour", {"top_up": a_top_up(colour="red")}),
        ("extra", {"extra": 1}),
        ("", {"video": a_video(clip_model="unknown")}),
        ("video.price_credits", {"video": a_video(price_credits=-1)}),
        ("video.price_credits", {"video": a_video(price_credits=0.5)}),
        ("video.scenes_max", {"video": a_video(scenes_max=0)}),
        ("video.scenes_max", {"video": a_video(scenes_max=16)}),
        ("video.aspect_ratios", {"video": a_video(aspect_ratios=[])}),
        ("video", {"video": a_video(aspect_ratios=["4:3"])}),
        ("video.script_routes", {"video": a_video(script_routes=[])}),
        ("video.speech_routes", {"video": a_video(speech_routes=[])}),
        ("video.colour", {"video": a_video(colour="red")}),
    ],
)
def test_what_is_wrong_beside_the_models_is_named(field: str, wrong: dict[str, Any]) -> None:
    assert field in wrong_in(a_catalog(**wrong))
    with pytest.raises(ValidationError):
        Catalog.model_validate(a_catalog(**wrong))


@pytest.mark.parametrize(
    ("sold", "costs", "loses"),
    [
        ({}, [10_000], False),
        ({}, [10_001], True),
        ({}, [None, 10_001, 3], True),
        ({}, [3, 10_001], False),
        ({}, [None], False),
        ({"modes": {"2k": a_mode(price_micros=4_999)}}, [5_000], True),
        ({"credits": 1}, [1_000_000], False),
        ({"credits": 1}, [1_000_001], True),
        ({"credits": 2, "video": a_video(price_credits=1)}, [1_000_001], True),
    ],
)
def test_a_price_below_the_first_known_cost_has_to_be_meant(
    sold: dict[str, Any], costs: list[int | None], loses: bool
) -> None:
    routes = [
        {"provider": f"p{at}"} | ({} if cost is None else {"cost": [{"per": "output", "micros": cost}]})
        for at, cost in enumerate(costs)
    ]
    changes, tariff = dict(sold), [{"per": "output", "micros": 10_000}]
    if credits := changes.pop("credits", None):
        tariff = [{"per": "output", "credits": credits}]
        changes |= {"modes": {"2k": a_mode(price_micros=9_999_999)}}
    for meant in (True, False):
        model = a_model(routes=routes, at_a_loss=meant, tariff=tariff)
        said = wrong_in(a_catalog(models={"m": model}, **changes))
        assert bool(said) is (meant is not loses)
        assert all("at_a_loss must be" in reason for reason in said.values())


def test_the_combination_that_loses_is_named() -> None:
    resolution = {"enum": ["720p", "1080p"], "default": "720p"}
    seconds = {"type": "integer", "minimum": 3, "maximum": 12, "default": 5, "role": "seconds"}
    prices = {"by": ["resolution"], "720p": 50_000, "1080p": 70_000}
    costs = {"by": ["resolution"], "720p": 40_000, "1080p": 40_000}

    said = wrong_in_model(
        {"resolution": resolution, "duration": seconds},
        type="video_generate",
        outputs={"media": ["video/mp4"], "max": 1},
        tariff=[{"per": "second", "micros": prices}],
        routes=[{"provider": "fal", "cost": [{"per": "second", "micros": costs, "round_up": 5}]}],
    )

    # 3 seconds at 720p bring 150,000 and are billed as 5: 200,000.
    assert said == {
        "tariff": "sells for 150000 and costs 200000 micro-dollars on fal/ at duration 3, resolution 720p: "
        "at_a_loss must be true"
    }


@pytest.mark.parametrize(
    ("replacements", "field", "reason"),
    [
        ({"m": "m"}, "models.m.replacement", "m → m"),
        ({"m": "n", "n": "m"}, "models.m.replacement", "m → n → m"),
        ({"m": "n", "n": "o", "o": "n"}, "models.m.replacement", "m → n → o → n"),
        ({"m": "unknown"}, "models.m.replacement", "no model 'unknown'"),
    ],
)
def test_following_replacements_ends_at_a_model(
    replacements: dict[str, str], field: str, reason: str
) -> None:
    models = {name: a_model(replacement=replacements.get(name)) for name in ("m", "n", "o")}

    assert reason in wrong_in(a_catalog(models=models))[field]


def test_a_name_means_one_model_in_a_dialect() -> None:
    two = {"m": a_model(aliases={"openai": ["sora"]}), "n": a_model(aliases={"openai": ["sora"]})}
    taken = {"m": a_model(aliases={"openai": ["n"]}), "n": a_model()}

    assert "models.n.aliases.openai" in wrong_in(a_catalog(models=two))
    assert "models.m.aliases.openai" in wrong_in(a_catalog(models=taken))


@pytest.mark.parametrize(
    ("field", "told"),
    [
        ("price_lists.l.title", {}),
        ("price_lists.l.models.o", {"title": "L", "models": {"o": {"factor_bp": 9_000}}}),
        ("price_lists.l.models.m", {"title": "L", "models": {"m": {}}}),
        ("price_lists.l.models.m.factor_bp", {"title": "L", "models": {"m": {"factor_bp": 0.9}}}),
        ("price_lists.l.types.poem.[key]", {"title": "L", "types": {"poem": {"factor_bp": 9_000}}}),
    ],
)
def test_a_price_list_names_what_there_is(field: str, told: dict[str, Any]) -> None:
    assert field in wrong_in(a_catalog(price_lists={"l": told}))


def test_a_price_list_may_have_factors_for_models_and_types() -> None:
    told = {
        "title": "L",
        "models": {"m": {"factor_bp": 9_000}},
        "types": {"image_generate": {"factor_bp": 9_500}},
    }

    assert wrong_in(a_catalog(price_lists={"l": told})) == {}
