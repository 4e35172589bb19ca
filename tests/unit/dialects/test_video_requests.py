"""What a video may be asked for, and what is refused."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shoal.dialects.video import IDEA_LENGTH_MAX, parse_list_query, parse_submission
from shoal.domain import families
from shoal.domain.brief import Kind, VideoBrief
from shoal.domain.catalog import load_catalog
from shoal.domain.errors import ValidationFailed
from shoal.domain.job import JobStatus
from shoal.domain.money import Asset
from shoal.domain.script import CATEGORIES, VOICES
from shoal.domain.submission import Submission

DOCUMENT = {
    "idea": "Why the Persian Empire fell — Pixar-style animated explainer",
    "category": "story",
    "duration": 16,
    "aspect_ratio": "9:16",
}
CATALOG = load_catalog()


def parse(**changes: Any) -> Submission:
    body = {name: value for name, value in (DOCUMENT | changes).items() if value is not ...}
    return parse_submission(body, CATALOG)


def test_the_documents_own_request_is_two_scenes_for_two_credits() -> None:
    submission = parse()

    assert (submission.family, submission.model, submission.asset) == (families.VIDEO, "video", Asset.CREDIT)
    assert (submission.unit_price, submission.output_count, submission.price) == (1, 2, 2)
    assert not submission.free_trial_allowed
    brief, words = submission.brief, submission.words
    assert (brief.kind, brief.model, brief.prompt) == (Kind.VIDEO, "clip", DOCUMENT["idea"])
    assert {name: words[name] for name in DOCUMENT} == DOCUMENT
    assert (brief.width_px, brief.height_px) == (720, 1280)
    assert brief.video == VideoBrief("story", style=None, voice=None, language="en", subtitles="track")
    assert brief.seed is None


@pytest.mark.parametrize("seconds", range(8, 121, 8))
def test_a_credit_buys_eight_seconds(seconds: int) -> None:
    assert parse(duration=seconds).price == seconds // 8


@pytest.mark.parametrize(
    ("ratio", "size"), [("9:16", (720, 1280)), ("16:9", (1280, 720)), ("1:1", (720, 720))]
)
def test_every_ratio_is_720p(ratio: str, size: tuple[int, int]) -> None:
    brief = parse(aspect_ratio=ratio).brief

    assert (brief.width_px, brief.height_px) == size


def test_all_that_can_be_asked_for_is_kept() -> None:
    wishes = {
        "voice": "maya",
        "language": "pt-BR",
        "style": "paper cut-out",
        "seed": 7,
        "subtitles": "burned",
    }

    submission = parse(
        **wishes,
        metadata={"order": 1},
        webhook_url="https://hooks.example.com/v",
        max_cost="2",
        ttl_seconds=3600,
    )

    assert {name: submission.words[name] for name in wishes} == wishes
    assert submission.metadata == {"order": 1}
    assert submission.brief.seed == 7
    assert submission.brief.video == VideoBrief("story", "paper cut-out", "maya", "pt-BR", "burned")
    assert (submission.webhook_url, submission.max_cost, submission.ttl_s) == (
        "https://hooks.example.com/v",
        2,
        3600,
    )


def test_a_duration_may_be_written_with_a_fraction_of_nothing() -> None:
    assert parse(duration=16.0).words["duration"] == 16


BURNED_IN_NONE = """my bo-CN KM en-Shaw bod TIB div chr mya bur khm lao dzo iii iku cre crk oji ojs nqo zgh
mn-CN mn-Mong mvf"""


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        *(({"duration": duration}, "duration") for duration in (0, 7, 12, 128, -8, "16", 16.5, True, None)),
        *(
            ({"idea": idea}, "idea")
            for idea in ("", "   ", "x" * (IDEA_LENGTH_MAX + 1), "x" * 5_000, 7, None)
        ),
        ({"idea": "[fail]"}, "idea"),
        *(({"category": category}, "category") for category in ("", "gossip", "Story", None, 1)),
        *(({"aspect_ratio": ratio}, "aspect_ratio") for ratio in ("4:3", "9x16", "", None, 1)),
        *(({"voice": voice}, "voice") for voice in ("", "siri", 1)),
        *(({"language": language}, "language") for language in ("", "english please", "e", None, "en_US")),
        *(({"style": style}, "style") for style in ("", "x" * 201, 1)),
        *(({"seed": seed}, "seed") for seed in (-1, 2**32, "7", 1.5, True)),
        *(({"subtitles": subtitles}, "subtitles") for subtitles in ("yes", True, None)),
        *(({"subtitles": "burned", "language": tag}, "subtitles") for tag in BURNED_IN_NONE.split()),
        *(({"subtitles": "burned", "idea": f"Why a {letter} glows"}, "idea") for letter in "བހᏣⵣߒᠮ𝐀"),
        ({"metadata": {"text": "x" * 5_000}}, "metadata"),
        ({"metadata": "x"}, "metadata"),
        ({"webhook_url": ""}, "webhook_url"),
        ({"max_cost": "0.5"}, "max_cost"),
        ({"ttl_seconds": 1}, "ttl_seconds"),
        ({"resolution": "8k"}, "resolution"),
        *(({name: ...}, name) for name in DOCUMENT),
    ],
)
def test_a_wrong_field_is_refused_and_named(changes: dict[str, Any], field: str) -> None:
    with pytest.raises(ValidationFailed) as refused:
        parse(**changes)

    assert field in {found["field"] for found in refused.value.details["fields"]}


@pytest.mark.parametrize("language", ["th", "ar-AE", "zh-Hant-TW", "hi", "my-Latn", "xx", "mn", "deu", "ell"])
def test_what_can_be_drawn_can_be_burned_in(language: str) -> None:
    assert parse(subtitles="burned", language=language).brief.of_video.subtitles == "burned"
    assert parse(subtitles="burned", idea="Łódź, größter, Ἀθῆναι, नमस्ते, 鯊魚 [slow:5] ✨", language=language)
    assert parse(subtitles="track", idea="ཀ ཁ", language="my").brief.of_video.subtitles == "track"


def test_every_category_and_voice_can_be_asked_for() -> None:
    for category in CATEGORIES:
        assert parse(category=category).brief.of_video.category == category
    for voice in VOICES:
        assert parse(voice=voice).brief.of_video.voice == voice


def test_a_list_is_of_videos_alone_and_speaks_the_dialects_words() -> None:
    which, limit, cursor = parse_list_query({"status": "failed", "limit": "5", "cursor": "c"})

    assert which.statuses == frozenset({JobStatus.FAILED, JobStatus.CANCELED, JobStatus.EXPIRED})
    assert which.families == frozenset({families.VIDEO})
    assert (limit, cursor) == (5, "c")
    for wrong in ({"status": "complete"}, {"limit": "0"}, {"from": "2026-01-01"}):
        with pytest.raises(ValidationFailed):
            parse_list_query(wrong)


JSON: st.SearchStrategy[Any] = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=6),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=6), inner, max_size=3),
    max_leaves=6,
)
FIELDS = ["idea", "category", "duration", "aspect_ratio", "voice", "language", "style", "seed", "subtitles"]


@given(st.dictionaries(st.sampled_from(FIELDS), JSON), st.booleans())
def test_whatever_is_sent_is_understood_or_refused(changes: dict[str, Any], whole: bool) -> None:
    try:
        submission = parse_submission((DOCUMENT if whole else {}) | changes, CATALOG)
    except ValidationFailed:
        return
    assert 1 <= submission.price <= 15
