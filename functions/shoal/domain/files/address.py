"""What a caller may name an input by: an address on the web, a `data:` URI, or the id of a file."""

from __future__ import annotations

import base64
import binascii
import re

from shoal.domain.errors import OutputInvalid
from shoal.domain.ids import ulid_of

FILE_PREFIX = "file"
_DATA = re.compile(r"data:[^,;]*(?:;[^,;]*)*?;base64,", re.IGNORECASE)
"""How a `data:` URI begins (RFC 2397); what it says of its type is not looked at."""
_HEAD_CHARACTERS_MAX = 256
"""Within which it has to begin so: no search goes through megabytes of semicolons."""
NO_DATA = "must be a data: URI of base64 such as data:image/png;base64,iVBORw0KGgo="


def is_data_uri(address: str) -> bool:
    return address[:5].lower() == "data:"


def head_length(address: str) -> int | None:
    """How many characters stand before the base64 of a `data:` URI; None if there is none."""
    found = _DATA.match(address, 0, _HEAD_CHARACTERS_MAX)
    return found.end() if found else None


def is_file_id(address: str) -> bool:
    """Whether it is meant as the id of a file: a well-formed one or not."""
    return address.startswith(f"{FILE_PREFIX}_")


def is_on_web(address: str) -> bool:
    """Whether it leads out of the stage."""
    return not is_data_uri(address) and not is_file_id(address)


def file_ulid(file_id: str) -> str | None:
    """The ULID of a well-formed id of a file, else None."""
    return ulid_of(FILE_PREFIX, file_id)


def data_of(address: str, bytes_max: int) -> bytes:
    """The bytes that a `data:` URI holds. Raises `OutputInvalid`, whose text is public."""
    begins = head_length(address)
    if begins is None:
        raise OutputInvalid(NO_DATA)
    if (len(address) - begins) // 4 * 3 > bytes_max + 3:
        raise OutputInvalid(f"must hold at most {bytes_max:,} bytes")
    try:
        data = base64.b64decode(address[begins:], validate=True)
    except (binascii.Error, ValueError):
        raise OutputInvalid(NO_DATA) from None
    if len(data) > bytes_max:
        raise OutputInvalid(f"must hold at most {bytes_max:,} bytes")
    return data
