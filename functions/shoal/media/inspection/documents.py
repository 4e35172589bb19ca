"""JSON and text: nothing is measured of them, and both are bounded before they are read."""

from __future__ import annotations

import json
import re
from typing import Any, Final

from shoal.domain.errors import OutputInvalid

DOCUMENT_BYTES_MAX: Final = 4 * 2**20
"""Of a document of empty lists, some 100 MB are made."""
DEPTH_MAX: Final = 64
NO_JSON: Final = "The provider did not deliver a readable JSON document."
NO_TEXT: Final = "The provider did not deliver a readable text."
TOO_LARGE: Final = "The provider's document is too large."
_CONTROLS: Final = re.compile("[\x00-\x08\x0b\x0e-\x1a\x1c-\x1f]")
"""What stands in no text but in a file of another kind (mimesniff.spec.whatwg.org, 3)."""


def check_json(data: bytes) -> None:
    """Raises `OutputInvalid` unless it is JSON (RFC 8259) in UTF-8, of a bounded size and depth."""
    parse_json(data)


def parse_json(data: bytes) -> Any:
    """What the JSON says. Raises `OutputInvalid`."""
    if len(data) > DOCUMENT_BYTES_MAX:
        raise OutputInvalid(TOO_LARGE)
    try:
        told = json.loads(data.decode("utf-8-sig"), parse_constant=_no_constant)
    except (ValueError, RecursionError):
        raise OutputInvalid(NO_JSON) from None
    if _is_deep(told):
        raise OutputInvalid("The provider's JSON document is nested too deep.")
    return told


def check_text(data: bytes) -> None:
    """Raises `OutputInvalid` unless it is text in UTF-8, of a bounded size, and says something."""
    if len(data) > DOCUMENT_BYTES_MAX:
        raise OutputInvalid(TOO_LARGE)
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError:
        raise OutputInvalid(NO_TEXT) from None
    if not text.strip() or _CONTROLS.search(text):
        raise OutputInvalid(NO_TEXT)


def _no_constant(name: str) -> None:
    raise ValueError(f"JSON has no {name}")


def _is_deep(told: object) -> bool:
    """Whether lists and objects stand in each other more often than anybody needs."""
    level = [told]
    for _ in range(DEPTH_MAX + 1):
        level = [inner for outer in level for inner in _parts(outer)]
        if not level:
            return False
    return True


def _parts(told: object) -> list[object]:
    if isinstance(told, dict):
        return list(told.values())
    return told if isinstance(told, list) else []
