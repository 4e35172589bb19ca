"""The simulator's clips of any length: as many frames as may be drawn in a bounded time."""

from __future__ import annotations

import io
from fractions import Fraction
from pathlib import Path
from typing import Final

import av

from shoal.domain.clip import FRAMES_PER_SECOND
from shoal.media.encoding import REPRODUCIBLE

SECONDS_MAX: Final = 60
WORK_PX_MAX: Final = 350 * 10**6
"""Pixels of all frames: 16 seconds at 720p, some ten seconds of work."""
_VP8: Final = {"deadline": "good", "cpu-used": "5", "threads": "1"}
"""Not `realtime`, whose bytes depend on how fast the machine is."""
_RATES: Final = (FRAMES_PER_SECOND, 12, 8, 6, 4, 3, 2, 1)


def frames_per_second(seconds: float, *, width_px: int, height_px: int) -> int:
    """The highest rate that leaves no more than the work; ValueError for a length that nobody films."""
    if not 0 < seconds <= SECONDS_MAX:
        raise ValueError(f"a clip has up to {SECONDS_MAX} seconds, not {seconds}")
    fits = (rate for rate in _RATES if seconds * rate * width_px * height_px <= WORK_PX_MAX)
    return next(fits, _RATES[-1])


def as_webm(clip: Path) -> bytes:
    """An MP4 of our own as WebM: the same frames at the same times."""
    file = io.BytesIO()
    with (
        av.open(str(clip)) as source,
        av.open(file, "w", "webm", container_options=REPRODUCIBLE) as target,
    ):
        shown = source.streams.video[0]
        rate = shown.average_rate or Fraction(FRAMES_PER_SECOND)
        stream = target.add_stream("libvpx", rate=rate, options=dict(_VP8))
        stream.width, stream.height, stream.pix_fmt = shown.width, shown.height, "yuv420p"
        for number, frame in enumerate(source.decode(shown)):
            frame.pts, frame.time_base = number, 1 / rate
            target.mux(stream.encode(frame))
        target.mux(stream.encode(None))
    return file.getvalue()
