"""What the tasks dialect takes of each model, and how it names what it does not take."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shoal.dialects.tasks import parse_submission
from shoal.domain import families
from shoal.domain.brief import Brief, Kind
from shoal.domain.catalog import load_catalog, size_px
from shoal.domain.errors import NotFound, ValidationFailed
from shoal.domain.models.model import Model
from shoal.domain.models.tariff import Terms
from shoal.domain.money import Asset
from shoal.domain.submission import Submission

CATALOG = load_catalog()
PICTURES = {name: model for name, model in CATALOG.models.items() if model.type == "image_generate"}
URL = "https://example.com/cat.png"


def parse(model: str = "nanobanana", **body: Any) -> Submission:
    return parse_submission({"model": model, "prompt": "A shark"} | body, CATALOG)


def refused(model: object = "nanobanana", **body: Any) -> list[str]:
    """The fields a refusal names."""
    with pytest.raises(ValidationFailed) as failed:
        parse_submission({"model": model, "prompt": "A shark"} | body, CATALOG)
    assert all(item["message"] for item in failed.value.details["fields"])
    assert all(item["field"] in failed.value.message for item in failed.value.details["fields"][:3])
    return [item["field"] for item in failed.value.details["fields"]]


def test_a_bare_prompt_gets_the_models_defaults() -> None:
    assert parse() == Submission(
        family=families.TASKS,
        model="nanobanana",
        mode=None,
        brief=Brief(Kind.PICTURE, "nanobanana", "A shark", "1:1", 1024, 1024, seed=None),
        words={"prompt": "A shark", "aspect_ratio": "1:1", "seed": None},
        asset=Asset.USD,
        terms=Terms.flat(10_000),
        price_version=CATALOG.price_version,
        catalog_version=CATALOG.version,
        free_trial_allowed=False,
    )


@pytest.mark.parametrize(("name", "model"), PICTURES.items(), ids=PICTURES)
def test_every_model_has_its_price_its_size_and_its_ratios(name: str, model: Model) -> None:
    for aspect_ratio in model.aspect_ratios:
        submission = parse(name, aspect_ratio=aspect_ratio, num_outputs=model.outputs_max)

        size = submission.brief.width_px, submission.brief.height_px
        assert size == size_px(max(size), aspect_ratio)
        assert (submission.unit_price, submission.asset) == (model.price, model.asset)
        assert submission.price == model.price * model.outputs_max
    assert refused(name, aspect_ratio="5:4") == ["aspect_ratio"]


@pytest.mark.parametrize(("name", "model"), PICTURES.items(), ids=PICTURES)
def test_a_parameter_is_taken_by_the_models_that_have_it_and_refused_by_name_by_the_others(
    name: str, model: Model
) -> None:
    if model.negative_prompt:
        assert parse(name, negative_prompt=" blur ").brief.negative_prompt == "blur"
    else:
        assert refused(name, negative_prompt="blur") == ["negative_prompt"]
    if model.input_images_max:
        assert parse(name, input_image_urls=[URL]).input_urls == (URL,)
    else:
        assert refused(name, input_image_urls=[URL]) == ["input_image_urls"]


@pytest.mark.parametrize("count", [1, 2, 3, 4])
def test_one_to_four_outputs_cost_as_many_times_the_price(count: int) -> None:
    submission = parse(num_outputs=count)

    assert (submission.output_count, submission.price) == (count, 10_000 * count)


@pytest.mark.parametrize("count", [0, 5, -1, 10**400, 2.5, "2", True, [1]])
def test_any_other_number_of_outputs_is_refused(count: object) -> None:
    assert refused(num_outputs=count) == ["num_outputs"]


@pytest.mark.parametrize("urls", [[], [URL] * 5, URL, [7], [""], ["x" * 2_049], [None], {}])
def test_pictures_to_edit_are_one_to_four_urls(urls: object) -> None:
    assert refused(input_image_urls=urls)[0].partition(".")[0] == "input_image_urls"
    assert parse(input_image_urls=[URL] * 4).input_urls == (URL,) * 4


@pytest.mark.parametrize(
    ("asked", "micros"), [("0.04", 40_000), ("$0.04", 40_000), ("1", 1_000_000), ("0", 0), ("0.000001", 1)]
)
def test_a_limit_in_dollars_may_have_six_decimals_and_a_sign(asked: str, micros: int) -> None:
    assert parse(max_cost=asked).max_cost == micros


@pytest.mark.parametrize(
    "asked",
    ["", " ", "free", "-1", "0.0000001", "1,00", "1e3", "٣", "$", "NaN", "1 ", "1\n", 1, 0.04, True, []],
)
def test_a_limit_of_the_wrong_form_is_refused(asked: object) -> None:
    assert refused(max_cost=asked) == ["max_cost"]


@pytest.mark.parametrize(("asked", "credits"), [("1", 1), ("0", 0), ("25", 25)])
def test_a_limit_on_a_model_paid_in_credits_is_whole(asked: str, credits: int) -> None:
    body = {"model": "clip", "prompt": "A shark", "max_cost": asked}

    submission = parse_submission(body, CATALOG)

    assert (submission.asset, submission.max_cost) == (Asset.CREDIT, credits)
    for wrong in ("0.5", "$1", "1 credit"):
        with pytest.raises(ValidationFailed, match="whole number of credits"):
            parse_submission(body | {"max_cost": wrong}, CATALOG)


@pytest.mark.parametrize("seconds", [60, 86_400, 365 * 86_400])
def test_outputs_may_be_kept_from_a_minute_to_a_year(seconds: int) -> None:
    assert parse(ttl_seconds=seconds).ttl_s == seconds


@pytest.mark.parametrize("seconds", [0, 59, -1, 365 * 86_400 + 1, 60.5, "60", True])
def test_any_other_time_to_keep_outputs_is_refused(seconds: object) -> None:
    assert refused(ttl_seconds=seconds) == ["ttl_seconds"]


def test_a_webhook_and_metadata_are_kept() -> None:
    submission = parse(webhook_url="https://hooks.test/x", metadata={"order": 7})

    assert submission.webhook_url == "https://hooks.test/x"
    assert submission.metadata == {"order": 7}
    assert submission.reaches_out
    assert not parse().reaches_out


@pytest.mark.parametrize("url", ["", "x" * 2_049, 7, ["https://hooks.test"]])
def test_a_webhook_that_is_no_text_of_a_usable_length_is_refused(url: object) -> None:
    assert refused(webhook_url=url) == ["webhook_url"]


def test_all_that_is_wrong_is_told_at_once() -> None:
    wrong = {
        "prompt": " ",
        "num_outputs": 5,
        "aspect_ratio": "1:0",
        "seed": -1,
        "colour": "red",
        "mode": "2k",
    }

    assert sorted(refused(**wrong)) == sorted(wrong)


@pytest.mark.parametrize("model", [None, 7, True, ["nanobanana"], {"id": "nanobanana"}])
def test_a_model_that_is_no_name_is_refused(model: object) -> None:
    assert refused(model) == ["model"]


@pytest.mark.parametrize(
    ("asked", "nearest"),
    [
        ("nano-banana", "nanobanana"),
        ("Nanobanana", "nanobanana"),
        ("stable-imag", "stable-image"),
        ("gptimage", "gpt-image"),
        ("fluxx", "flux"),
    ],
)
def test_an_unknown_model_is_not_found_and_the_nearest_is_named(asked: str, nearest: str) -> None:
    with pytest.raises(NotFound) as missing:
        parse(asked)

    assert missing.value.details["nearest"][0] == nearest
    assert f"Did you mean {nearest}" in missing.value.message
    assert len(missing.value.details["nearest"]) <= 3


@pytest.mark.parametrize("asked", ["", "zzzzzz", "🦈" * 5_000, "x" * 100_000])
def test_a_model_like_no_other_is_not_found_in_few_words(asked: str) -> None:
    with pytest.raises(NotFound) as missing:
        parse(asked)

    assert missing.value.details["nearest"] == []
    assert "Did you mean" not in missing.value.message
    assert len(missing.value.message) < 200


JSON: st.SearchStrategy[Any] = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=6),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=6), inner, max_size=3),
    max_leaves=6,
)
FIELDS = [
    "prompt",
    "num_outputs",
    "aspect_ratio",
    "seed",
    "negative_prompt",
    "input_image_urls",
    "metadata",
    "max_cost",
    "ttl_seconds",
    "other",
]


@given(
    st.sampled_from([*PICTURES, "unknown"]) | JSON,
    st.fixed_dictionaries({}, optional=dict.fromkeys(FIELDS, JSON)),
)
def test_a_body_is_either_understood_or_refused(model: object, body: dict[str, Any]) -> None:
    try:
        submission = parse_submission({"model": model} | body, CATALOG)
    except ValidationFailed as failed:
        named = {item["field"].partition(".")[0] for item in failed.details["fields"]}
        assert named
        assert named <= set(body) | {"prompt", "model"}
    except NotFound:
        assert model not in CATALOG.models
    else:
        assert 1 <= submission.output_count <= 4
        assert submission.price == submission.unit_price * submission.output_count > 0
