"""Gemini's clips against the fake: started, looked for, fetched, stopped, called back in both signatures."""

from __future__ import annotations

import base64
from functools import cache, partial
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric.rsa import generate_private_key

from shoal.adapters.providers.gemini.http import gemini_http
from shoal.adapters.providers.gemini.video import GeminiVideos
from shoal.domain.errors import (
    CallbackRefused,
    ProviderBusy,
    ProviderFailed,
    ProviderRejected,
    ProviderUnusable,
    Unavailable,
)
from shoal.domain.provider import Done, Pending
from tests.fakes.providers.gemini import FakeGemini, failing
from tests.fakes.providers.google_keys import KEY, token, unpadded
from tests.fakes.providers.media import MP4
from tests.fakes.providers.server import Told, broken_off, instead, lost, telling, wrong_type
from tests.support.providers import (
    NOW_MS,
    NOW_S,
    PICTURE,
    asking,
    delivered,
    plain_failures,
    repeatable,
    swallowing,
    waiting,
)

MODEL = "gemini-omni-1.2-flash"
REQUEST = asking(provider_model=MODEL, width_px=720, height_px=1280, seconds=8)


def provider(fake: FakeGemini) -> GeminiVideos:
    http = gemini_http(lambda: fake.key, fake.base_url)
    return GeminiVideos(http, webhook_secret=lambda: fake.webhook_secret)


def begun(fake: FakeGemini) -> str:
    answer = provider(fake).start(REQUEST)
    assert isinstance(answer, Pending)
    assert answer.ref
    return answer.ref


def test_a_clip_is_begun(gemini: FakeGemini) -> None:
    assert provider(gemini).start(REQUEST) == Pending("v1_0001", 10)
    assert gemini.requests[0].json() == {
        "model": MODEL,
        "input": [{"type": "text", "text": "a red fox"}],
        "background": True,
        "store": True,
        "response_format": {
            "type": "video",
            "aspect_ratio": "9:16",
            "resolution": "720p",
            "duration": "8s",
            "delivery": "uri",
        },
        "generation_config": {"video_config": {"task": "text_to_video"}},
        "webhook_config": {
            "uris": ["https://shoal.example/callbacks/one"],
            "user_metadata": {"output": "job_1-0"},
        },
    }


@pytest.mark.parametrize(
    ("side_px", "resolution"), [(360, "360p"), (720, "720p"), (1080, "1080p"), (1280, "1080p"), (2160, "4k")]
)
def test_a_clip_is_not_asked_for_larger_than_needed(
    gemini: FakeGemini, side_px: int, resolution: str
) -> None:
    provider(gemini).start(asking(provider_model=MODEL, width_px=side_px, height_px=side_px, seconds=8))
    assert gemini.requests[0].json()["response_format"]["resolution"] == resolution


def test_a_picture_is_set_in_motion(gemini: FakeGemini) -> None:
    provider(gemini).start(asking(provider_model=MODEL, inputs=(PICTURE,), height_px=1080))
    asked = gemini.requests[0].json()
    assert [part["type"] for part in asked["input"]] == ["image", "text"]
    assert asked["generation_config"] == {"video_config": {"task": "image_to_video"}}
    assert asked["response_format"]["resolution"] == "1080p"
    assert "duration" not in asked["response_format"]


@pytest.mark.parametrize("inline", [True, False])
def test_a_clip_is_looked_for_and_fetched(gemini: FakeGemini, *, inline: bool) -> None:
    gemini.polls_needed, gemini.inline = 2, inline
    ref = begun(gemini)
    assert provider(gemini).check(ref, REQUEST) == Pending(ref, 10)
    answer = provider(gemini).check(ref, REQUEST)
    assert delivered(answer) == MP4


def test_a_file_is_waited_for(gemini: FakeGemini) -> None:
    gemini.file_states = ["PROCESSING", "ACTIVE"]
    ref = begun(gemini)
    assert provider(gemini).check(ref, REQUEST) == Pending(ref, 3)
    assert isinstance(provider(gemini).check(ref, REQUEST), Done)
    gemini.file_states = ["FAILED"]
    with pytest.raises(ProviderFailed):
        provider(gemini).check(ref, REQUEST)


@pytest.mark.parametrize("path", ["/v1/files/clip1", "clip1:download", "/download/"])
def test_an_expired_file_has_failed(gemini: FakeGemini, path: str) -> None:
    ref = begun(gemini)
    gemini.will(instead(failing(403, "You do not have permission to access the File."), path=path))
    with pytest.raises(ProviderFailed, match=r"^The provider's output has expired\.$"):
        provider(gemini).check(ref, REQUEST)
    gemini.expired = True
    with pytest.raises(ProviderFailed):
        provider(gemini).check(ref, REQUEST)


@pytest.mark.parametrize("fault", [lost, broken_off, wrong_type])
def test_a_download_that_breaks_is_tried_again(gemini: FakeGemini, fault: Any) -> None:
    ref = begun(gemini)
    gemini.will(fault("/download/"))
    with pytest.raises(ProviderBusy):
        provider(gemini).check(ref, REQUEST)
    assert isinstance(provider(gemini).check(ref, REQUEST), Done)


def test_the_key_goes_to_the_provider_alone(gemini: FakeGemini) -> None:
    ref = begun(gemini)
    with FakeGemini(key="nobody's") as elsewhere:
        place = f"{elsewhere.url}/download/v1/files/clip1:download?alt=media"
        gemini.will(instead(Told(302, headers={"Location": place}), path="clip1:download"))
        answer = provider(gemini).check(ref, REQUEST)
        assert isinstance(answer, Done)
        assert answer.output.url == place
        content = {"type": "video", "uri": place}
        gemini.ending = {"steps": [{"type": "model_output", "content": [content]}]}
        answer = provider(gemini).check(ref, REQUEST)
        assert isinstance(answer, Done)
        assert answer.output.url == place
        assert elsewhere.requests == []


@pytest.mark.parametrize(
    ("ending", "error"),
    [
        ({"status": "failed", "errors": [{"code": "internal", "message": "x"}]}, ProviderFailed),
        ({"status": "failed", "errors": [{"code": "SAFETY", "message": "x"}]}, ProviderRejected),
        ({"status": "failed", "errors": [{"code": 3, "message": "violates our policy"}]}, ProviderRejected),
        (
            {"status": "failed", "errors": [{"code": 3, "message": "blocked by safety filters"}]},
            ProviderRejected,
        ),
        ({"status": "failed", "errors": [{"code": 13, "message": "safety service down"}]}, ProviderFailed),
        ({"status": "failed", "errors": [{"code": 7, "message": "blocked by a firewall"}]}, ProviderFailed),
        ({"status": "failed"}, ProviderFailed),
        ({"status": "cancelled"}, ProviderFailed),
        ({"status": "incomplete"}, ProviderFailed),
        ({"status": "requires_action"}, ProviderFailed),
        ({"status": "requires_continuation"}, ProviderFailed),
        ({"status": "budget_exceeded"}, ProviderUnusable),
        ({"status": "completed", "steps": []}, ProviderFailed),
        ({"steps": [{"type": "model_output", "content": [{"type": "text", "text": "No."}]}]}, ProviderFailed),
    ],
)
def test_every_other_ending(gemini: FakeGemini, ending: dict[str, Any], error: type[Exception]) -> None:
    ref = begun(gemini)
    gemini.ending = ending
    with pytest.raises(error):
        provider(gemini).check(ref, REQUEST)


def test_a_lost_submit_is_unknown_and_a_lost_look_only_busy(gemini: FakeGemini) -> None:
    swallowing(gemini, partial(provider(gemini).start, REQUEST))
    assert len(gemini.interactions) == 4
    ref = begun(gemini)
    repeatable(gemini, partial(provider(gemini).check, ref, REQUEST))


def test_errors_of_a_submit(gemini: FakeGemini) -> None:
    ask = partial(provider(gemini).start, REQUEST)
    plain_failures(gemini, ask, own=failing(500, "Internal error encountered.", name="INTERNAL"))
    hint = {"retryDelay": "4s"}
    assert waiting(gemini, ask, failing(503, "The model is overloaded.", hint, name="UNAVAILABLE")) == 4
    with pytest.raises(ProviderUnusable):
        provider(gemini).start(asking(provider_model="veo-3.1"))


def test_work_that_nobody_knows_has_failed(gemini: FakeGemini) -> None:
    gemini.will(instead(failing(404, "interaction not found")))
    with pytest.raises(ProviderFailed):
        provider(gemini).check("v1_9", REQUEST)
    with pytest.raises(ProviderFailed):
        provider(gemini).check("../models", REQUEST)
    assert len(gemini.requests) == 1


def test_a_cancel_stops_the_work_and_may_be_repeated(gemini: FakeGemini) -> None:
    ref = begun(gemini)
    provider(gemini).cancel(ref)
    provider(gemini).cancel(ref)
    with pytest.raises(ProviderFailed):
        provider(gemini).check(ref, REQUEST)
    provider(gemini).cancel(ref)  # it has ended: there is nothing to stop
    gemini.will(lost())
    with pytest.raises(ProviderBusy):
        provider(gemini).cancel(ref)


# Callbacks


@pytest.mark.parametrize("signed", ["event", "token_event"])
def test_an_event_asks_for_a_look_now(gemini: FakeGemini, signed: str) -> None:
    headers, body = getattr(gemini, signed)("v1_1", at_s=NOW_S)
    videos = provider(gemini)
    for _ in range(3):
        assert videos.parse_callback(headers, body, NOW_MS) == Pending("v1_1", 0)
    assert len(gemini.requests) <= 1  # the keys, once


def test_a_genuine_event_about_something_else_names_nothing(gemini: FakeGemini) -> None:
    for ref, kind in (("b1", "batch.succeeded"), ("../x", "interaction.completed")):
        headers, body = gemini.event(ref, at_s=NOW_S, kind=kind)
        assert provider(gemini).parse_callback(headers, body, NOW_MS) == Pending(None, 0)


def test_forged_old_and_broken_events_are_refused(gemini: FakeGemini) -> None:
    headers, body = gemini.event("v1_1", at_s=NOW_S)
    forged = gemini.event("v1_1", at_s=NOW_S, secret="whsec_c3RyYW5nZXI=")
    refused = [
        (headers, body.replace(b"v1_1", b"v1_2"), NOW_MS),
        (headers, body, NOW_MS + 301_000),
        (headers, body, NOW_MS - 301_000),
        (*forged, NOW_MS),
        ({}, body, NOW_MS),
    ]
    for case in refused:
        with pytest.raises(CallbackRefused):
            provider(gemini).parse_callback(*case)
    gemini.webhook_secret = ""
    with pytest.raises(CallbackRefused):
        provider(gemini).parse_callback(headers, body, NOW_MS)


@cache
def forged_tokens() -> list[str]:
    told = {"iat": NOW_S, "exp": NOW_S + 300}
    other = generate_private_key(public_exponent=65_537, key_size=2048)
    head, payload, signature = token(told).split(".")
    none = unpadded(b'{"alg":"none","kid":"key-1"}')
    return [
        token(told, key=other),
        token(told, key_id="key-2"),
        token(told, key_id="other"),
        token(told, algorithm="HS256"),
        f"{none}.{payload}.",
        f"{head}.{unpadded(b'{}')}.{signature}",
        f"{head}.{payload}.",
        f"{head}.{payload}.{unpadded(bytes(256))}",
        f"{head}.{payload}.{unpadded(bytes(1) + base64.urlsafe_b64decode(signature + '=='))}",
        f"{head}.{payload}.{unpadded(KEY.public_key().public_numbers().n.to_bytes(256, 'big'))}",
        f"{head}.{payload}",
        token({"iat": NOW_S - 301, "exp": NOW_S + 300}),
        token({"iat": NOW_S + 301}),
        token({"exp": NOW_S - 301}),
        token({"sub": "no time"}),
        "",
        "é.é.é",
        "x" * 20_000,
    ]


@pytest.mark.parametrize("at", range(len(forged_tokens())))
def test_forged_tokens_are_refused(gemini: FakeGemini, at: int) -> None:
    headers, body = gemini.token_event("v1_1", at_s=NOW_S)
    with pytest.raises(CallbackRefused):
        provider(gemini).parse_callback(headers | {"webhook-signature": forged_tokens()[at]}, body, NOW_MS)


def test_forged_tokens_do_not_make_us_fetch_keys_again_and_again(gemini: FakeGemini) -> None:
    headers, body = gemini.token_event("v1_1", at_s=NOW_S)
    forged = headers | {"webhook-signature": token({"iat": NOW_S}, key_id="key-2")}
    videos = provider(gemini)
    for _ in range(5):
        with pytest.raises(CallbackRefused):
            videos.parse_callback(forged, body, NOW_MS)
    assert len(gemini.requests) == 1
    assert videos.parse_callback(headers, body, NOW_MS) == Pending("v1_1", 0)


def test_without_googles_keys_google_is_to_send_the_callback_again(gemini: FakeGemini) -> None:
    headers, body = gemini.token_event("v1_1", at_s=NOW_S)
    gemini.will(instead(telling({}, 503)))
    videos = provider(gemini)
    with pytest.raises(Unavailable):
        videos.parse_callback(headers, body, NOW_MS)
    assert videos.parse_callback(headers, body, NOW_MS) == Pending("v1_1", 0)
