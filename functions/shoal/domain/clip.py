"""Clips: the moving pictures of scenes, in the one format that can be joined without re-encoding."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from typing import Final

SCENE_SECONDS: Final = 8
FRAMES_PER_SECOND: Final = 24
FRAMES_PER_CLIP: Final = SCENE_SECONDS * FRAMES_PER_SECOND

CLIP_SIZES_PX: Final = {"9:16": (720, 1280), "16:9": (1280, 720), "1:1": (720, 720)}
"""Width and height of each aspect ratio."""

STILL_SIZES_PX: Final = {ratio: (w * 3 // 2, h * 3 // 2) for ratio, (w, h) in CLIP_SIZES_PX.items()}
"""What a still should measure: room for the camera to move in without enlarging anything."""


@dataclass(frozen=True, slots=True)
class ClipFacts:
    """What a video file turned out to be, counted packet by packet rather than taken from its header.

    Width and height are those of what is shown; `as_stored` is whether that is what is stored, neither turned
    nor stretched. `seconds` is frames over frames per second. `parameter_sets` are H.264's sequence and
    picture parameter sets (`avcC`): clips are joinable when theirs are equal.
    """

    width_px: int
    height_px: int
    frames_per_second: Fraction
    frames: int
    seconds: Fraction
    codec: str
    profile: str | None
    pixel_format: str
    audio_codec: str | None
    size_bytes: int
    parameter_sets: bytes = b""
    as_stored: bool = True
