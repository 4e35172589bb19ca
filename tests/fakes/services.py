"""The services in memory: executions and their tokens, bus, queue, buckets, a provider, time and chance."""

from __future__ import annotations

import io
import json
from collections import Counter
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import IO, Any, TypeVar

from shoal.domain.errors import CallbackRefused, NotFound, OutputInvalid, Unavailable
from shoal.domain.events import Event
from shoal.domain.ids import derived_id
from shoal.domain.job import Job
from shoal.domain.provider import Answer, Done, ProviderOutput, ProviderRequest
from shoal.domain.routing import ProviderCall
from shoal.ports.jobs import ExecutionState, Look, Staged
from shoal.ports.routing import CalledBack, Provider
from shoal.ports.system import Untold
from tests.fakes.network import Network, reached

Given = TypeVar("Given")
Result = TypeVar("Result")

SQS_DELAY_SECONDS_MAX = 900


def in_turn(work: Callable[[Given], Result], each: Iterable[Given]) -> list[Result]:
    """One at a time, where a test counts calls or says which of them fails."""
    return [work(one) for one in each]


@dataclass
class FakeClock:
    ms: int = 1_800_000_000_000

    def now_ms(self) -> int:
        return self.ms

    def pass_seconds(self, seconds: float) -> None:
        self.ms += round(seconds * 1000)


@dataclass
class FakeIds:
    made: int = 0

    def new(self, prefix: str, at_ms: int) -> str:
        self.made += 1
        return derived_id(prefix, at_ms, str(self.made))

    def secret(self, length: int) -> str:
        self.made += 1
        return f"{self.made:0{length}d}"


@dataclass
class FakeWorkflow:
    """Executions by name: what became of each, and with what they were started."""

    network: Network
    executions: dict[str, ExecutionState] = field(default_factory=dict)
    started: list[Job] = field(default_factory=list)
    stopped: list[str] = field(default_factory=list)
    port: str = "workflow"

    @reached
    def start(self, job: Job) -> bool:
        if job.execution in self.executions:
            return False
        self.executions[job.execution] = ExecutionState.RUNNING
        self.started.append(job)
        return True

    @reached
    def state(self, job: Job) -> ExecutionState:
        return self.executions.get(job.execution, ExecutionState.ABSENT)

    @reached
    def stop(self, job: Job) -> None:
        if self.executions.get(job.execution) is ExecutionState.RUNNING:
            self.executions[job.execution] = ExecutionState.ENDED
            self.stopped.append(job.execution)


@dataclass(frozen=True)
class TaskAnswer:
    """What a task token was answered with: an output, or an error and its cause."""

    output: Any = None
    error: str | None = None
    cause: str = ""


@dataclass
class FakeTaskTokens:
    """A token waits from `issue` on until its first answer, or until `expire`; none is issued twice."""

    network: Network
    issued: int = 0
    waiting: set[str] = field(default_factory=set)
    answers: dict[str, TaskAnswer] = field(default_factory=dict)
    port: str = "tokens"

    def issue(self) -> str:
        self.issued += 1
        token = f"token-{self.issued}"
        self.waiting.add(token)
        return token

    def expire(self, task_token: str) -> None:
        self.waiting.discard(task_token)

    @reached
    def succeed(self, task_token: str, output: Mapping[str, Any]) -> bool:
        return self._answer(task_token, TaskAnswer(output=_through_json(output)))

    @reached
    def fail(self, task_token: str, error: str, cause: str) -> bool:
        return self._answer(task_token, TaskAnswer(error=error, cause=cause))

    def _answer(self, task_token: str, answer: TaskAnswer) -> bool:
        if task_token not in self.waiting:
            return False
        self.waiting.remove(task_token)
        self.answers[task_token] = answer
        return True


@dataclass
class FakeBus:
    """Takes only what is JSON, as the real one does."""

    network: Network
    published: list[Event] = field(default_factory=list)
    refused: Callable[[Event], bool] = lambda _: False
    port: str = "bus"

    def refuse(self, types: Collection[str]) -> None:
        """Refuse events of these types, and take those beside them."""
        self.refused = lambda event: event.type in types

    def heal(self) -> None:
        self.refused = lambda _: False

    @reached
    def publish(self, events: Sequence[Event]) -> None:
        try:
            taken = [Event(event.type, _through_json(event.detail)) for event in events]
        except ValueError as refused:
            raise Unavailable(retry_after_seconds=1) from refused
        self.published += [event for event in taken if not self.refused(event)]
        if any(self.refused(event) for event in taken):
            raise Unavailable(retry_after_seconds=1)

    def types(self) -> list[str]:
        return [event.type for event in self.published]

    def ids(self, event_type: str) -> Counter[str]:
        """How often each event id of a type was published."""
        return Counter(event.detail["id"] for event in self.published if event.type == event_type)


@dataclass
class FakeOutbox:
    """Written by nothing else: the fakes of the table tell of money and keys by themselves."""

    network: Network
    kept: dict[str, Event] = field(default_factory=dict)
    port: str = "outbox"

    @reached
    def add(self, events: Sequence[Event]) -> None:
        self.kept |= {event.id: event for event in events}

    def untold(self) -> Iterator[Untold]:
        yield from [Untold(event.id, (event,)) for event in self.kept.values()]

    @reached
    def forget(self, told: Untold) -> None:
        self.kept.pop(told.name, None)


@dataclass(frozen=True)
class PollMessage:
    look: Look
    delay_seconds: int

    @classmethod
    def of(
        cls, job: Job, delay_seconds: int, *, once: bool = False, index: int = 0, looks: int = 0
    ) -> PollMessage:
        look = Look(job.account_id, job.id, index, once=once, looks=looks, simulated=job.simulated)
        return cls(look, delay_seconds)


@dataclass
class FakePollQueue:
    network: Network
    messages: list[PollMessage] = field(default_factory=list)
    hidden: dict[str, int] = field(default_factory=dict)
    port: str = "poll_queue"

    @reached
    def send(self, look: Look, *, delay_seconds: int) -> None:
        if not 0 <= delay_seconds <= SQS_DELAY_SECONDS_MAX:
            raise ValueError(f"the queue cannot delay by {delay_seconds} s")
        self.messages.append(PollMessage(look, delay_seconds))

    @reached
    def hide(self, look: Look, receipt: str, seconds: int) -> None:
        self.hidden[receipt] = seconds


@dataclass
class FakeStaging:
    network: Network
    objects: dict[str, bytes] = field(default_factory=dict)
    extras: dict[str, int] = field(default_factory=dict)
    port: str = "staging"

    @reached
    def put(self, job: Job, index: int, file: IO[bytes], *, extra: int = 0, extras: int = 0) -> str:
        key = f"{job.account_id}/{job.id}/{index}" + (f"-{extra}" if extra else "")
        file.seek(0)
        self.objects[key], self.extras[key] = file.read(), extras
        return key

    def stage(self, job: Job, index: int, data: bytes) -> str:
        """As `put`, for a test that needs it there."""
        return self.put(job, index, Made(data))

    @reached
    def find_staged(self, job: Job, index: int) -> str | None:
        key = f"{job.account_id}/{job.id}/{index}"
        return key if key in self.objects else None

    @reached
    def put_input(self, key: str, data: bytes) -> str:
        self.objects[key] = data
        return key

    @reached
    def delete_input(self, key: str) -> None:
        self.objects.pop(key, None)

    @reached
    def read(self, key: str) -> bytes:
        if key not in self.objects:
            raise OutputInvalid("The provider's output is gone.")
        return self.objects[key]

    def read_output(self, key: str) -> Staged:
        data, numbers = self.read(key), range(1, self.extras.get(key, 0) + 1)
        return Staged(data, tuple(self.objects[f"{key}-{number}"] for number in numbers))


@dataclass
class FakeOutputs:
    """Objects by key: their bytes and content type. `cached_until_ms` tells how long caches may keep each."""

    network: Network
    objects: dict[str, tuple[bytes, str]] = field(default_factory=dict)
    cached_until_ms: dict[str, int | None] = field(default_factory=dict)
    port: str = "outputs"

    @reached
    def put(self, key: str, data: bytes, content_type: str, *, expires_at_ms: int | None) -> None:
        self.objects[key] = data, content_type
        self.cached_until_ms[key] = expires_at_ms

    @reached
    def delete(self, keys: Sequence[str]) -> None:
        for key in keys:
            self.objects.pop(key, None)

    @reached
    def delete_leftovers(self, job: Job) -> None:
        kept = {output.key for output in job.outputs}
        for key in [key for key in self.objects if key.startswith(f"images/{job.id}/") and key not in kept]:
            del self.objects[key]


class Made(io.BytesIO):
    """A provider's output that begins again once it is closed: a script may give it away twice."""

    def close(self) -> None:
        self.seek(0)


def made(data: bytes, ref: str | None = None) -> Done:
    """The answer of a provider that hands its output over."""
    return Done(ProviderOutput(file=Made(data)), ref)


@dataclass
class FakeProvider:
    """Gives its `script` away answer by answer, and a picture when the script is used up."""

    network: Network
    script: list[Answer | Exception] = field(default_factory=list)
    started: list[ProviderRequest] = field(default_factory=list)
    checked: list[tuple[str, ProviderRequest]] = field(default_factory=list)
    canceled: list[str] = field(default_factory=list)
    callback: Answer | Exception = field(default_factory=lambda: CallbackRefused("unsigned"))
    callbacks: list[tuple[Mapping[str, str], bytes, int]] = field(default_factory=list)
    idempotent: bool = True
    bills: bool = True
    port: str = "provider"

    def bills_called_off(self, request: ProviderRequest) -> bool:
        return self.bills

    @reached
    def start(self, request: ProviderRequest) -> Answer:
        self.started.append(request)
        return self._next()

    @reached
    def check(self, ref: str, request: ProviderRequest) -> Answer:
        self.checked.append((ref, request))
        return self._next()

    @reached
    def parse_callback(self, headers: Mapping[str, str], body: bytes, now_ms: int) -> Answer:
        self.callbacks.append((headers, body, now_ms))
        if isinstance(self.callback, Exception):
            raise self.callback
        return self.callback

    @reached
    def cancel(self, ref: str) -> None:
        self.canceled.append(ref)

    def _next(self) -> Answer:
        answer = self.script.pop(0) if self.script else made(b"picture")
        if isinstance(answer, Exception):
            raise answer
        return answer


@dataclass
class FakeProviders:
    """`keyless` are those known here that the stage has no key of."""

    providers: dict[str, Provider]
    keyless: set[str] = field(default_factory=set)

    def has(self, name: str) -> bool:
        return name in self.providers and name not in self.keyless

    def get(self, name: str) -> Provider:
        if name not in self.providers:
            raise NotFound("There is no such provider.")
        return self.providers[name]


@dataclass
class FakeCallbackUrls:
    """The MAC of an address is `mac-of-` and its provider."""

    root: str = "https://api.test"

    def url(self, job: Job, index: int, call: ProviderCall) -> str:
        job_key = f"{job.account_id}.{job.id}.{index}.{call.number}"
        return f"{self.root}/callbacks/{call.provider}/{job_key}/mac-of-{call.provider}"

    def verify(self, provider: str, job_key: str, mac: str) -> CalledBack:
        parts = job_key.split(".")
        if mac != f"mac-of-{provider}" or len(parts) != 4:
            raise CallbackRefused("the address is not one we made")
        return CalledBack(parts[0], parts[1], int(parts[2]), int(parts[3]))


def _through_json(value: Any) -> Any:
    return json.loads(json.dumps(value, allow_nan=False))
