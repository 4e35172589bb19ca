"""Pictures as browsers show them, whatever their file says of its pixels."""

from __future__ import annotations

import random
import struct
from contextlib import suppress

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import ExifTags, Image, ImageCms

from shoal.domain.errors import OutputInvalid
from shoal.media.editing import edit
from shoal.media.picture import FORMATS, inspect_picture, read_picture
from tests.support.hostile.pictures import animated_webp, chunk, empty_png, saved, with_chunks, with_scans

RED, BLUE, WHITE = (255, 0, 0), (0, 0, 255), (255, 255, 255)
TURNED = {1: "left", 2: "right", 3: "right", 4: "left", 5: "top", 6: "top", 7: "bottom", 8: "bottom"}
"""Where the left half of the pixels is to be seen, for each of EXIF's orientations."""


def two_halves() -> Image.Image:
    """Red on the left, blue on the right."""
    picture = Image.new("RGB", (64, 32), RED)
    picture.paste(BLUE, (32, 0, 64, 32))
    return picture


def side_of(picture: Image.Image, colour: tuple[int, int, int]) -> str:
    """Which half of the picture has the colour."""
    width, height = picture.size
    spots = {"left": (4, height // 2), "right": (width - 4, height // 2)}
    if height > width:
        spots = {"top": (width // 2, 4), "bottom": (width // 2, height - 4)}
    return next(side for side, spot in spots.items() if close(picture.getpixel(spot), colour))


def close(found: object, wanted: tuple[int, ...], by: int = 12) -> bool:
    assert isinstance(found, tuple)
    return all(abs(one - other) <= by for one, other in zip(found, wanted, strict=True))


def turned(file_format: str, orientation: int) -> bytes:
    notes = Image.Exif()
    notes[ExifTags.Base.Orientation] = orientation
    return saved(two_halves(), file_format, exif=notes)


@pytest.mark.parametrize("file_format", FORMATS)
@pytest.mark.parametrize("orientation", TURNED)
def test_a_picture_is_read_and_told_upright(file_format: str, orientation: int) -> None:
    data = turned(file_format, orientation)
    picture, facts = read_picture(data), inspect_picture(data)

    assert side_of(picture, RED) == TURNED[orientation]
    assert picture.size == (facts.width_px, facts.height_px) == ((32, 64) if orientation > 4 else (64, 32))


@pytest.mark.parametrize("file_format", ["PNG", "WEBP"])
@pytest.mark.parametrize("mode", ["RGBA", "LA", "P"])
def test_colours_that_transparency_hides_stay_hidden(file_format: str, mode: str) -> None:
    hidden = Image.new("RGBA", (64, 32), (*RED, 0)).convert(mode)
    options = {"lossless": True, "exact": True} if file_format == "WEBP" else {}

    assert read_picture(saved(hidden, file_format, **options)).getpixel((5, 5)) == WHITE


def test_what_is_half_transparent_lies_on_white() -> None:
    picture = read_picture(saved(Image.new("RGBA", (64, 32), (*RED, 128)), "PNG"))

    assert close(picture.getpixel((5, 5)), (255, 127, 127), by=1)


def test_a_colour_that_a_png_names_as_transparent_is_so() -> None:
    assert read_picture(saved(two_halves(), "PNG", transparency=RED)).getpixel((4, 4)) == WHITE


@pytest.mark.parametrize("level", [0, 0x4000, 0x8000, 0xFFFF])
def test_sixteen_bits_of_grey_are_eight_bits_of_the_same_grey(level: int) -> None:
    data = saved(Image.new("I;16", (64, 32), level), "PNG")

    assert close(read_picture(data).getpixel((5, 5)), (level >> 8,) * 3, by=1)


def swapped_profile() -> bytes:
    """An ICC profile whose red is sRGB's green: what only a reader of profiles shows rightly."""
    data = bytearray(ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes())
    for at in range(132, 132 + 12 * struct.unpack(">I", data[128:132])[0], 12):
        other = {b"rXYZ": b"gXYZ", b"gXYZ": b"rXYZ"}.get(bytes(data[at : at + 4]))
        if other:
            data[at : at + 4] = other
    return bytes(data)


@pytest.mark.parametrize("file_format", FORMATS)
def test_colours_are_what_the_profile_says(file_format: str) -> None:
    data = saved(Image.new("RGB", (64, 32), RED), file_format, icc_profile=swapped_profile())

    assert close(read_picture(data).getpixel((5, 5)), (0, 255, 0))


def test_a_profile_holds_beside_transparency() -> None:
    picture = Image.new("RGBA", (64, 32), (*RED, 255))
    picture.paste((*RED, 0), (0, 0, 32, 32))
    shown = read_picture(saved(picture, "PNG", icc_profile=swapped_profile()))

    assert shown.getpixel((5, 5)) == WHITE
    assert close(shown.getpixel((60, 5)), (0, 255, 0))


@pytest.mark.parametrize("profile", [b"junk", swapped_profile()[:200]])
@pytest.mark.parametrize("mode", ["RGB", "L", "CMYK"])
def test_a_profile_of_no_use_is_passed_over(profile: bytes, mode: str) -> None:
    picture = Image.new("RGB", (64, 32), (200, 200, 200)).convert(mode)

    assert close(read_picture(saved(picture, "JPEG", icc_profile=profile)).getpixel((5, 5)), (200,) * 3)


def test_an_edit_sees_the_picture_as_its_owner_does() -> None:
    asked = {"prompt": "a neon shark", "seed": 7, "width_px": 32, "height_px": 64}
    upright = saved(two_halves().transpose(Image.Transpose.ROTATE_270), "PNG")

    assert edit(pictures=[turned("PNG", 6)], **asked) == edit(pictures=[upright], **asked)  # type: ignore[arg-type]


def test_what_is_too_much_work_is_not_decoded() -> None:
    many_scans = with_scans(saved(Image.new("L", (4096, 4096)), "JPEG", progressive=True), 90)
    for data in (many_scans, animated_webp(1024, 1_500)):
        with pytest.raises(OutputInvalid, match="more scans or frames"):
            read_picture(data)
        with pytest.raises(OutputInvalid, match="more scans or frames"):
            inspect_picture(data)
    with pytest.raises(OutputInvalid, match="too many parts"):
        read_picture(with_chunks(empty_png(16), chunk(b"prVt") * 100_000))


def test_a_photograph_with_a_second_picture_is_the_first_one() -> None:
    data = saved(two_halves(), "MPO", save_all=True, append_images=[Image.new("RGB", (64, 32))])

    assert inspect_picture(data).content_type == "image/jpeg"
    assert side_of(read_picture(data), RED) == "left"


@settings(max_examples=200)
@given(st.sampled_from(FORMATS), st.randoms(use_true_random=False), st.integers(1, 6))
def test_a_broken_picture_is_refused_or_read_and_never_crashes(
    file_format: str, chance: random.Random, breaks: int
) -> None:
    notes = Image.Exif()
    notes[ExifTags.Base.Orientation] = 6
    data = bytearray(saved(two_halves(), file_format, exif=notes, icc_profile=swapped_profile()))
    for _ in range(breaks):
        data[chance.randrange(3, len(data))] = chance.randrange(256)

    with suppress(OutputInvalid):
        read_picture(bytes(data))
    with suppress(OutputInvalid):
        inspect_picture(bytes(data))


def test_what_was_decoded_is_not_decoded_again() -> None:
    data = saved(Image.new("RGB", (64, 32), "teal"), "PNG")

    assert inspect_picture(data) is inspect_picture(bytes(bytearray(data)))
