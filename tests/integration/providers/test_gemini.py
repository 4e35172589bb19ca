"""Gemini's pictures against the fake: what is asked, what is blocked in a 200, every class of error."""

from __future__ import annotations

from functools import partial

import pytest

from shoal.adapters.providers.gemini.http import gemini_http
from shoal.adapters.providers.gemini.images import GeminiImages
from shoal.adapters.providers.gemini.video import GeminiVideos
from shoal.domain.errors import CallbackRefused, ProviderFailed, ProviderRejected, ProviderUnusable
from shoal.domain.provider import Done
from tests.fakes.providers.gemini import FakeGemini, failing, quota
from tests.fakes.providers.server import instead, telling
from tests.support.providers import (
    NOW_MS,
    PICTURE,
    asking,
    delivered,
    plain_failures,
    swallowing,
    unusable,
    waiting,
)

MODEL = "gemini-3.1-flash-image"
REQUEST = asking(provider_model=MODEL)


def provider(fake: FakeGemini) -> GeminiImages:
    return GeminiImages(gemini_http(lambda: fake.key, fake.base_url))


def test_a_picture_is_answered_at_once_and_no_sketch(gemini: FakeGemini) -> None:
    answer = provider(gemini).start(REQUEST)
    assert isinstance(answer, Done)
    assert delivered(answer)[16:24] == b"\x00\x00\x00\x40\x00\x00\x00\x40"  # 64 by 64, not 8 by 8
    (asked,) = gemini.requests
    assert asked.path == f"/v1/models/{MODEL}:generateContent"
    assert asked.json() == {
        "contents": [{"role": "user", "parts": [{"text": "a red fox"}]}],
        "generationConfig": {
            "responseModalities": ["IMAGE"],
            "imageConfig": {"aspectRatio": "16:9", "imageSize": "1K"},
        },
    }


def test_pictures_are_edited(gemini: FakeGemini) -> None:
    request = asking(provider_model=MODEL, inputs=(PICTURE, PICTURE), negative_prompt="trees")
    assert isinstance(provider(gemini).start(request), Done)
    parts = gemini.requests[0].json()["contents"][0]["parts"]
    assert parts[0] == {"text": "a red fox\n\nAvoid: trees"}
    assert [part["inlineData"]["mimeType"] for part in parts[1:]] == ["image/png", "image/png"]


@pytest.mark.parametrize(
    ("width_px", "height_px", "config"),
    [
        (1024, 1024, {"aspectRatio": "1:1", "imageSize": "1K"}),
        (1280, 1280, {"aspectRatio": "1:1", "imageSize": "1K"}),
        (1281, 1281, {"aspectRatio": "1:1", "imageSize": "2K"}),
        (1080, 1920, {"aspectRatio": "9:16", "imageSize": "2K"}),
        (4096, 4096, {"aspectRatio": "1:1", "imageSize": "4K"}),
        (8192, 8192, {"aspectRatio": "1:1", "imageSize": "4K"}),
        (8000, 1000, {"aspectRatio": "21:9", "imageSize": "4K"}),
    ],
)
def test_shape_and_size_are_the_nearest_on_offer(
    gemini: FakeGemini, width_px: int, height_px: int, config: dict[str, str]
) -> None:
    provider(gemini).start(asking(provider_model=MODEL, width_px=width_px, height_px=height_px))
    assert gemini.requests[0].json()["generationConfig"]["imageConfig"] == config


@pytest.mark.parametrize("prompt", ["forbidden things", "unsafe things"])
def test_a_block_in_a_200_is_the_users(gemini: FakeGemini, prompt: str) -> None:
    with pytest.raises(ProviderRejected, match=r"^The request was refused by content moderation\.$"):
        provider(gemini).start(asking(provider_model=MODEL, prompt=prompt))


@pytest.mark.parametrize(
    ("reason", "error"),
    [
        ("SAFETY", ProviderRejected),
        ("IMAGE_PROHIBITED_CONTENT", ProviderRejected),
        ("IMAGE_RECITATION", ProviderRejected),
        ("PROHIBITED_CONTENT", ProviderRejected),
        ("RECITATION", ProviderRejected),
        ("BLOCKLIST", ProviderRejected),
        ("SPII", ProviderRejected),
        ("IMAGE_OTHER", ProviderFailed),
        ("NO_IMAGE", ProviderFailed),
        ("MAX_TOKENS", ProviderFailed),
    ],
)
def test_every_reason_without_a_picture(gemini: FakeGemini, reason: str, error: type[Exception]) -> None:
    gemini.finish_reason = reason
    with pytest.raises(error):
        provider(gemini).start(REQUEST)


def test_words_instead_of_a_picture_fail_and_blocked_ratings_are_the_users(gemini: FakeGemini) -> None:
    words = {"content": {"parts": [{"text": "Which fox?"}]}, "finishReason": "STOP"}
    gemini.will(instead(telling({"candidates": [words]})))
    with pytest.raises(ProviderFailed):
        provider(gemini).start(REQUEST)
    rated = {"finishReason": "OTHER", "safetyRatings": [{"category": "X", "blocked": True}]}
    gemini.will(instead(telling({"candidates": [rated]})))
    with pytest.raises(ProviderRejected):
        provider(gemini).start(REQUEST)


def test_a_bad_parameter_is_the_users_in_plain_words(gemini: FakeGemini) -> None:
    gemini.will(instead(failing(400, "Unable to process input image.")))
    with pytest.raises(ProviderRejected, match=r"^The provider refused the request's parameters\.$"):
        provider(gemini).start(REQUEST)


def test_a_bad_key_is_a_400_and_the_operators(gemini: FakeGemini) -> None:
    with pytest.raises(ProviderUnusable, match="API key not valid"):
        GeminiImages(gemini_http(lambda: "wrong", gemini.base_url)).start(REQUEST)


@pytest.mark.parametrize(
    ("model", "words"),
    [("gemini-2.5-flash-image", "is not found"), ("gemini-omni-1.2-flash", "only supports Interactions")],
)
def test_the_wrong_model_is_the_operators(gemini: FakeGemini, model: str, words: str) -> None:
    with pytest.raises(ProviderUnusable, match=words):
        provider(gemini).start(asking(provider_model=model))


def test_quotas(gemini: FakeGemini) -> None:
    ask = partial(provider(gemini).start, REQUEST)
    assert waiting(gemini, ask, quota("23s")) == 23
    assert waiting(gemini, ask, quota("1.2s")) == 2
    assert waiting(gemini, ask, quota("soon")) >= 1
    wrapped = telling([{"error": {"code": 429, "details": [{"retryDelay": "9s"}]}}], 429)
    assert waiting(gemini, ask, wrapped) == 9
    assert "exhausted" in unusable(gemini, ask, quota("40000s", "GenerateRequestsPerDayPerProject"))
    unmet = failing(400, "The free tier is not available.", name="FAILED_PRECONDITION")
    assert "free tier" in unusable(gemini, ask, unmet)


def test_bare_statuses(gemini: FakeGemini) -> None:
    own = failing(500, "Internal error encountered.", name="INTERNAL")
    plain_failures(gemini, partial(provider(gemini).start, REQUEST), own=own)


def test_a_lost_answer_is_unknown_for_the_work_was_done(gemini: FakeGemini) -> None:
    swallowing(gemini, partial(provider(gemini).start, REQUEST))
    assert gemini.images_made == 4


def test_there_is_nothing_to_ask_for_later(gemini: FakeGemini) -> None:
    with pytest.raises(ProviderFailed):
        provider(gemini).check("v1_1", REQUEST)
    with pytest.raises(CallbackRefused):
        provider(gemini).parse_callback({}, b"{}", NOW_MS)
    provider(gemini).cancel("v1_1")
    assert gemini.requests == []


def test_the_operators_test_is_one_cheap_call(gemini: FakeGemini) -> None:
    for offered in (
        provider(gemini),
        GeminiVideos(gemini_http(lambda: gemini.key, gemini.base_url), webhook_secret=str),
    ):
        assert offered.test() == "3 models"
        assert not offered.idempotent
    with pytest.raises(ProviderUnusable):
        GeminiImages(gemini_http(lambda: "wrong", gemini.base_url)).test()
