"""What Shoal says to a provider and what a provider may answer."""

from __future__ import annotations

from dataclasses import dataclass
from typing import IO

from shoal.domain.brief import Brief

SIMULATOR = "simulator"
"""The provider inside every stage: test keys use no other."""

EMBEDDED = "embedded"
"""The script writer that every stage has, and the speaker of those that carry espeak-ng."""

ALWAYS_THERE = frozenset({SIMULATOR, EMBEDDED})


@dataclass(frozen=True, slots=True)
class ProviderRequest:
    """One output to make. `idempotency_key` is the same whenever the same output is asked for again.

    `brief` is the job's, with the scene's prompt for a clip of a video. `index` tells the outputs of one job
    apart. `inputs` are pictures to edit. `seconds` is how long a clip or a sound shall be, None where nobody
    said. `idea` is the caller's own words where the prompt is not: the simulator looks for its markers there.
    `callback_url` is where a provider that calls back should do so; `submitted_at_ms` is Unix time in ms.
    `provider_model` is what the provider itself calls the model.
    """

    idempotency_key: str
    brief: Brief
    submitted_at_ms: int
    callback_url: str
    index: int = 0
    inputs: tuple[bytes, ...] = ()
    seconds: int | None = None
    idea: str = ""
    provider_model: str = ""


@dataclass(frozen=True, slots=True)
class ProviderOutput:
    """An output as the provider hands it over: a file of its bytes, or an https address to fetch it from.

    `extras` are files beside it, such as a preview: they are kept, and never charged.
    """

    file: IO[bytes] | None = None
    url: str | None = None
    extras: tuple[ProviderOutput, ...] = ()


@dataclass(frozen=True, slots=True)
class Measured:
    """What an output's bytes turned out to be, with 0 for what it has not. `extension` has no dot.

    `duration_ms` is counted from samples or frames, and rounded to the nearest millisecond.
    """

    content_type: str
    extension: str
    width_px: int = 0
    height_px: int = 0
    duration_ms: int = 0
    size_bytes: int = 0


@dataclass(frozen=True, slots=True)
class Done:
    """`ref` is the provider's name for the work, where it can be asked for the output again."""

    output: ProviderOutput
    ref: str | None = None


@dataclass(frozen=True, slots=True)
class Pending:
    """Not yet: ask again in `poll_after_seconds`. `ref` is the provider's name for the work it began.

    `over_in_seconds` is when it is too late for an answer, None if nobody said.
    """

    ref: str | None
    poll_after_seconds: int
    over_in_seconds: int | None = None


Answer = Done | Pending
