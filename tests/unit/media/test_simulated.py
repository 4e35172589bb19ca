"""The simulator's files are what was asked for, as what measures a provider's finds, and stay the same."""

from __future__ import annotations

import io
from typing import Any

import pytest
from PIL import Image

from shoal.adapters.outputs.studio import film
from shoal.domain.errors import ProviderRejected
from shoal.domain.models import media_types as media
from shoal.media.inspection.inspect import inspect
from shoal.media.simulated.clips import WORK_PX_MAX, frames_per_second
from shoal.media.simulated.make import SEGMENT, SPEECH, UPSCALE, make
from shoal.media.simulated.sounds import tune
from shoal.media.sound import filter_samples, loudness_lufs, samples_of
from tests.fakes.providers.files import picture

PICTURES = (media.PNG, media.JPEG, media.WEBP, media.AVIF)
SOUNDS = (media.MP3, media.WAV, media.OGG, media.FLAC)
OTHERS = (media.GLB, media.JSON, media.TEXT, media.ZIP)


def made(content_type: str, **changes: Any) -> bytes:
    asked: dict[str, Any] = {"task": "", "prompt": "A shark above a reef", "seed": 7, "seconds": None}
    return make(content_type=content_type, **{**asked, "width_px": 96, "height_px": 64} | changes)


@pytest.mark.parametrize("content_type", [*PICTURES, *SOUNDS, *OTHERS])
def test_every_type_is_made_the_same_from_the_same_seed(content_type: str) -> None:
    seconds = {"seconds": 1} if content_type in SOUNDS else {}
    data = made(content_type, **seconds)

    assert inspect(data, [content_type]).content_type == content_type
    assert made(content_type, **seconds) == data
    assert made(content_type, seed=8, **seconds) != data
    assert made(content_type, prompt="A whale", **seconds) != data


@pytest.mark.parametrize("content_type", SOUNDS)
@pytest.mark.parametrize("seconds", [0.5, 1, 7, 33.333])
def test_a_tune_lasts_as_long_as_was_asked(content_type: str, seconds: float) -> None:
    found = inspect(made(content_type, seconds=seconds), [content_type])

    assert found.duration_ms == pytest.approx(seconds * 1000, abs=1)


def test_a_tune_can_be_heard_and_is_bounded() -> None:
    assert -40 < loudness_lufs(samples_of(made(media.WAV, seconds=3))) < -10
    for seconds in (0, -1, 601):
        with pytest.raises(ValueError, match="seconds"):
            tune(prompt="", seed=1, seconds=seconds, content_type=media.WAV)
    assert filter_samples(b"") == b""


def test_speech_takes_the_time_its_words_take() -> None:
    short, long = (
        inspect(made(media.OGG, task=SPEECH, prompt=words), [media.OGG]).duration_ms
        for words in ("Sharks.", "Sharks have lived in every ocean for four hundred million years.")
    )

    assert 100 < short < long / 2
    assert inspect(made(media.MP3, task=SPEECH, prompt="…"), [media.MP3]).duration_ms > 0


@pytest.mark.parametrize("content_type", PICTURES)
@pytest.mark.parametrize("size", [(16, 16), (97, 64), (640, 360)])
def test_a_picture_has_the_size_that_was_asked(content_type: str, size: tuple[int, int]) -> None:
    found = inspect(made(content_type, width_px=size[0], height_px=size[1]), [content_type])

    assert (found.width_px, found.height_px) == size


@pytest.mark.parametrize(
    ("seconds", "size"), [(1, (64, 36)), (2.5, (36, 64)), (9, (64, 64)), (60, (32, 32)), (4, (320, 180))]
)
def test_a_clip_lasts_as_long_as_was_asked(seconds: float, size: tuple[int, int]) -> None:
    data = film(prompt="A shark", seed=3, width_px=size[0], height_px=size[1], seconds=seconds)
    found = inspect(data, [media.MP4])

    assert (found.duration_ms, found.width_px, found.height_px) == (seconds * 1000, *size)


def test_a_clip_may_be_webm() -> None:
    asked = {"prompt": "A shark", "seed": 3, "width_px": 64, "height_px": 36, "seconds": 1.5}
    data = film(content_type=media.WEBM, **asked)  # type: ignore[arg-type]

    assert inspect(data, [media.WEBM]).duration_ms == pytest.approx(1_500, abs=1)  # WebM's grain
    assert film(content_type=media.WEBM, **asked) == data  # type: ignore[arg-type]


@pytest.mark.parametrize("seconds", [1, 8, 16, 30, 60])
@pytest.mark.parametrize("size", [(720, 1280), (1920, 1080), (3840, 2160)])
def test_no_clip_is_more_work_than_is_bounded(seconds: int, size: tuple[int, int]) -> None:
    rate = frames_per_second(seconds, width_px=size[0], height_px=size[1])

    assert rate == 1 or seconds * rate * size[0] * size[1] <= WORK_PX_MAX
    assert rate == 24 or seconds > 1


def test_clips_that_nobody_films_are_refused() -> None:
    for seconds in (0, 61):
        with pytest.raises(ValueError, match="seconds"):
            film(prompt="", seed=1, width_px=64, height_px=64, seconds=seconds)


def test_a_picture_is_made_larger() -> None:
    given = [picture("JPEG", 50, 40)]
    for size, found in (((0, 0), (100, 80)), ((200, 160), (200, 160))):
        data = made(media.PNG, task=UPSCALE, pictures_given=given, width_px=size[0], height_px=size[1])
        measured = inspect(data, [media.PNG])
        assert (measured.width_px, measured.height_px) == found


def test_a_background_is_taken_away() -> None:
    image = Image.new("RGB", (64, 64), "white")
    image.paste((200, 30, 30), (20, 20, 44, 44))
    file = io.BytesIO()
    image.save(file, "PNG")

    shown = Image.open(io.BytesIO(made(media.PNG, task=SEGMENT, pictures_given=[file.getvalue()])))

    assert (shown.mode, shown.size) == ("RGBA", (64, 64))
    assert shown.getpixel((2, 2)) == (255, 255, 255, 0)
    assert shown.getpixel((32, 32)) == (200, 30, 30, 255)


def test_an_edit_without_a_size_is_as_large_as_its_picture() -> None:
    data = made(media.WEBP, pictures_given=[picture("PNG", 80, 50)], width_px=0, height_px=0)
    found = inspect(data, [media.WEBP])

    assert (found.width_px, found.height_px) == (80, 50)


@pytest.mark.parametrize("task", ["", UPSCALE, SEGMENT])
def test_a_picture_that_cannot_be_read_is_rejected(task: str) -> None:
    with pytest.raises(ProviderRejected):
        made(media.PNG, task=task, pictures_given=[b"junk"])
