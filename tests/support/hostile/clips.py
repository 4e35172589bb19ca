"""Small files that promise, or hold, far more than their size."""

from __future__ import annotations

import struct
from pathlib import Path

import av

from shoal.media.sound import frames_of
from tests.support.media_files import shot_clip


def many_streams(path: Path, count: int = 17) -> Path:
    """A clip of that many streams of one picture each."""
    with av.open(str(path), "w") as container:
        streams = [container.add_stream("libx264", rate=24) for _ in range(count)]
        for stream in streams:
            stream.width, stream.height, stream.pix_fmt = 64, 64, "yuv420p"
        for stream in streams:
            container.mux(stream.encode(av.VideoFrame(64, 64, "yuv420p")))
            container.mux(stream.encode(None))
    return path


def many_slices(path: Path, count: int) -> Path:
    """A clip of two black pictures, the second of which comes that many times in one packet."""
    with av.open(str(path), "w") as container:
        options = {"preset": "ultrafast", "tune": "zerolatency", "x264-params": "slices=2"}
        stream = container.add_stream("libx264", rate=24, options=options)
        stream.width = stream.height = 2_048
        for at, times in ((0, 1), (1, count)):
            frame = av.VideoFrame(2_048, 2_048, "yuv420p")
            for plane in frame.planes:
                plane.update(bytes(plane.buffer_size))
            frame.pts = at
            for packet in stream.encode(frame):
                again = av.Packet(bytes(packet) * times)
                again.stream, again.pts, again.dts = stream, packet.pts, packet.dts
                again.time_base, again.is_keyframe = packet.time_base, packet.is_keyframe
                container.mux(again)
    return path


def promising(path: Path, samples: int) -> Path:
    """A clip of two kilobytes whose tables are for that many samples, of one byte each, in one chunk."""
    data = bytearray(shot_clip(path).read_bytes())
    sizes, chunks = data.index(b"stsz") + 8, data.index(b"stsc") + 8
    data[sizes : sizes + 8] = struct.pack(">II", 1, samples)
    data[chunks + 8 : chunks + 12] = struct.pack(">I", samples)
    path.write_bytes(data)
    return path


def many_boxes(path: Path, outer: bytes, count: int = 200_000) -> Path:
    """A box that holds that many empty ones."""
    flat = struct.pack(">I4s", 8, b"free") * count
    path.write_bytes(struct.pack(">I4s", 8 + len(flat), outer) + flat)
    return path


def endless_silence(path: Path) -> Path:
    """Silence packs well: eleven minutes of it are a small file."""
    with av.open(str(path), "w") as container:
        stream = container.add_stream("flac", rate=8_000, layout="mono")
        for frame in frames_of(bytes(2 * 48_000 * 110)):
            frame.sample_rate = 8_000
            frame.pts = None
            container.mux(stream.encode(frame))
        container.mux(stream.encode(None))
    return path
