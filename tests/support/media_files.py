"""Small clips, sounds and odd files for the tests of media functions."""

from __future__ import annotations

import io
import math
import wave
from array import array
from collections.abc import Iterator
from fractions import Fraction
from functools import lru_cache
from pathlib import Path
from tempfile import TemporaryDirectory

import av
from av.video.reformatter import ColorPrimaries, ColorRange, Colorspace, ColorTrc
from PIL import Image

from shoal.domain.script import Speech
from shoal.media.clip import render_clip
from shoal.media.drawing import draw
from shoal.media.sound import frames_of


@lru_cache
def still(seed: int = 1) -> bytes:
    return draw(prompt="a shark in the deep sea", seed=seed, width_px=270, height_px=480, captioned=False)


@lru_cache
def clip_bytes(seed: int = 0, width_px: int = 180, height_px: int = 320, seconds: float = 8.0) -> bytes:
    """A clip, small so that eight seconds of it are made in half a second."""
    with TemporaryDirectory() as folder:
        target = Path(folder) / "clip.mp4"
        render_clip(still(), target, width_px=width_px, height_px=height_px, seed=seed, seconds=seconds)
        return target.read_bytes()


def written(folder: Path, data: bytes, name: str = "clip.mp4") -> Path:
    path = folder / name
    path.write_bytes(data)
    return path


def frames(path: Path) -> Iterator[Image.Image]:
    with av.open(str(path)) as container:
        for frame in container.decode(video=0):
            yield frame.to_image()  # type: ignore[no-untyped-call]


def foreign_clip(path: Path, *, codec: str, frames: int, rate: int = 30, sound: bool = False) -> Path:
    """A clip as a provider might make it: wide, with a white square that crosses it."""
    with av.open(str(path), "w") as container:
        video = container.add_stream(codec, rate=rate)
        assert isinstance(video, av.VideoStream)
        video.width, video.height, video.pix_fmt = 320, 180, "yuv420p"
        audio = container.add_stream("aac", rate=48_000, layout="mono") if sound else None
        for index in range(frames):
            picture = Image.new("RGB", (320, 180), (150, 40, 40))
            left = 110 + index * 80 // frames
            picture.paste((255, 255, 255), (left, 70, left + 20, 90))
            frame = av.VideoFrame.from_image(picture)  # type: ignore[no-untyped-call]
            container.mux(video.encode(frame))
        container.mux(video.encode(None))
        if audio is not None:
            for frame in frames_of(bytes(2 * 48_000)):
                container.mux(audio.encode(frame))
            container.mux(audio.encode(None))
    return path


def shot_clip(
    path: Path,
    *,
    colour: tuple[int, int, int] = (200, 60, 40),
    turned: int = 0,
    pixel_shape: Fraction = Fraction(1),
    bits: int = 8,
    colours: tuple[ColorPrimaries, ColorTrc, int] = (ColorPrimaries.BT709, ColorTrc.BT709, Colorspace.ITU709),
) -> Path:
    """Four frames as a camera might store them, 320 by 180: a black left half beside a colour.

    `turned`: by how many degrees clockwise a player is to turn them. `colour` is what is stored, by BT.709.
    """
    pixel_format = {8: "yuv420p", 10: "yuv420p10le"}[bits]
    options = {"x265-params": "log-level=none"} if bits == 10 else {}
    with av.open(str(path), "w") as container:
        video = container.add_stream("libx265" if bits == 10 else "libx264", rate=24, options=options)
        video.width, video.height, video.pix_fmt = 320, 180, pixel_format
        video.sample_aspect_ratio = pixel_shape
        video.set_display_rotation(-turned)
        context = video.codec_context
        context.color_primaries, context.color_trc, context.colorspace = colours
        context.color_range = ColorRange.MPEG
        picture = Image.new("RGB", (320, 180), colour)
        picture.paste((0, 0, 0), (0, 0, 160, 180))
        for _ in range(4):
            frame: av.VideoFrame = av.VideoFrame.from_image(picture)  # type: ignore[no-untyped-call]
            container.mux(
                video.encode(
                    frame.reformat(
                        format=pixel_format, dst_colorspace=Colorspace.ITU709, dst_color_range=ColorRange.MPEG
                    )
                )
            )
        container.mux(video.encode(None))
    return path


def tone(seconds: float, *, level: float = 0.3, rate_hz: int = 22_050, pause: float = 0.0) -> Speech:
    """A hum as speech, with silence before and after it."""
    quiet = array("h", bytes(2 * round(pause * rate_hz)))
    second = array(
        "h",
        (round(32_767 * level * math.sin(at * 2 * math.pi * 220 / rate_hz)) for at in range(rate_hz)),
    )
    hum = (second * math.ceil(seconds))[: round(seconds * rate_hz)]
    file = io.BytesIO()
    with wave.open(file, "wb") as writer:
        writer.setnchannels(1)
        writer.setsampwidth(2)
        writer.setframerate(rate_hz)
        writer.writeframes((quiet + hum + quiet).tobytes())
    return Speech(file.getvalue(), seconds + 2 * pause)
