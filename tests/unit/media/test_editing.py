"""The simulator's edits: the caller's picture in exact sizes, the same bytes every time."""

import hashlib
import io
import subprocess
import sys

import pytest
from PIL import Image, ImageChops, ImageStat

from shoal.domain.errors import ProviderRejected
from shoal.media.editing import edit

PRINT_FINGERPRINT = """
import hashlib, io
from PIL import Image
from shoal.media.editing import edit
file = io.BytesIO()
Image.new("RGB", (64, 48), (200, 30, 60)).save(file, "PNG")
print(hashlib.sha256(
    edit(pictures=[file.getvalue()], prompt="a neon shark", seed=7, width_px=200, height_px=120)
).hexdigest())
"""


def picture(
    colour: tuple[int, ...] = (200, 30, 60),
    *,
    file_format: str = "PNG",
    mode: str = "RGB",
    size: tuple[int, int] = (64, 48),
) -> bytes:
    file = io.BytesIO()
    Image.new("RGB", size, colour).convert(mode).save(file, file_format)
    return file.getvalue()


def edited(
    *pictures: bytes, prompt: str = "a neon shark", seed: int = 7, size: tuple[int, int] = (200, 120)
) -> Image.Image:
    data = edit(pictures=pictures, prompt=prompt, seed=seed, width_px=size[0], height_px=size[1])
    image = Image.open(io.BytesIO(data))
    image.load()
    return image


def alike(one: Image.Image, other: Image.Image) -> bool:
    return one.size == other.size and ImageChops.difference(one, other).getbbox() is None


@pytest.mark.parametrize("size", [(256, 256), (256, 144), (144, 256), (251, 33), (16, 16)])
@pytest.mark.parametrize("original", [(64, 48), (16, 900), (900, 16)])
def test_an_edit_is_a_png_of_exactly_the_asked_size_whatever_the_originals(
    size: tuple[int, int], original: tuple[int, int]
) -> None:
    image = edited(picture(size=original), size=size)

    assert (image.format, image.mode, image.size) == ("PNG", "RGB", size)


def test_the_same_request_gives_the_same_bytes_also_in_another_process() -> None:
    size = {"width_px": 200, "height_px": 120}
    here = edit(pictures=[picture()], prompt="a neon shark", seed=7, **size)
    command = [sys.executable, "-c", PRINT_FINGERPRINT]
    there = subprocess.run(command, capture_output=True, check=True, text=True)  # noqa: S603 - our own code

    assert hashlib.sha256(here).hexdigest() == there.stdout.strip()


def test_another_picture_prompt_or_seed_gives_another_edit() -> None:
    striped = Image.effect_noise((64, 48), 80).convert("RGB")
    file = io.BytesIO()
    striped.save(file, "PNG")
    plain = edited(picture())

    assert not alike(plain, edited(file.getvalue()))
    assert not alike(plain, edited(picture(), prompt="a green forest"))
    assert any(not alike(plain, edited(picture(), seed=seed)) for seed in range(8))


def test_several_pictures_are_laid_side_by_side() -> None:
    black, white = picture((0, 0, 0)), picture((255, 255, 255))

    both = edited(black, white, size=(200, 100)).convert("L")
    boxes = (10, 20, 90, 60), (110, 20, 190, 60)
    left, right = (ImageStat.Stat(both.crop(box)).mean[0] for box in boxes)

    assert right > 1.5 * left
    assert not alike(edited(black, white), edited(white, black))


@pytest.mark.parametrize("count", [1, 2, 3, 4])
def test_up_to_four_pictures_fit_even_a_narrow_edit(count: int) -> None:
    assert edited(*[picture()] * count, size=(17, 64)).size == (17, 64)


@pytest.mark.parametrize(
    ("file_format", "mode"),
    [
        ("PNG", "RGBA"),
        ("PNG", "L"),
        ("PNG", "P"),
        ("PNG", "1"),
        ("JPEG", "RGB"),
        ("JPEG", "CMYK"),
        ("JPEG", "L"),
        ("WEBP", "RGB"),
        ("WEBP", "RGBA"),
    ],
)
def test_every_kind_of_picture_can_be_edited(file_format: str, mode: str) -> None:
    assert edited(picture(file_format=file_format, mode=mode)).size == (200, 120)


@pytest.mark.parametrize("data", [b"", b"junk", b"\x89PNG\r\n\x1a\n", b"RIFF\0\0\0\0WEBP", b"\xff\xd8\xff"])
def test_what_cannot_be_read_is_refused_in_words_for_the_caller(data: bytes) -> None:
    with pytest.raises(ProviderRejected, match="picture to edit could not be read"):
        edited(picture(), data)


@pytest.mark.parametrize("file_format", ["PNG", "JPEG", "WEBP"])
def test_a_picture_that_breaks_off_is_refused_and_never_crashes(file_format: str) -> None:
    file = io.BytesIO()
    Image.effect_noise((64, 48), 80).convert("RGB").save(file, file_format)
    whole = file.getvalue()

    for length in range(0, len(whole) * 3 // 4, max(1, len(whole) // 40)):
        with pytest.raises(ProviderRejected):
            edited(whole[:length], size=(16, 16))
