"""The simulator's sounds: a tune for music, a voice for speech, in any of the files that are allowed."""

from __future__ import annotations

import io
import math
from array import array
from functools import lru_cache
from random import Random
from typing import Final

import av

from shoal.domain.models import media_types as media
from shoal.domain.script import VOICES
from shoal.media.encoding import REPRODUCIBLE
from shoal.media.sound import RATE_HZ, SAMPLE_BYTES, frames_of, samples_of
from shoal.media.tones import ToneSpeaker

SECONDS_MAX: Final = 600
"""A minute of music takes half a second of work."""
USUAL_SECONDS: Final = 10
_LEVEL: Final = 9_000
"""Of 32,767."""
_NOTE_SAMPLES: Final = RATE_HZ // 4
_FADE_SAMPLES: Final = RATE_HZ // 100
_PENTATONIC: Final = (0, 2, 4, 7, 9, 12)
"""Half tones that sound well in any order."""
_FORMATS: Final = {
    media.MP3: ("mp3", "libmp3lame"),
    media.WAV: ("wav", "pcm_s16le"),
    media.OGG: ("ogg", "libopus"),
    media.FLAC: ("flac", "flac"),
}


def tune(*, prompt: str, seed: int, seconds: float, content_type: str) -> bytes:
    """A melody of exactly so many seconds, to the sample; ValueError for none or too many of them."""
    if not 0 < seconds <= SECONDS_MAX:
        raise ValueError(f"a tune has up to {SECONDS_MAX} seconds, not {seconds}")
    rng = Random(f"tune {seed} {prompt}")  # noqa: S311 - art, not secrets
    root_hz = rng.choice((196.0, 220.0, 246.9, 261.6))
    length = round(seconds * RATE_HZ)
    notes = (rng.choice(_PENTATONIC) for _ in range(-(-length // _NOTE_SAMPLES)))
    samples = b"".join(_note(round(root_hz * 2 ** (step / 12))) for step in notes)
    return encode(samples[: length * SAMPLE_BYTES], content_type)


def speak(*, text: str, seed: int, content_type: str) -> bytes:
    """The text as the embedded voice says it, or a tone for each word where the function carries no voice."""
    voice = VOICES[seed % len(VOICES)]
    try:
        from shoal.media.speech import EmbeddedSpeaker
    except ImportError:  # espeak-ng is in the layer of those functions alone that narrate
        speech = ToneSpeaker().speak(text, voice=voice, language="en")
    else:
        speech = EmbeddedSpeaker().speak(text, voice=voice, language="en")
    return encode(samples_of(speech.wav) or bytes(_NOTE_SAMPLES * SAMPLE_BYTES), content_type)


def encode(samples: bytes, content_type: str) -> bytes:
    """Samples at 48 kHz as a file of a type. None is added, and none is lost."""
    container_format, codec = _FORMATS[content_type]
    file = io.BytesIO()
    with av.open(file, "w", container_format, container_options=REPRODUCIBLE) as container:
        stream = container.add_stream(codec, rate=RATE_HZ, layout="mono")
        if not isinstance(stream, av.AudioStream):
            raise TypeError(f"{codec} makes no sound")
        for frame in frames_of(samples):
            container.mux(stream.encode(frame))
        container.mux(stream.encode(None))
    return file.getvalue()


@lru_cache(maxsize=64)
def _note(pitch_hz: int) -> bytes:
    """A quarter of a second that swells and fades, so that notes do not click."""
    turn, last = math.tau * pitch_hz / RATE_HZ, _NOTE_SAMPLES - 1
    return array(
        "h",
        (
            round(_LEVEL * min(1.0, at / _FADE_SAMPLES, (last - at) / _FADE_SAMPLES) * math.sin(turn * at))
            for at in range(_NOTE_SAMPLES)
        ),
    ).tobytes()
