"""Small files that cost processors much."""

from __future__ import annotations

import tempfile
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

from shoal.domain.errors import OutputInvalid
from shoal.media.probe import probe_clip
from shoal.media.sound import samples_of
from tests.abuse.row import Row
from tests.support.hostile import clips as hostile
from tests.support.hostile.pictures import costs

HONEST = "JPEG of 500 empty headers"
"""Costs what an honest picture of the largest size does."""
HONEST_PICTURES_MAX = 10
REFUSED_MS_MAX = 2_000
"""For a clip or a sound that is refused: what a second of a processor is worth, twice."""


def pictures() -> list[Row]:
    """Every hostile picture beside an honest one."""
    found = costs()
    (honest_ms,) = [cost.decoded_ms for cost in found if cost.name == HONEST]
    return [
        Row(
            cost.name,
            1,
            f"picture of {cost.sent_bytes:,} bytes",
            cost.looked_at_ms + cost.decoded_ms,
            "ms of a processor",
            HONEST_PICTURES_MAX * honest_ms,
            steady=False,
        )
        for cost in found
    ]


def clips_and_sound() -> list[Row]:
    """Files that promise, or hold, far more than their size."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder)
        return [
            _refused("clip of 17 streams", hostile.many_streams(path / "many.mkv"), probe_clip),
            _refused(
                "clip that promises 80 million pictures",
                hostile.promising(path / "promising.mp4", 80_000_000),
                probe_clip,
            ),
            _refused("clip of 200,000 boxes", hostile.many_boxes(path / "boxes.mp4", b"moov"), probe_clip),
            _refused(
                "eleven minutes of silence",
                hostile.endless_silence(path / "long.flac"),
                lambda file: samples_of(file.read_bytes()),
            ),
        ]


def _refused(name: str, file: Path, read: Callable[[Path], object]) -> Row:
    before = time.process_time()
    with suppress(OutputInvalid):
        read(file)
    spent_ms = (time.process_time() - before) * 1000
    sent = f"file of {file.stat().st_size:,} bytes"
    return Row(name, 1, sent, spent_ms, "ms of a processor", REFUSED_MS_MAX, steady=False)
