"""Texts as people see them."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shoal.domain.text import folded, is_blank, same_form

NOTHING = {
    "empty": "",
    "spaces": " \t\u00a0\u3000",
    "zero width": "\u200b\u200c\u200d\u2060\ufeff",
    "soft hyphen": "\u00ad",
    "combining alone": "\u0301\u20dd",
    "Hangul fillers": "\u3164\u115f\u1160\uffa0",
    "tags": "\U000e0041\U000e007f",
    "variation selectors": "\ufe0f\U000e0100",
    "Braille blank": "\u2800",
    "directions": "\u202e\u2066\u2069",
    "control": "\x00\x1f",
    "no character": "\ufffe\U0010ffff",
}
SOMETHING = [
    "a",
    "e\u0301",
    "\u200ba",
    "\U0001f988",
    "\u6f22",
    "\u0939\u093f",
    ".",
    "\ue000",
    "\U0001f9d1\u200d\U0001f680",
]


@pytest.mark.parametrize("text", NOTHING.values(), ids=NOTHING)
def test_what_has_nothing_visible_is_blank(text: str) -> None:
    assert is_blank(text)


@pytest.mark.parametrize("text", SOMETHING)
def test_what_shows_is_not(text: str) -> None:
    assert not is_blank(text)


@given(st.text(), st.text())
def test_a_text_is_as_blank_as_its_parts(one: str, other: str) -> None:
    assert is_blank(one + other) == (is_blank(one) and is_blank(other))


@given(st.text())
def test_a_form_is_the_same_again(text: str) -> None:
    assert same_form(same_form(text)) == same_form(text)
    assert folded(folded(text)) == folded(text)


def test_one_letter_in_two_spellings_is_one_letter() -> None:
    assert same_form("caf\u00e9") == same_form("cafe\u0301")
    assert folded("\uff33\uff28\uff21\uff32\uff2b STRASSE") == folded("shark stra\u00dfe")
