"""Sounds are counted sample by sample, and one that ends early or is too much is refused."""

from __future__ import annotations

import io
import wave

import pytest

from shoal.domain.errors import OutputInvalid
from shoal.domain.models import media_types as media
from shoal.media.inspection.inspect import inspect
from shoal.media.inspection.sound import measure_sound
from tests.fakes.providers.files import SOUNDS, sound


@pytest.mark.parametrize("content_type", SOUNDS)
@pytest.mark.parametrize("seconds", [0.25, 1.0, 3.777])
def test_a_sound_is_measured_to_the_millisecond(content_type: str, seconds: float) -> None:
    assert measure_sound(sound(content_type, seconds), content_type) == pytest.approx(seconds * 1000, abs=1)


@pytest.mark.parametrize(("content_type", "codec"), [(media.OGG, "flac"), (media.WAV, "pcm_f32le")])
def test_a_container_may_hold_other_codecs(content_type: str, codec: str) -> None:
    assert measure_sound(sound(content_type, codec=codec), content_type) == 1_000


def test_channels_are_not_counted_twice() -> None:
    assert measure_sound(sound(media.FLAC, channels="stereo"), media.FLAC) == 1_000


@pytest.mark.parametrize("content_type", SOUNDS)
@pytest.mark.parametrize("share", [0.2, 0.6, 0.95])
def test_a_sound_that_was_cut_off_is_found(content_type: str, share: float) -> None:
    data = sound(content_type, 3.0)

    with pytest.raises(OutputInvalid):
        measure_sound(data[: int(len(data) * share)], content_type)


@pytest.mark.parametrize("codec", ["adpcm_ms", "mp3"])
def test_a_codec_that_nobody_expects_is_refused(codec: str) -> None:
    with pytest.raises(OutputInvalid, match="not supported"):
        measure_sound(sound(media.WAV, codec="libmp3lame" if codec == "mp3" else codec), media.WAV)


def test_a_header_that_promises_more_is_a_lie() -> None:
    data = bytearray(sound(media.FLAC, 2.0))
    data[21:26] = (int.from_bytes(data[21:26]) + 48_000 * 60).to_bytes(5)  # STREAMINFO's total samples

    with pytest.raises(OutputInvalid, match="cut off"):
        measure_sound(bytes(data), media.FLAC)


def test_a_sound_without_samples_is_none() -> None:
    file = io.BytesIO()
    with wave.open(file, "wb") as writer:
        writer.setnchannels(1)
        writer.setsampwidth(2)
        writer.setframerate(8_000)

    with pytest.raises(OutputInvalid):
        inspect(file.getvalue(), [media.WAV])


def test_a_sound_that_is_too_long_is_refused() -> None:
    with pytest.raises(OutputInvalid, match="longer than"):
        measure_sound(sound(media.FLAC, 3.0), media.FLAC, seconds_max=2)


def test_a_page_behind_a_tag_is_no_sound() -> None:
    with pytest.raises(OutputInvalid):
        measure_sound(b"ID3\x03\x00\x00\x00\x00\x00\x00<html></html>" * 20, media.MP3)
