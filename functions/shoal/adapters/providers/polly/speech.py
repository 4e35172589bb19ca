"""Amazon Polly: speech for narrations, https://docs.aws.amazon.com/polly/latest/dg/API_SynthesizeSpeech.html."""

from __future__ import annotations

import io
import re
import textwrap
import wave
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any
from xml.sax.saxutils import escape

from shoal.adapters.providers.kit.at_once import AtOnce
from shoal.adapters.providers.kit.aws_calls import lost_answer, port_errors
from shoal.adapters.providers.kit.body import CHUNK_BYTES, FileBody, fill
from shoal.adapters.providers.polly.voices import Cast, cast
from shoal.domain.errors import ProviderRejected
from shoal.domain.provider import Answer, Done, ProviderOutput, ProviderRequest
from shoal.domain.script import NATURAL_WORDS_PER_MINUTE, Speech

if TYPE_CHECKING:
    from mypy_boto3_polly import PollyClient

RATE_HZ = 16_000
"""The highest that Polly gives as PCM."""

SAMPLE_BYTES = 2
CHARS_MAX = 3_000
"""What one call takes, markup not counted."""

RATE_PERCENT_MIN, RATE_PERCENT_MAX = 20, 200
_SENTENCE_ENDS = re.compile(r"(?<=[.!?…])\s+|(?<=[。！？])")
_NO_XML = re.compile(r"[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


class Polly:
    """Implements the `Speaker` port."""

    def __init__(self, client: PollyClient) -> None:
        self._client = client

    def test(self) -> str:
        """One cheap call with the credentials, in words for the operator. Raises as `speak` does."""
        with port_errors("polly", repeatable=True):
            answer = self._client.describe_voices(Engine="neural", LanguageCode="en-US")
        return f"{len(answer.get('Voices', []))} voices"

    def speak(
        self, text: str, *, voice: str | None, language: str, words_per_minute: int | None = None
    ) -> Speech:
        """A text longer than a call takes is spoken in pieces, cut between sentences.

        Asking again is harmless, so a lost answer is `ProviderBusy`. Also raises `ProviderUnusable`.
        """
        who = cast(voice, language)
        said = _NO_XML.sub(" ", text).strip()
        if not said:
            raise ProviderRejected("There is nothing to say.")
        samples = b"".join(self._speak_text(piece, who, words_per_minute) for piece in pieces(said))
        return Speech(_wav(samples), len(samples) / (RATE_HZ * SAMPLE_BYTES))

    def _speak_text(self, text: str, who: Cast, words_per_minute: int | None) -> bytes:
        """16-bit samples, one channel."""
        asked: dict[str, Any] = {
            "Engine": who.engine,
            "LanguageCode": who.language_code,
            "OutputFormat": "pcm",
            "SampleRate": str(RATE_HZ),
            "Text": text,
            "TextType": "text",
            "VoiceId": who.voice_id,
        }
        if words_per_minute is not None:
            asked |= {"Text": _pace(text, words_per_minute), "TextType": "ssml"}
        with port_errors("polly", repeatable=True):
            answer = self._client.synthesize_speech(**asked)
            samples = answer["AudioStream"].read()
        if answer.get("ContentType") != "audio/pcm" or not samples or len(samples) % SAMPLE_BYTES:
            raise lost_answer("polly", "its answer is no speech", repeatable=True)
        return samples


class PollySpeech(AtOnce):
    """Implements the `Provider` port: a text spoken as an output of its own, in one call.

    A `provider_model` is an engine, such as `neural`; a route's input has the names of SynthesizeSpeech.
    """

    def __init__(self, client: PollyClient) -> None:
        self._client = client

    def test(self) -> str:
        return Polly(self._client).test()

    def start(self, request: ProviderRequest) -> Answer:
        asked: dict[str, Any] = {"Engine": request.provider_model, "OutputFormat": "mp3"}
        plain = {"Text": request.brief.prompt, "VoiceId": cast(None, "en-US").voice_id}
        asked |= plain if request.input is None else request.input
        body = FileBody()
        with port_errors("polly", repeatable=False):
            answer = self._client.synthesize_speech(**asked)
            fill(body, answer["AudioStream"].iter_chunks(CHUNK_BYTES))
        kind = str(answer.get("ContentType"))
        if not kind.startswith("audio/"):
            raise lost_answer("polly", "its answer is no speech", repeatable=False)
        return Done(ProviderOutput(file=body.file, content_type=kind))


def pieces(text: str, chars_max: int = CHARS_MAX) -> Iterator[str]:
    """The text cut between sentences where that is possible, between words otherwise."""
    piece = ""
    for sentence in _SENTENCE_ENDS.split(text):
        for part in textwrap.wrap(sentence, chars_max, break_on_hyphens=False):
            if piece and len(piece) + 1 + len(part) > chars_max:
                yield piece
                piece = part
            else:
                piece = f"{piece} {part}" if piece else part
    if piece:
        yield piece


def _pace(text: str, words_per_minute: int) -> str:
    """SSML at another pace than the voice's own, which is taken for everybody's natural one."""
    percent = round(100 * words_per_minute / NATURAL_WORDS_PER_MINUTE)
    rate = min(max(percent, RATE_PERCENT_MIN), RATE_PERCENT_MAX)
    return f'<speak><prosody rate="{rate}%">{escape(text)}</prosody></speak>'


def _wav(samples: bytes) -> bytes:
    file = io.BytesIO()
    with wave.open(file, "wb") as out:
        out.setnchannels(1)
        out.setsampwidth(SAMPLE_BYTES)
        out.setframerate(RATE_HZ)
        out.writeframes(samples)
    return file.getvalue()
