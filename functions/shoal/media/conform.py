"""Any provider's clip in the house's format: size, frame rate, length, colours, no sound."""

from __future__ import annotations

import math
from collections.abc import Iterator
from fractions import Fraction
from itertools import islice
from pathlib import Path
from typing import Final

import av
from av.container import InputContainer
from av.filter import Graph
from av.video.reformatter import ColorPrimaries, ColorTrc
from av.video.stream import VideoStream

from shoal.domain.clip import FRAMES_PER_CLIP, FRAMES_PER_SECOND
from shoal.domain.errors import OutputInvalid
from shoal.media.encoding import PIXEL_FORMAT, ClipWriter, frame_of, planes_of
from shoal.media.lettering import Lettering
from shoal.media.probe import clockwise_degrees, in_time, open_video, shown_size

TURNS: Final = {
    0: (),
    90: (("transpose", "clock"),),
    180: (("hflip", None), ("vflip", None)),
    270: (("transpose", "cclock"),),
}
"""The filters that turn a picture, by degrees clockwise."""
WIDE: Final = frozenset({ColorPrimaries.BT2020, ColorPrimaries.SMPTE431, ColorPrimaries.SMPTE432})
"""Primaries of more colours than BT.709 has (BT.2020 and the two P3); others look as they are."""
BRIGHT: Final = frozenset({ColorTrc.SMPTE2084, ColorTrc.ARIB_STD_B67})
"""PQ and HLG: their numbers mean far more light."""


def conform_clip(
    source: Path,
    target: Path,
    *,
    width_px: int,
    height_px: int,
    subtitle: str | None = None,
    language: str = "en",
) -> None:
    """Write a clip again so that it joins with the house's own; burn in a subtitle if one is given.

    The picture is scaled to cover the frame and what reaches over is cut off evenly. What is longer than a
    scene is cut off at its end; the last picture of what is shorter stays. Raises `OutputInvalid`.
    """
    lettering = Lettering(width_px, height_px, subtitle=subtitle, language=language) if subtitle else None
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
    """The video's frames at the house's size, rate and colours, as players show them."""
    stream = container.streams.video[0]
    stream.thread_type = "AUTO"
    graph: Graph | None = None
    for frame in in_time(container.decode(stream)):
        graph = graph or _graph(stream, frame, width_px, height_px)
        graph.vpush(frame)
        yield from _drain(graph)
    if graph is not None:
        graph.vpush(None)
        yield from _drain(graph)


def _graph(stream: VideoStream, first: av.VideoFrame, width_px: int, height_px: int) -> Graph:
    graph = Graph()
    shown_width, shown_height = shown_size(stream, first)
    larger = max(Fraction(width_px, shown_width), Fraction(height_px, shown_height))
    across, down = (math.ceil(side * larger / 2) * 2 for side in (shown_width, shown_height))
    graph.link_nodes(
        graph.add_buffer(template=stream),
        graph.add("setpts", "PTS-STARTPTS"),
        graph.add("fps", str(FRAMES_PER_SECOND)),
        *(graph.add(*turn) for turn in TURNS[clockwise_degrees(first)]),
        graph.add("scale", f"{across}:{down}:flags=bicubic:{_colours(stream)}"),
        graph.add("crop", f"{width_px}:{height_px}"),
        graph.add("setsar", "1"),
        graph.add("format", PIXEL_FORMAT),
        graph.add("buffersink"),
    ).configure()
    return graph


def _colours(stream: VideoStream) -> str:
    """How the scaler is to change colours: what screens of today cannot show is brought into BT.709."""
    context = stream.codec_context
    wide = context.color_primaries in WIDE or context.color_trc in BRIGHT
    return "out_color_matrix=bt709:out_range=tv" + (":out_primaries=bt709:out_transfer=bt709" if wide else "")


def _drain(graph: Graph) -> Iterator[av.VideoFrame]:
    """The frames that are ready."""
    while True:
        try:
            yield graph.vpull()
        except (av.BlockingIOError, av.EOFError):
            return
