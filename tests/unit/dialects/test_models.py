"""Models as callers see them: what each takes, what it costs, and whether it can be had here."""

from __future__ import annotations

import json

import pytest

from shoal.dialects import tasks
from shoal.domain.catalog import load_catalog
from shoal.domain.errors import NotFound
from shoal.domain.models.model import model_of
from tests.support.models.catalogs import a_model

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


def test_a_price_that_is_no_one_number_is_shown_in_rows_and_in_words() -> None:
    amounts = {"by": ["resolution", "audio"], "480p,false": 30_000, "720p,false": 62_000}
    amounts |= {"480p,true": 40_000, "720p,true": 80_000}
    parameters = {
        "duration": {"type": "integer", "minimum": 3, "maximum": 12, "default": 5, "role": "seconds"},
        "resolution": {"enum": ["480p", "720p"], "default": "720p"},
        "audio": {"type": "boolean", "default": False},
    }
    rows = [{"per": "second", "micros": amounts}, {"per": "request", "micros": 1_000}]
    model = model_of("clips", a_model(parameters, tariff=rows))
    catalog = CATALOG.model_copy(update={"models": {**CATALOG.models, "clips": model}})

    price = tasks.model_resource("clips", catalog, available=True)["price"]

    assert (price["per"], price["amount"]) == ("rows", "$0.3110")
    assert price["sentence"] == "$0.062 a second and $0.001 a request at 720p, audio false"
    assert price["rows"][1:] == [
        {"per": "second", "amount": "$0.0620", "when": {"resolution": "720p", "audio": "false"}},
        {"per": "second", "amount": "$0.0400", "when": {"resolution": "480p", "audio": "true"}},
        {"per": "second", "amount": "$0.0800", "when": {"resolution": "720p", "audio": "true"}},
        {"per": "request", "amount": "$0.0010", "when": {}},
    ]
