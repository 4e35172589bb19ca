"""Polly's adapter against the fake Polly."""

from __future__ import annotations

import io
import wave
from collections.abc import Iterator
from typing import Any

import botocore.session
import pytest

from shoal.adapters.providers.polly.speech import CHARS_MAX, Polly, pieces
from shoal.adapters.providers.polly.voices import CASTINGS, cast
from shoal.domain.errors import ProviderBusy, ProviderRejected, ProviderUnusable
from shoal.domain.script import NATURAL_WORDS_PER_MINUTE, VOICES
from tests.fakes.providers.aws import error
from tests.fakes.providers.polly import WORDS_PER_MINUTE, FakePolly
from tests.fakes.providers.server import Fault, Told, broken_off, instead, lost, telling
from tests.integration.providers.aws import opened, set_credentials

LINE = "The reef wakes before the sun does, and nobody is there to see it."


@pytest.fixture(autouse=True)
def _credentials(monkeypatch: pytest.MonkeyPatch) -> None:
    set_credentials(monkeypatch)


@pytest.fixture
def fake() -> Iterator[FakePolly]:
    with FakePolly() as fake:
        yield fake
        assert fake.problems == []


@pytest.fixture
def polly(fake: FakePolly) -> Iterator[Polly]:
    with opened("polly", fake.url) as client:
        yield Polly(client)


def test_a_line_becomes_a_wav_of_its_length(fake: FakePolly, polly: Polly) -> None:
    speech = polly.speak(LINE, voice="ava", language="en")
    with wave.open(io.BytesIO(speech.wav)) as wav:
        assert (wav.getnchannels(), wav.getsampwidth(), wav.getframerate()) == (1, 2, 16_000)
        assert wav.getnframes() / wav.getframerate() == speech.seconds
    assert speech.seconds == pytest.approx(60 * len(LINE.split()) / WORDS_PER_MINUTE, abs=0.001)
    assert fake.requests[0].json() == {
        "Engine": "neural",
        "LanguageCode": "en-US",
        "OutputFormat": "pcm",
        "SampleRate": "16000",
        "Text": LINE,
        "TextType": "text",
        "VoiceId": "Joanna",
    }


def test_the_credentials_are_tested(fake: FakePolly, polly: Polly) -> None:
    assert polly.test() == "1 voices"
    fake.will(instead(error(403, "AccessDeniedException", "no polly:DescribeVoices")))
    with pytest.raises(ProviderUnusable):
        polly.test()


@pytest.mark.parametrize(("pace", "rate"), [(1.0, 100), (1.2, 120), (2.0, 200), (6.0, 200), (0.01, 20)])
def test_a_pace_is_asked_for_in_markup(fake: FakePolly, polly: Polly, pace: float, rate: int) -> None:
    words_per_minute = round(pace * NATURAL_WORDS_PER_MINUTE)
    speech = polly.speak("Fish & <chips> glow.", voice=None, language="en", words_per_minute=words_per_minute)
    text = "Fish &amp; &lt;chips&gt; glow."
    assert fake.requests[0].json()["Text"] == f'<speak><prosody rate="{rate}%">{text}</prosody></speak>'
    assert speech.seconds == pytest.approx(60 * 4 / (WORDS_PER_MINUTE * rate / 100), abs=0.001)


def test_a_long_text_is_spoken_in_pieces(fake: FakePolly, polly: Polly) -> None:
    text = " ".join([f"R{'e' * 60}f."] * 100)
    speech = polly.speak(text, voice="noah", language="en-GB")
    spoken = [asked.json()["Text"] for asked in fake.requests]
    assert len(spoken) == 3
    assert " ".join(spoken) == text
    assert all(piece.endswith(".") for piece in spoken), "cut between sentences"
    assert speech.seconds == pytest.approx(60 * len(text.split()) / WORDS_PER_MINUTE, abs=0.01)


@pytest.mark.parametrize(
    "text", ["word " * 2000, "x" * 7000, "一句话。" * 2000, "One. Two! Three?", "Mr. Fish. " + "y" * 3000]
)
def test_pieces_lose_nothing_and_are_short_enough(text: str) -> None:
    found = list(pieces(text))
    assert "".join("".join(found).split()) == "".join(text.split())
    assert all(0 < len(piece) <= CHARS_MAX for piece in found)


def test_what_cannot_be_written_is_left_out(fake: FakePolly, polly: Polly) -> None:
    polly.speak("reef\x00\ud800 glows", voice=None, language="en", words_per_minute=120)
    assert "reef   glows" in fake.requests[0].json()["Text"]
    with pytest.raises(ProviderRejected, match="nothing to say"):
        polly.speak(" \x00 ", voice=None, language="en")


def test_a_woman_and_a_man_speak_every_language(fake: FakePolly, polly: Polly) -> None:
    for language in (*CASTINGS, "en", "zh", "tlh"):
        for voice in (VOICES[0], VOICES[-1]):
            assert polly.speak("Hi.", voice=voice, language=language).seconds > 0, (voice, language)


@pytest.mark.parametrize(
    ("voice", "language", "voice_id", "code", "engine"),
    [
        ("ava", "en-US", "Joanna", "en-US", "neural"),
        ("maya", "en-US", "Ruth", "en-US", "neural"),
        ("hugo", "en", "Matthew", "en-US", "neural"),
        ("noah", "en-gb", "Arthur", "en-GB", "neural"),
        ("leo", "de", "Daniel", "de-DE", "neural"),
        ("hugo", "sv", "Elin", "sv-SE", "neural"),
        ("clara", "pt", "Vitoria", "pt-BR", "neural"),
        (None, "zh-CN", "Zhiyu", "cmn-CN", "neural"),
        ("leo", "ru", "Maxim", "ru-RU", "standard"),
        ("nobody", "tlh", "Joanna", "en-US", "neural"),
    ],
)
def test_voices_are_cast_by_language(
    voice: str | None, language: str, voice_id: str, code: str, engine: str
) -> None:
    assert cast(voice, language) == (voice_id, code, engine)


def test_every_voice_and_language_is_one_of_pollys() -> None:
    model = botocore.session.get_session().get_service_model("polly")
    codes = set(model.shape_for("LanguageCode").enum)  # type: ignore[attr-defined]
    voices = set(model.shape_for("VoiceId").enum)  # type: ignore[attr-defined]
    engines = set(model.shape_for("Engine").enum)  # type: ignore[attr-defined]
    assert set(CASTINGS) <= codes
    assert {name for casting in CASTINGS.values() for name in casting.women + casting.men} <= voices
    assert {casting.engine for casting in CASTINGS.values()} <= engines


@pytest.mark.parametrize("fault", [lost(), broken_off()])
def test_lost_speech_is_asked_for_again(fake: FakePolly, polly: Polly, fault: Fault) -> None:
    fake.will(fault)
    with pytest.raises(ProviderBusy):
        polly.speak(LINE, voice=None, language="en")
    assert polly.speak(LINE, voice=None, language="en").seconds > 0


@pytest.mark.parametrize("body", [b"", b"odd"])
def test_what_is_no_speech_is_asked_for_again(fake: FakePolly, polly: Polly, body: bytes) -> None:
    fake.will(instead(Told(200, body, {"Content-Type": "audio/pcm"})))
    with pytest.raises(ProviderBusy, match="no speech"):
        polly.speak(LINE, voice=None, language="en")


def test_a_page_is_no_speech(fake: FakePolly, polly: Polly) -> None:
    fake.will(instead(Told(200, b"<html>hi</html> ", {"Content-Type": "text/html"})))
    with pytest.raises(ProviderBusy, match="no speech"):
        polly.speak(LINE, voice=None, language="en")


@pytest.mark.parametrize(
    ("answer", "error_class"),
    [
        (error(400, "ThrottlingException", "Rate exceeded"), ProviderBusy),
        (error(500, "ServiceFailureException", "oops"), ProviderBusy),
        (telling({"message": "oops"}, 503), ProviderBusy),
        (error(403, "AccessDeniedException", "no polly:SynthesizeSpeech"), ProviderUnusable),
        (error(400, "EngineNotSupportedException", "no"), ProviderUnusable),
        (error(400, "LanguageNotSupportedException", "no"), ProviderUnusable),
        (error(400, "TextLengthExceededException", "too long"), ProviderRejected),
        (error(400, "InvalidSsmlException", "bad"), ProviderRejected),
    ],
)
def test_refusals_have_their_class(
    fake: FakePolly, polly: Polly, answer: Any, error_class: type[Exception]
) -> None:
    fake.will(instead(answer))
    with pytest.raises(error_class):
        polly.speak(LINE, voice=None, language="en")


def test_polly_is_asked_once(fake: FakePolly, polly: Polly) -> None:
    fake.will(instead(error(500, "ServiceFailureException", "oops")))
    with pytest.raises(ProviderBusy):
        polly.speak(LINE, voice=None, language="en")
    assert len(fake.requests) == 1


def test_missing_credentials_are_the_operators(fake: FakePolly, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("AWS_ACCESS_KEY_ID")
    monkeypatch.delenv("AWS_SECRET_ACCESS_KEY")
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", "/nonexistent")
    monkeypatch.setenv("AWS_CONFIG_FILE", "/nonexistent")
    with opened("polly", fake.url) as client, pytest.raises(ProviderUnusable, match="credentials"):
        Polly(client).speak(LINE, voice=None, language="en")
