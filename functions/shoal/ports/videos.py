"""The parts of a video: scenes, files, writers, speakers and the studio."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from pathlib import Path
from typing import Protocol

from shoal.domain.clip import ClipFacts
from shoal.domain.job import Job
from shoal.domain.routing import Route
from shoal.domain.script import NarratedLine, Narration, SceneText, Speaker, Speech
from shoal.domain.video import Scene


class Scenes(Protocol):
    def write(self, job: Job, texts: Sequence[SceneText]) -> tuple[Scene, ...]:
        """Keep the script, all of it or none. The first one stays: later ones get that back."""

    def of(self, job: Job) -> tuple[Scene, ...]:
        """In order; none before the script is written."""

    def of_each(self, jobs: Sequence[Job]) -> Mapping[str, tuple[Scene, ...]]:
        """As `of`, for many jobs in a few reads: by the ids of those that have scenes."""

    def get(self, job: Job, index: int) -> Scene:
        """Raises `NotFound`."""

    def mark_ready(self, job: Job, index: int, now_ms: int) -> Scene:
        """Its clip is stored; the first moment stays. Raises `NotFound`."""


class VideoFiles(Protocol):
    """Files of videos: staged ones by index or name, and those callers get signed addresses of."""

    def fetch_staged(self, key: str, target: Path) -> None:
        """Raises `OutputInvalid` if there is nothing at the key, or too much."""

    def stage(self, job: Job, name: str, source: Path) -> str:
        """Keep a file for a later step. Returns its key."""

    def take_staged(self, staged_key: str, key: str, content_type: str) -> None:
        """Copy what is staged as it is; its bytes do not come here. Raises `OutputInvalid` if it is gone."""

    def put(self, key: str, source: Path, content_type: str) -> None: ...

    def fetch(self, key: str, target: Path) -> None:
        """Raises `OutputInvalid` if there is nothing at the key."""

    def delete_of(self, job: Job, *, keep: Collection[str] = ()) -> None:
        """Everything of a job but what is at these keys, staged files too. What is not there is no error."""


class ScriptWriter(Protocol):
    def write(
        self, *, idea: str, category: str, scene_count: int, style: str | None, language: str, seed: int
    ) -> tuple[SceneText, ...]:
        """As many scenes as asked for. Raises `ProviderFailed`, `ProviderRejected`, `ProviderBusy`."""


class ScriptWriters(Protocol):
    def has(self, name: str) -> bool:
        """Whether this stage can ask the provider of this name."""

    def get(self, route: Route) -> ScriptWriter:
        """Raises `NotFound` for an unknown provider."""


class Speakers(Protocol):
    def has(self, name: str) -> bool:
        """Whether this stage can ask the provider of this name."""

    def get(self, route: Route) -> Speaker:
        """Raises `NotFound` for an unknown provider."""


class Studio(Protocol):
    """What is done to clips and sound, file by file. Unusable files raise `OutputInvalid`."""

    def conforms(self, clip: Path, width_px: int, height_px: int) -> bool:
        """Whether the clip can be joined with others as it is."""

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
        """Make a clip that can be joined of any clip, with a line of text in it if there is one.

        `language`, a BCP 47 tag, is that of the line.
        """

    def narrate(self, lines: Sequence[str], speak: Callable[..., Speech], target_wav: Path) -> Narration:
        """Speak the lines, each within its scene, into one file as long as the video."""

    def encode_audio(self, wav: Path, target: Path) -> None: ...

    def stitch(
        self, clips: Sequence[Path], wav: Path, target: Path, *, subtitles: Sequence[NarratedLine] | None
    ) -> ClipFacts:
        """Join clips and narration; with `subtitles` as a track of their own."""

    def poster(self, video: Path, target: Path) -> None: ...

    def preview(self, clip: Path, target: Path) -> None:
        """A picture of the clip that is too small to be used in its place."""
