"""A route's template of its provider's input, and its paths into the answer."""

from __future__ import annotations

from typing import Any

import pytest

from shoal.domain.models.template import find, is_path, render
from tests.support.models.catalogs import built

VALUES = {"prompt": "A shark", "duration": 5, "audio": True, "width": 1280, "tags": ["a", "b"]}


@pytest.mark.parametrize(
    ("template", "rendered"),
    [
        ({"seconds": "{duration}"}, {"seconds": 5}),
        ({"seconds": "{duration}s"}, {"seconds": "5s"}),
        ({"tags": "{tags}"}, {"tags": ["a", "b"]}),
        ({"sound": "{audio}", "said": "audio {audio}"}, {"sound": True, "said": "audio true"}),
        ({"seed": "{seed}", "x": 1}, {"x": 1}),
        ({"said": "seed {seed}"}, {}),
        ({"image": {"url": "{image_url}"}}, {}),
        ({"size": {"width": "{width}", "height": "{height}"}}, {"size": {"width": 1280}}),
        ({"video.duration": "{duration}", "video.on": True}, {"video": {"duration": 5, "on": True}}),
        ({"video": {"on": True}, "video.duration": "{duration}"}, {"video": {"on": True, "duration": 5}}),
        ({"sound": {"pick": "audio", "true": "on", "false": "off"}}, {"sound": "on"}),
        ({"sound": {"pick": "quality", "high": 2}}, {}),
        (
            {"parts": ["{prompt}", "{seed}", {"text": "{prompt}"}]},
            {"parts": ["A shark", {"text": "A shark"}]},
        ),
        ({"checker": True, "empty": {}, "n": 1}, {"checker": True, "empty": {}, "n": 1}),
    ],
)
def test_a_template_is_filled_in(template: dict[str, Any], rendered: dict[str, Any]) -> None:
    assert render(template, VALUES) == rendered


def test_a_value_is_nothing_to_fill_in() -> None:
    assert render({"p": "{prompt}"}, {"prompt": "{duration}", "duration": 5}) == {"p": "{duration}"}
    assert render({"p": "say {prompt}"}, {"prompt": "{duration}", "duration": 5}) == {"p": "say {duration}"}


@pytest.mark.parametrize(
    ("path", "found"),
    [
        ("video.url", ["v"]),
        ("images[*].url", ["a", "b"]),
        ("images[1].url", ["b"]),
        ("images[5].url", []),
        ("lists[*][*]", [1, 2, 3]),
        ("video.nothing.url", []),
        ("images.url", []),
        ("nothing", []),
    ],
)
def test_a_path_finds_what_is_there(path: str, found: list[Any]) -> None:
    answer = {
        "video": {"url": "v", "nothing": None},
        "images": [{"url": "a"}, {"url": "b"}, {}],
        "lists": [[1, 2], [3]],
    }

    assert find(answer, path) == found


@pytest.mark.parametrize("path", ["a", "a.b[*].c", "[*]", "[0].a", "a[*][0]"])
def test_a_path_has_names_and_numbers(path: str) -> None:
    assert is_path(path)


@pytest.mark.parametrize("path", ["", ".a", "a.", "a..b", "a[b]", "a b", 7, None])
def test_anything_else_is_no_path(path: object) -> None:
    assert not is_path(path)


def test_the_first_group_of_routes_that_fits_is_asked_in_order() -> None:
    image = {"type": "string", "format": "uri", "role": "image"}
    model = built(
        {"image_url": image},
        routes=[
            {"provider": "fal", "model": "text", "when": {"image_url": False}},
            {"provider": "p0", "model": "text", "when": {"image_url": False}},
            {"provider": "fal", "model": "image", "when": {"image_url": True}, "input": {"i": "{image_url}"}},
            {"provider": "p1"},
        ],
    )

    assert [route.name for route in model.routes_for({})] == ["fal/text", "p0/text"]
    with_image = model.routes_for({"image_url": "x"})
    assert [route.name for route in with_image] == ["fal/image"]
    assert model.input_for(with_image[0], {"image_url": "x"}) == {"i": "x"}
    assert model.input_for(model.routes[0], {}) is None
