"""What requests of a model may carry: read by its own schema, refused in words that help."""

from __future__ import annotations

from typing import Any

import pytest

from shoal.dialects.parameters import parameters_of, read
from shoal.domain.errors import ValidationFailed
from shoal.domain.models.briefs import brief_of, values_of
from shoal.domain.models.model import Model, model_of
from tests.support.models.catalogs import a_model, built

PARAMETERS: dict[str, Any] = {
    "duration": {"type": "integer", "minimum": 3, "maximum": 12, "default": 5, "role": "seconds"},
    "resolution": {"enum": ["720p", "1080p"], "default": "720p", "role": "resolution"},
    "quality": {"type": "integer", "enum": [1, 2], "default": 1},
    "strength": {"type": "number", "minimum": 0, "maximum": 1},
    "sound": {"type": "boolean", "default": False},
    "tags": {"type": "array", "items": {"type": "string", "maxLength": 3}, "maxItems": 2},
    "camera": {
        "type": "object",
        "required": ["move"],
        "properties": {"move": {"enum": ["pan", "zoom"]}, "speed": {"type": "integer", "maximum": 9}},
    },
    "json": {"type": "string", "pattern": "^[a-z]+$"},
    "image_url": {"type": "string", "format": "uri", "role": "image"},
}
REFUSE = [{"resolution": ["1080p"], "duration": [3, 4]}]
MODEL = built(PARAMETERS, refuse=REFUSE)
OTHER = model_of("other", a_model({"style": {"type": "string"}, "durations": {"type": "string"}}))


def given(model: Model = MODEL, **body: Any) -> dict[str, Any]:
    return read(model, {"model": model.id, "prompt": "A shark", **body}, (MODEL, OTHER))


def refused(**body: Any) -> dict[str, str]:
    with pytest.raises(ValidationFailed) as failed:
        given(**body)
    return {each["field"]: each["message"] for each in failed.value.details["fields"]}


def test_what_is_absent_or_null_has_its_default() -> None:
    bare = given()

    assert (bare["duration"], bare["resolution"], bare["strength"], bare["camera"]) == (5, "720p", None, None)
    nothing: dict[str, Any] = dict.fromkeys(PARAMETERS)
    assert given(MODEL, **nothing) == bare


@pytest.mark.parametrize(
    ("field", "value", "message"),
    [
        ("prompt", None, "must be a text"),
        ("duration", 2, "must be at least 3"),
        ("duration", 13, "must be at most 12"),
        ("duration", 5.5, "must be a whole number"),
        ("duration", "5", "must be a whole number"),
        ("duration", True, "must be a whole number"),
        ("quality", 3, "must be one of 1 or 2"),
        ("resolution", "4k", "must be one of '720p' or '1080p'"),
        ("strength", 1.5, "must be at most 1"),
        ("strength", "much", "must be a number"),
        ("sound", "on", "must be true or false"),
        ("tags", "a", "must be a list"),
        ("tags", ["a", "b", "c"], "must have at most 2 items"),
        ("json", "A1", "must match ^[a-z]+$"),
        ("image_url", "ftp://x", "must begin with https:// and name a host"),
    ],
)
def test_a_value_that_is_wrong_is_named(field: str, value: object, message: str) -> None:
    assert refused(**{field: value}) == {field: message}


def test_the_way_to_what_is_wrong_is_told() -> None:
    assert refused(tags=["a", "long"]) == {"tags.1": "must have at most 3 characters"}
    assert refused(camera={"speed": 10}) == {
        "camera.move": "is missing",
        "camera.speed": "must be at most 9",
    }
    assert refused(camera={"move": "pan", "angle": 1}) == {"camera.angle": "is not a parameter"}


def test_two_spellings_of_a_number_are_one() -> None:
    assert given(duration=8.0)["duration"] == given(duration=8)["duration"] == 8
    assert given(quality=2.0)["quality"] == 2


def test_an_unknown_parameter_is_met_with_the_nearest_and_the_models_that_take_it() -> None:
    assert refused(durations=5) == {
        "durations": "is not a parameter of m; did you mean duration?; it is one of other"
    }
    assert refused(style="x") == {"style": "is not a parameter of m; it is one of other"}
    assert refused(webhook="x")["webhook"].endswith("did you mean webhook_url?")


def test_a_combination_that_is_refused_names_both() -> None:
    message = "cannot be asked for together: resolution 1080p and duration 3"

    assert refused(resolution="1080p", duration=3) == {"resolution": message, "duration": message}
    assert given(resolution="1080p", duration=5)["duration"] == 5


def test_a_parameter_may_have_a_name_that_means_something_in_here() -> None:
    assert given(json="abc")["json"] == "abc"
    assert "json" in parameters_of(MODEL).model_json_schema()["properties"]


def test_a_brief_keeps_what_has_no_other_place_and_gives_it_back() -> None:
    values = MODEL.inputs.filled({name: given(duration=8)[name] for name in MODEL.inputs.properties})

    brief = brief_of(MODEL, values)

    assert brief.fields == {"duration": 8, "resolution": "720p", "quality": 1, "sound": False}
    assert values_of(MODEL, brief) == values
