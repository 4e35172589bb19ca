"""The simulator's speaker: a tone a word, the same every time, as long as the line would take."""

from __future__ import annotations

import io
import wave
from array import array
from pathlib import Path

import pytest

from shoal.domain.script import VOICES, Speaker
from shoal.media.narration import fit_narration
from shoal.media.sound import loudness_lufs, samples_of
from shoal.media.tones import RATE_HZ, ToneSpeaker
from tests.unit.media.test_narration import LINE, ODD

SPEAKER: Speaker = ToneSpeaker()


def levels(wav: bytes) -> array[int]:
    with wave.open(io.BytesIO(wav)) as file:
        assert (file.getnchannels(), file.getsampwidth(), file.getframerate()) == (1, 2, RATE_HZ)
        return array("h", file.readframes(file.getnframes()))


@pytest.mark.parametrize("voice", VOICES)
def test_each_voice_sounds_different_and_the_same_every_time(voice: str) -> None:
    speech = SPEAKER.speak(LINE, voice=voice, language="en")

    assert speech == SPEAKER.speak(LINE, voice=voice, language="de")
    assert speech.seconds == len(levels(speech.wav)) / RATE_HZ
    assert not any(SPEAKER.speak(LINE, voice=one, language="en") == speech for one in VOICES if one != voice)


def test_a_voice_that_is_not_on_offer_is_an_error() -> None:
    with pytest.raises(KeyError):
        SPEAKER.speak(LINE, voice="nobody", language="en")


def test_words_are_tones_with_silence_between_them() -> None:
    heard = levels(SPEAKER.speak("Reefs glow", voice=None, language="en").wav)

    edges = [at for at in range(1, len(heard)) if heard[at - 1] == heard[at] == 0]
    assert max(heard) > 9_000
    assert edges
    assert RATE_HZ // 5 < edges[0] < RATE_HZ // 2


@pytest.mark.parametrize("words_per_minute", [100, 150, 235])
def test_a_line_takes_as_long_as_it_would_be_spoken(words_per_minute: int) -> None:
    line = "coral " * 30

    speech = SPEAKER.speak(line, voice="leo", language="en", words_per_minute=words_per_minute)

    assert speech.seconds == pytest.approx(60 * 30 / words_per_minute, rel=0.02)


def test_text_without_spaces_takes_its_time_as_well() -> None:
    assert SPEAKER.speak("珊瑚礁在夜里发光" * 4, voice=None, language="zh").seconds > 2


@pytest.mark.parametrize("text", ODD)
def test_odd_text_is_sounded_or_passed_over(text: str) -> None:
    speech = SPEAKER.speak(text, voice=None, language="en")

    assert bool(speech.seconds) == bool(text.strip())


def test_tones_make_a_narration_as_loud_as_speech(tmp_path: Path) -> None:
    narration = fit_narration(
        [LINE, LINE],
        lambda line, **pace: SPEAKER.speak(line, voice="ava", language="en", **pace),
        tmp_path / "n.wav",
    )

    assert narration.seconds == 16
    assert all(2 < line.end_s - line.start_s < 7.61 for line in narration.lines)
    assert loudness_lufs(samples_of(tmp_path / "n.wav")) == pytest.approx(-16, abs=1)
