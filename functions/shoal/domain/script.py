"""Scripts: what the scenes of a video show and say, and who says it."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Final, NamedTuple, Protocol

CATEGORIES: Final = (
    "story",
    "explainer",
    "history",
    "science",
    "nature",
    "technology",
    "business",
    "motivation",
    "mystery",
    "news",
)
"""What kind of video it is: sets the tone and the order in which things are told."""

VOICES: Final = ("ava", "clara", "maya", "hugo", "leo", "noah")
"""Who can speak, in any language: three women, three men. Each speaker maps them to voices of its own."""

NATURAL_WORDS_PER_MINUTE: Final = 150
"""How fast a speaker speaks that is told nothing else."""

_MARKER: Final = re.compile(
    r"\[(?:fail|nsfw|timeout|poll|callback|slow|busy|truncated|empty)(?::[^][]{0,40})?\]"
)


@dataclass(frozen=True, slots=True)
class SceneText:
    """One scene: what a picture model is asked to show, and the line that is spoken over it."""

    prompt: str
    narration: str


@dataclass(frozen=True, slots=True)
class Speech:
    """A spoken line: a WAV file (16-bit PCM, any rate, mono or stereo) and how long it is."""

    wav: bytes
    seconds: float


class NarratedLine(NamedTuple):
    """A line and when it is heard, in seconds from the start of the video."""

    start_s: float
    end_s: float
    text: str


@dataclass(frozen=True, slots=True)
class Narration:
    """A whole narration: exactly as long as the video."""

    seconds: float
    lines: tuple[NarratedLine, ...]


class Speaker(Protocol):
    def speak(
        self, text: str, *, voice: str | None, language: str, words_per_minute: int | None = None
    ) -> Speech:
        """Say one line.

        `voice` is one of `VOICES`, None the speaker's own choice; `language` is a BCP 47 tag, and one that
        the speaker does not know is spoken as English. None words per minute are
        `NATURAL_WORDS_PER_MINUTE`. Raises `ProviderFailed`, `ProviderRejected`, `ProviderBusy`.
        """


def without_markers(idea: str) -> str:
    """The idea without the simulator's markers such as `[fail:scene=2]`: neither shown nor spoken."""
    return " ".join(_MARKER.sub(" ", idea).split())
