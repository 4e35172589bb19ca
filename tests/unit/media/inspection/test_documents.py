"""Meshes, archives, JSON and text: bounded before they are read, complete in themselves."""

from __future__ import annotations

import time
from typing import Any

import pytest

from shoal.domain.errors import OutputInvalid
from shoal.media.inspection.archive import check_archive
from shoal.media.inspection.documents import DEPTH_MAX, DOCUMENT_BYTES_MAX, check_json, check_text
from shoal.media.inspection.mesh import check_mesh
from tests.fakes.providers.files import archive, glb

ASSET = {"version": "2.0"}


@pytest.mark.parametrize(
    "text", [b"{}", b"[]", b"7", b'"shark"', b"null", b"\xef\xbb\xbf[1]", b'{"a": [1.5e3]}']
)
def test_json_of_any_value_passes(text: bytes) -> None:
    check_json(text)


@pytest.mark.parametrize(
    "text",
    [
        b"",
        b"{",
        b"[1,]",
        b"{'a': 1}",
        b"NaN",
        b'{"a": Infinity}',
        b"[1] trailing",
        b"\xff\xfe[\x001\x00]\x00",
        b"[" * 100_000 + b"]" * 100_000,
        b"[" * (DEPTH_MAX + 2) + b"]" * (DEPTH_MAX + 2),
        b"9" * 5_000,
        b" " * (DOCUMENT_BYTES_MAX + 1),
    ],
)
def test_what_is_no_json_or_too_much_of_it_is_refused(text: bytes) -> None:
    with pytest.raises(OutputInvalid):
        check_json(text)


def test_json_may_be_nested_as_deep_as_people_do() -> None:
    check_json(b"[" * DEPTH_MAX + b"]" * DEPTH_MAX)


def test_the_largest_json_is_looked_at_in_a_bounded_time() -> None:
    begun = time.process_time()
    check_json(b"[" + b"[]," * ((DOCUMENT_BYTES_MAX - 3) // 3) + b"1]")

    assert time.process_time() - begun < 5


@pytest.mark.parametrize(
    "text", [b"", b" \n\t", b"\xff\xfe", b"a\x00b", b"a" * (DOCUMENT_BYTES_MAX + 1), b"\x1b\x02"]
)
def test_what_is_no_text_is_refused(text: bytes) -> None:
    with pytest.raises(OutputInvalid):
        check_text(text)


@pytest.mark.parametrize(
    "told",
    [
        {"asset": ASSET},
        {"asset": ASSET, "images": [{"uri": "data:image/png;base64,AAAA"}]},
        {"asset": ASSET, "buffers": [{"byteLength": 10}], "bufferViews": [{"buffer": 0, "byteLength": 10}]},
    ],
)
def test_a_mesh_that_is_complete_passes(told: dict[str, Any]) -> None:
    check_mesh(glb(told))


@pytest.mark.parametrize(
    "told",
    [
        [],
        {},
        {"asset": {"version": "1.0"}},
        {"asset": ASSET, "buffers": [{"byteLength": 13}]},
        {"asset": ASSET, "buffers": [{"byteLength": -1}]},
        {"asset": ASSET, "buffers": {"byteLength": 1}},
        {"asset": ASSET, "buffers": [{"byteLength": 4, "uri": "mesh.bin"}]},
        {"asset": ASSET, "buffers": [{"byteLength": 4}, {"byteLength": 4}]},
        {"asset": ASSET, "images": [{"uri": "https://example.com/texture.png"}]},
        {"asset": ASSET, "images": [{"uri": "data:image/svg+xml,<svg/>"}]},
        {"asset": ASSET, "extensions": {"KHR_x": {"lights": [{"uri": "//example.com"}]}}},
        {"asset": ASSET, "buffers": [{"byteLength": 8}], "bufferViews": [{"buffer": 1, "byteLength": 1}]},
        {
            "asset": ASSET,
            "buffers": [{"byteLength": 8}],
            "bufferViews": [{"buffer": 0, "byteOffset": 4, "byteLength": 8}],
        },
    ],
)
def test_a_mesh_that_lies_or_needs_more_than_its_file_is_refused(told: Any) -> None:
    with pytest.raises(OutputInvalid):
        check_mesh(glb(told))


def test_a_mesh_of_wrong_lengths_is_refused() -> None:
    whole = glb()
    for data in (whole + b"\0\0\0\0", whole[:-4], whole[:12], whole[:12] + b"\xff\xff\xff\x7f" + whole[16:]):
        with pytest.raises(OutputInvalid):
            check_mesh(data)


def test_a_mesh_begins_with_its_document() -> None:
    whole = glb()

    with pytest.raises(OutputInvalid):
        check_mesh(whole.replace(b"JSON", b"BIN\x00", 1))


def test_an_archive_is_never_unpacked() -> None:
    check_archive(archive({"zeros": bytes(50_000_000), "a/b.txt": b"x"}))


@pytest.mark.parametrize("name", ["../etc/passwd", "/etc/passwd", "a/../../b", "..\\b", "C:/windows"])
def test_an_archive_that_reaches_out_is_refused(name: str) -> None:
    with pytest.raises(OutputInvalid, match="outside"):
        check_archive(archive({name: b"x"}))


def test_an_archive_of_too_much_is_refused() -> None:
    with pytest.raises(OutputInvalid, match="too much"):
        check_archive(archive({str(number): b"" for number in range(10_001)}))


def test_an_archive_that_lies_is_refused() -> None:
    whole = archive({"a.txt": b"hello", "b.txt": b"world"})
    end = whole.rfind(b"PK\x05\x06")
    longer = bytearray(whole)
    longer[end + 12] += 1
    nowhere = whole.replace(b"PK\x03\x04", b"PK\x03\x05")
    for data in (whole + b"trailing", whole[1:], bytes(longer), nowhere, archive({})):
        with pytest.raises(OutputInvalid):
            check_archive(data)
