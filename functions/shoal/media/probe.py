"""What a video file really holds: every packet is read, and its pictures are decoded.

Headers lie, above all in files that were cut off on their way here, so nothing is taken from them alone.
"""

from __future__ import annotations

import time
import warnings
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from fractions import Fraction
from functools import partial
from pathlib import Path
from typing import Final, TypeVar

import av
from av.container import InputContainer
from av.packet import Packet
from av.video.stream import VideoStream

from shoal.domain.clip import FRAMES_PER_CLIP, FRAMES_PER_SECOND, ClipFacts
from shoal.domain.errors import OutputInvalid
from shoal.media.child import in_child
from shoal.media.clip_work import check_samples
from shoal.media.encoding import PIXEL_FORMAT, house_parameter_sets

Part = TypeVar("Part")

SIDE_PX_MAX: Final = 4096
SIDES_RATIO_MAX: Final = 4
"""A longer strip would be scaled to many times its size to cover a frame."""
SECONDS_MAX: Final = 600
FRAMES_MAX: Final = 60 * SECONDS_MAX
PIXELS_MAX: Final = 12 * 10**9
"""What one clip may have to be decoded: 2160p at 24 frames per second for a minute."""
CPU_SECONDS_MAX: Final = 60
"""What one file may take, of all processors together; twice what those pixels take."""
STREAMS_MAX: Final = 16
"""Pictures, sound, and what editors put beside them; each is looked into when the file is opened."""
CODECS: Final = frozenset({"h264", "hevc", "vp8", "vp9", "av1", "mpeg4"})
SHORT_BY: Final = Fraction(1, 10)
"""Share of the time its header promises that a file without an index of frames may lack."""
_READER: Final = {"format_whitelist": "mov,matroska", "protocol_whitelist": "file"}
"""Only MP4, MOV, Matroska and WebM: other formats can make the reader open further files and addresses."""


def probe_apart(path: Path, *, cpu_seconds_max: int = CPU_SECONDS_MAX) -> ClipFacts:
    """As `probe_clip`, for a file that nobody has looked at: one part of it may take for ever."""
    return in_child(partial(probe_clip, path), cpu_seconds_max=cpu_seconds_max)


def probe_clip(path: Path, *, decode_all: bool = True) -> ClipFacts:
    """Count and check a video file. Raises `OutputInvalid` unless it holds a whole, decodable video.

    All pictures are decoded, or only those from the last keyframe on, which is enough for a clip that was
    checked before and may have been cut off since.
    """
    with open_video(path) as container:
        stream = container.streams.video[0]
        times, packets = _demux(container, last_group_only=not decode_all)
        if stream.frames > len(times) or _promised_seconds(container) * (1 - SHORT_BY) > _span(times):
            raise OutputInvalid("The clip ends before its end: the file is cut off.")
        if not 0 < _span(times) <= SECONDS_MAX:
            raise OutputInvalid(f"The clip is not between one frame and {SECONDS_MAX} seconds long.")
        frame = _decode(container, packets)
        audio, context = container.streams.audio, stream.codec_context
        width_px, height_px = shown_size(stream, frame)
        return ClipFacts(
            width_px=width_px,
            height_px=height_px,
            frames_per_second=len(times) / _span(times),
            frames=len(times),
            seconds=_span(times),
            codec=context.codec.canonical_name,
            profile=stream.profile,
            pixel_format=context.pix_fmt or "",
            audio_codec=audio[0].codec_context.name if audio else None,
            size_bytes=path.stat().st_size,
            parameter_sets=bytes(context.extradata or b""),
            as_stored=clockwise_degrees(frame) == 0 and pixel_shape(stream) == 1,
        )


def conforms(facts: ClipFacts, width_px: int, height_px: int) -> bool:
    """Whether a clip is one of the house's own, ready to be joined with others of its size."""
    return (
        (facts.width_px, facts.height_px) == (width_px, height_px)
        and facts.as_stored
        and facts.frames == FRAMES_PER_CLIP
        and facts.frames_per_second == FRAMES_PER_SECOND
        and (facts.codec, facts.pixel_format, facts.audio_codec) == ("h264", PIXEL_FORMAT, None)
        and facts.parameter_sets == house_parameter_sets(width_px, height_px)
    )


def clockwise_degrees(frame: av.VideoFrame) -> int:
    """By how much a player turns the picture before it shows it: 0, 90, 180 or 270."""
    return round(-frame.rotation / 90) % 4 * 90


def pixel_shape(stream: VideoStream) -> Fraction:
    """How wide a stored pixel is shown, of its height."""
    return stream.sample_aspect_ratio or Fraction(1)


def shown_size(stream: VideoStream, frame: av.VideoFrame) -> tuple[int, int]:
    """Width and height in pixels, as players show the frame."""
    size = round(frame.width * pixel_shape(stream)), frame.height
    return (size[1], size[0]) if clockwise_degrees(frame) % 180 else size


def in_time(parts: Iterable[Part]) -> Iterator[Part]:
    """The parts of a file. Raises `OutputInvalid` once all that is done with them takes too long.

    No header tells what a picture or a sound costs to decode.
    """
    until = time.process_time() + CPU_SECONDS_MAX
    for part in parts:
        if time.process_time() > until:
            raise OutputInvalid("The file takes too long to decode.")
        yield part


def _usable(width_px: Fraction | int, height_px: int) -> bool:
    short, long = min(width_px, height_px), max(width_px, height_px)
    return 0 < short <= long <= min(SIDE_PX_MAX, short * SIDES_RATIO_MAX)


@contextmanager
def open_video(path: Path) -> Iterator[InputContainer]:
    """A file with a usable video stream, open for reading.

    Raises `OutputInvalid`, also when the file turns out to be broken while it is read.
    """
    with path.open("rb") as file:
        check_samples(file)
    try:
        with (
            warnings.catch_warnings(),
            av.open(str(path), options=dict(_READER), metadata_errors="replace") as container,
        ):
            if not container.streams.video:
                raise OutputInvalid("The clip holds no video.")
            if len(container.streams) > STREAMS_MAX:
                raise OutputInvalid("The clip has too many streams.")
            stream = container.streams.video[0]
            context = stream.codec_context
            # None for what no decoder is there for; libdav1d decodes av1.
            if not context or context.codec.canonical_name not in CODECS:
                raise OutputInvalid("The clip is encoded in a way that is not supported.")
            shown_width = context.width * pixel_shape(stream)
            if not (_usable(context.width, context.height) and _usable(shown_width, context.height)):
                raise OutputInvalid("The clip has an unusable size.")
            # Pictures may change their size on the way; no header tells.
            context.options = {"max_pixels": str(SIDE_PX_MAX**2)}
            yield container
    except (av.FFmpegError, ValueError):
        raise OutputInvalid("The provider did not deliver a readable video.") from None


Times = list[tuple[Fraction, Fraction]]
"""When each frame is shown and for how long, in seconds, in the order of decoding."""


def _demux(container: InputContainer, *, last_group_only: bool) -> tuple[Times, list[Packet[VideoStream]]]:
    """The times of all video packets, and the packets: all, or those from the last keyframe on."""
    times: Times = []
    packets: list[Packet[VideoStream]] = []
    for packet in container.demux(video=0):
        if packet.size == 0:
            continue  # the end
        if packet.pts is None or packet.is_corrupt:
            raise OutputInvalid("The clip is damaged.")
        if len(times) == FRAMES_MAX:
            raise OutputInvalid("The clip has too many pictures.")
        if packet.is_keyframe and last_group_only:
            packets.clear()
        packets.append(packet)
        times.append((packet.pts * packet.time_base, (packet.duration or 0) * packet.time_base))
    if not packets or not packets[0].is_keyframe:
        raise OutputInvalid("The clip holds no pictures.")
    return times, packets


def _span(times: Times) -> Fraction:
    """Seconds from the first frame to the end of the last; 0 for none."""
    shown = sorted(times)
    if not shown:
        return Fraction(0)
    held = shown[-1][1] or (shown[-1][0] - shown[-2][0] if len(shown) > 1 else Fraction(1, FRAMES_PER_SECOND))
    return shown[-1][0] + held - shown[0][0]


def _promised_seconds(container: InputContainer) -> Fraction:
    """How long the header says the video is; 0 if it does not."""
    stream = container.streams.video[0]
    if stream.duration is not None and stream.time_base is not None:
        return stream.duration * stream.time_base
    # Of the whole file: sound may be a little longer than pictures, which `SHORT_BY` allows for.
    return Fraction(container.duration or 0, av.time_base)


def _decode(container: InputContainer, packets: list[Packet[VideoStream]]) -> av.VideoFrame:
    """The last frame of packets that begin with a keyframe. Raises `OutputInvalid` if some are missing."""
    context = container.streams.video[0].codec_context
    if len(packets) * context.width * context.height > PIXELS_MAX:
        raise OutputInvalid("The clip has too many pictures.")
    decoded = corrupt = 0
    sizes: set[tuple[int, int]] = set()
    last: av.VideoFrame | None = None
    for packet in in_time([*packets, None]):
        for frame in context.decode(packet):
            last = frame
            decoded += 1
            corrupt += frame.is_corrupt
            sizes.add((frame.width, frame.height))
        if len(sizes) > 1:
            raise OutputInvalid("The clip changes its size.")
    # Only in H.264 is every packet a picture to be shown; elsewhere some are there to predict others from.
    expected = len(packets) if context.name == "h264" else 1
    if last is None or corrupt or decoded < expected:
        raise OutputInvalid("The clip is damaged.")
    return last
