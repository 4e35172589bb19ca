"""Forms with files (RFC 7578), read within limits: one file, and a few short texts."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from python_multipart.exceptions import FormParserError
from python_multipart.multipart import MultipartParser, parse_options_header

from shoal.domain.errors import ValidationFailed

PARTS_MAX = 64
TEXT_BYTES_MAX = 16_000
HEADER_BYTES_MAX = 8_000
FILE = "file"


@dataclass(frozen=True, slots=True)
class FormBody:
    """The texts by the names of their fields; the file's name as its sender tells it, and its bytes."""

    texts: dict[str, str]
    file_name: str
    data: bytes


@dataclass(slots=True)
class _Part:
    headers: dict[bytes, bytes] = field(default_factory=dict)
    data: bytearray = field(default_factory=bytearray)


class _Parts:
    """Collects parts as the package tells of them. `_name` and `_value` are those of a header field."""

    def __init__(self) -> None:
        self.found: list[_Part] = []
        self._name, self._value = bytearray(), bytearray()
        self.ended = False

    def callbacks(self) -> Any:
        return {
            "on_part_begin": self._begin,
            "on_header_field": lambda data, start, end: self._add(self._name, data[start:end]),
            "on_header_value": lambda data, start, end: self._add(self._value, data[start:end]),
            "on_header_end": self._end_header,
            "on_part_data": lambda data, start, end: self.found[-1].data.extend(data[start:end]),
            "on_end": self._end,
        }

    def _begin(self) -> None:
        if len(self.found) == PARTS_MAX:
            raise ValidationFailed(f"A form may have at most {PARTS_MAX} parts.")
        self.found.append(_Part())

    def _add(self, to: bytearray, data: bytes) -> None:
        if len(to) + len(data) > HEADER_BYTES_MAX:
            raise _no_form()
        to.extend(data)

    def _end_header(self) -> None:
        self.found[-1].headers[bytes(self._name).lower()] = bytes(self._value)
        self._name.clear()
        self._value.clear()

    def _end(self) -> None:
        self.ended = True


def form_body(body: bytes, content_type: str) -> FormBody:
    """The form that a body is. Raises `ValidationFailed`, also for one without exactly one `file`."""
    _, options = parse_options_header(content_type)
    boundary = options.get(b"boundary")
    if not boundary:
        raise _no_form()
    parts = _Parts()
    try:
        parser = MultipartParser(boundary, parts.callbacks())
        parser.write(body)
        parser.finalize()
    except FormParserError:
        raise _no_form() from None
    if not parts.ended:
        raise _no_form()
    return _form_of(parts.found)


def _form_of(parts: list[_Part]) -> FormBody:
    texts: dict[str, str] = {}
    files: list[tuple[str, bytes]] = []
    for part in parts:
        name, file_name = _names_of(part)
        if name == FILE:
            files.append((file_name, bytes(part.data)))
        elif name in texts:
            raise _refused(name, "must be there once")
        else:
            texts[name] = _text_of(name, part)
    if len(files) != 1:
        raise _refused(FILE, "must be there once")
    return FormBody(texts, *files[0])


def _names_of(part: _Part) -> tuple[str, str]:
    """The field's name and the file's, empty where the part tells none."""
    kind, options = parse_options_header(part.headers.get(b"content-disposition"))
    if kind != b"form-data" or b"name" not in options:
        raise _no_form()
    return _decoded(options[b"name"]), _decoded(options.get(b"filename", b""))


def _text_of(name: str, part: _Part) -> str:
    if len(part.data) > TEXT_BYTES_MAX:
        raise _refused(name, f"must have at most {TEXT_BYTES_MAX:,} bytes")
    return _decoded(bytes(part.data))


def _decoded(data: bytes) -> str:
    try:
        return data.decode()
    except UnicodeDecodeError:
        raise _no_form() from None


def _no_form() -> ValidationFailed:
    return ValidationFailed("The request body is not a form as its Content-Type says.")


def _refused(name: str, message: str) -> ValidationFailed:
    shown = name[:100]
    return ValidationFailed(
        f"The request is not valid. {shown}: {message}",
        details={"fields": [{"field": shown, "message": message}]},
    )
