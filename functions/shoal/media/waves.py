"""A speaker's samples as the WAV file that the `Speaker` port wants."""

from __future__ import annotations

import io
import wave
from typing import Final

from shoal.domain.script import Speech

SAMPLE_BYTES: Final = 2


def speech_of(samples: bytes, rate_hz: int) -> Speech:
    """Speech of 16-bit samples of one channel."""
    file = io.BytesIO()
    with wave.open(file, "wb") as writer:
        writer.setnchannels(1)
        writer.setsampwidth(SAMPLE_BYTES)
        writer.setframerate(rate_hz)
        writer.writeframes(samples)
    return Speech(wav=file.getvalue(), seconds=len(samples) / SAMPLE_BYTES / rate_hz)
