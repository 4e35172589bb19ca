"""In which languages a line of text can be shown on a picture.

Fonts are carried for the scripts of all languages that are spoken; two more things are missing: fonts for
scripts that few narrations are in, and where to break lines in Burmese, Khmer and Lao, which have no spaces.
"""

from __future__ import annotations

import re
import unicodedata
from typing import Final

_SCRIPTS_TEXT: Final = (
    "arab armn beng cyrl deva ethi geor grek gujr guru hang hani hans hant hebr hira hrkt jpan kana knda "
    "kore latn mlym orya sinh taml telu thai"
)
SCRIPTS: Final = frozenset(_SCRIPTS_TEXT.split())
"""ISO 15924 codes of what can be shown."""
_OTHERWISE_WRITTEN_TEXT: Final = (
    "adp adx ae aho aii akk arc ase ave bax blk blt bo bod bsq bur ccp chr ciw cjm cld cmg cop cr cre crj "
    "crk crl crm csw ctd cwd div dmf dv dz dzo egy eky esg ett ggo got hlu hmd hnj ii iii ike iku iu khb "
    "khg khm kht kjg kjp km ksw kvq lab lao lbj lep lif lis lo mn-cn mnc mni mnw mon-cn mro mvf mww my "
    "mya myz nnp nod non nqo nsk nst oj ojb ojc ojg oji ojs ojw osa otk oui pal peo phn pka pra pwo rhg "
    "rif rki sat saz sga shi shn sip sjo smp sog srb syr tdd tib tsj txg txo tzm udi uga vai wsg xco xcr "
    "xlc xld xmn xmr xna xpr xsa zgh zhx zkt"
)
_OTHERWISE_WRITTEN: Final = frozenset(_OTHERWISE_WRITTEN_TEXT.split())
"""Languages whose usual script is none of them, by the likely subtags of Unicode's CLDR, under every code of
ISO 639-1, -2 and -3. Two are so in China alone."""

WITHOUT_FONT: Final = re.compile(
    "[\u03e2-\u03ef\u0710-\u074f\u0780-\u086a\u0f00-\u0f8c\u13a0-\u1770\u1820-\u1c7d\u1cfa\u2c00-\u2c5f"
    "\u2c80-\u2cf3\u2d30-\u2d6f\u31bc-\u31bf\u4db6-\u4dbf\u9ff0-\ua62b\ua6a0-\ua6e5\ua800-\ua8b3"
    "\ua90a-\ua946\ua984-\ua9cf\uaa00-\uaa4b\uaa80-\uaaf4\uab70-\uabe2"
    "\U00010000-\U00010767\U00010800-\U0001d7cb\U0001e100-\U0001e2eb\U0001e800-\U0001eebb"
    "\U00020000-\U0003ffff]"
)
"""Where the letters lie that no font has. Of the rare Han signs at its end fonts have one in twenty."""


def showable(language: str) -> bool:
    """Whether a line in a language (a BCP 47 tag) can be shown: by the script it names, or its usual one."""
    primary, *subtags = language.lower().split("-")
    script = next((subtag for subtag in subtags if len(subtag) == 4 and subtag.isalpha()), None)
    return script in SCRIPTS if script else _OTHERWISE_WRITTEN.isdisjoint({primary, language.lower()})


def letter_without_font(text: str) -> str | None:
    """The first letter that would be lost if the text were drawn; None where there is none."""
    found = WITHOUT_FONT.finditer(unicodedata.normalize("NFC", text))
    return next((letter[0] for letter in found if letter[0].isalpha()), None)
