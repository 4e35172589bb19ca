"""The catalog that ships."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shoal.composition.upstreams import keyed
from shoal.domain.catalog import load_catalog, size_px
from shoal.domain.money import Asset, format_usd
from shoal.domain.provider import EMBEDDED
from shoal.domain.routing import WITHIN


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


def test_only_models_of_published_prices_ship_at_a_loss_and_the_documents_say_so() -> None:
    losing = {name: model for name, model in load_catalog().models.items() if model.at_a_loss}

    assert losing.keys() == {"shoal-image", "nanobanana"}
    section = Path("docs/providers.md").read_text(encoding="utf-8").partition("## Prices and costs")[2]
    for name, model in losing.items():
        assert re.search(rf"\| `{name}` .*\| \{format_usd(model.cost_micros)} \|", section)


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
