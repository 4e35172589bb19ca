"""The simulator's speaker: a tone for each word. It costs nothing, needs no package and asks nobody.

Nobody would take it for a voice: that is what it is for. What test keys make sounds, lasts and is subtitled
like the real thing, on stages that carry no voice of their own.
"""

from __future__ import annotations

import math
from array import array
from typing import Final

from shoal.domain.script import NATURAL_WORDS_PER_MINUTE, VOICES, Speech
from shoal.media.waves import speech_of

RATE_HZ: Final = 16_000
_LEVEL: Final = 10_000
"""Of 32,767: about as loud as speech."""
_LETTERS_PER_WORD: Final = 6
"""Five letters and a space, the field's standard word: so text without spaces takes its time as well."""
_PITCHES_HZ: Final = dict(zip(VOICES, (220, 247, 262, 110, 124, 131), strict=True))
_STEPS: Final = (1.0, 1.125, 1.25, 1.125)
"""How the pitch moves from word to word, so that words are told apart."""


class ToneSpeaker:
    """Implements the `Speaker` port: the same line makes the same sound."""

    def speak(
        self,
        text: str,
        *,
        voice: str | None,
        language: str,  # noqa: ARG002 - tones are the same in every language
        words_per_minute: int | None = None,
    ) -> Speech:
        """Sound one line; nothing speakable gives an empty WAV. KeyError for a voice not in `VOICES`."""
        pitch_hz = _PITCHES_HZ[voice or VOICES[0]]
        letters_per_minute = (words_per_minute or NATURAL_WORDS_PER_MINUTE) * _LETTERS_PER_WORD
        letter_s = 60 / letters_per_minute
        silence = bytes(2 * round(letter_s * RATE_HZ))
        samples = b"".join(
            _tone(pitch_hz * _STEPS[index % len(_STEPS)], len(word) * letter_s) + silence
            for index, word in enumerate(text.split())
        )
        return speech_of(samples, RATE_HZ)


def _tone(pitch_hz: float, seconds: float) -> bytes:
    """Whole cycles of a sine, so that it begins and ends without a click."""
    period = round(RATE_HZ / pitch_hz)
    cycle = array("h", (round(_LEVEL * math.sin(math.tau * at / period)) for at in range(period)))
    return cycle.tobytes() * max(1, round(seconds * RATE_HZ / period))
