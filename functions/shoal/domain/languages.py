"""In which languages a line of text can be shown on a picture.

Fonts are carried for the scripts of all languages that are spoken; two more things are missing: fonts for
scripts that few narrations are in, and where to break lines in Burmese, Khmer and Lao, which have no spaces.
"""

from __future__ import annotations

from typing import Final

_SCRIPTS_TEXT: Final = (
    "arab armn beng cyrl deva ethi geor grek gujr guru hang hani hans hant hebr hira hrkt jpan kana knda "
    "kore latn mlym orya sinh taml telu thai"
)
SCRIPTS: Final = frozenset(_SCRIPTS_TEXT.split())
"""ISO 15924 codes of what can be shown."""
_OTHERWISE_WRITTEN_TEXT: Final = (
    "aii arc bo ccp chr cop cr dv dz got ii iu khb km ksw lep lif lis lo mni mnw my nqo oj sat shi shn "
    "syr tdd tzm vai zgh"
)
_OTHERWISE_WRITTEN: Final = frozenset(_OTHERWISE_WRITTEN_TEXT.split())
"""Languages (ISO 639) whose usual script is none of them."""


def showable(language: str) -> bool:
    """Whether a line in a language (a BCP 47 tag) can be shown: by the script it names, or its usual one."""
    primary, *subtags = language.lower().split("-")
    script = next((subtag for subtag in subtags if len(subtag) == 4 and subtag.isalpha()), None)
    return script in SCRIPTS if script else primary not in _OTHERWISE_WRITTEN
