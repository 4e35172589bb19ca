"""Clips and narration put together: pictures copied as they are, sound encoded once, subtitles as a track."""

from __future__ import annotations

import heapq
from collections.abc import Iterator, Sequence
from fractions import Fraction
from itertools import islice
from pathlib import Path
from typing import Any, Final, TypeAlias

import av
from av.container import OutputContainer
from av.packet import Packet
from av.subtitles.stream import SubtitleStream
from av.video.stream import VideoStream
from PIL import Image, ImageStat

from shoal.domain.clip import FRAMES_PER_CLIP, FRAMES_PER_SECOND, SCENE_SECONDS, ClipFacts
from shoal.domain.errors import OutputInvalid
from shoal.media.encoding import FAST_START, REPRODUCIBLE
from shoal.media.probe import conforms, open_video, probe_clip
from shoal.media.sound import RATE_HZ, SAMPLE_BYTES, frames_of, samples_of

AUDIO_BITS_PER_SECOND: Final = 128_000
POSTER_SECONDS: Final = (0, 2, 4, 6)
"""Where in the first scene to look for the poster: at the house's keyframes."""
POSTER_QUALITY: Final = 88
PREVIEW_PX: Final = 160
"""The longer side of a preview."""
PREVIEW_QUALITY: Final = 60

MILLISECOND: Final = Fraction(1, 1000)
TEXT_BYTES_MAX: Final = 2_000
STYLE: Final = b"""[V4+ Styles]
Format: Name, Fontname, Fontsize, PrimaryColour, BackColour, Bold, Alignment, Encoding
Style: Default,Sans,18,&Hffffff,&H80000000,0,2,0
"""
"""How the subtitle track asks to be shown, in the language that FFmpeg takes it in: white, at the bottom."""

AnyPacket: TypeAlias = "Packet[Any]"
Subtitle = tuple[float, float, str]
"""From when to when, in seconds, and what is said."""


def stitch(
    clips: Sequence[Path],
    narration_wav: Path,
    target: Path,
    *,
    subtitles: Sequence[Subtitle] | None = None,
) -> ClipFacts:
    """Join clips of the house's format, in their order, under a narration; pictures are not encoded again.

    Sound is cut or silent where it is longer or shorter than the pictures. Raises `OutputInvalid` for a clip
    that is broken, cut off or of another format, and for no clips.
    """
    if not clips:
        raise OutputInvalid("There are no clips to join.")
    _check(clips)
    seconds = len(clips) * SCENE_SECONDS
    size = seconds * RATE_HZ * SAMPLE_BYTES
    samples = samples_of(narration_wav)[:size].ljust(size, b"\0")
    options = REPRODUCIBLE | FAST_START
    with open_video(clips[0]) as first, av.open(str(target), "w", "mp4", container_options=options) as video:
        pictures = video.add_stream_from_template(first.streams.video[0])
        tracks = [_pictures(clips, pictures), _sound(video, samples)]
        if subtitles:
            tracks.append(_subtitles(video, subtitles, seconds))
        video.start_encoding()
        # Interleaved by time, so that no player has to read far ahead and nothing piles up in memory.
        for packet in heapq.merge(*tracks, key=_decode_time):
            video.mux(packet)
    return probe_clip(target, decode_all=False)


def poster(video: Path, target: Path) -> None:
    """Write the liveliest of a few pictures from a clip's or video's first scene as a JPEG."""
    best = _liveliest(video)
    best.save(target, "JPEG", quality=POSTER_QUALITY, progressive=True, optimize=True)


def preview(clip: Path, target: Path) -> None:
    """As `poster`, but small: it shows what a clip is about and is of no use in its place."""
    small = _liveliest(clip)
    small.thumbnail((PREVIEW_PX, PREVIEW_PX))
    small.save(target, "JPEG", quality=PREVIEW_QUALITY, optimize=True)


def _liveliest(video: Path) -> Image.Image:
    with open_video(video) as container:
        shots: list[Image.Image] = []
        for second in POSTER_SECONDS:
            container.seek(second * av.time_base)
            later = (frame for frame in container.decode(video=0) if frame.time >= second)
            shots += [frame.to_image() for frame in islice(later, 1)]  # type: ignore[no-untyped-call]
        if not shots:
            raise OutputInvalid("The clip shows nothing.")
        return max(shots, key=lambda shot: sum(ImageStat.Stat(shot).stddev))


def _check(clips: Sequence[Path]) -> None:
    """Raises `OutputInvalid` unless the clips are whole and joinable."""
    size: tuple[int, int] | None = None
    for number, clip in enumerate(clips, 1):
        facts = probe_clip(clip, decode_all=False)
        size = size or (facts.width_px, facts.height_px)
        if not conforms(facts, *size):
            raise OutputInvalid(f"The clip of scene {number} does not fit the others.")


def _pictures(clips: Sequence[Path], stream: VideoStream) -> Iterator[AnyPacket]:
    """Every clip's packets, each clip later by what the ones before it last."""
    for number, clip in enumerate(clips):
        with open_video(clip) as container:
            for packet in container.demux(video=0):
                if packet.dts is None or packet.pts is None:
                    continue  # the end
                later = Fraction(number * FRAMES_PER_CLIP, FRAMES_PER_SECOND) / packet.time_base
                packet.pts += int(later)
                packet.dts += int(later)
                packet.stream = stream
                yield packet


def _sound(video: OutputContainer, samples: bytes) -> Iterator[AnyPacket]:
    """The narration as AAC."""
    stream = video.add_stream("aac", rate=RATE_HZ, layout="mono")
    stream.codec_context.bit_rate = AUDIO_BITS_PER_SECOND

    def packets() -> Iterator[AnyPacket]:
        for frame in frames_of(samples):
            yield from stream.encode(frame)
        yield from stream.encode(None)

    return packets()


def _subtitles(video: OutputContainer, subtitles: Sequence[Subtitle], seconds: int) -> Iterator[AnyPacket]:
    """A track of 3GPP timed text, one subtitle at a time."""
    stream = video.add_stream("mov_text")
    stream.codec_context.subtitle_header = STYLE
    stream.time_base = stream.codec_context.time_base = MILLISECOND

    def packets() -> Iterator[AnyPacket]:
        shown_until = 0
        for start_s, end_s, text in sorted(subtitles):
            start, end = (round(min(seconds, max(0.0, time)) * 1000) for time in (start_s, end_s))
            if (start := max(start, shown_until)) < end:
                yield _timed_text(stream, start, end, text)
                shown_until = end

    return packets()


def _timed_text(stream: SubtitleStream, begin: int, until: int, words: str) -> AnyPacket:
    """One sample of 3GPP TS 26.245: how many bytes of text, and the text."""
    cut = words.encode("utf-8", "replace")[:TEXT_BYTES_MAX]
    text = cut.decode("utf-8", "ignore").encode()  # no half letter at the end
    packet = Packet(len(text).to_bytes(2, "big") + text)
    packet.stream, packet.time_base = stream, MILLISECOND
    packet.pts = packet.dts = begin
    packet.duration = until - begin
    return packet


def _decode_time(packet: AnyPacket) -> Fraction:
    return (packet.dts or 0) * packet.time_base
