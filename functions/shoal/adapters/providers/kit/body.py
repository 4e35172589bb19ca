"""A provider's answer, read as it comes: what is long in it goes to the disk, and none of it is held whole.

A picture is one long base64 text within a small JSON document. It is decoded on its way to a file, and the
document keeps a name in its place: so what is left can be parsed at once, like any answer.
"""

from __future__ import annotations

import binascii
import io
import json
import re
import secrets
from collections.abc import Iterable, Mapping
from tempfile import SpooledTemporaryFile
from typing import IO, Any, Protocol

from shoal.adapters.providers.kit.fields import Inline
from shoal.domain.errors import ProviderFailed

BYTES_MAX = 64 * 2**20
CHUNK_BYTES = 64 * 1024
SPELLED_BYTES = 3 * CHUNK_BYTES
IN_MEMORY_BYTES_MAX = 2**20
"""What a file may have before it goes to the disk."""

TEXT_BYTES_MAX = 256 * 1024
"""What a text may have before it goes to a file: longer than any that is read as words."""

DOCUMENT_BYTES_MAX = 4 * 2**20
"""What may be left of a JSON document: parsed, it takes several times as much memory."""

_TEXT = re.compile(rb'(?:[^"\\]++|\\(?:u[0-9a-fA-F]{4}|[^u]))++')
"""As much of a text as is there, each escape whole."""

_ESCAPE_BYTES_MAX = 6
_SPELLED = re.compile(rb"\\(?:/|u00(2[bBfF]|3[dD]))")
"""What some JSON writers escape of base64: its two signs and its padding."""

_NAME = "long text "
"""Base64 has no spaces: what begins like this and is a name is no picture."""


class Body(Protocol):
    """A body as far as it was written."""

    def write(self, chunk: bytes) -> None:
        """Raises `ProviderFailed` for what is too large to be kept."""

    @property
    def start(self) -> bytes:
        """Its beginning, for operators."""


def fill(body: Body, chunks: Iterable[bytes], bytes_max: int = BYTES_MAX) -> None:
    """Write an answer's chunks as they come. Raises `ProviderFailed` beyond `bytes_max`."""
    size = 0
    for chunk in chunks:
        size += len(chunk)
        if size > bytes_max:
            raise too_large()
        body.write(chunk)


def too_large() -> ProviderFailed:
    return ProviderFailed("The provider's answer was too large.")


class FileBody:
    """A body that is a file: a picture, a clip, a page."""

    def __init__(self) -> None:
        self._file = _Spool()

    def write(self, chunk: bytes) -> None:
        self._file.write(chunk)

    @property
    def start(self) -> bytes:
        self._file.seek(0)
        return self._file.read(CHUNK_BYTES)

    @property
    def file(self) -> IO[bytes]:
        """All of it, from its beginning."""
        self._file.seek(0)
        return self._file


class JsonBody:
    """A JSON document, its long texts in files. Whether it is one shows when the document is parsed."""

    def __init__(self) -> None:
        self._document = bytearray()
        self._rest = b""  # an escape that the last chunk cut in two
        self._text_at: int | None = None  # where the text begins that is being read
        self._long: _LongText | None = None
        self._longs: list[_LongText] = []

    def write(self, chunk: bytes) -> None:
        chunk, at = self._rest + chunk, 0
        while at < len(chunk):
            if self._text_at is None:
                at = self._pass_structure(chunk, at)
            elif text := _TEXT.match(chunk, at):
                self._take(text[0])
                at = text.end()
            elif chunk[at : at + 1] == b'"':
                self._end_text()
                at += 1
            elif len(chunk) - at < _ESCAPE_BYTES_MAX:
                break
            else:  # a backslash that escapes nothing: the parser will refuse it
                self._take(chunk[at : at + 1])
                at += 1
            if len(self._document) > DOCUMENT_BYTES_MAX:
                raise too_large()
        self._rest = chunk[at:]

    @property
    def start(self) -> bytes:
        return self.document

    @property
    def document(self) -> bytes:
        """The JSON text without its long texts."""
        return bytes(self._document) + self._rest

    @property
    def shortened(self) -> bool:
        """Whether a long text was left out of the document."""
        return bool(self._longs)

    def decode_base64(self, text: str) -> IO[bytes]:
        """What a text of the document spells. Raises `ValueError` for one that is no base64."""
        number = text.removeprefix(_NAME)
        if number != text and number.isdecimal() and int(number) < len(self._longs):
            return self._longs[int(number)].file()
        return io.BytesIO(binascii.a2b_base64(text.encode(), strict_mode=True))

    def _pass_structure(self, chunk: bytes, at: int) -> int:
        end = chunk.find(b'"', at) + 1
        self._document += chunk[at : end or len(chunk)]
        if end:
            self._text_at = len(self._document)
        return end or len(chunk)

    def _take(self, part: bytes) -> None:
        """A part of the text that is being read."""
        if self._long:
            self._long.write(part)
            return
        self._document += part
        begun_at = self._text_at or 0
        if len(self._document) - begun_at > TEXT_BYTES_MAX:
            self._long = _LongText()
            self._long.write(bytes(self._document[begun_at:]))
            del self._document[begun_at:]

    def _end_text(self) -> None:
        if self._long:
            self._document += f"{_NAME}{len(self._longs)}".encode()
            self._longs.append(self._long)
        self._document += b'"'
        self._text_at = self._long = None


def write_json(fields: Mapping[str, Any]) -> bytes | IO[bytes]:
    """A request's JSON; a file where it holds pictures, of which there may be forty megabytes."""
    pictures: list[Inline] = []

    def put_off(value: object) -> str:
        if not isinstance(value, Inline):
            raise TypeError(f"{type(value).__name__} is no JSON")
        pictures.append(value)
        return f"{mark}{value.prefix}"

    mark = secrets.token_hex(16)  # nothing that a caller wrote has it
    first, *others = json.dumps(fields, default=put_off, ensure_ascii=False).split(mark)
    if not pictures:
        return first.encode()
    file = _Spool()
    file.write(first.encode())
    for inline, rest in zip(pictures, others, strict=True):
        file.write(rest[: len(inline.prefix)].encode())
        for at in range(0, len(inline.picture), SPELLED_BYTES):
            file.write(binascii.b2a_base64(inline.picture[at : at + SPELLED_BYTES], newline=False))
        file.write(rest[len(inline.prefix) :].encode())
    file.seek(0)
    return file


class _LongText:
    """The bytes that a long base64 text spells; of any other text nothing is kept."""

    def __init__(self) -> None:
        self._file = _Spool()
        self._rest = b""  # less than the four signs that three bytes are spelled with
        self._padded = self._broken = False

    def write(self, part: bytes) -> None:
        text = self._rest + (_SPELLED.sub(_unescaped, part) if b"\\" in part else part)
        whole = len(text) - len(text) % 4
        self._rest = text[whole:]
        self._broken = self._broken or (self._padded and bool(text))
        if not self._broken:
            self._decode(text[:whole])

    def file(self) -> IO[bytes]:
        """Raises `ValueError` if the text was no base64."""
        if self._broken or self._rest:
            raise ValueError("no base64")
        self._file.seek(0)
        return self._file

    def _decode(self, text: bytes) -> None:
        try:
            self._file.write(binascii.a2b_base64(text, strict_mode=True))
        except binascii.Error:
            self._broken = True
            self._file.truncate(0)
        self._padded = text.endswith(b"=")


def _unescaped(found: re.Match[bytes]) -> bytes:
    return bytes.fromhex(found[1].decode()) if found[1] else b"/"


class _Spool(SpooledTemporaryFile[bytes]):
    """In memory while it is small. What an answer brought and nobody wanted closes by itself."""

    def __init__(self) -> None:
        super().__init__(IN_MEMORY_BYTES_MAX)

    def __del__(self) -> None:
        self.close()
