"""Outputs of every type: known by their bytes alone, measured, and refused unless all of them is there."""

from __future__ import annotations

import random
from contextlib import suppress

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from shoal.domain.brief import Kind
from shoal.domain.errors import OutputInvalid
from shoal.domain.models import media_types as media
from shoal.domain.provider import Measured
from shoal.media.inspection.inspect import inspect
from shoal.media.inspection.signatures import signature_of, type_of
from tests.fakes.providers.files import one_of_each, picture, sound, webm
from tests.support.media_files import clip_bytes

FILES = one_of_each()
SLOW = {name: data for name, data in FILES.items() if media.family_of(name) in ("video", "audio")}
"""What is looked at in a process apart."""
CHEAP = {name: data for name, data in FILES.items() if name not in SLOW}


@pytest.mark.parametrize("content_type", media.EXTENSIONS)
def test_a_file_is_what_its_bytes_say(content_type: str) -> None:
    found = inspect(FILES[content_type], [content_type])

    assert (found.content_type, found.extension) == (content_type, media.EXTENSIONS[content_type])
    assert found.size_bytes == len(FILES[content_type])


@pytest.mark.parametrize("content_type", media.EXTENSIONS)
def test_no_other_type_is_taken_for_it(content_type: str) -> None:
    others = set(media.EXTENSIONS) - {content_type, media.JSON, media.TEXT}
    for each in [
        others,
        Kind.PICTURE.media_types if content_type not in Kind.PICTURE.media_types else others,
    ]:
        with pytest.raises(OutputInvalid, match="did not deliver a readable"):
            inspect(FILES[content_type], list(each))


@pytest.mark.parametrize("content_type", sorted(set(media.EXTENSIONS) - {media.JSON, media.TEXT}))
def test_no_file_of_a_signature_is_taken_for_text(content_type: str) -> None:
    with pytest.raises(OutputInvalid):
        inspect(FILES[content_type], [media.TEXT, media.JSON])


@pytest.mark.parametrize("content_type", sorted(set(media.EXTENSIONS) - {media.TEXT}))
@pytest.mark.parametrize("share", [0.0, 0.5, 0.85])
def test_a_file_that_was_cut_off_is_refused(content_type: str, share: float) -> None:
    data = FILES[content_type]

    with pytest.raises(OutputInvalid):
        inspect(data[: int(len(data) * share)], [content_type])


@pytest.mark.parametrize("file_format", ["PNG", "JPEG", "WEBP", "AVIF"])
def test_a_picture_is_measured_in_pixels(file_format: str) -> None:
    content_type = f"image/{file_format.lower()}"
    data = picture(file_format, 96, 64)

    assert inspect(data, [content_type]) == Measured(
        content_type, media.EXTENSIONS[content_type], 96, 64, size_bytes=len(data)
    )


def test_a_clip_is_measured_in_milliseconds() -> None:
    assert inspect(clip_bytes(seconds=2.5), [media.MP4]).duration_ms == 2_500
    assert inspect(webm(frames=45), [media.WEBM]).duration_ms == 1_500


@pytest.mark.parametrize(
    "page",
    [
        b"<html><script>alert(1)</script></html>",
        b"\n <!DOCTYPE html><p>hello",
        b"<?xml version='1.0'?><feed/>",
        b"\xef\xbb\xbf<svg xmlns='http://www.w3.org/2000/svg' onload='alert(1)'/>",
        b"<SCRIPT >alert(1)</SCRIPT>",
        b"<!-- hi --><b>",
        b"%PDF-1.7 /JS (app.alert(1))",
    ],
)
def test_what_a_browser_would_run_is_refused_under_any_type(page: bytes) -> None:
    with pytest.raises(OutputInvalid):
        inspect(page, list(media.EXTENSIONS))
    for kind in Kind:
        with pytest.raises(OutputInvalid):
            inspect(page, kind.media_types)


@pytest.mark.parametrize(
    "text", [b"<3 sharks", b"a < b > c", b"<answer>42</answer>", b"ID3 is a tag", b"RIFF raff"]
)
def test_text_may_begin_like_little_else(text: bytes) -> None:
    assert inspect(text, [media.TEXT]).content_type == media.TEXT


def test_json_and_text_are_told_apart_where_both_are_allowed() -> None:
    both = [media.TEXT, media.JSON]

    assert type_of(b' {"a": 1}', both) == media.JSON
    assert type_of(b"a shark", both) == media.TEXT
    assert type_of(b"7", [media.JSON]) == media.JSON


def test_a_quicktime_or_matroska_file_goes_by_no_other_name() -> None:
    matroska = webm().replace(b"\x42\x82\x84webm", b"\x42\x82\x84mkvx", 1)

    assert signature_of(matroska) == ""
    with pytest.raises(OutputInvalid):
        inspect(matroska, [media.WEBM])


def test_a_sound_in_the_container_of_a_clip_is_no_clip() -> None:
    with pytest.raises(OutputInvalid):
        inspect(sound(media.WAV), [media.MP4])


@settings(max_examples=200, deadline=None)
@given(st.sampled_from(sorted(CHEAP)), st.randoms(use_true_random=False), st.integers(1, 8))
def test_damage_is_refused_or_passes_and_never_crashes(
    content_type: str, chance: random.Random, breaks: int
) -> None:
    data = bytearray(CHEAP[content_type])
    for _ in range(breaks):
        data[chance.randrange(len(data))] = chance.randrange(256)
    del data[chance.randrange(len(data)) + 1 :]

    with suppress(OutputInvalid):
        inspect(bytes(data), list(media.EXTENSIONS))


@pytest.mark.parametrize("content_type", SLOW)
def test_damage_to_sounds_and_clips_never_crashes(content_type: str) -> None:
    """A process apart for each: few of them, and none is tried again to make it smaller."""
    chance = random.Random(content_type)  # noqa: S311 - damage, not secrets
    for _ in range(12):
        data = bytearray(SLOW[content_type])
        for _ in range(6):
            data[chance.randrange(min(len(data), chance.choice((120, 10_000_000))))] = chance.randrange(256)

        with suppress(OutputInvalid):
            inspect(bytes(data), [content_type])


@given(st.binary(max_size=300))
def test_noise_is_refused_or_passes_and_never_crashes(data: bytes) -> None:
    for start in (b"", b"glTF\x02\0\0\0", b"PK\x03\x04", b"{"):
        with suppress(OutputInvalid):
            inspect(start + data, [media.GLB, media.ZIP, media.JSON])
