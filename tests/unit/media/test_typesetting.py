"""Subtitles and captions: every letter of each language that is spoken, in lines as it breaks them."""

from __future__ import annotations

import re
import subprocess
import sys

import pytest
from PIL import ImageChops

from shoal.adapters.providers.polly.voices import CASTINGS
from shoal.domain import languages
from shoal.domain.languages import letter_without_font, showable
from shoal.media import speech
from shoal.media.pango import Ink, set_text
from shoal.media.typesetting import LINE_PITCH, line, paragraph, shown

LINES = {
    "de": "Straße nach Łódź: größter Ärger um naïve Façaden",
    "ru": "Съешь же ещё этих мягких французских булок, да выпей чаю",
    "el": "Ξεσκεπάζω την ψυχοφθόρα βδελυγμία κάθε μέρα",
    "ar": "نص حكيم له سر قاطع وذو شأن عظيم مكتوب على ثوب أخضر",
    "he": "דג סקרן שט בים מאוכזב ולפתע מצא חברה",
    "hi": "ऋषियों को सताने वाले दुष्ट राक्षसों के राजा रावण का सर्वनाश",
    "th": "เป็นมนุษย์สุดประเสริฐเลิศคุณค่ากว่าบรรดาฝูงสัตว์เดรัจฉาน",
    "zh": "我能吞下玻璃而不伤身体。天地玄黄，宇宙洪荒，日月盈昃。",
    "ja": "いろはにほへと散りぬるを、我が世誰ぞ常ならむ。",
    "ko": "키스의 고유조건은 입술끼리 만나야 하고 특별한 기술은 필요치 않다",
    "ta": "யாமறிந்த மொழிகளிலே தமிழ்மொழி போல் இனிதாவது எங்கும் காணோம்",
    "am": "ሰማይ አይታረስ ንጉሥ አይከሰስ",
}
PRINT_FINGERPRINT = """
import hashlib
from shoal.media.pango import set_text
print(hashlib.sha256(set_text("Łódź ऋषियों 深海 قرش", 30).mask.tobytes()).hexdigest())
"""


def alike(one: Ink, other: Ink) -> bool:
    return one.mask.size == other.mask.size and not ImageChops.difference(one.mask, other.mask).getbbox()


@pytest.mark.parametrize("language", LINES)
def test_no_letter_is_lost(language: str) -> None:
    """Each word leaves ink of its own, and none of it is what stands for a missing letter."""
    assert shown(LINES[language]) == LINES[language]
    for word in LINES[language].split():
        ink, missing = set_text(word, 30, language=language), set_text("\U0001e923" * len(word), 30)
        assert ink.mask.getbbox() is not None
        assert not alike(ink, missing)


@pytest.mark.parametrize("language", LINES)
@pytest.mark.parametrize("room_px", [150, 300, 900])
def test_lines_fit_their_room(language: str, room_px: int) -> None:
    ink = paragraph(LINES[language], 24, room_px, lines_max=9, smallest_px=10, language=language)

    assert ink is not None
    assert ink.mask.width <= room_px


@pytest.mark.parametrize("language", ["de", "ru", "zh", "ja", "ko"])
def test_lines_are_about_equally_long(language: str) -> None:
    text = LINES[language]
    whole = line(text, 24, 10_000, language=language)
    ink = paragraph(text, 24, 400, lines_max=9, smallest_px=10, language=language)

    assert whole is not None
    assert ink is not None
    lines = round(ink.mask.height / (24 * LINE_PITCH)) or 1
    assert lines == round(set_text(text, 24, language=language, width_px=400).mask.height / (24 * LINE_PITCH))
    assert ink.mask.width < whole.mask.width / lines * 1.35


def test_thai_is_broken_between_words_and_korean_at_spaces() -> None:
    thai = paragraph("เป็นมนุษย์สุดประเสริฐ", 24, 120, lines_max=9, smallest_px=10, language="th")
    by_hand = set_text("เป็นมนุษย์\u200bสุดประเสริฐ", 24, language="th", width_px=120)
    korean = paragraph("입술끼리 만나야", 24, 110, lines_max=9, smallest_px=10, language="ko")

    assert thai is not None
    assert alike(thai, by_hand)
    assert korean is not None
    assert alike(korean, set_text("입술끼리\n만나야", 24, language="ko"))


def test_no_line_of_chinese_or_japanese_begins_with_a_closing_mark() -> None:
    for language, text in (("zh", "天地玄黄，宇宙洪荒。"), ("ja", "浅きき夢。見じ酔ひ。")):
        letter = set_text("天", 24, language=language).mask.width
        ink = paragraph(text, 24, letter * 5 - 4, lines_max=9, smallest_px=10, language=language)
        assert ink is not None
        # Five letters would fit but for the mark that may not stand first on the next line.
        assert not alike(ink, set_text(f"{text[:4]}\n{text[4:8]}\n{text[8:]}", 24, language=language))


def test_arabic_is_joined_and_runs_from_right_to_left() -> None:
    apart, joined = set_text("س\u200cل\u200cا\u200cم", 40), set_text("سلام", 40)
    assert joined.mask.width < apart.mask.width

    long, mirrored = set_text("شششش ا", 40).mask, set_text("ا شششش", 40).mask
    assert long.crop((0, 0, 8, long.height)).getbbox() is not None
    assert sum(long.crop((0, 0, 8, long.height)).histogram()[128:]) != sum(
        mirrored.crop((0, 0, 8, mirrored.height)).histogram()[128:]
    )


def test_chinese_characters_have_the_shape_of_the_language() -> None:
    japanese, taiwanese = (set_text("直骨过", 40, language=tag) for tag in ("ja", "zh-TW"))

    assert not alike(japanese, taiwanese)
    assert alike(taiwanese, set_text("直骨过", 40, language="zh-Hant"))
    assert alike(set_text("直骨过", 40, language="zh"), set_text("直骨过", 40, language="en"))


def test_what_is_too_long_shrinks_and_then_ends_with_an_ellipsis() -> None:
    ink = paragraph("word " * 200, 24, 300, lines_max=3, smallest_px=10)
    short = line("word " * 200, 12, 300)

    assert ink is not None
    assert ink.mask.height <= 3 * 1.4 * 10
    assert short is not None
    assert 200 < short.mask.width <= 300
    assert line("word", 12, 3) is None


def test_markup_and_controls_are_text_like_any_other() -> None:
    assert alike(set_text("<b>&amp;", 24), set_text("<b>&amp;", 24))
    assert set_text("<b>x</b>", 24).mask.width > 3 * set_text("x", 24).mask.width
    assert shown("a\x00b \u202ec\ud800\n\n d") == "ab c d"
    assert shown("\ufffe\x1b") == ""
    assert line("", 24, 100) is None
    assert paragraph(" \n", 24, 100, lines_max=3, smallest_px=10) is None


def test_the_machine_s_own_fonts_are_not_used() -> None:
    command = [sys.executable, "-c", PRINT_FINGERPRINT]
    said = [
        subprocess.run(command, capture_output=True, text=True, check=True, env=env).stdout  # noqa: S603 - ours
        for env in ({"FONTCONFIG_FILE": "/nowhere", "LANG": "C"}, {"LANG": "ja_JP.UTF-8", "HOME": "/root"})
    ]

    assert said[0] == said[1]


@pytest.mark.parametrize("language", sorted(CASTINGS))
def test_what_polly_speaks_can_be_shown(language: str) -> None:
    assert showable(language)


def letters_beside(code: int, step: int) -> str:
    """The nearest letter before or after a code point, below the rare Han signs."""
    within = range(code + step, 0x20000 if step > 0 else 0, step)
    return next((chr(at) for at in within if chr(at).isalpha()), "z")


@pytest.mark.parametrize("ends", re.findall(r"(.)-(.)|(.)", languages.WITHOUT_FONT.pattern[1:-1]))
def test_the_letters_that_are_refused_are_those_that_no_font_has(ends: tuple[str, str, str]) -> None:
    first, last, only = ends
    for letter in (first or only, last or only):
        if letter < "\U00020000":
            assert (letter_without_font(letter), shown(letter)) == (letter, ""), hex(ord(letter))
    if (first or only) < "\U00020000":
        for letter in (letters_beside(ord(first or only), -1), letters_beside(ord(last or only), 1)):
            assert shown(letter), hex(ord(letter))
            assert letter_without_font(letter) is None


def test_what_espeak_speaks_can_be_shown_or_is_refused() -> None:
    assert {tag for tag in speech.languages() if not showable(tag)} == {
        "chr-us-qaaa-x-west",
        "en-shaw",
        "my",
        "shn",
    }
