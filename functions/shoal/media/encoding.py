"""The house's encoder: one set of H.264 settings for every clip, so that clips join without re-encoding.

H.264 High 4:2:0 in BT.709, a closed group of pictures every two seconds and only there, no rate control that
depends on the machine. What varies nothing but the picture gives the same bytes again.
"""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction
from functools import lru_cache
from pathlib import Path
from tempfile import TemporaryDirectory
from types import TracebackType
from typing import Final

import av
from av.video.reformatter import ColorPrimaries, ColorRange, Colorspace, ColorTrc
from PIL import Image

from shoal.domain.clip import FRAMES_PER_SECOND

PIXEL_FORMAT: Final = "yuv420p"
_GROUP_FRAMES: Final = 2 * FRAMES_PER_SECOND
_X264: Final = {
    # Without `mbtree`: on processors with AVX-512 it reads memory that nobody wrote, and bytes differ.
    "preset": "veryfast",
    "crf": "22",
    "profile": "high",
    "level": "3.1",  # the lowest that holds 720p at 24 frames per second
    "threads": "2",  # fixed: x264's bytes depend on it
    "x264-params": f"keyint={_GROUP_FRAMES}:min-keyint={_GROUP_FRAMES}:scenecut=0:open-gop=0:mbtree=0",
}
REPRODUCIBLE: Final = {"fflags": "+bitexact"}
"""Container options that leave out dates and the name of the writing library."""
FAST_START: Final = {"movflags": "+faststart"}
"""Container options that put the index before the media, so that players start before the end is there."""


class ClipWriter:
    """Writes frames into an MP4 file of the house's format. Leaves no file behind when it fails."""

    def __init__(
        self, target: Path, width_px: int, height_px: int, frames_per_second: int = FRAMES_PER_SECOND
    ) -> None:
        self._target = target
        self._container = av.open(str(target), "w", "mp4", container_options=REPRODUCIBLE | FAST_START)
        stream = self._container.add_stream("libx264", rate=frames_per_second, options=dict(_X264))
        stream.width, stream.height, stream.pix_fmt = width_px, height_px, PIXEL_FORMAT
        context = stream.codec_context
        context.color_primaries, context.color_trc = ColorPrimaries.BT709, ColorTrc.BT709
        context.colorspace, context.color_range = Colorspace.ITU709, ColorRange.MPEG
        self._stream, self._frames, self._rate = stream, 0, frames_per_second

    def write(self, frame: av.VideoFrame) -> None:
        """Append a frame, whatever time it says it has."""
        frame.pts, frame.time_base = self._frames, Fraction(1, self._rate)
        self._container.mux(self._stream.encode(frame))
        self._frames += 1

    def __enter__(self) -> ClipWriter:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, _error: BaseException | None, _trace: TracebackType | None
    ) -> None:
        try:
            if kind is None:
                self._container.mux(self._stream.encode(None))
        finally:
            self._container.close()
            if kind is not None:
                self._target.unlink(missing_ok=True)


@lru_cache(maxsize=8)
def house_parameter_sets(width_px: int, height_px: int) -> bytes:
    """The H.264 parameter sets that the house's encoder gives to clips of a size."""
    with TemporaryDirectory() as folder:
        clip = Path(folder) / "clip.mp4"
        with ClipWriter(clip, width_px, height_px) as writer:
            writer.write(av.VideoFrame(width_px, height_px, PIXEL_FORMAT))
        with av.open(str(clip)) as container:
            return bytes(container.streams.video[0].codec_context.extradata or b"")


def planes_of(frame: av.VideoFrame) -> list[Image.Image]:
    """Luma and the two chroma planes of a 4:2:0 frame as grey pictures."""
    return [
        Image.frombytes("L", (plane.width, plane.height), bytes(plane), "raw", "L", plane.line_size, 1)
        for plane in frame.planes
    ]


def frame_of(planes: Sequence[Image.Image]) -> av.VideoFrame:
    """The 4:2:0 frame of three grey pictures."""
    frame = av.VideoFrame(*planes[0].size, PIXEL_FORMAT)
    for plane, picture in zip(frame.planes, planes, strict=True):
        plane.update(picture.tobytes("raw", "L", plane.line_size, 1))
    return frame
