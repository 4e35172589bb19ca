"""The media functions as the ports of videos want them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from tempfile import TemporaryDirectory

from shoal.domain.clip import ClipFacts
from shoal.domain.models import media_types as media
from shoal.domain.script import NarratedLine, Narration, SceneText, Speech

LABEL = "simulator"
"""What the simulator's clips say of themselves."""

STILL_SCALE = 1.5
"""A still is drawn this much larger than its clip: room for the camera to move in."""


class EmbeddedScriptWriter:
    """Implements the `ScriptWriter` port without any service: the same order makes the same script."""

    def write(
        self, *, idea: str, category: str, scene_count: int, style: str | None, language: str, seed: int
    ) -> tuple[SceneText, ...]:
        from shoal.media.script import write_script

        return write_script(
            idea=idea, category=category, scene_count=scene_count, style=style, language=language, seed=seed
        )


class PyAvStudio:
    """Implements the `Studio` port."""

    def conforms(self, clip: Path, width_px: int, height_px: int) -> bool:
        from shoal.media.probe import conforms, probe_apart

        return conforms(probe_apart(clip), width_px, height_px)

    def conform(
        self,
        source: Path,
        target: Path,
        *,
        width_px: int,
        height_px: int,
        subtitle: str | None,
        language: str,
    ) -> None:
        from shoal.media.conform import conform_clip

        size = {"width_px": width_px, "height_px": height_px}
        conform_clip(source, target, **size, subtitle=subtitle, language=language)

    def narrate(self, lines: Sequence[str], speak: Callable[..., Speech], target_wav: Path) -> Narration:
        from shoal.media.narration import fit_narration

        return fit_narration(lines, speak, target_wav)

    def encode_audio(self, wav: Path, target: Path) -> None:
        from shoal.media.narration import encode_audio

        encode_audio(wav, target)

    def stitch(
        self, clips: Sequence[Path], wav: Path, target: Path, *, subtitles: Sequence[NarratedLine] | None
    ) -> ClipFacts:
        from shoal.media.stitch import stitch

        return stitch(clips, wav, target, subtitles=subtitles)

    def poster(self, video: Path, target: Path) -> None:
        from shoal.media.stitch import poster

        poster(video, target)

    def preview(self, clip: Path, target: Path) -> None:
        from shoal.media.stitch import preview

        preview(clip, target)


def film(
    *,
    prompt: str,
    seed: int,
    width_px: int,
    height_px: int,
    seconds: float,
    content_type: str = media.MP4,
) -> bytes:
    """The simulator's clip of a prompt: a still that a camera moves over, of so many whole frames.

    Sides are even numbers of pixels, as clips have them. A long or a large clip has fewer frames a second.
    """
    from shoal.media.clip import render_clip
    from shoal.media.drawing import draw
    from shoal.media.simulated.clips import as_webm, frames_per_second

    width_px, height_px = width_px + width_px % 2, height_px + height_px % 2
    still = draw(
        prompt=prompt,
        seed=seed,
        width_px=round(width_px * STILL_SCALE),
        height_px=round(height_px * STILL_SCALE),
        captioned=False,
    )
    with TemporaryDirectory() as folder:
        target = Path(folder, "clip.mp4")
        render_clip(
            still,
            target,
            width_px=width_px,
            height_px=height_px,
            seed=seed,
            seconds=seconds,
            frames_per_second=frames_per_second(seconds, width_px=width_px, height_px=height_px),
            label=LABEL,
        )
        return as_webm(target) if content_type == media.WEBM else target.read_bytes()
