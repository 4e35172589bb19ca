"""Text as people see it, and the one form in which it is compared and in which JSON is kept."""

from __future__ import annotations

import json
import unicodedata
from typing import Any

BLANK = frozenset("\u115f\u1160\u3164\uffa0\u2800\U0001d159")
"""Letters and symbols by category that show nothing: Hangul fillers, an empty Braille cell and note."""
UNSEEN = frozenset({"Cc", "Cf", "Cs", "Mn", "Mc", "Me", "Zl", "Zp", "Zs"})
"""What alone shows nothing: controls, zero-width and tag characters, marks without a letter, spaces."""
_UNASSIGNED_UNSEEN = ((0x2065, 0x2065), (0xFDD0, 0xFDEF), (0xFFF0, 0xFFF8), (0xE0000, 0xE0FFF))
"""Of the code points without a character, those that every reader ignores. Others may be letters by now."""


def is_blank(text: str) -> bool:
    """Whether nothing of it can be seen."""
    return not any(_shows(char) for char in text)


def same_form(text: str) -> str:
    """Texts that look and mean the same by Unicode (NFC) become equal."""
    return unicodedata.normalize("NFC", text)


def folded(text: str) -> str:
    """Texts that a search takes for the same become equal, whatever their case and width (NFKC)."""
    return unicodedata.normalize("NFKC", unicodedata.normalize("NFKC", text).casefold())


def json_text(value: Any) -> str:
    """JSON as it is stored, queued, sent and measured: its letters as they are, in UTF-8.

    Escaped, those of most languages take two to three times the bytes.

    Two characters are escaped all the same, since SQS takes only those that XML has.
    """
    text = json.dumps(value, ensure_ascii=False)
    return text.replace("\ufffe", "\\ufffe").replace("\uffff", "\\uffff")


def json_bytes(value: Any) -> int:
    """The length of a JSON text in bytes."""
    return len(json_text(value).encode())


def _shows(char: str) -> bool:
    category = unicodedata.category(char)
    if category == "Cn":
        point = ord(char)
        return point & 0xFFFE != 0xFFFE and not any(low <= point <= high for low, high in _UNASSIGNED_UNSEEN)
    return category not in UNSEEN and char not in BLANK
