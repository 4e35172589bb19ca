"""The catalog: the one that ships, and those it refuses."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from shoal.composition.upstreams import keyed
from shoal.domain.catalog import Catalog, load_catalog, size_px
from shoal.domain.money import Asset, format_usd
from shoal.domain.provider import EMBEDDED
from shoal.domain.routing import WITHIN


def a_catalog(**changes: Any) -> dict[str, Any]:
    return {
        "price_version": "1",
        "default_mode": "2k",
        "low_balance": {"micros": 1, "credits": 1},
        "top_up": a_top_up(),
        "models": {"m": a_model()},
        "modes": {"2k": a_mode()},
        "video": a_video(),
        "assistants": {},
    } | changes


def a_top_up(**changes: Any) -> dict[str, Any]:
    return {
        "min_cents": 1_000,
        "max_cents": 5_000,
        "amounts_cents": [1_000],
        "packs": [{"credits": 10, "price_cents": 1_000}],
    } | changes


def a_video(**changes: Any) -> dict[str, Any]:
    return {
        "price_credits": 1,
        "scenes_max": 15,
        "aspect_ratios": ["9:16"],
        "clip_model": "m",
        "script_routes": [{"provider": "embedded"}],
        "speech_routes": [{"provider": "embedded"}],
    } | changes


def a_model(**changes: Any) -> dict[str, Any]:
    return {
        "title": "M",
        "type": "image_generate",
        "price_micros": 10_000,
        "long_side_px": 1024,
        "aspect_ratios": ["1:1"],
        "routes": [{"provider": "simulator"}],
        "seconds_expected": 5,
    } | changes


def a_mode(**changes: Any) -> dict[str, Any]:
    return {"model": "m", "long_side_px": 2048, "price_micros": 20_000} | changes


def test_the_catalog_that_ships_has_the_published_modes_and_prices() -> None:
    catalog = load_catalog()

    offered = {
        name: (mode.long_side_px, format_usd(mode.price_micros)) for name, mode in catalog.modes.items()
    }
    assert offered == {"1k": (1024, "$0.01"), "2k": (2048, "$0.02"), "4k": (4096, "$0.03")}
    assert catalog.default_mode == "2k"


def test_every_model_that_ships_has_routes_to_providers_there_are() -> None:
    catalog = load_catalog()

    assert len(catalog.models) == 8
    assert {route.key_name for route in catalog.all_routes()} == {*keyed(), "bedrock", "polly", EMBEDDED}


def test_the_videos_that_ship_cost_a_credit_a_scene_and_need_no_key_for_words_and_voice() -> None:
    catalog = load_catalog()
    terms = catalog.video

    assert (terms.price_credits, terms.seconds_max) == (1, 120)
    assert set(terms.aspect_ratios) == {"9:16", "16:9", "1:1"}
    assert catalog.routes(terms.clip_model)
    assert terms.script_routes[-1] == WITHIN
    assert terms.speech_routes[-1] == WITHIN


def test_the_models_that_ship_have_prices_a_dollar_or_a_credit_can_pay() -> None:
    models = load_catalog().models

    assert {"nanobanana", "gpt-image", "flux", "stable-image", "clip"} <= set(models)
    assert {name: model.price for name, model in models.items() if model.asset is Asset.CREDIT} == {"clip": 1}
    assert (models["nanobanana"].price, models["nanobanana"].asset) == (10_000, Asset.USD)
    assert {model.type for model in models.values()} == {"image_generate", "video_generate"}
    replaced = {name: model.replacement for name, model in models.items() if model.deprecated}
    assert replaced == {"stable-image-classic": "stable-image"}


@pytest.mark.parametrize(
    "wrong",
    [
        {"default_mode": "8k"},
        {"modes": {"2k": a_mode(model="unknown")}},
        {"modes": {"2k": a_mode(price_micros=-1)}},
        {"modes": {"2k": a_mode(price_micros=0.02)}},
        {"modes": {"2k": a_mode(price_micros="20000")}},
        {"modes": {"2k": a_mode(long_side_px=0)}},
        {"modes": {"2k": a_mode(colour="red")}},
        {"models": {"m": a_model(routes=[])}},
        {"models": {"m": a_model(aspect_ratios=[])}},
        {"models": {"m": a_model(aspect_ratios=["16x9"])}},
        {"models": {"m": a_model(aspect_ratios=["wide"])}},
        {"models": {"m": a_model(aspect_ratios=["1:1", "0:0"])}},
        {"models": {"m": a_model(aspect_ratios=["0:1"])}},
        {"models": {"m": a_model(aspect_ratios=["-1:1"])}},
        {"models": {"m": a_model(aspect_ratios=["1:2:3"])}},
        {"models": {"m": a_model(price_micros=None)}},
        {"models": {"m": a_model(price_credits=1)}},
        {"models": {"m": a_model(price_micros=-1)}},
        {"models": {"m": a_model(price_micros=0.01)}},
        {"models": {"m": a_model(price_micros=None, price_credits=0.5)}},
        {"models": {"m": a_model(outputs_max=0)}},
        {"models": {"m": a_model(outputs_max=5)}},
        {"models": {"m": a_model(input_images_max=5)}},
        {"models": {"m": a_model(seconds_expected=0)}},
        {"models": {"m": a_model(prompt_length_max=0)}},
        {"models": {"m": a_model(replacement="unknown")}},
        {"models": {"m": a_model(colour="red")}},
        {"models": {"m": a_model(type="poem")}},
        {"low_balance": {"micros": -1, "credits": 1}},
        {"low_balance": {"micros": 1}},
        {"top_up": a_top_up(min_cents=0)},
        {"top_up": a_top_up(amounts_cents=[])},
        {"top_up": a_top_up(amounts_cents=[999])},
        {"top_up": a_top_up(amounts_cents=[5_001])},
        {"top_up": a_top_up(amounts_cents=[1_000.5])},
        {"top_up": a_top_up(packs=[])},
        {"top_up": a_top_up(packs=[{"credits": 0, "price_cents": 1_000}])},
        {"top_up": a_top_up(packs=[{"credits": 10, "price_cents": 999}])},
        {"top_up": a_top_up(packs=[{"credits": 10, "price_cents": 1_000}] * 2)},
        {"top_up": a_top_up(colour="red")},
        {"extra": 1},
        {"video": a_video(clip_model="unknown")},
        {"video": a_video(price_credits=-1)},
        {"video": a_video(price_credits=0.5)},
        {"video": a_video(scenes_max=0)},
        {"video": a_video(scenes_max=16)},
        {"video": a_video(aspect_ratios=[])},
        {"video": a_video(aspect_ratios=["4:3"])},
        {"video": a_video(script_routes=[])},
        {"video": a_video(speech_routes=[])},
        {"video": a_video(colour="red")},
    ],
)
def test_a_wrong_catalog_is_refused(wrong: dict[str, Any]) -> None:
    Catalog.model_validate(a_catalog())

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
        {"provider": f"p{at}"} if cost is None else {"provider": f"p{at}", "cost_micros": cost}
        for at, cost in enumerate(costs)
    ]
    price: dict[str, Any] = {"price_micros": 10_000}
    if credits := sold.pop("credits", None):
        price = {"price_micros": None, "price_credits": credits}
        sold |= {"modes": {"2k": a_mode(price_micros=9_999_999)}}
    for meant in (True, False):
        catalog = a_catalog(**{"models": {"m": a_model(routes=routes, at_a_loss=meant, **price)}} | sold)
        if meant is loses:
            Catalog.model_validate(catalog)
        else:
            with pytest.raises(ValidationError, match="at_a_loss"):
                Catalog.model_validate(catalog)


def test_only_models_of_published_prices_ship_at_a_loss_and_the_documents_say_so() -> None:
    losing = {name: model for name, model in load_catalog().models.items() if model.at_a_loss}

    assert losing.keys() == {"shoal-image", "nanobanana"}
    section = Path("docs/providers.md").read_text(encoding="utf-8").partition("## Prices and costs")[2]
    for name, model in losing.items():
        assert re.search(rf"\| `{name}` .*\| \{format_usd(model.cost_micros)} \|", section)


def test_a_catalog_is_read_from_its_file(tmp_path: Path) -> None:
    file = tmp_path / "catalog.toml"
    low = "low_balance = {micros = 1, credits = 1}"
    packs = "[{credits = 1, price_cents = 1}]"
    top_up = f"top_up = {{min_cents = 1, max_cents = 1, amounts_cents = [1], packs = {packs}}}"
    file.write_text(
        f'price_version = "1"\ndefault_mode = "2k"\n{low}\n{top_up}\nmodels = {{}}\nmodes = {{}}\n[video]\n'
        'price_credits = 1\nscenes_max = 1\naspect_ratios = ["1:1"]\nclip_model = "m"\n'
        'script_routes = [{provider="a"}]\nspeech_routes = [{provider="a"}]\n[assistants]\n'
    )

    with pytest.raises(ValidationError, match="default_mode"):
        load_catalog(file)


@pytest.mark.parametrize(
    ("long_side_px", "aspect_ratio", "size"),
    [
        (1024, "1:1", (1024, 1024)),
        (2048, "16:9", (2048, 1152)),
        (2048, "9:16", (1152, 2048)),
        (4096, "4:3", (4096, 3072)),
        (1024, "2:3", (683, 1024)),
        (1024, "21:9", (1024, 439)),
    ],
)
def test_a_ratio_and_a_long_side_make_a_size(
    long_side_px: int, aspect_ratio: str, size: tuple[int, int]
) -> None:
    assert size_px(long_side_px, aspect_ratio) == size


@given(
    st.sampled_from([1024, 2048, 4096]), st.sampled_from(load_catalog().models["shoal-image"].aspect_ratios)
)
def test_every_offered_size_has_its_long_side_and_its_ratio(long_side_px: int, aspect_ratio: str) -> None:
    width_px, height_px = size_px(long_side_px, aspect_ratio)

    across, down = (int(part) for part in aspect_ratio.split(":"))
    assert max(width_px, height_px) == long_side_px
    assert abs(width_px / height_px - across / down) < 0.01
