"""OpenAI's speech, https://platform.openai.com/docs/api-reference/audio/createSpeech.

Samples are asked for, not a WAV file: the API streams, and a streamed file's header cannot tell its length.
"""

from __future__ import annotations

import io
import wave

from shoal.adapters.providers.kit.at_once import AtOnce
from shoal.adapters.providers.openai.http import OpenAiHttp
from shoal.domain.errors import ProviderRejected
from shoal.domain.provider import Answer, Done, ProviderOutput, ProviderRequest
from shoal.domain.script import NATURAL_WORDS_PER_MINUTE, Speech

RATE_HZ = 24_000
SAMPLE_BYTES = 2
TEXT_CHARS_MAX = 4096
SPEED_MIN, SPEED_MAX = 0.25, 4.0
READ_SECONDS = 60.0
VOICES = {
    None: "alloy",
    "ava": "nova",
    "clara": "shimmer",
    "maya": "coral",
    "hugo": "onyx",
    "leo": "echo",
    "noah": "ash",
}


class OpenAiSpeaker:
    """Implements the `Speaker` port."""

    def __init__(self, http: OpenAiHttp, *, model: str) -> None:
        self._http = http
        self._model = model

    def speak(
        self, text: str, *, voice: str | None, language: str, words_per_minute: int | None = None
    ) -> Speech:
        """A spoken line. Asking again is harmless, so a lost answer is `ProviderBusy`."""
        if len(text) > TEXT_CHARS_MAX:
            raise ProviderRejected(f"A spoken line may have {TEXT_CHARS_MAX} characters.")
        speed = (words_per_minute or NATURAL_WORDS_PER_MINUTE) / NATURAL_WORDS_PER_MINUTE
        fields = {
            "model": self._model,
            "input": text,
            "voice": VOICES.get(voice, VOICES[None]),
            "response_format": "pcm",
            "speed": round(min(SPEED_MAX, max(SPEED_MIN, speed)), 2),
        }
        if not self._model.startswith("tts-1"):  # those take no instructions
            fields["instructions"] = f"Speak the language {language}."
        reply = self._http.post("/audio/speech", json=fields, repeatable=True, read_s=READ_SECONDS)
        samples = reply.file("audio").read()
        if not samples or len(samples) % SAMPLE_BYTES:
            raise reply.lost_answer("its answer is no speech")
        return Speech(_wav(samples), len(samples) / SAMPLE_BYTES / RATE_HZ)


class OpenAiSpeech(AtOnce):
    """Implements the `Provider` port: a text spoken as an output of its own."""

    def __init__(self, http: OpenAiHttp) -> None:
        self._http = http

    def test(self) -> str:
        return self._http.test()

    def start(self, request: ProviderRequest) -> Answer:
        plain = {"input": request.brief.prompt, "voice": VOICES[None], "response_format": "mp3"}
        fields = {"model": request.provider_model, **(plain if request.input is None else request.input)}
        reply = self._http.post("/audio/speech", json=fields, read_s=READ_SECONDS)
        return Done(ProviderOutput(file=reply.file("audio"), content_type=reply.content_type))


def _wav(samples: bytes) -> bytes:
    """24 kHz, 16 bit, one channel: what the API's `pcm` is."""
    file = io.BytesIO()
    with wave.open(file, "wb") as out:
        out.setnchannels(1)
        out.setsampwidth(SAMPLE_BYTES)
        out.setframerate(RATE_HZ)
        out.writeframes(samples)
    return file.getvalue()
