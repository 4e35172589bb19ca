"""A brief: what the engine needs of a request, whichever API the caller spoke."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any, Literal

from shoal.domain.models import media_types as media

Subtitles = Literal["none", "track", "burned"]


class Kind(StrEnum):
    """What a job makes: files of one kind, or one video whose scenes are clips."""

    PICTURE = "picture"
    CLIP = "clip"
    VIDEO = "video"
    AUDIO = "audio"
    MODEL3D = "model3d"
    JSON = "json"
    TEXT = "text"

    @property
    def of_clips(self) -> bool:
        """Whether providers make clips for it."""
        return self in (Kind.CLIP, Kind.VIDEO)

    @property
    def media_types(self) -> tuple[str, ...]:
        """What its files may be unless its model says so, the usual one first."""
        return _MEDIA_TYPES[self]

    @property
    def noun(self) -> str:
        """What a caller calls one of its files."""
        return media.noun_of(self.media_types[0])


_MEDIA_TYPES: Mapping[Kind, tuple[str, ...]] = {
    Kind.PICTURE: (media.PNG, media.JPEG, media.WEBP),
    Kind.CLIP: (media.MP4,),
    Kind.VIDEO: (media.MP4,),
    Kind.AUDIO: (media.MP3, media.WAV, media.OGG, media.FLAC),
    Kind.MODEL3D: (media.GLB,),
    Kind.JSON: (media.JSON,),
    Kind.TEXT: (media.TEXT,),
}


@dataclass(frozen=True, slots=True)
class VideoBrief:
    """How a video is told. `style` and `voice` are None where the caller leaves them to the engine.

    `language` is a BCP 47 tag.
    """

    category: str
    style: str | None
    voice: str | None
    language: str
    subtitles: Subtitles


@dataclass(frozen=True, slots=True)
class Brief:
    """`prompt` is what to make in the caller's words, the idea of a video. `model` makes the outputs.

    `input_keys` are where the pictures to edit are staged. `video` is there for a video only. `media_types`
    are those its outputs may have, the usual one first: none says those of its kind. `task` is the type of a
    model that says more than its kind, such as `image_upscale`. `seconds` is how long an output shall be.
    `fields` are parameters of the model that have no other place here.

    A field with a default is stored only where it differs from it: a new field needs a default, which is
    what the jobs of earlier versions have.
    """

    kind: Kind
    model: str
    prompt: str
    aspect_ratio: str
    width_px: int
    height_px: int
    seed: int | None
    negative_prompt: str | None = None
    input_keys: tuple[str, ...] = ()
    fields: Mapping[str, Any] = field(default_factory=dict)
    video: VideoBrief | None = None
    media_types: tuple[str, ...] = ()
    task: str = ""
    seconds: int | None = None

    @property
    def allowed(self) -> tuple[str, ...]:
        """The media types its outputs may have, the usual one first."""
        return self.media_types or self.kind.media_types

    @property
    def of_video(self) -> VideoBrief:
        """How the video is told. Raises `ValueError` for what is no video."""
        if self.video is None:
            raise ValueError(f"a {self.kind} has no script")
        return self.video
