"""A brief: what the engine needs of a request, whichever API the caller spoke."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any, Literal

Subtitles = Literal["none", "track", "burned"]


class Kind(StrEnum):
    """What a job makes: pictures, clips, or one video whose scenes are clips."""

    PICTURE = "picture"
    CLIP = "clip"
    VIDEO = "video"

    @property
    def of_clips(self) -> bool:
        """Whether providers make clips for it, or pictures."""
        return self is not Kind.PICTURE


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

    `input_keys` are where the pictures to edit are staged. `video` is there for a video only. `fields` are
    parameters of the model that have no other place here.

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

    @property
    def of_video(self) -> VideoBrief:
        """How the video is told. Raises `ValueError` for what is no video."""
        if self.video is None:
            raise ValueError(f"a {self.kind} has no script")
        return self.video
