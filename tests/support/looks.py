"""How the unit tests tell pictures and clips by their bytes."""

from __future__ import annotations

from collections.abc import Collection
from typing import IO

from shoal.domain.brief import Kind
from shoal.domain.errors import OutputInvalid
from shoal.domain.job import Job
from shoal.domain.models import media_types as media
from shoal.domain.provider import Measured
from tests.fakes.videos import CLIP


def inspect_any(data: bytes, allowed: Collection[str]) -> Measured:
    """Takes a fake clip for one, `junk` for nothing, and anything else for a picture."""
    if data == CLIP and media.MP4 in allowed:
        return Measured(media.MP4, "mp4", 1280, 720)
    if data == b"junk" or media.PNG not in allowed:
        noun = media.noun_of(next(iter(allowed)))
        raise OutputInvalid(f"The provider did not deliver a readable {noun}.")
    return Measured(media.PNG, "png", 2048, 2048)


def check_any(data: bytes) -> None:
    """The first look at a caller's picture, as `inspect_any` takes it."""
    if data == b"junk":
        raise OutputInvalid("must be a PNG, JPEG or WebP picture")


def look_at_any(job: Job, file: IO[bytes]) -> None:
    """The first look at a provider's output, as `inspect_any` takes it."""
    inspect_any(file.read(), Kind.PICTURE.media_types)
