"""What a model's file may not say: each refusal names the field, and why."""

from __future__ import annotations

from typing import Any

import pytest

from tests.support.models.catalogs import PROMPT, a_model, wrong_in_model

CLIP: dict[str, Any] = {"type": "video_generate", "outputs": {"media": ["video/mp4"], "max": 1}}
RESOLUTION = {"enum": ["720p", "1080p"], "default": "720p", "role": "resolution"}
AUDIO = {"type": "boolean", "default": False}
SECONDS = {"type": "integer", "minimum": 3, "maximum": 12, "default": 5, "role": "seconds"}
COUNT = {"type": "integer", "minimum": 1, "maximum": 2, "default": 1, "role": "count"}
IMAGE = {"type": "string", "format": "uri", "role": "image"}
BOTH = ["resolution", "audio"]


def test_a_small_model_is_right() -> None:
    assert wrong_in_model() == {}


@pytest.mark.parametrize(
    ("field", "reason", "changes"),
    [
        ("title", "is missing", {"title": None}),
        ("colour", "is not known here", {"colour": "red"}),
        ("type", "must be 'image_generate'", {"type": "poem"}),
        ("seconds_expected", "greater than 0", {"seconds_expected": 0}),
        ("outputs.media[0]", "not among", {"outputs": {"media": ["image/svg+xml"], "max": 1}}),
        ("outputs.media[0]", "not among", {"outputs": {"media": ["text/html"], "max": 1}}),
        (
            "outputs.media[0]",
            "not what image_generate makes",
            {"outputs": {"media": ["video/mp4"], "max": 1}},
        ),
        ("outputs.max", "what can be asked for: 1", {"outputs": {"media": ["image/png"], "max": 2}}),
        ("outputs.max", "less than or equal to 4", {"outputs": {"media": ["image/png"], "max": 5}}),
        ("low_factor_bp", "less than or equal to 10000", {"low_factor_bp": 10_001}),
        ("tariff[0]", "must have micros or credits", {"tariff": [{"per": "output"}]}),
        ("tariff[0].micros", "whole number", {"tariff": [{"per": "output", "micros": 0.01}]}),
        ("tariff[0].micros", "whole number", {"tariff": [{"per": "output", "micros": True}]}),
        ("tariff[0].micros", "whole number", {"tariff": [{"per": "output", "micros": -1}]}),
        ("tariff[0].per", "must be 'request'", {"tariff": [{"per": "token", "micros": 1}]}),
        ("tariff[0].round_up", "whole number", {"tariff": [{"per": "output", "micros": 1, "round_up": 1.5}]}),
        (
            "tariff[0].maximum",
            "less than minimum",
            {"tariff": [{"per": "output", "micros": 1, "minimum": 2, "maximum": 1}]},
        ),
        (
            "tariff",
            "not in both",
            {"tariff": [{"per": "output", "micros": 1}, {"per": "request", "credits": 1}]},
        ),
        ("tariff[0].per", "nothing bounds", {"tariff": [{"per": "second", "micros": 1}]}),
        ("tariff[0].per", "nothing bounds", {"tariff": [{"per": "megapixel", "micros": 1}]}),
        ("tariff[0].per", "nothing bounds", {"tariff": [{"per": "input_second", "micros": 1}]}),
        ("routes[0].provider", "no provider 'nobody'", {"routes": [{"provider": "nobody"}]}),
        ("routes[1]", "there twice", {"routes": [{"provider": "fal"}, {"provider": "fal"}]}),
        (
            "routes[0].cost[0]",
            "must have micros",
            {"routes": [{"provider": "fal", "cost": [{"per": "output"}]}]},
        ),
        (
            "routes[0].cost[0].micros",
            "whole number",
            {"routes": [{"provider": "fal", "cost": [{"per": "output", "micros": 0.5}]}]},
        ),
        (
            "routes[0].input",
            "{colour} is not",
            {"routes": [{"provider": "fal", "input": {"c": "a {colour}"}}]},
        ),
        (
            "routes[0].input",
            "{colour} is not",
            {"routes": [{"provider": "fal", "input": {"c": {"pick": "colour", "red": 1}}}]},
        ),
        (
            "routes[0].outputs[0].path",
            "a path",
            {"routes": [{"provider": "fal", "outputs": [{"path": "a..b"}]}]},
        ),
        (
            "routes[0].outputs",
            "not extra",
            {"routes": [{"provider": "fal", "outputs": [{"path": "a", "extra": True}]}]},
        ),
        ("routes[0].refused_when", "a path", {"routes": [{"provider": "fal", "refused_when": "a b"}]}),
        (
            "routes[0].when.prompt",
            "may be absent",
            {"routes": [{"provider": "fal", "when": {"prompt": True}}]},
        ),
        ("examples[0].prompt", "is missing", {"examples": [{}]}),
        ("examples[0].colour", "not a parameter", {"examples": [{"prompt": "A shark", "colour": "red"}]}),
        ("examples", "at least 1 item", {"examples": []}),
    ],
)
def test_a_field_that_is_wrong_is_named(field: str, reason: str, changes: dict[str, Any]) -> None:
    said = wrong_in_model(**changes)

    assert reason in said.get(field, str(said))
    assert field in said


@pytest.mark.parametrize(
    ("field", "reason", "parameters"),
    [
        ("mode", "reserved", {"mode": {"type": "string"}}),
        ("ttl_seconds", "reserved", {"ttl_seconds": {"type": "integer"}}),
        ("seed", 'role = "seed"', {"seed": {"type": "integer"}}),
        ("2x", "begin with a letter", {"2x": {"type": "string"}}),
        ("x.oneOf", "no keyword", {"x": {"type": "string", "oneOf": []}}),
        ("x.additionalProperties", "no keyword", {"x": {"type": "object", "additionalProperties": True}}),
        ("x.type", "must have a type", {"x": {"type": "null"}}),
        ("x", "must have a type", {"x": {}}),
        ("x.enum", "twice", {"x": {"enum": ["a", "a"]}}),
        ("x", "must have a type", {"x": {"enum": ["a", 1]}}),
        ("x.enum[0]", "not of type integer", {"x": {"type": "integer", "enum": ["a"]}}),
        ("x.pattern", "no regular expression", {"x": {"type": "string", "pattern": "("}}),
        ("x.maximum", "less than minimum", {"x": {"type": "integer", "minimum": 2, "maximum": 1}}),
        ("x.minimum", "whole number", {"x": {"type": "integer", "minimum": 0.5}}),
        ("x.format", "must be uri", {"x": {"type": "string", "format": "email"}}),
        ("x.items", "must be a schema", {"x": {"type": "array"}}),
        ("x.items", "must be a schema", {"x": {"type": "array", "items": {"type": "array"}}}),
        ("x.role", "must be one of", {"x": {"type": "string", "role": "hat"}}),
        ("y.role", "x has this role already", {"x": IMAGE, "y": IMAGE}),
        ("x.type", "must be integer", {"x": {"type": "number", "role": "steps"}}),
        ("x.type", "must be string", {"x": {"type": "integer", "role": "text"}}),
        ("x", "minimum = 1", {"x": {"type": "integer", "minimum": 0, "maximum": 1, "role": "count"}}),
        ("x.default", "at least 3", {"x": {"type": "integer", "minimum": 3, "default": 2}}),
        ("x.default", "must be one of", {"x": {"enum": ["a", "b"], "default": "c"}}),
    ],
)
def test_a_parameter_that_is_wrong_is_named(field: str, reason: str, parameters: dict[str, Any]) -> None:
    said = wrong_in_model(parameters)

    assert reason in said.get(f"input.properties.{field}", str(said))
    assert f"input.properties.{field}" in said


def test_objects_are_two_deep() -> None:
    def inside(schema: dict[str, Any]) -> dict[str, Any]:
        return {"type": "object", "properties": {"x": schema}}

    two, three = inside(inside({"type": "string"})), inside(inside(inside({"type": "string"})))

    assert wrong_in_model({"camera": two}) == {}
    assert "2 deep" in wrong_in_model({"camera": three})["input.properties.camera.properties.x.properties.x"]


@pytest.mark.parametrize(
    ("field", "reason", "table"),
    [
        (
            "",
            "no amount for resolution 1080p, audio true",
            {"720p,false": 1, "720p,true": 1, "1080p,false": 1},
        ),
        (
            ".4k,true",
            "no combination",
            {"720p,false": 1, "720p,true": 1, "1080p,false": 1, "1080p,true": 1, "4k,true": 1},
        ),
        (
            ".720p,true",
            "whole number",
            {"720p,false": 1, "720p,true": 0.5, "1080p,false": 1, "1080p,true": 1},
        ),
    ],
)
def test_a_table_of_prices_has_every_combination_and_no_other(
    field: str, reason: str, table: dict[str, Any]
) -> None:
    said = wrong_in_model(
        {"resolution": RESOLUTION, "audio": AUDIO},
        tariff=[{"per": "output", "micros": {"by": BOTH, **table}}],
    )

    assert reason in said[f"tariff[0].micros{field}"]


def test_what_is_refused_needs_no_price() -> None:
    table = {"by": BOTH, "720p,false": 1, "720p,true": 1, "1080p,true": 1}

    said = wrong_in_model(
        {"resolution": RESOLUTION, "audio": AUDIO},
        refuse=[{"resolution": ["1080p"], "audio": [False]}],
        tariff=[{"per": "output", "micros": table}],
    )

    assert said == {}


@pytest.mark.parametrize(
    ("reason", "by", "parameters"),
    [
        ("'hue' is not a parameter", ["hue"], {}),
        ("neither enumerated nor a boolean", ["duration"], {"duration": SECONDS}),
        ("has no default", ["style"], {"style": {"enum": ["a", "b"]}}),
        ("has a value with a comma", ["style"], {"style": {"enum": ["a,b", "c"], "default": "c"}}),
        ("must list", [], {}),
    ],
)
def test_a_price_depends_on_what_is_enumerated(
    reason: str, by: list[str], parameters: dict[str, Any]
) -> None:
    said = wrong_in_model(parameters, tariff=[{"per": "output", "micros": {"by": by}}])

    assert reason in said["tariff[0].micros.by"]


@pytest.mark.parametrize(
    ("field", "reason", "refuse"),
    [
        ("refuse", "leaves nothing", [{"resolution": ["720p", "1080p"]}]),
        ("refuse", "refuses the defaults", [{"resolution": ["720p"]}]),
        ("refuse[0].hue", "whose values are listed", [{"hue": ["red"]}]),
        ("refuse[0].resolution", "4k is not a value", [{"resolution": ["4k"]}]),
        ("refuse[0].duration", "13 is not a value", [{"resolution": ["1080p"], "duration": [13]}]),
    ],
)
def test_what_is_refused_is_there_and_leaves_something(
    field: str, reason: str, refuse: list[dict[str, Any]]
) -> None:
    said = wrong_in_model({"resolution": RESOLUTION, "duration": SECONDS}, refuse=refuse)

    assert reason in said[field]


def test_sizes_have_every_combination() -> None:
    sizes = {"by": ["resolution"], "720p": "1280x720"}

    assert "no size for resolution 1080p" in wrong_in_model({"resolution": RESOLUTION}, sizes=sizes)["sizes"]
    wrong = wrong_in_model({"resolution": RESOLUTION}, sizes={**sizes, "1080p": "large"})
    assert "such as 1024x768" in wrong["sizes.1080p"]


def test_a_number_that_prices_something_needs_a_bound() -> None:
    open_ended = {"type": "integer", "minimum": 1, "default": 5, "role": "seconds"}
    tariff = [{"per": "second", "micros": 1}]

    assert "nothing bounds" in wrong_in_model({"d": open_ended}, tariff=tariff, **CLIP)["tariff[0].per"]
    assert wrong_in_model({"d": SECONDS}, tariff=tariff, **CLIP) == {}


def test_the_count_and_files_are_not_for_texts_of_a_route() -> None:
    counted = wrong_in_model(
        {"n": COUNT},
        outputs={"media": ["image/png"], "max": 2},
        routes=[{"provider": "fal", "input": {"n": "{n}"}}],
    )
    filed = wrong_in_model({"x": IMAGE}, routes=[{"provider": "fal", "input": {"x": "see {x}"}}])

    assert "call of its own" in counted["routes[0].input"]
    assert "must stand alone" in filed["routes[0].input"]


def test_some_route_takes_every_request() -> None:
    said = wrong_in_model({"x": IMAGE}, routes=[{"provider": "fal", "when": {"x": True}}])

    assert said["routes"] == "no route takes a request with x absent"


def test_credits_are_whole() -> None:
    credits = [{"per": "second", "credits": 1}]

    assert "credits are whole" in wrong_in_model({"d": SECONDS}, tariff=credits, **CLIP)["tariff[0].per"]


def test_a_required_parameter_is_a_parameter() -> None:
    told = a_model()["input"] | {"required": ["prompt", "hue"], "properties": {"prompt": PROMPT}}

    assert "'hue' is not a property" in wrong_in_model(input=told)["input.required[1]"]
