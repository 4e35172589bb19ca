"""A fake Amazon Polly: SynthesizeSpeech."""

from __future__ import annotations

import re
from xml.etree import ElementTree

from tests.fakes.providers.aws import FakeAws, error
from tests.fakes.providers.checks import array, check_fields, one_of, text
from tests.fakes.providers.media import pcm
from tests.fakes.providers.server import Asked, Malformed, Told, telling

BILLED_CHARS_MAX = 3_000
CHARS_MAX = 6_000
WORDS_PER_MINUTE = 165
_RATE = re.compile(r"(\d{2,3})%")
_FIELDS = {
    "Engine": one_of("standard", "neural", "generative", "long-form"),
    "LanguageCode": text(9),
    "LexiconNames": array(text(20)),
    "SampleRate": text(5),
    "TextType": one_of("text", "ssml"),
}
_RATES = {
    "pcm": ("8000", "16000"),
    "mp3": ("8000", "16000", "22050", "24000"),
    "ogg_vorbis": ("8000", "16000", "22050", "24000"),
}


class FakePolly(FakeAws):
    """Speaks a tone as long as the words take. Standard voices know no neural engine."""

    service = "polly"
    standard_only = frozenset({"Tatyana", "Maxim", "Carmen", "Gwyneth", "Dora", "Karl"})
    routes = (("POST", "/v1/speech", "speak"), ("GET", "/v1/voices", "voices"))

    def voices(self, asked: Asked) -> Told:
        check_fields(asked.query, {}, dict.fromkeys(("Engine", "LanguageCode", "NextToken"), text()))
        languages = {"LanguageCode": "en-US", "LanguageName": "US English"}
        return telling({"Voices": [{"Id": "Joanna", "Gender": "Female", **languages}]})

    def speak(self, asked: Asked) -> Told:
        sent = asked.json()
        formats = one_of(*_RATES)
        check_fields(sent, {"OutputFormat": formats, "Text": text(), "VoiceId": text(20)}, _FIELDS)
        if sent.get("SampleRate", "16000") not in _RATES[sent["OutputFormat"]]:
            return error(400, "InvalidSampleRateException", "The specified sample rate is not valid.")
        if (sent["VoiceId"] in self.standard_only) != (sent.get("Engine") == "standard"):
            return error(400, "EngineNotSupportedException", "This voice does not support the engine.")
        said, percent = sent["Text"], 100
        if sent.get("TextType") == "ssml":
            said, percent = _ssml(said)
        if len(said) > BILLED_CHARS_MAX or len(sent["Text"]) > CHARS_MAX:
            return error(400, "TextLengthExceededException", "Maximum text length has been exceeded.")
        seconds = 60 * len(said.split()) / (WORDS_PER_MINUTE * percent / 100)
        audio = pcm(seconds, int(sent.get("SampleRate", "16000")))
        kind = {"pcm": "audio/pcm", "mp3": "audio/mpeg", "ogg_vorbis": "audio/ogg"}[sent["OutputFormat"]]
        headers = {"Content-Type": kind, "x-amzn-RequestCharacters": str(len(said))}
        return Told(200, audio, headers)


def _ssml(markup: str) -> tuple[str, int]:
    """What is spoken, and its rate in percent."""
    try:
        root = ElementTree.fromstring(markup)  # noqa: S314 - a test's own text
    except ElementTree.ParseError:
        raise Malformed("Text", "is no SSML") from None
    rate = _RATE.fullmatch(root[0].get("rate", "")) if len(root) else None
    if root.tag != "speak" or not rate or not 20 <= int(rate[1]) <= 200:
        raise Malformed("Text", "is no SSML")
    return "".join(root.itertext()), int(rate[1])
