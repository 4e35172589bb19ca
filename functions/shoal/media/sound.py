"""Sound as samples: reading, filtering, measuring. One shape everywhere: 48 kHz, one channel, 16 bit."""

from __future__ import annotations

import io
import math
import wave
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import BinaryIO, Final, cast

import av
from av.audio.frame import AudioFrame
from av.filter import Graph

from shoal.domain.errors import OutputInvalid
from shoal.media.clip_work import check_samples
from shoal.media.probe import SECONDS_MAX, in_time

RATE_HZ: Final = 48_000
"""At this rate, eight seconds are a whole number of AAC frames (375 of 1,024 samples)."""
SAMPLE_BYTES: Final = 2
SILENT_LUFS: Final = -70.0
"""What ITU-R BS.1770's absolute gate leaves out counts as silence."""

Filter = tuple[str, str]
"""One of FFmpeg's filters and its arguments."""
_SHAPE: Final = ("aformat", f"sample_fmts=s16:sample_rates={RATE_HZ}:channel_layouts=mono")
_FORMATS: Final = {"format_whitelist": "wav,mp3,ogg,flac,mov,matroska", "protocol_whitelist": "file"}


def samples_of(sound: bytes | Path, *filters: Filter) -> bytes:
    """The samples of an audio file, sent through filters. Raises `OutputInvalid` if it cannot be read."""
    try:
        with _open(sound) as file, av.open(file, "r", options=dict(_FORMATS)) as container:
            if not container.streams.audio:
                raise OutputInvalid("The narration holds no sound.")
            sound_in_time = in_time(container.decode(audio=0))
            return _bounded(map(_bytes, _filter_frames(sound_in_time, *filters, _SHAPE)))
    except (av.FFmpegError, ValueError):
        raise OutputInvalid("The narration's sound could not be read.") from None


def _open(sound: bytes | Path) -> BinaryIO:
    file: BinaryIO = sound.open("rb") if isinstance(sound, Path) else io.BytesIO(sound)
    check_samples(file)
    file.seek(0)
    return file


def _bounded(parts: Iterable[bytes]) -> bytes:
    samples = bytearray()
    for part in parts:
        samples += part
        if seconds_of(samples) > SECONDS_MAX:
            raise OutputInvalid("The narration's sound is too long.")
    return bytes(samples)


def filter_samples(samples: bytes, *filters: Filter) -> bytes:
    """Samples sent through filters."""
    return b"".join(map(_bytes, _filter_frames(frames_of(samples), *filters, _SHAPE)))


def loudness_lufs(samples: bytes) -> float:
    """Integrated loudness after ITU-R BS.1770, `SILENT_LUFS` at least."""
    return _measure(samples, "lavfi.r128.I", SILENT_LUFS)


def true_peak_db(samples: bytes) -> float:
    """The highest peak between samples after ITU-R BS.1770, in dB of full scale."""
    peak = _measure(samples, "lavfi.r128.true_peaks_ch0", 0.0)
    return 20 * math.log10(peak) if peak > 0 else -math.inf


def seconds_of(samples: bytes | bytearray) -> float:
    """How long samples last."""
    return len(samples) / SAMPLE_BYTES / RATE_HZ


def write_wav(samples: bytes, target: Path) -> None:
    """Write samples as a WAV file."""
    with wave.open(str(target), "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(SAMPLE_BYTES)
        file.setframerate(RATE_HZ)
        file.writeframes(samples)


def frames_of(samples: bytes) -> Iterator[AudioFrame]:
    """Samples as frames of a fifth of a second and a shorter last one."""
    size, pts = RATE_HZ // 5, 0
    for start in range(0, len(samples), size * SAMPLE_BYTES):
        chunk = samples[start : start + size * SAMPLE_BYTES]
        frame = AudioFrame(format="s16", layout="mono", samples=len(chunk) // SAMPLE_BYTES, align=1)
        frame.planes[0].update(chunk)
        frame.sample_rate, frame.pts = RATE_HZ, pts
        pts += frame.samples
        yield frame


def _measure(samples: bytes, key: str, otherwise: float) -> float:
    """The last value of one of the `ebur128` filter's measurements; silence is added so that one is made."""
    padded = samples + bytes(RATE_HZ * SAMPLE_BYTES)
    meter = ("ebur128", "metadata=1:peak=true")
    values = [frame.metadata.get(key) for frame in _filter_frames(frames_of(padded), meter)]
    return max((float(value) for value in values[-1:] if value is not None), default=otherwise)


def _filter_frames(frames: Iterator[AudioFrame], *filters: Filter) -> Iterator[AudioFrame]:
    graph: Graph | None = None
    for frame in frames:
        if graph is None:
            graph = _graph(frame, filters)
        graph.push(frame)
        yield from _drain(graph)
    if graph is not None:
        graph.push(None)
        yield from _drain(graph)


def _graph(first: AudioFrame, filters: tuple[Filter, ...]) -> Graph:
    graph = Graph()
    source = graph.add_abuffer(
        sample_rate=first.sample_rate, format=first.format, layout=first.layout, time_base=first.time_base
    )
    graph.link_nodes(source, *(graph.add(*one) for one in filters), graph.add("abuffersink")).configure()
    return graph


def _drain(graph: Graph) -> Iterator[AudioFrame]:
    while True:
        try:
            yield cast(AudioFrame, graph.pull())
        except (av.BlockingIOError, av.EOFError):
            return


def _bytes(frame: AudioFrame) -> bytes:
    return bytes(frame.planes[0])[: frame.samples * SAMPLE_BYTES]
