"""A still brought to life: a clip in which a camera moves over it.

The camera looks at a window of the still, and each frame is that window resampled, with edges anywhere
between pixels: nothing trembles, however slow the move. Luma and chroma are resampled as they are encoded,
which costs half of what colours do.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from pathlib import Path
from random import Random
from typing import Final, NamedTuple

import av
from av.video.reformatter import ColorRange, Colorspace
from PIL import Image, ImageOps

from shoal.domain.clip import FRAMES_PER_SECOND, SCENE_SECONDS
from shoal.domain.errors import OutputInvalid
from shoal.media.encoding import PIXEL_FORMAT, ClipWriter, frame_of, planes_of
from shoal.media.lettering import Lettering
from shoal.media.picture import read_picture

STILL_SCALE: Final = 1.5
"""A still is brought to this many times the clip's size."""
NARROWEST: Final = 0.74
"""The smallest window, as a share of the still: still more than one of its pixels for each of the clip's."""
EASE: Final = 0.55
"""How much slower than on average the camera moves at both ends; 1 would be a standstill at each cut."""


class View(NamedTuple):
    """What the camera looks at: a window's centre and size, in shares of the still's width and height."""

    x: float
    y: float
    share: float


def render_clip(
    still: bytes,
    target: Path,
    *,
    width_px: int,
    height_px: int,
    seed: int,
    seconds: float = SCENE_SECONDS,
    frames_per_second: int = FRAMES_PER_SECOND,
    subtitle: str | None = None,
    label: str | None = None,
) -> None:
    """Write the clip of a still; its seed chooses the camera's move, seeds in a row different ones.

    `subtitle` is a line to burn in, `label` a few letters for the lower right corner. The same arguments
    give the same bytes. Raises `OutputInvalid` for a still that cannot be read.
    """
    planes = _planes(still, width_px, height_px)
    lettering, size = Lettering(width_px, height_px, subtitle=subtitle, label=label), (width_px, height_px)
    with ClipWriter(target, width_px, height_px, frames_per_second) as writer:
        for view in camera_path(seed, round(seconds * frames_per_second)):
            shot = [_look(plane, view, size, half=plane is not planes[0]) for plane in planes]
            lettering.onto(shot)
            writer.write(frame_of(shot))


def camera_path(seed: int, frames: int) -> Iterator[View]:
    """One view for each frame, from the first to the last of a move, slower at both ends."""
    start, end = _move(seed)
    for frame in range(frames):
        time = frame / max(1, frames - 1)
        eased = time - EASE * math.sin(2 * math.pi * time) / (2 * math.pi)
        share = start.share * (end.share / start.share) ** eased  # what looks like a constant speed of zoom
        # While the window shrinks, its centre keeps step with its size: one point of the still stays put.
        way = eased if start.share == end.share else (share - start.share) / (end.share - start.share)
        yield View(start.x + (end.x - start.x) * way, start.y + (end.y - start.y) * way, share)


def _move(seed: int) -> tuple[View, View]:
    """Where the camera begins and ends: every eighth seed makes the same kind of move."""
    rng = Random(f"camera {seed}")  # noqa: S311 - art, not secrets
    near, wide = rng.uniform(NARROWEST, 0.78), rng.uniform(0.96, 1.0)
    level, off = rng.uniform(-0.06, 0.06), rng.uniform(0.03, 0.08)
    low, high = near / 2, 1 - near / 2
    whole, close = View(0.5, 0.5, wide), _inside(0.5 + level, 0.5 - off, near)
    kinds = (
        (whole, close),  # push in
        (View(low, 0.5 + level, near), View(high, 0.5 - level, near)),  # pan to the right
        (close, whole),  # pull out
        (_inside(0.5 + off, high, near), _inside(0.5 - off, low, near)),  # rise
        (_inside(high, low, near), whole),  # out of a corner
        (View(high, 0.5 + level, near), View(low, 0.5 - level, near)),  # pan to the left
        (whole, _inside(low, high, near)),  # into a corner
        (_inside(0.5 - off, low, near), _inside(0.5 + off, high, near)),  # sink
    )
    return kinds[seed % len(kinds)]


def _inside(x: float, y: float, share: float) -> View:
    """The view nearest to a point whose window does not reach over the still's edges."""
    low, high = share / 2, 1 - share / 2
    return View(min(high, max(low, x)), min(high, max(low, y)), share)


def _look(plane: Image.Image, view: View, size: tuple[int, int], *, half: bool) -> Image.Image:
    """What the camera sees of one plane."""
    width, height = plane.size
    reach_x, reach_y = width * view.share / 2, height * view.share / 2
    x, y = width * view.x, height * view.y
    box = max(0.0, x - reach_x), max(0.0, y - reach_y), min(width, x + reach_x), min(height, y + reach_y)
    if half:
        return plane.resize((size[0] // 2, size[1] // 2), Image.Resampling.BILINEAR, box)
    return plane.resize(size, Image.Resampling.BICUBIC, box)


def _planes(still: bytes, width_px: int, height_px: int) -> list[Image.Image]:
    """The still, cut to the clip's shape and brought to its size times `STILL_SCALE`, in video colours."""
    size = round(width_px * STILL_SCALE) // 2 * 2, round(height_px * STILL_SCALE) // 2 * 2
    try:
        fitted = ImageOps.fit(read_picture(still), size, Image.Resampling.LANCZOS)
    except OutputInvalid:
        raise OutputInvalid("The still of a scene could not be read.") from None
    frame: av.VideoFrame = av.VideoFrame.from_image(fitted)  # type: ignore[no-untyped-call]
    return planes_of(
        frame.reformat(format=PIXEL_FORMAT, dst_colorspace=Colorspace.ITU709, dst_color_range=ColorRange.MPEG)
    )
