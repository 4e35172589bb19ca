"""How the unit tests tell pictures and clips by their bytes."""

from __future__ import annotations

from typing import IO

from shoal.domain.errors import OutputInvalid
from shoal.domain.job import Job
from shoal.domain.provider import Picture
from tests.fakes.videos import CLIP


def inspect_any(data: bytes) -> Picture:
    """Takes anything but `junk` for a picture."""
    if data == b"junk":
        raise OutputInvalid("The provider did not deliver a readable image.")
    return Picture("image/png", "png", 2048, 2048)


def inspect_any_clip(data: bytes) -> Picture:
    """Takes a fake clip for one, and nothing else."""
    if data != CLIP:
        raise OutputInvalid("The provider did not deliver a readable clip.")
    return Picture("video/mp4", "mp4", 1280, 720)


def check_any(data: bytes) -> None:
    """The first look at a caller's picture, as `inspect_any` takes it."""
    if data == b"junk":
        raise OutputInvalid("must be a PNG, JPEG or WebP picture")


def look_at_any(job: Job, file: IO[bytes]) -> None:
    """The first look at a provider's output, as `inspect_any` takes it."""
    inspect_any(file.read())
