"""Forms with files: whatever bytes they hold come out as they went in, and nothing breaks their reader."""

from __future__ import annotations

from contextlib import suppress

import pytest
import requests
from hypothesis import given
from hypothesis import strategies as st

from shoal.domain.errors import ValidationFailed
from shoal.handlers.http.form_body import PARTS_MAX, TEXT_BYTES_MAX, FormBody, form_body

KIND = "multipart/form-data; boundary=b"
ANY_BYTES = st.binary() | st.lists(
    st.sampled_from([b"\r", b"\n", b"-", b"--b", b"\r\n--b", b"\x00", b":"])
).map(b"".join)


def sent(texts: dict[str, str], name: str, data: bytes) -> FormBody:
    """As `requests` writes it."""
    made = requests.Request("POST", "https://x.test", data=texts, files={"file": (name, data)}).prepare()
    assert isinstance(made.body, bytes)
    return form_body(made.body, made.headers["Content-Type"])


def part(headers: str, data: bytes = b"x") -> bytes:
    return b"--b\r\n" + headers.encode() + b"\r\n\r\n" + data + b"\r\n"


FILE = part('Content-Disposition: form-data; name="file"; filename="a.png"')
END = b"--b--\r\n"


@given(ANY_BYTES)
def test_a_file_comes_out_as_it_went_in(data: bytes) -> None:
    assert sent({"name": "shark", "metadata": "{}"}, "shark.png", data) == FormBody(
        {"name": "shark", "metadata": "{}"}, "shark.png", data
    )


@given(st.binary())
def test_no_bytes_whatever_break_the_reader(body: bytes) -> None:
    with suppress(ValidationFailed):
        form_body(b"--b\r\n" + body, KIND)


@pytest.mark.parametrize(
    "body",
    [b"", b"words", FILE, FILE[:-1], part("Content-Disposition: attachment") + END, part("A: b") + END],
    ids=["empty", "words", "no end", "cut off", "an attachment", "no disposition"],
)
def test_what_is_no_form_is_refused(body: bytes) -> None:
    with pytest.raises(ValidationFailed, match="not a form"):
        form_body(body, KIND)


def test_a_form_without_a_boundary_is_refused() -> None:
    with pytest.raises(ValidationFailed, match="not a form"):
        form_body(FILE + END, "multipart/form-data")


TEXT_ALONE = part('Content-Disposition: form-data; name="x"')


@pytest.mark.parametrize("body", [FILE + FILE + END, TEXT_ALONE + END])
def test_a_form_has_one_file(body: bytes) -> None:
    with pytest.raises(ValidationFailed, match="file: must be there once"):
        form_body(body, KIND)


def test_a_text_is_there_once_and_short() -> None:
    text = 'Content-Disposition: form-data; name="name"'
    with pytest.raises(ValidationFailed, match="name: must be there once"):
        form_body(part(text) + part(text) + FILE + END, KIND)
    with pytest.raises(ValidationFailed, match="name: must have at most"):
        form_body(part(text, bytes(TEXT_BYTES_MAX + 1)) + FILE + END, KIND)
    assert form_body(part(text, "é".encode()) + FILE + END, KIND).texts == {"name": "é"}
    with pytest.raises(ValidationFailed, match="not a form"):
        form_body(part(text, b"\xff") + FILE + END, KIND)


def test_parts_and_their_headers_are_bounded() -> None:
    with pytest.raises(ValidationFailed, match=f"at most {PARTS_MAX} parts"):
        form_body(FILE * (PARTS_MAX + 1) + END, KIND)
    with pytest.raises(ValidationFailed, match="not a form"):
        form_body(part("A: " + "x" * 100_000) + FILE + END, KIND)


def test_a_form_in_a_form_is_only_bytes() -> None:
    nested = part("Content-Type: multipart/mixed; boundary=c", b"--c\r\n" * 1_000)
    with pytest.raises(ValidationFailed, match="not a form"):
        form_body(nested + FILE + END, KIND)
