"""What videos need, in memory: scenes, files, and a studio that knows clips by their bytes."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace
from fractions import Fraction
from pathlib import Path
from typing import Generic, TypeVar

from shoal.domain.clip import ClipFacts
from shoal.domain.errors import NotFound, OutputInvalid, ShoalError
from shoal.domain.job import Job
from shoal.domain.routing import Route
from shoal.domain.script import NarratedLine, Narration, SceneText, Speech
from shoal.domain.video import Scene, folder
from tests.fakes.network import Network, reached
from tests.fakes.services import FakeStaging
from tests.fakes.tables import Tables

T = TypeVar("T")
CLIP, CONFORMED = b"clip", b"conformed"
"""A clip that can be joined as it is, and one that was made so."""


@dataclass
class FakeScenes:
    network: Network
    tables: Tables
    port: str = "scenes"

    @reached
    def write(self, job: Job, texts: Sequence[SceneText]) -> tuple[Scene, ...]:
        scenes = tuple(Scene(index, text.prompt, text.narration) for index, text in enumerate(texts))
        return self.tables.scenes.setdefault(job.id, scenes)

    @reached
    def of(self, job: Job) -> tuple[Scene, ...]:
        return self.tables.scenes.get(job.id, ())

    @reached
    def of_each(self, jobs: Sequence[Job]) -> Mapping[str, tuple[Scene, ...]]:
        return {job.id: scenes for job in jobs if (scenes := self.tables.scenes.get(job.id, ()))}

    @reached
    def get(self, job: Job, index: int) -> Scene:
        return self._get(job, index)

    @reached
    def mark_ready(self, job: Job, index: int, now_ms: int) -> Scene:
        scene = self._get(job, index)
        marked = replace(scene, ready_at_ms=scene.ready_at_ms or now_ms)
        scenes = self.tables.scenes[job.id]
        self.tables.scenes[job.id] = (*scenes[:index], marked, *scenes[index + 1 :])
        return marked

    def _get(self, job: Job, index: int) -> Scene:
        scenes = self.tables.scenes.get(job.id, ())
        if index >= len(scenes):
            raise NotFound("There is no such scene.")
        return scenes[index]


@dataclass
class FakeVideoFiles:
    """Private files by key: bytes and content type. Staged ones lie where providers stage theirs."""

    network: Network
    staging: FakeStaging
    objects: dict[str, tuple[bytes, str]] = field(default_factory=dict)
    port: str = "video_files"

    @reached
    def fetch_staged(self, key: str, target: Path) -> None:
        if key not in self.staging.objects:
            raise OutputInvalid("The provider's output is gone.")
        target.write_bytes(self.staging.objects[key])

    @reached
    def stage(self, job: Job, name: str, source: Path) -> str:
        key = f"{job.account_id}/{job.id}/{name}"
        self.staging.objects[key] = source.read_bytes()
        return key

    @reached
    def take_staged(self, staged_key: str, key: str, content_type: str) -> None:
        if staged_key not in self.staging.objects:
            raise OutputInvalid("The provider's output is gone.")
        self.objects[key] = self.staging.objects[staged_key], content_type

    @reached
    def put(self, key: str, source: Path, content_type: str) -> None:
        self.objects[key] = source.read_bytes(), content_type

    @reached
    def fetch(self, key: str, target: Path) -> None:
        if key not in self.objects:
            raise OutputInvalid("The provider's output is gone.")
        target.write_bytes(self.objects[key][0])

    @reached
    def delete_of(self, job: Job, *, keep: Collection[str] = ()) -> None:
        for key in self.keys_of(job) - set(keep):
            self.objects.pop(key, None)
            self.staging.objects.pop(key, None)

    def keys_of(self, job: Job) -> set[str]:
        """Everything that is stored of a job."""
        mine = (folder(job.id), f"{job.account_id}/{job.id}/")
        return {key for key in (*self.objects, *self.staging.objects) if key.startswith(mine)}


@dataclass
class FakeScriptWriter:
    """`orders` are what it was asked for; `trouble` is what it raises instead, `failures` one by one."""

    network: Network
    orders: list[dict[str, object]] = field(default_factory=list)
    trouble: ShoalError | None = None
    failures: list[ShoalError] = field(default_factory=list)
    port: str = "script_writer"

    @reached
    def write(
        self, *, idea: str, category: str, scene_count: int, style: str | None, language: str, seed: int
    ) -> tuple[SceneText, ...]:
        self.orders.append({"idea": idea, "category": category, "style": style, "seed": seed})
        if self.trouble:
            raise self.trouble
        if self.failures:
            raise self.failures.pop(0)
        # Another text each time, as a writer without a seed would.
        take = len(self.orders)
        return tuple(
            SceneText(f"Take {take}, scene {n}", f"Line {n}, take {take}.") for n in range(scene_count)
        )


@dataclass
class FakeSpeaker:
    network: Network
    spoken: list[tuple[str, str | None, str]] = field(default_factory=list)
    trouble: ShoalError | None = None
    port: str = "speaker"

    @reached
    def speak(
        self, text: str, *, voice: str | None, language: str, words_per_minute: int | None = None
    ) -> Speech:
        if self.trouble:
            raise self.trouble
        self.spoken.append((text, voice, language))
        return Speech(text.encode(), 2.0)


class FakeStudio:
    """Takes `CLIP` and `CONFORMED` for clips that can be joined; `junk`, half and empty files for none."""

    def conforms(self, clip: Path, width_px: int, height_px: int) -> bool:
        data = clip.read_bytes()
        if data in (b"junk", b"", CLIP[: len(CLIP) // 2]):
            raise OutputInvalid("The provider did not deliver a readable clip.")
        return data.startswith((CLIP, CONFORMED))

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
        target.write_bytes(CONFORMED + (subtitle or "").encode())

    def narrate(self, lines: Sequence[str], speak: Callable[..., Speech], target_wav: Path) -> Narration:
        spoken = [speak(line) for line in lines]
        target_wav.write_bytes(b"|".join(speech.wav for speech in spoken))
        return Narration(
            8.0 * len(lines), tuple(NarratedLine(8.0 * n, 8.0 * n + 2, x) for n, x in enumerate(lines))
        )

    def encode_audio(self, wav: Path, target: Path) -> None:
        target.write_bytes(b"mp3 of " + wav.read_bytes())

    def stitch(
        self, clips: Sequence[Path], wav: Path, target: Path, *, subtitles: Sequence[NarratedLine] | None
    ) -> ClipFacts:
        if not all(self.conforms(clip, 720, 1280) for clip in clips):
            raise OutputInvalid("The clips do not fit together.")
        shown = " / ".join(line.text for line in subtitles or ())
        parts = [*(clip.read_bytes() for clip in clips), wav.read_bytes(), shown.encode()]
        target.write_bytes(b"+".join(parts))
        frames, size_bytes = 192 * len(clips), target.stat().st_size
        rate = Fraction(24)
        return ClipFacts(720, 1280, rate, frames, frames / rate, "h264", "High", "yuv420p", "aac", size_bytes)

    def poster(self, video: Path, target: Path) -> None:
        target.write_bytes(b"poster of " + video.read_bytes())

    def preview(self, clip: Path, target: Path) -> None:
        target.write_bytes(b"preview of " + clip.read_bytes())


@dataclass
class FakeByName(Generic[T]):
    """Script writers or speakers: all names that are not `missing` lead to the one."""

    one: T
    asked: list[str] = field(default_factory=list)
    missing: set[str] = field(default_factory=set)

    def has(self, name: str) -> bool:
        return name not in self.missing

    def get(self, route: Route) -> T:
        self.asked.append(route.provider)
        return self.one
