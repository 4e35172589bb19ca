"""What Shoal says to a provider and what a provider may answer."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import IO, Any, Literal

from shoal.domain.brief import Brief

SIMULATOR = "simulator"
"""The provider inside every stage: test keys use no other."""

EMBEDDED = "embedded"
"""The script writer that every stage has, and the speaker of those that carry espeak-ng."""

WORKER = "http"
"""A worker of the platform team's own; others are `http-<name>`, each with an address and a secret."""

ALWAYS_THERE = frozenset({SIMULATOR, EMBEDDED})


_WORKER = re.compile(rf"{WORKER}(-[a-z0-9]{{1,40}}){{0,4}}")


def is_worker(provider: str) -> bool:
    """Whether a provider is a worker of the platform team's own."""
    return bool(_WORKER.fullmatch(provider))


@dataclass(frozen=True, slots=True)
class StagedInput:
    """A caller's file where a route's input names it: the adapter hands it on as its provider takes files."""

    data: bytes
    content_type: str


@dataclass(frozen=True, slots=True)
class OutputPath:
    """Where files are in a provider's answer: names with dots between them, `[*]` for each part of a list.

    `extra` are files beside the output, such as a preview. `as_`: what is there is the address of a file, or
    itself the output, a value of JSON or a text.
    """

    path: str
    extra: bool = False
    as_: Literal["file", "json", "text"] = "file"


@dataclass(frozen=True, slots=True)
class ProviderRequest:
    """One output to make. `idempotency_key` is the same whenever the same output is asked for again.

    `brief` is the job's, with the scene's prompt for a clip of a video. `index` tells the outputs of one job
    apart. `inputs` are pictures to edit. `seconds` is how long a clip or a sound shall be, None where nobody
    said. `idea` is the caller's own words where the prompt is not: the simulator looks for its markers there.
    `callback_url` is where a provider that calls back should do so; `submitted_at_ms` is Unix time in ms.
    `provider_model` is what the provider itself calls the model.

    `input` is what the route hands its model, whole, with `StagedInput` for files; None where the adapter
    maps the brief by itself. `outputs` says where the answer has its files, nothing where the adapter looks
    for them; `refused_when` is a path at which anything that is true says that moderation refused.
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
    input: Mapping[str, Any] | None = None
    outputs: tuple[OutputPath, ...] = ()
    refused_when: str | None = None


@dataclass(frozen=True, slots=True)
class ProviderOutput:
    """An output as the provider hands it over: a file of its bytes, or an https address to fetch it from.

    `content_type` is what the provider calls it, empty if it does not say; `extras` are files beside it, such
    as a preview: they are kept, and never charged.
    """

    file: IO[bytes] | None = None
    url: str | None = None
    content_type: str = ""
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
