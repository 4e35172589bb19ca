"""Any provider's clip in the house's format: size, frame rate, length, colours, no sound."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import islice
from pathlib import Path

import av
from av.container import InputContainer
from av.filter import Graph

from shoal.domain.clip import FRAMES_PER_CLIP, FRAMES_PER_SECOND
from shoal.domain.errors import OutputInvalid
from shoal.media.encoding import PIXEL_FORMAT, ClipWriter, frame_of, planes_of
from shoal.media.lettering import Lettering
from shoal.media.probe import open_video


def conform_clip(
    source: Path, target: Path, *, width_px: int, height_px: int, subtitle: str | None = None
) -> None:
    """Write a clip again so that it joins with the house's own; burn in a subtitle if one is given.

    The picture is scaled to cover the frame and what reaches over is cut off evenly. What is longer than a
    scene is cut off at its end; the last picture of what is shorter stays. Raises `OutputInvalid`.
    """
    lettering = Lettering(width_px, height_px, subtitle=subtitle) if subtitle else None
    with open_video(source) as container, ClipWriter(target, width_px, height_px) as writer:
        missing, shown = FRAMES_PER_CLIP, None
        for frame in islice(_fit(container, width_px, height_px), FRAMES_PER_CLIP):
            shown = _letter(frame, lettering)
            writer.write(shown)
            missing -= 1
        if shown is None:
            raise OutputInvalid("The clip holds no pictures.")
        for _ in range(missing):
            writer.write(shown)


def _letter(frame: av.VideoFrame, lettering: Lettering | None) -> av.VideoFrame:
    if lettering is None:
        return frame
    planes = planes_of(frame)
    lettering.onto(planes)
    return frame_of(planes)


def _fit(container: InputContainer, width_px: int, height_px: int) -> Iterator[av.VideoFrame]:
    """The video's frames at the house's size, rate and colours."""
    stream = container.streams.video[0]
    stream.thread_type = "AUTO"
    graph = Graph()
    cover = f"{width_px}:{height_px}:force_original_aspect_ratio=increase:force_divisible_by=2"
    graph.link_nodes(
        graph.add_buffer(template=stream),
        graph.add("setpts", "PTS-STARTPTS"),
        graph.add("fps", str(FRAMES_PER_SECOND)),
        graph.add("scale", f"{cover}:flags=bicubic:out_color_matrix=bt709:out_range=tv"),
        graph.add("crop", f"{width_px}:{height_px}"),
        graph.add("setsar", "1"),
        graph.add("format", PIXEL_FORMAT),
        graph.add("buffersink"),
    ).configure()
    for frame in container.decode(stream):
        graph.vpush(frame)
        yield from _drain(graph)
    graph.vpush(None)
    yield from _drain(graph)


def _drain(graph: Graph) -> Iterator[av.VideoFrame]:
    """The frames that are ready."""
    while True:
        try:
            yield graph.vpull()
        except (av.BlockingIOError, av.EOFError):
            return
