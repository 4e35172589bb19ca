"""The voice of Amazon Polly for a language, https://docs.aws.amazon.com/polly/latest/dg/available-voices.html.

Languages are Polly's codes. The first of several that share a primary subtag speaks for the bare subtag.
"""

from __future__ import annotations

from typing import Final, NamedTuple

from shoal.domain.script import VOICES


class Casting(NamedTuple):
    """A language's women and men, in the order of ours; Polly's neural engine has most."""

    women: tuple[str, ...]
    men: tuple[str, ...] = ()
    engine: str = "neural"


DEFAULT_LANGUAGE: Final = "en-US"

CASTINGS: Final = {
    "en-US": Casting(("Joanna", "Danielle", "Ruth"), ("Matthew", "Stephen", "Gregory")),
    "en-GB": Casting(("Amy", "Emma"), ("Arthur", "Brian")),
    "en-AU": Casting(("Olivia",)),
    "en-IN": Casting(("Kajal",)),
    "en-IE": Casting(("Niamh",)),
    "en-NZ": Casting(("Aria",)),
    "en-SG": Casting(("Jasmine",)),
    "en-ZA": Casting(("Ayanda",)),
    "ar-AE": Casting(("Hala",), ("Zayd",)),
    "ca-ES": Casting(("Arlet",)),
    "cmn-CN": Casting(("Zhiyu",)),
    "cs-CZ": Casting(("Jitka",)),
    "cy-GB": Casting(("Gwyneth",), engine="standard"),
    "da-DK": Casting(("Sofie",)),
    "de-DE": Casting(("Vicki",), ("Daniel",)),
    "de-AT": Casting(("Hannah",)),
    "de-CH": Casting(("Sabrina",)),
    "es-ES": Casting(("Lucia",), ("Sergio",)),
    "es-MX": Casting(("Mia",), ("Andres",)),
    "es-US": Casting(("Lupe",), ("Pedro",)),
    "fi-FI": Casting(("Suvi",)),
    "fr-FR": Casting(("Lea",), ("Remi",)),
    "fr-BE": Casting(("Isabelle",)),
    "fr-CA": Casting(("Gabrielle",), ("Liam",)),
    "hi-IN": Casting(("Kajal",)),
    "is-IS": Casting(("Dora",), ("Karl",), "standard"),
    "it-IT": Casting(("Bianca",), ("Adriano",)),
    "ja-JP": Casting(("Kazuha", "Tomoko"), ("Takumi",)),
    "ko-KR": Casting(("Seoyeon", "Jihye")),
    "nb-NO": Casting(("Ida",)),
    "nl-NL": Casting(("Laura",)),
    "nl-BE": Casting(("Lisa",)),
    "pl-PL": Casting(("Ola",)),
    "pt-BR": Casting(("Camila", "Vitoria"), ("Thiago",)),
    "pt-PT": Casting(("Ines",)),
    "ro-RO": Casting(("Carmen",), engine="standard"),
    "ru-RU": Casting(("Tatyana",), ("Maxim",), "standard"),
    "sv-SE": Casting(("Elin",)),
    "tr-TR": Casting(("Burcu",)),
    "yue-CN": Casting(("Hiujin",)),
}

_SPELLED_OTHERWISE: Final = {"zh": "cmn-CN", "no": "nb-NO", "nn": "nb-NO", "zh-hk": "yue-CN"}
_WOMEN: Final = VOICES[:3]


class Cast(NamedTuple):
    """What a call of Polly needs to know."""

    voice_id: str
    language_code: str
    engine: str


def cast(voice: str | None, language: str) -> Cast:
    """Who speaks. A language that Polly does not know is spoken as English, men that it lacks by women."""
    code = _code(language.lower())
    women, men, engine = CASTINGS[code]
    place = VOICES.index(voice) if voice in VOICES else 0
    speakers = women if place < len(_WOMEN) else (men or women)
    return Cast(speakers[place % len(_WOMEN) % len(speakers)], code, engine)


def _code(tag: str) -> str:
    """Polly's code for a language tag (BCP 47) in lower case."""
    primary = tag.partition("-")[0]
    exact = next((code for code in CASTINGS if code.lower() == tag), None)
    near = next((code for code in CASTINGS if code.lower().partition("-")[0] == primary), DEFAULT_LANGUAGE)
    return exact or _SPELLED_OTHERWISE.get(tag) or _SPELLED_OTHERWISE.get(primary) or near
