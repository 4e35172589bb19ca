"""What is read of a provider's JSON, in whatever parts it comes, is what stands in the whole of it."""

from __future__ import annotations

import base64
import json
import random
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shoal.adapters.providers.kit import body
from shoal.adapters.providers.kit.body import FileBody, JsonBody, fill
from shoal.domain.errors import ProviderFailed

VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=12,
)
PICTURE = random.Random(3).randbytes(body.TEXT_BYTES_MAX)  # noqa: S311 (a picture)
SPELLED = base64.b64encode(PICTURE + b"!").decode()


def read(text: bytes, parts_bytes: int = 1000) -> JsonBody:
    found = JsonBody()
    fill(found, (text[at : at + parts_bytes] for at in range(0, len(text), parts_bytes)))
    return found


@given(value=VALUES, escaped=st.booleans(), parts_bytes=st.integers(1, 9))
def test_a_document_is_left_as_it_is(value: Any, *, escaped: bool, parts_bytes: int) -> None:
    text = json.dumps(value, ensure_ascii=escaped).encode("utf-8", "surrogatepass")
    assert read(text, parts_bytes).document == text


@given(text=st.binary(max_size=60), parts_bytes=st.integers(1, 9))
def test_what_is_no_json_is_left_as_it_is_too(text: bytes, parts_bytes: int) -> None:
    assert read(text, parts_bytes).document == text


@pytest.mark.parametrize(
    "spelled",
    [
        SPELLED,
        SPELLED.replace("/", r"\/"),
        SPELLED.replace("+", r"\u002B").replace("/", r"\u002f").replace("=", r"\u003d"),
    ],
    ids=["plain", "slashes", "signs"],
)
@pytest.mark.parametrize("parts_bytes", [1, 7, 65536])
def test_a_long_text_is_found_by_the_name_that_stands_for_it(spelled: str, parts_bytes: int) -> None:
    text = b'{"a":"short","b":["%b"],"c":"\\"%b","d":"%b"}' % ((spelled.encode(),) * 3)

    found = read(text, parts_bytes)

    document = json.loads(found.document)
    assert document["a"] == "short"
    assert len(found.document) < 1000
    assert found.decode_base64(document["b"][0]).read() == PICTURE + b"!"
    assert found.decode_base64(document["d"]).read() == PICTURE + b"!"
    with pytest.raises(ValueError, match="no base64"):
        found.decode_base64(document["c"])


@pytest.mark.parametrize(
    "text",
    [SPELLED[:-1], SPELLED + "AAAA", SPELLED[:-4] + "A===", " " + SPELLED, SPELLED[:99] + "é" + SPELLED[99:]],
    ids=["cut", "after its end", "padding", "a space", "no sign"],
)
def test_a_long_text_that_is_no_base64_is_refused(text: str) -> None:
    found = read(json.dumps([text]).encode())
    with pytest.raises(ValueError, match="no base64"):
        found.decode_base64(json.loads(found.document)[0])


@pytest.mark.parametrize("text", ["AAA", "A", "A===", "====", "long text 0", "long text -1", "é"])
def test_a_short_text_that_is_no_base64_is_refused(text: str) -> None:
    with pytest.raises(ValueError):  # noqa: PT011 (binascii's and our own)
        read(b"[]").decode_base64(text)


def test_many_short_texts_are_too_much_of_a_document() -> None:
    with pytest.raises(ProviderFailed, match="too large"):
        read(b'["a",' * body.DOCUMENT_BYTES_MAX)


def test_more_bytes_than_are_read_are_refused() -> None:
    for found in (JsonBody(), FileBody()):
        with pytest.raises(ProviderFailed, match="too large"):
            fill(found, [b"12345", b"6"], bytes_max=5)


def test_a_file_is_kept_whole() -> None:
    found = FileBody()
    fill(found, [PICTURE, b"!"])
    assert found.start == PICTURE[: body.CHUNK_BYTES]
    assert found.file.read() == PICTURE + b"!"
