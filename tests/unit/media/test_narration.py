"""Speech: every voice and language speaks; lines fit their scenes, and are as loud as they should be."""

from __future__ import annotations

import io
import wave
from array import array
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path

import av
import pytest

from shoal.domain.errors import OutputInvalid
from shoal.domain.script import VOICES, Speaker, Speech
from shoal.media.narration import FASTEST_WORDS_PER_MINUTE, encode_audio, fit_narration
from shoal.media.sound import loudness_lufs, samples_of, seconds_of, true_peak_db
from shoal.media.speech import EmbeddedSpeaker, languages, voices
from tests.support.hostile.clips import endless_silence
from tests.support.media_files import tone

LINE = "Long before anyone wrote it down, the sea belonged to those who could hold their breath."
SPEAKER: Speaker = EmbeddedSpeaker()


def say(text: str, *, words_per_minute: int | None = None) -> Speech:
    return SPEAKER.speak(text, voice="hugo", language="en", words_per_minute=words_per_minute)


def hum(rate_hz: int, *_: object, **__: object) -> Speech:
    return tone(2, rate_hz=rate_hz)


def loudest(samples: bytes, start_s: float, end_s: float) -> int:
    levels = array("h", samples)[round(start_s * 48_000) : round(end_s * 48_000)]
    return max(map(abs, levels), default=0)


@pytest.mark.parametrize("voice", VOICES)
def test_each_voice_speaks_and_sounds_different(voice: str) -> None:
    speech = SPEAKER.speak(LINE, voice=voice, language="en")

    with wave.open(io.BytesIO(speech.wav)) as file:
        assert (file.getnchannels(), file.getsampwidth(), file.getframerate()) == (1, 2, 22_050)
        assert file.getnframes() / 22_050 == pytest.approx(speech.seconds)
    assert 4 < speech.seconds < 8
    assert all(
        speech.wav != SPEAKER.speak(LINE, voice=one, language="en").wav for one in VOICES if one != voice
    )


def test_the_voices_it_has_are_those_on_offer() -> None:
    assert voices() == VOICES
    with pytest.raises(ValueError, match="unknown voice"):
        SPEAKER.speak(LINE, voice="nobody", language="en")


def test_every_language_it_lists_can_be_spoken() -> None:
    assert {"en", "en-gb", "de", "fr", "es", "ja", "zh", "hi", "ar", "pt-br"} <= set(languages())
    speech = {one: SPEAKER.speak("hello 1", voice=None, language=one) for one in languages()}
    assert [one for one, spoken in speech.items() if spoken.seconds < 0.2] == []


def test_languages_are_told_apart_and_unknown_ones_are_english() -> None:
    def seconds(language: str) -> float:
        return SPEAKER.speak("Bonjour le monde, comment allez-vous?", voice="leo", language=language).seconds

    assert seconds("fr") == pytest.approx(seconds("fr-CA"), abs=0.01)
    assert seconds("xx-YY") == pytest.approx(seconds("en-US"), abs=0.01)
    assert abs(seconds("fr") - seconds("en")) > 0.2


def test_more_words_per_minute_take_less_time() -> None:
    slow, usual, fast = (say(LINE, words_per_minute=rate).seconds for rate in (100, None, 220))

    assert slow > usual * 1.2
    assert fast < usual * 0.85


ODD = ["", " ", "a\0b", "\ud800", "🦈", "<speak>hi</speak>", "[[h@'loU]]", "W" * 2_000]


@pytest.mark.parametrize("text", ODD)
def test_odd_text_is_spoken_or_passed_over(text: str) -> None:
    speech = say(text)

    with wave.open(io.BytesIO(speech.wav)) as file:
        assert file.getframerate() == 22_050


def test_threads_do_not_mix_their_speech() -> None:
    alone = [say(text).seconds for text in ("One.", LINE)]

    with ThreadPoolExecutor(4) as pool:
        together = list(pool.map(lambda text: say(text).seconds, ["One.", LINE] * 6))

    assert together == pytest.approx(alone * 6, abs=0.02)


def test_a_narration_is_as_long_as_its_scenes_and_silent_between_its_lines(tmp_path: Path) -> None:
    narration = fit_narration([LINE, "And then it was gone."], say, tmp_path / "n.wav")

    samples = samples_of(tmp_path / "n.wav")
    assert len(samples) == 16 * 48_000 * 2
    assert narration.seconds == 16
    assert [line.text for line in narration.lines] == [LINE, "And then it was gone."]
    for number, (start_s, end_s, _) in enumerate(narration.lines):
        assert number * 8 + 0.3 <= start_s < end_s <= number * 8 + 7.6
        assert loudest(samples, start_s, end_s) > 3_000
        assert loudest(samples, number * 8, start_s - 0.02) < 40
        assert loudest(samples, end_s + 0.05, number * 8 + 8) < 200
        for second in range(int(start_s) + 1, int(end_s)):
            assert loudest(samples, second, second + 1) > 1_000


@pytest.mark.parametrize("level", [0.02, 0.3, 0.99])
def test_a_narration_is_levelled_and_its_peaks_stay_below(tmp_path: Path, level: float) -> None:
    fit_narration(["a", "b"], lambda *_, **__: tone(5, level=level), tmp_path / "n.wav")

    samples = samples_of(tmp_path / "n.wav")
    assert loudness_lufs(samples) == pytest.approx(-16, abs=0.7)
    assert true_peak_db(samples) <= -1.5


def test_speech_is_levelled_and_its_peaks_stay_below(tmp_path: Path) -> None:
    fit_narration([LINE, LINE], say, tmp_path / "n.wav")

    samples = samples_of(tmp_path / "n.wav")
    assert loudness_lufs(samples) == pytest.approx(-16, abs=1)
    assert true_peak_db(samples) <= -1.5


def test_a_line_too_long_is_spoken_faster_first(tmp_path: Path) -> None:
    rates: list[int | None] = []

    def speak(text: str, *, words_per_minute: int | None = None) -> Speech:
        rates.append(words_per_minute)
        return say(text, words_per_minute=words_per_minute)

    narration = fit_narration([LINE + " " + LINE[:40]], speak, tmp_path / "n.wav")

    assert rates[0] is None
    assert rates[1] is not None
    assert max(rate or 0 for rate in rates) <= FASTEST_WORDS_PER_MINUTE
    assert 6 < narration.lines[0].end_s <= 7.61


@pytest.mark.parametrize("seconds", [8.5, 11, 40])
def test_a_speaker_who_cannot_hurry_is_sped_up_and_cut_off_softly(tmp_path: Path, seconds: float) -> None:
    narration = fit_narration(["a", "b"], lambda *_, **__: tone(seconds), tmp_path / "n.wav")

    samples = samples_of(tmp_path / "n.wav")
    assert narration.lines[0].end_s == pytest.approx(7.6, abs=0.1)
    assert narration.lines[0].end_s <= 7.61
    assert loudest(samples, 7.65, 8.3) < 60
    if seconds == 40:
        assert loudest(samples, 7.55, 7.6) < loudest(samples, 5, 6) / 3


def test_silence_around_speech_is_taken_off(tmp_path: Path) -> None:
    narration = fit_narration(["a"], lambda *_, **__: tone(3, pause=2.5), tmp_path / "n.wav")

    assert narration.lines[0].end_s - narration.lines[0].start_s == pytest.approx(3, abs=0.05)


def test_lines_nobody_can_say_give_silence(tmp_path: Path) -> None:
    narration = fit_narration(["", ""], partial(SPEAKER.speak, voice=None, language="en"), tmp_path / "n.wav")

    assert narration.seconds == 16
    assert loudness_lufs(samples_of(tmp_path / "n.wav")) <= -60


@pytest.mark.parametrize("wav", [b"", b"RIFF", b"\x00" * 4_000, tone(1).wav[:20]])
def test_speech_that_cannot_be_read_is_found(tmp_path: Path, wav: bytes) -> None:
    with pytest.raises(OutputInvalid, match="narration"):
        fit_narration(["a"], lambda *_, **__: Speech(wav, 1), tmp_path / "n.wav")


def test_speech_at_any_rate_keeps_its_time(tmp_path: Path) -> None:
    for rate_hz in (8_000, 16_000, 24_000, 44_100):
        narration = fit_narration(["a"], partial(hum, rate_hz), tmp_path / "n.wav")
        assert narration.lines[0].end_s - narration.lines[0].start_s == pytest.approx(2, abs=0.05)


def test_the_mp3_is_the_same_narration(tmp_path: Path) -> None:
    fit_narration([LINE], say, tmp_path / "n.wav")
    encode_audio(tmp_path / "n.wav", tmp_path / "n.mp3")

    with av.open(str(tmp_path / "n.mp3")) as container:
        assert [stream.codec_context.name for stream in container.streams] == ["mp3float"]
    samples = samples_of(tmp_path / "n.mp3")
    assert seconds_of(samples) == pytest.approx(8, abs=0.1)
    assert loudness_lufs(samples) == pytest.approx(-16, abs=1.5)
    assert true_peak_db(samples) <= -1


def test_sound_without_end_is_given_up(tmp_path: Path) -> None:
    path = endless_silence(tmp_path / "long.flac")
    assert path.stat().st_size < 300_000

    with pytest.raises(OutputInvalid, match="too long"):
        samples_of(path)
