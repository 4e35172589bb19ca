"""Jobs, the executions that work on them, and where their files are."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import IO, Any, Protocol

from shoal.domain.families import Family
from shoal.domain.job import Job, JobStatus, Step
from shoal.domain.routing import ProviderCall


@dataclass(frozen=True, slots=True)
class JobFilter:
    """Which jobs of an account: created from `from_ms` up to but not at `to_ms`, mentioning `text`."""

    statuses: frozenset[JobStatus] | None = None
    families: frozenset[Family] | None = None
    models: frozenset[str] | None = None
    test: bool | None = None
    text: str | None = None
    from_ms: int | None = None
    to_ms: int | None = None


@dataclass(frozen=True, slots=True)
class JobPage:
    """Newest first. `next_cursor` is None on the last page."""

    jobs: tuple[Job, ...]
    next_cursor: str | None


@dataclass(frozen=True, slots=True, order=True)
class Due:
    """A job whose deadline has passed, as the index knows it; the job may have moved on since."""

    deadline_at_ms: int
    account_id: str
    ulid: str


class Jobs(Protocol):
    def get(self, account_id: str, job_id: str) -> Job:
        """Raises `NotFound`, also for an id of another account."""

    def page(self, account_id: str, which: JobFilter, *, limit: int, cursor: str | None) -> JobPage:
        """Raises `ValidationFailed` for a cursor that no page gave out."""

    def begin(self, account_id: str, job_id: str, index: int, task_token: str, now_ms: int) -> Job:
        """Mark as processing and keep the task token of one output. Raises `JobClosed` if it is terminal.

        Of a canceled job that awaits the output, only the token is kept; raises `CallTaken`.
        """

    def advance(self, account_id: str, job_id: str, now_ms: int, done: Step | None = None) -> Job:
        """Mark as processing, with time for the next step, and keep what is done. Raises `JobClosed`."""

    def note_call(self, job: Job, index: int, call: ProviderCall, *, begins: bool = False) -> Job:
        """Write down which route is asked for an output, provided that it still stands as `job` has it.

        `begins`: with the beginning of its task, as `begin` writes it and `job` has it already.
        A canceled job takes it of an output that it awaits. The reference of a call with another number goes.
        Raises `JobClosed`, and `CallTaken` if another run was faster.
        """

    def note_provider_ref(self, job: Job, index: int, ref: str) -> Job:
        """Keep the reference of the call that `job` has. Raises `JobClosed`, `CallTaken`."""

    def note_callback(self, job: Job, digest: str) -> None:
        """Remember a callback that was accepted. Raises `JobClosed`."""

    def note_late_output(self, job: Job, now_ms: int) -> None:
        """Record that a provider delivered after the job was closed. Nothing is charged for it."""

    def due(self, now_ms: int) -> Sequence[Iterator[Sequence[Due]]]:
        """Jobs whose `deadline_at_ms` has passed: unfinished, not announced, or with files to delete.

        One iterator of pages for each shard, the longest due first. Each may raise when it is advanced.
        """

    def claim(self, due: Due, until_ms: int) -> Job | None:
        """The job, with the deadline that was seen moved; None if somebody else moved it first."""

    def start_again(self, job: Job) -> Job:
        """Count an execution that takes over. Raises `JobClosed` if it ended, or is no longer as `job` is."""

    def announce_later(self, job: Job) -> None:
        """Have the sweeper announce a terminal job, as the state AnnounceLater does."""

    def mark_announced(self, job: Job) -> None:
        """A terminal job's events are out: it is due again only when its files are to go, if they are."""

    def mark_files_deleted(self, job: Job) -> None:
        """Its files are gone: nobody needs to look at it again."""


class Runs(Protocol):
    """How long jobs take, by model: an estimate, no account."""

    def note(self, job: Job) -> None:
        """Remember how long a completed job took."""

    def seconds_expected(self, model: str, now_ms: int) -> int | None:
        """The mean of today's and yesterday's runs, None if there were none."""


class ExecutionState(StrEnum):
    RUNNING = "running"
    ENDED = "ended"
    ABSENT = "absent"


class Workflow(Protocol):
    def start(self, job: Job) -> bool:
        """Start the job's execution, the first or the one that takes over. False if it exists already."""

    def state(self, job: Job) -> ExecutionState: ...

    def stop(self, job: Job) -> None:
        """Abort the job's execution, if there is one."""


class TaskTokens(Protocol):
    def succeed(self, task_token: str, output: Mapping[str, Any]) -> bool:
        """False if the task is no longer waiting: somebody else answered first."""

    def fail(self, task_token: str, error: str, cause: str) -> bool:
        """False if the task is no longer waiting."""


@dataclass(frozen=True, slots=True)
class Look:
    """A look at how a provider is doing with one output, as a queue carries it.

    `once`: nobody keeps asking if it is still pending. `looks` were made before. `simulated`: it waits among
    those alone that no provider is asked for.
    """

    account_id: str
    job_id: str
    index: int
    once: bool = False
    looks: int = 0
    simulated: bool = False


class PollQueue(Protocol):
    def send(self, look: Look, *, delay_seconds: int) -> None:
        """Have the provider asked for one output. `delay_seconds` is at most 900."""

    def hide(self, look: Look, receipt: str, seconds: int) -> None:
        """Hand a look, which came with `receipt`, out again in so many seconds unless it is done by then."""


@dataclass(frozen=True, slots=True)
class Staged:
    """What waits to be checked: an output, and the files that came beside it."""

    data: bytes
    extras: tuple[bytes, ...] = ()


class Staging(Protocol):
    """Where a provider's bytes wait to be checked."""

    def put(self, job: Job, index: int, file: IO[bytes], *, extra: int = 0, extras: int = 0) -> str:
        """Keep all of a file, wherever it stands: the output, or its extra of a number from 1 on.

        With the output is told how many extras were kept before it. Returns the key.
        """

    def find_staged(self, job: Job, index: int) -> str | None:
        """The key of what `put` or a fetcher has kept of this output; None if nothing is there."""

    def put_input(self, key: str, data: bytes) -> str:
        """Keep a caller's picture under a key of its own. Returns the key."""

    def delete_input(self, key: str) -> None:
        """What is not there is no error."""

    def read(self, key: str) -> bytes:
        """Raises `OutputInvalid` if there is nothing at the key."""

    def read_output(self, key: str) -> Staged:
        """As `read`, with what came beside it."""


class CallerHttp(Protocol):
    """HTTP to addresses that callers chose: only to permitted ones. Both raise `ExchangeError`."""

    def vet(self, url: str) -> None:
        """Whether the address is permitted, without speaking to it."""

    def fetch(self, url: str, *, bytes_max: int, seconds_max: float) -> bytes:
        """The picture that is there. Raises `OutputInvalid` once it begins like none, and reads no more."""


class Outputs(Protocol):
    """What callers may fetch."""

    def put(self, key: str, data: bytes, content_type: str, *, expires_at_ms: int | None) -> None:
        """Caches may keep it until `expires_at_ms`, None for as long as they like."""

    def delete(self, keys: Sequence[str]) -> None:
        """What is not there is no error."""

    def delete_leftovers(self, job: Job) -> None:
        """What was stored for the job and did not become an output of it."""
