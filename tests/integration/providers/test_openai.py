"""OpenAI's pictures against the fake: both ways, every class of error, webhooks and cancels."""

from __future__ import annotations

from functools import partial

import pytest

from shoal.adapters.providers.openai.http import OpenAiHttp
from shoal.adapters.providers.openai.images import OpenAiBackground, OpenAiImages, size_of
from shoal.domain.errors import (
    CallbackRefused,
    ProviderBusy,
    ProviderFailed,
    ProviderRejected,
    ProviderUnusable,
)
from shoal.domain.provider import Done, Pending
from tests.fakes.providers.openai import FakeOpenAi
from tests.fakes.providers.openai_fields import BLOCKED, failing
from tests.fakes.providers.server import instead, lost, telling
from tests.support.providers import (
    NOW_MS,
    PICTURE,
    asking,
    delivered,
    plain_failures,
    repeatable,
    swallowing,
    unusable,
    waiting,
)

REQUEST = asking(provider_model="gpt-image-2")
SIGNATURE = b"\x89PNG\r\n\x1a\n"


def http(fake: FakeOpenAi) -> OpenAiHttp:
    return OpenAiHttp(lambda: fake.key, fake.base_url)


def images(fake: FakeOpenAi) -> OpenAiImages:
    return OpenAiImages(http(fake), quality="low")


def background(fake: FakeOpenAi) -> OpenAiBackground:
    return OpenAiBackground(
        http(fake), writer_model="gpt-6-luna", webhook_secret=lambda: fake.webhook_secret, quality="low"
    )


def begun(fake: FakeOpenAi, **changes: object) -> str:
    answer = background(fake).start(asking(provider_model="gpt-image-2", **changes))
    assert isinstance(answer, Pending)
    assert answer.ref
    return answer.ref


# At once


def test_a_picture_is_answered_at_once(openai: FakeOpenAi) -> None:
    answer = images(openai).start(REQUEST)
    assert isinstance(answer, Done)
    assert delivered(answer).startswith(SIGNATURE)
    (asked,) = openai.requests
    assert asked.json() == {
        "model": "gpt-image-2",
        "prompt": "a red fox",
        "n": 1,
        "size": "1024x576",
        "quality": "low",
        "output_format": "png",
    }


def test_pictures_are_edited(openai: FakeOpenAi) -> None:
    request = asking(provider_model="gpt-image-2", inputs=(PICTURE, PICTURE), negative_prompt="trees")
    assert isinstance(images(openai).start(request), Done)
    (asked,) = openai.requests
    assert asked.path == "/v1/images/edits"
    parts = [(part.name, part.filename, part.content_type) for part in asked.form() if part.filename]
    assert parts == [("image[]", "picture.png", "image/png")] * 2
    assert b"Avoid: trees" in asked.body


@pytest.mark.parametrize(
    ("width_px", "height_px", "size"),
    [
        (1024, 1024, "1024x1024"),
        (1080, 1920, "1088x1920"),
        (4096, 4096, "2160x2160"),
        (4096, 2304, "3840x2160"),
        (2304, 4096, "2160x3840"),
        (2000, 100, "2000x672"),
        (1930, 100, "1920x640"),
        (10, 10, "16x16"),
    ],
)
def test_sizes_are_the_nearest_on_offer(openai: FakeOpenAi, width_px: int, height_px: int, size: str) -> None:
    request = asking(provider_model="gpt-image-2", width_px=width_px, height_px=height_px)
    assert size_of(request) == size
    assert isinstance(images(openai).start(request), Done)


def test_a_blocked_prompt_is_the_users(openai: FakeOpenAi) -> None:
    request = asking(provider_model="gpt-image-2", prompt="forbidden things")
    with pytest.raises(ProviderRejected, match=r"^The request was refused by content moderation\.$"):
        images(openai).start(request)
    assert openai.images_made == 0


def test_a_bad_parameter_is_the_users_in_plain_words(openai: FakeOpenAi) -> None:
    openai.will(instead(failing("invalid_image_file", "Invalid image data.", 400)))
    with pytest.raises(ProviderRejected, match=r"^The provider refused the request's parameters\.$"):
        images(openai).start(REQUEST)


def test_a_bad_key_is_the_operators(openai: FakeOpenAi) -> None:
    with pytest.raises(ProviderUnusable) as found:
        OpenAiImages(OpenAiHttp(lambda: "sk-wrong", openai.base_url)).start(REQUEST)
    assert "Incorrect API key provided: ***" in str(found.value)


def test_an_unknown_model_is_the_operators(openai: FakeOpenAi) -> None:
    with pytest.raises(ProviderUnusable, match="gpt-image-1' does not exist"):
        images(openai).start(asking(provider_model="gpt-image-1"))
    gone = failing("unsupported_value", "The model was shut down.", 400, param="model")
    assert "shut down" in unusable(openai, partial(images(openai).start, REQUEST), gone)


def test_no_quota_is_the_operators_and_a_rate_limit_is_not(openai: FakeOpenAi) -> None:
    ask = partial(images(openai).start, REQUEST)
    told = failing("insufficient_quota", "You exceeded your current quota.", 429)
    assert "quota" in unusable(openai, ask, told)
    assert waiting(openai, ask, failing("rate_limit_exceeded", "Slow down.", 429)) >= 1
    limits = {"x-ratelimit-remaining-requests": "0", "x-ratelimit-reset-requests": "1m3.2s"}
    assert waiting(openai, ask, telling({"error": {}}, 429, limits)) == 64
    assert waiting(openai, ask, telling({"error": {}}, 429, limits | {"Retry-After": "2"})) == 2
    assert waiting(openai, ask, telling({"error": {}}, 429, {"retry-after-ms": "1500"})) == 2


def test_bare_statuses(openai: FakeOpenAi) -> None:
    own = failing("server_error", "The server had an error.", 500)
    plain_failures(openai, partial(images(openai).start, REQUEST), own=own)
    plain_failures(openai, partial(background(openai).start, REQUEST), own=own)


def test_the_providers_advice_beats_the_status(openai: FakeOpenAi) -> None:
    ask = partial(images(openai).start, REQUEST)
    assert waiting(openai, ask, telling({"error": {}}, 400, {"x-should-retry": "true"})) >= 1
    openai.will(instead(telling({"error": {}}, 500, {"x-should-retry": "false"})))
    with pytest.raises(ProviderFailed):
        ask()


def test_a_lost_answer_is_unknown_for_the_work_was_done(openai: FakeOpenAi) -> None:
    swallowing(openai, lambda: images(openai).start(REQUEST))
    assert openai.images_made == 4


def test_there_is_nothing_to_ask_for_later(openai: FakeOpenAi) -> None:
    with pytest.raises(ProviderFailed):
        images(openai).check("resp_1", REQUEST)
    with pytest.raises(CallbackRefused):
        images(openai).parse_callback({}, b"{}", NOW_MS)
    images(openai).cancel("resp_1")
    assert openai.requests == []


# In the background


def test_a_background_picture_is_begun_and_looked_for(openai: FakeOpenAi) -> None:
    openai.polls_needed = 2
    ref = begun(openai)
    assert openai.requests[0].json()["tools"][0]["model"] == "gpt-image-2"
    assert background(openai).check(ref, REQUEST) == Pending(ref, 5)
    answer = background(openai).check(ref, REQUEST)
    assert isinstance(answer, Done)
    assert answer.ref == ref
    assert delivered(answer).startswith(SIGNATURE)


def test_background_edits_carry_their_pictures(openai: FakeOpenAi) -> None:
    ref = begun(openai, inputs=(PICTURE,))
    assert isinstance(background(openai).check(ref, REQUEST), Done)
    parts = openai.requests[0].json()["input"][0]["content"]
    assert [part["type"] for part in parts] == ["input_text", "input_image"]


def test_a_lost_background_submit_is_unknown(openai: FakeOpenAi) -> None:
    swallowing(openai, lambda: background(openai).start(REQUEST))
    assert len(openai.responses) == 4


def test_a_lost_look_is_only_busy(openai: FakeOpenAi) -> None:
    ref = begun(openai)
    repeatable(openai, lambda: background(openai).check(ref, REQUEST))
    assert isinstance(background(openai).check(ref, REQUEST), Done)


def test_a_picture_that_is_no_base64_is_asked_for_again(openai: FakeOpenAi) -> None:
    ref = begun(openai)
    openai.ending = {"status": "completed", "output": [{"type": "image_generation_call", "result": "%%%"}]}
    with pytest.raises(ProviderBusy):
        background(openai).check(ref, REQUEST)


def test_a_block_hidden_in_a_completed_response_is_found(openai: FakeOpenAi) -> None:
    ref = begun(openai, prompt="forbidden things")
    with pytest.raises(ProviderRejected):
        background(openai).check(ref, REQUEST)


@pytest.mark.parametrize(
    ("ending", "error"),
    [
        ({"status": "failed", "error": {"code": "server_error", "message": "x"}}, ProviderFailed),
        ({"status": "failed", "error": {"code": "rate_limit_exceeded", "message": "x"}}, ProviderFailed),
        ({"status": "failed", "error": {"code": "image_content_policy_violation"}}, ProviderRejected),
        ({"status": "failed", "error": {"code": "invalid_prompt", "message": "x"}}, ProviderRejected),
        ({"status": "failed", "error": {"code": "insufficient_quota", "message": "x"}}, ProviderUnusable),
        ({"status": "failed", "error": BLOCKED}, ProviderRejected),
        ({"status": "incomplete", "incomplete_details": {"reason": "content_filter"}}, ProviderRejected),
        ({"status": "incomplete", "incomplete_details": {"reason": "max_output_tokens"}}, ProviderFailed),
        ({"status": "cancelled"}, ProviderFailed),
        ({"status": "completed", "output": []}, ProviderFailed),
        (
            {"output": [{"type": "message", "content": [{"type": "refusal", "refusal": "No."}]}]},
            ProviderRejected,
        ),
    ],
)
def test_every_other_ending(openai: FakeOpenAi, ending: dict[str, object], error: type[Exception]) -> None:
    ref = begun(openai)
    openai.ending = ending
    with pytest.raises(error):
        background(openai).check(ref, REQUEST)


def test_work_that_nobody_knows_has_failed(openai: FakeOpenAi) -> None:
    openai.will(instead(failing("not_found", "Response with id 'resp_9' not found.", 404)))
    with pytest.raises(ProviderFailed):
        background(openai).check("resp_9", REQUEST)
    for ref in ("resp_1/../../models", "other", ""):
        with pytest.raises(ProviderFailed):
            background(openai).check(ref, REQUEST)
    assert len(openai.requests) == 1


def test_a_cancel_stops_the_work_and_may_be_repeated(openai: FakeOpenAi) -> None:
    ref = begun(openai)
    background(openai).cancel(ref)
    background(openai).cancel(ref)
    with pytest.raises(ProviderFailed):
        background(openai).check(ref, REQUEST)
    background(openai).cancel(ref)  # it has ended: there is nothing to stop
    openai.will(lost())
    with pytest.raises(ProviderBusy):
        background(openai).cancel(ref)
    openai.will(instead(failing("invalid_api_key", "Wrong.", 401)))
    with pytest.raises(ProviderUnusable):
        background(openai).cancel(ref)


def test_the_operators_test_is_one_cheap_call(openai: FakeOpenAi) -> None:
    for provider in (images(openai), background(openai)):
        assert provider.test() == "5 models"
        assert not provider.idempotent
    openai.will(instead(failing("invalid_api_key", "Wrong.", 401)))
    with pytest.raises(ProviderUnusable):
        images(openai).test()
