"""OpenAI's scripts, speech and moderation against the fake."""

from __future__ import annotations

import io
import wave
from typing import Any

import pytest

from shoal.adapters.providers.openai.http import OpenAiHttp
from shoal.adapters.providers.openai.moderation import OpenAiModerator
from shoal.adapters.providers.openai.script import OpenAiScriptWriter
from shoal.adapters.providers.openai.speech import VOICES, OpenAiSpeaker
from shoal.domain.errors import ProviderBusy, ProviderFailed, ProviderRejected, ProviderUnusable
from shoal.domain.script import NATURAL_WORDS_PER_MINUTE, SceneText
from shoal.ports.moderation import Verdict
from tests.fakes.providers.openai import FakeOpenAi
from tests.fakes.providers.server import Told, instead, late
from tests.support.providers import plain_failures, repeatable

ORDER: dict[str, Any] = {
    "idea": "a hill through the year",
    "category": "nature",
    "scene_count": 3,
    "style": "watercolour",
    "language": "de",
    "seed": 7,
}


def http(fake: FakeOpenAi) -> OpenAiHttp:
    return OpenAiHttp(lambda: fake.key, fake.base_url)


def writer(fake: FakeOpenAi, model: str = "gpt-6-luna") -> OpenAiScriptWriter:
    return OpenAiScriptWriter(http(fake), model=model)


def speaker(fake: FakeOpenAi, model: str = "gpt-4o-mini-tts") -> OpenAiSpeaker:
    return OpenAiSpeaker(http(fake), model=model)


def moderator(fake: FakeOpenAi) -> OpenAiModerator:
    return OpenAiModerator(http(fake), model="omni-moderation-latest")


# Scripts


def test_a_script_has_the_scenes_asked_for(openai: FakeOpenAi) -> None:
    scenes = writer(openai).write(**ORDER)
    assert scenes == tuple(SceneText(f"A hill, {at}", f"Line {at}.") for at in range(3))
    asked = openai.requests[0].json()
    assert asked["text"]["format"]["strict"] is True
    for word in ("nature", "watercolour", "de", "3"):
        assert word in asked["input"]


@pytest.mark.parametrize(
    "script",
    [
        "no JSON",
        "[]",
        {"scenes": []},
        {"scenes": [{"prompt": "x", "narration": "y"}] * 4},
        {"scenes": [{"prompt": "x"}] * 3},
        {"scenes": [{"prompt": " ", "narration": "y"}] * 3},
        {"scenes": "three"},
    ],
)
def test_what_is_no_script_fails(openai: FakeOpenAi, script: object) -> None:
    openai.script = script
    with pytest.raises(ProviderFailed, match=r"^The provider wrote no usable script\.$"):
        writer(openai).write(**ORDER)


def test_a_refusal_in_a_200_is_the_users(openai: FakeOpenAi) -> None:
    with pytest.raises(ProviderRejected):
        writer(openai).write(**ORDER | {"idea": "forbidden things"})
    openai.ending = {"status": "incomplete", "incomplete_details": {"reason": "content_filter"}}
    with pytest.raises(ProviderRejected):
        writer(openai).write(**ORDER)


def test_a_script_that_was_cut_off_fails(openai: FakeOpenAi) -> None:
    openai.ending = {"status": "incomplete", "incomplete_details": {"reason": "max_output_tokens"}}
    with pytest.raises(ProviderFailed):
        writer(openai).write(**ORDER)


def test_a_script_may_be_asked_for_again(openai: FakeOpenAi) -> None:
    repeatable(openai, lambda: writer(openai).write(**ORDER))
    plain_failures(openai, lambda: writer(openai).write(**ORDER))
    with pytest.raises(ProviderUnusable):
        writer(openai, "gpt-5").write(**ORDER)


# Speech


@pytest.mark.parametrize("voice", VOICES)
def test_every_voice_speaks_a_wav_of_its_length(openai: FakeOpenAi, voice: str | None) -> None:
    speech = speaker(openai).speak("one two three four five six", voice=voice, language="de")
    with wave.open(io.BytesIO(speech.wav)) as wav:
        assert (wav.getframerate(), wav.getnchannels(), wav.getsampwidth()) == (24_000, 1, 2)
        assert wav.getnframes() / 24_000 == speech.seconds == pytest.approx(6 / 2.75, abs=0.01)
    assert "de" in openai.requests[0].json()["instructions"]


def test_a_pace_becomes_a_speed(openai: FakeOpenAi) -> None:
    for pace in (None, 2 * NATURAL_WORDS_PER_MINUTE, 5, 5000):
        speaker(openai).speak("one", voice=None, language="en", words_per_minute=pace)
    assert [asked.json()["speed"] for asked in openai.requests] == [1.0, 2.0, 0.25, 4.0]


def test_the_older_models_take_no_instructions(openai: FakeOpenAi) -> None:
    assert speaker(openai, "tts-1").speak("one", voice="leo", language="en").seconds > 0


def test_a_line_that_is_too_long_is_never_sent(openai: FakeOpenAi) -> None:
    with pytest.raises(ProviderRejected):
        speaker(openai).speak("x" * 4097, voice=None, language="en")
    assert openai.requests == []


def test_speech_may_be_asked_for_again(openai: FakeOpenAi) -> None:
    def ask() -> object:
        return speaker(openai).speak("one two", voice=None, language="en")

    plain_failures(openai, ask)
    for body in (b"", b"\x00\x00\x00"):
        openai.will(instead(Told(200, body, {"Content-Type": "audio/pcm"})))
        with pytest.raises(ProviderBusy):
            ask()
    with pytest.raises(ProviderUnusable):
        speaker(openai, "tts-9").speak("one", voice=None, language="en")


# Moderation


def test_a_verdict_names_what_was_found(openai: FakeOpenAi) -> None:
    assert moderator(openai).check("a red fox") == Verdict(flagged=False)
    assert moderator(openai).check("forbidden things") == Verdict(
        flagged=True, categories=("hate", "violence")
    )


def test_without_an_answer_there_is_no_verdict(openai: FakeOpenAi) -> None:
    repeatable(openai, lambda: moderator(openai).check("x"))
    plain_failures(openai, lambda: moderator(openai).check("x"))
    openai.will(instead(Told(200, b"{}", {"Content-Type": "application/json"})))
    with pytest.raises(ProviderBusy):
        moderator(openai).check("x")


def test_a_caller_waits_for_a_verdict_only_so_long(
    openai: FakeOpenAi, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("shoal.adapters.providers.openai.moderation.READ_SECONDS", 0.1)
    openai.will(late(5))
    with pytest.raises(ProviderBusy):
        moderator(openai).check("x")
