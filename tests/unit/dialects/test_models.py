"""Models as callers see them: what each takes, what it costs, and whether it can be had here."""

from __future__ import annotations

import json

import pytest

from shoal.dialects import tasks
from shoal.domain.catalog import load_catalog
from shoal.domain.errors import NotFound

CATALOG = load_catalog()


@pytest.mark.parametrize("name", CATALOG.models)
def test_a_models_schema_tells_exactly_what_its_requests_may_carry(name: str) -> None:
    shown, model = tasks.model_resource(name, CATALOG, available=True), CATALOG.models[name]

    schema = json.loads(json.dumps(shown["parameters"]))
    properties = schema["properties"]
    optional = {"negative_prompt"} if model.negative_prompt else set()
    optional |= {"input_image_urls"} if model.input_images_max else set()
    assert set(properties) == {"prompt", "aspect_ratio", "num_outputs", "seed"} | optional
    assert (schema["type"], schema["required"]) == ("object", ["prompt"])
    assert schema["additionalProperties"] is False
    assert properties["prompt"]["maxLength"] == model.prompt_length_max
    assert (properties["num_outputs"]["minimum"], properties["num_outputs"]["maximum"]) == (
        1,
        model.outputs_max,
    )
    assert properties["aspect_ratio"]["default"] == model.aspect_ratios[0]
    assert properties["aspect_ratio"]["enum"] == list(model.aspect_ratios)
    for sample in (properties[field] for field in optional | {"seed"}):
        assert {"type": "null"} in sample["anyOf"]


def test_a_model_is_shown_with_its_price_limits_and_availability() -> None:
    shown = tasks.model_resource("stable-image-classic", CATALOG, available=True)

    assert shown == {
        "parameters": shown["parameters"],
        "id": "stable-image-classic",
        "title": "Stable Image Classic",
        "type": "image_generate",
        "price": {
            "per": "output",
            "amount": "$0.0350",
            "asset": "usd",
            "version": CATALOG.price_version,
        },
        "limits": {"num_outputs": 4, "prompt_characters": 4_000},
        "availability": "available",
        "deprecated": True,
        "replacement": "stable-image",
    }


def test_a_model_without_a_provider_is_shown_as_unavailable() -> None:
    clip = tasks.model_resource("clip", CATALOG, available=False)

    assert (clip["availability"], clip["price"]["amount"], clip["price"]["asset"]) == (
        "unavailable",
        "1 credit",
        "credit",
    )


def test_a_model_there_is_not_is_not_found() -> None:
    with pytest.raises(NotFound, match="nanobanana"):
        tasks.model_resource("nanobanan", CATALOG, available=True)
