"""What the image dialect takes, and how it names what it does not take."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shoal.dialects.image import parse_submission
from shoal.domain import families
from shoal.domain.brief import Brief, Kind
from shoal.domain.catalog import load_catalog
from shoal.domain.errors import ValidationFailed
from shoal.domain.models.tariff import Terms
from shoal.domain.money import Asset
from shoal.domain.submission import Submission

SEED_MAX = 4_294_967_295


def parse(**body: Any) -> Submission:
    return parse_submission({"prompt": "A shark"} | body, load_catalog())


def refused(body: dict[str, Any]) -> list[str]:
    """The fields a refusal names."""
    with pytest.raises(ValidationFailed) as failed:
        parse_submission(body, load_catalog())
    assert all(item["message"] for item in failed.value.details["fields"])
    return [item["field"] for item in failed.value.details["fields"]]


def test_a_bare_prompt_gets_the_catalogs_defaults() -> None:
    assert parse() == Submission(
        family=families.IMAGE,
        model="shoal-image",
        mode="2k",
        brief=Brief(Kind.PICTURE, "shoal-image", "A shark", "1:1", 2048, 2048, seed=None),
        words={"prompt": "A shark", "aspect_ratio": "1:1", "seed": None},
        asset=Asset.USD,
        terms=Terms.flat(20_000),
        price_version=load_catalog().price_version,
        catalog_version=load_catalog().version,
        free_trial_allowed=True,
    )


@pytest.mark.parametrize(("mode", "price"), [("1k", 10_000), ("2k", 20_000), ("4k", 30_000)])
def test_a_mode_has_its_price(mode: str, price: int) -> None:
    submission = parse(mode=mode)

    assert (submission.mode, submission.price) == (mode, price)


def test_everything_a_caller_asked_for_is_kept() -> None:
    asked, metadata = {"aspect_ratio": "16:9", "seed": SEED_MAX}, {"order": 7, "tags": ["a", None, 1.5]}

    submission = parse(**asked, metadata=metadata)

    assert (submission.words, submission.metadata) == ({"prompt": "A shark"} | asked, metadata)
    expected = Brief(Kind.PICTURE, "shoal-image", "A shark", "16:9", 2048, 1152, seed=SEED_MAX)
    assert submission.brief == expected


@pytest.mark.parametrize("aspect_ratio", load_catalog().models["shoal-image"].aspect_ratios)
def test_every_offered_aspect_ratio_is_taken(aspect_ratio: str) -> None:
    assert parse(aspect_ratio=aspect_ratio).brief.aspect_ratio == aspect_ratio


@pytest.mark.parametrize("seed", [0, 1, SEED_MAX, None])
def test_a_seed_may_be_any_32_bit_number(seed: int | None) -> None:
    assert parse(seed=seed).brief.seed == seed


@pytest.mark.parametrize(
    "field", ["mode", "aspect_ratio", "seed", "metadata", "webhook_url", "max_cost", "ttl_seconds"]
)
def test_null_is_the_same_as_leaving_an_optional_field_out(field: str) -> None:
    assert parse(**{field: None}) == parse()


@pytest.mark.parametrize("space", ["", " ", "\t\n\r ", "\u00a0", "\u3000", "\u2028"])
def test_a_prompt_is_trimmed(space: str) -> None:
    assert parse(prompt=f"{space}A shark{space}").brief.prompt == "A shark"


@pytest.mark.parametrize("character", ["x", "é", "鯊", "🦈"])
def test_a_prompt_of_4000_characters_passes_and_one_more_does_not(character: str) -> None:
    assert parse(prompt=character * 4_000).brief.prompt == character * 4_000
    assert parse(prompt=f"  {character * 4_000}\n").brief.prompt == character * 4_000
    assert refused({"prompt": character * 4_001}) == ["prompt"]


@pytest.mark.parametrize(
    "prompt", ["", " ", "\n\t ", "\u00a0\u3000", None, 7, True, ["A shark"], {"text": "A"}]
)
def test_a_prompt_that_says_nothing_is_refused(prompt: object) -> None:
    assert refused({"prompt": prompt}) == ["prompt"]


def test_a_missing_prompt_is_refused() -> None:
    assert refused({"mode": "2k"}) == ["prompt"]


@pytest.mark.parametrize("mode", ["8k", "", "2K", " 2k", "shoal-image", 2, ["2k"], True])
def test_an_unknown_mode_is_refused(mode: object) -> None:
    assert refused({"prompt": "A shark", "mode": mode}) == ["mode"]


def test_a_refused_mode_is_answered_with_those_there_are() -> None:
    with pytest.raises(ValidationFailed, match="must be one of 1k, 2k, 4k"):
        parse(mode="8k")


@pytest.mark.parametrize("aspect_ratio", ["16x9", "5:4", "", "1:0", "16:9 ", 1, [16, 9]])
def test_an_aspect_ratio_that_is_not_offered_is_refused(aspect_ratio: object) -> None:
    assert refused({"prompt": "A shark", "aspect_ratio": aspect_ratio}) == ["aspect_ratio"]


def test_a_seed_may_be_written_with_a_fraction_of_nothing() -> None:
    seed = parse(seed=7.0).brief.seed
    assert (seed, type(seed)) == (7, int)


@pytest.mark.parametrize("seed", [-1, SEED_MAX + 1, 10**400, 1.5, "1", True, False, [1], {}])
def test_a_seed_that_is_no_32_bit_number_is_refused(seed: object) -> None:
    assert refused({"prompt": "A shark", "seed": seed}) == ["seed"]


@pytest.mark.parametrize("metadata", ["text", 1, True, [1], ["a", "b"]])
def test_metadata_that_is_no_object_is_refused(metadata: object) -> None:
    assert refused({"prompt": "A shark", "metadata": metadata}) == ["metadata"]


def test_metadata_is_counted_in_bytes_as_it_says() -> None:
    """1.6 kB of emoji were refused as more than 4,096 bytes: their escapes were counted."""
    assert parse(metadata={"note": "\U0001f988" * 400})
    assert refused({"prompt": "A shark", "metadata": {"note": "\U0001f988" * 1_024}}) == ["metadata"]


@pytest.mark.parametrize("prompt", ["\u200b", "\u0301", "\u3164", " \u2060 ", "\U000e0041"])
def test_a_prompt_that_shows_nothing_is_empty(prompt: str) -> None:
    assert refused({"prompt": prompt}) == ["prompt"]


def test_metadata_may_have_4096_bytes_of_json_and_no_more() -> None:
    frame = len('{"note": ""}')

    assert parse(metadata={"note": "x" * (4_096 - frame)})
    assert parse(metadata={"note": "🦈" * ((4_096 - frame) // 4)})
    assert refused({"prompt": "A shark", "metadata": {"note": "x" * (4_097 - frame)}}) == ["metadata"]


@pytest.mark.parametrize("field", ["model", "n", "Prompt", "price", "num_outputs", "input_image_urls", ""])
def test_an_unknown_field_is_refused_by_name(field: str) -> None:
    assert refused({"prompt": "A shark", field: "x"}) == [field or "body"]


def test_all_that_is_wrong_is_told_at_once() -> None:
    body = {"mode": 1, "prompt": "", "aspect_ratio": 2, "seed": "x", "metadata": [], "colour": "red"}

    assert sorted(refused(body)) == sorted(body)


def test_a_body_of_nothing_but_unknown_fields_gets_a_short_answer() -> None:
    body = {f"{number}": 0 for number in range(50_000)} | {"x" * 100_000: 0}

    with pytest.raises(ValidationFailed) as failed:
        parse_submission(body, load_catalog())

    assert len(failed.value.message) < 1_000
    assert len(str(failed.value.details)) < 20_000


JSON: st.SearchStrategy[Any] = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=6),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=6), inner, max_size=3),
    max_leaves=6,
)


@given(
    st.fixed_dictionaries(
        {},
        optional=dict.fromkeys(("prompt", "mode", "aspect_ratio", "seed", "metadata", "other"), JSON),
    )
)
def test_a_body_is_either_understood_or_refused_with_a_field(body: dict[str, Any]) -> None:
    try:
        submission = parse_submission(body, load_catalog())
    except ValidationFailed as failed:
        named = {item["field"].partition(".")[0] for item in failed.details["fields"]}
        assert named
        assert named <= set(body) | {"prompt"}
    else:
        assert 1 <= len(submission.brief.prompt) <= 4_000
        assert submission.price > 0
