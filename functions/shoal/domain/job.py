"""A job: what was asked, what it may cost, how far it is."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from enum import StrEnum
from typing import Any

from shoal.domain.brief import Brief, Kind
from shoal.domain.errors import NotFound, OutputInvalid, ProviderFailed, ProviderRejected
from shoal.domain.families import Family
from shoal.domain.models.tariff import Charge, Quantities, measured_quantities
from shoal.domain.money import Asset
from shoal.domain.provider import SIMULATOR
from shoal.domain.routing import ProviderCall
from shoal.domain.submission import Submission
from shoal.domain.text import folded
from shoal.domain.wallet import Hold

START_GRACE_MS = 60_000
"""A queued job whose execution has not begun after this is started by the sweeper."""

QUEUE_LIMIT_MS = 15 * 60_000
"""A job that could not be started for this long expires."""

LOOK_AGAIN_MS = 60_000
"""How often the sweeper sees to a job that waits for its providers: the message of a look may be lost."""

STEP_GRACE_MS = 5 * 60_000
"""What a step of a video that asks for no clip may take beyond a clip's deadline."""

CLEAN_UP_AFTER_MS = 15 * 60_000
"""What a failed or canceled job left is deleted after this: longer than any function can still write."""


class JobStatus(StrEnum):
    QUEUED = "queued"
    PROCESSING = "processing"
    COMPLETED = "completed"
    FAILED = "failed"
    CANCELED = "canceled"
    EXPIRED = "expired"

    @property
    def terminal(self) -> bool:
        return self not in (JobStatus.QUEUED, JobStatus.PROCESSING)


FAILED = frozenset({JobStatus.FAILED, JobStatus.EXPIRED})
"""How a job ends that came to nothing, though its caller still wanted it."""


ANSWERS = frozenset(error.code for error in (ProviderRejected, ProviderFailed, OutputInvalid))
"""What a job fails with after a provider's answer."""


class HoldState(StrEnum):
    HELD = "held"
    CAPTURED = "captured"
    RELEASED = "released"


class Step(StrEnum):
    """A step of a video, apart from its scenes, that is done."""

    SCRIPT = "script"
    NARRATION = "narration"
    STITCH = "stitch"


class Closer(StrEnum):
    """Whose transaction ended a job: that party also announces it."""

    WORKFLOW = "workflow"
    CANCEL = "cancel"
    SWEEP = "sweep"


@dataclass(frozen=True, slots=True)
class Output:
    """A stored output: key in the outputs bucket, what was measured of it, with 0 for what it has not.

    `extras` are files that came beside it, such as a preview. They are not charged.
    """

    key: str
    content_type: str
    width_px: int
    height_px: int
    size_bytes: int
    duration_ms: int = 0
    extras: tuple[Output, ...] = ()

    @property
    def keys(self) -> tuple[str, ...]:
        """Of all its files."""
        return (self.key, *(extra.key for extra in self.extras))

    @property
    def index(self) -> int:
        """Which of its job's outputs it is, as its key says. Raises ValueError for the file of a video."""
        return int(self.key.rpartition("/")[2].partition(".")[0].partition("-")[0])

    @property
    def quantities(self) -> Quantities:
        """What it may be charged by."""
        return measured_quantities(
            width_px=self.width_px, height_px=self.height_px, duration_ms=self.duration_ms
        )

    def told(self) -> dict[str, Any]:
        """Its fields as items and executions keep them: a field that came later only where it says something,
        for those who do not know it yet.
        """
        fields = asdict(self) | {"extras": [extra.told() for extra in self.extras]}
        return {
            name: value for name, value in fields.items() if value or name not in ("duration_ms", "extras")
        }

    @classmethod
    def of(cls, told: Mapping[str, Any]) -> Output:
        """What its fields tell."""
        return cls(**{**told, "extras": tuple(map(cls.of, told.get("extras", ())))})


@dataclass(frozen=True, slots=True)
class JobFailure:
    """Why a job ended without an output; `message` is read by the caller. `scene` is the one that failed."""

    code: str
    message: str
    scene: int | None = None


@dataclass(frozen=True, slots=True)
class Job:
    """Moments are Unix time in milliseconds, money is in the unit of `asset`.

    `cost` is what was captured in the end.
    `deadline_at_ms` is when the sweeper sees to it unless the next step has happened, however long providers
    still have: None once there is no step any more. `restarts` counts how often its execution ended early
    and another one took over.
    `task_tokens`, `provider_refs` and `calls` are by output, 0 to `output_count` − 1. `provider` is the
    simulator for a job that must not leave the stage, else who was to be asked first.
    `callbacks` are digests of those that were accepted. `moderation` says who judged the request, and how.
    `announced`: the party that closed it has published its events, or does so by itself. `steps` are a
    video's. `captured` are the outputs that a cancel captured; while it is `awaiting`, some of them may
    still arrive. `undelivered` is what was given back for those that never did, None if there were none.

    The outputs of a video are its clips while it is made; what it delivers is the one file of all of them.
    """

    id: str
    account_id: str
    submission: Submission
    provider: str
    provider_deadline_s: int
    created_at_ms: int
    free_trial: bool = False
    key_id: str = ""
    moderation: str | None = None
    status: JobStatus = JobStatus.QUEUED
    hold_state: HoldState = HoldState.HELD
    cost: int = 0
    started_at_ms: int | None = None
    closed_at_ms: int | None = None
    closed_by: Closer | None = None
    announced: bool = False
    steps: frozenset[Step] = frozenset()
    restarts: int = 0
    deadline_at_ms: int | None = None
    outputs_expire_at_ms: int | None = None
    task_tokens: Mapping[int, str] = field(default_factory=dict)
    provider_refs: Mapping[int, str] = field(default_factory=dict)
    calls: Mapping[int, ProviderCall] = field(default_factory=dict)
    callbacks: frozenset[str] = frozenset()
    outputs: tuple[Output, ...] = field(default=())
    failure: JobFailure | None = None
    captured: frozenset[int] = frozenset()
    awaiting: bool = False
    undelivered: int | None = None

    @property
    def ulid(self) -> str:
        return self.id.partition("_")[2]

    @property
    def simulated(self) -> bool:
        """Whether it must not leave the stage: a test key's, or one of a model without any key."""
        return self.provider == SIMULATOR

    @property
    def execution(self) -> str:
        """The name of the execution that works on it: each one that takes over has its own."""
        return f"{self.id}-{self.restarts}" if self.restarts else self.id

    @property
    def start_by_ms(self) -> int:
        """By when its execution must have begun: one that is timed from its acceptance has until its end."""
        if self.family.timed_from_acceptance:
            return self.answer_by_ms(self.created_at_ms)
        return self.created_at_ms + QUEUE_LIMIT_MS

    def answer_by_ms(self, now_ms: int) -> int:
        """By when a provider that is asked now has to have answered."""
        begun_ms = self.created_at_ms if self.family.timed_from_acceptance else now_ms
        return begun_ms + self.provider_deadline_s * 1000

    def output_by_ms(self, call: ProviderCall) -> int:
        """By when the output that a call is for has to be there. 0.1 kept no moment with the call."""
        return call.answer_by_ms or self.answer_by_ms(self.started_at_ms or self.created_at_ms)

    @property
    def waits_until_ms(self) -> int:
        """By when the last of its outputs has to be there, if any was asked for; else 0."""
        begun_ms = self.started_at_ms and self.answer_by_ms(self.started_at_ms)
        return max((self.output_by_ms(call) for call in self.calls.values()), default=begun_ms or 0)

    @property
    def asked_a_provider(self) -> bool:
        return any(call.number for call in self.calls.values())

    def is_stuck(self, now_ms: int) -> bool:
        """Whether its next step should have happened by now."""
        return self.deadline_at_ms is not None and now_ms >= max(self.deadline_at_ms, self.waits_until_ms)

    @property
    def brief(self) -> Brief:
        return self.submission.brief

    @property
    def kind(self) -> Kind:
        return self.brief.kind

    @property
    def family(self) -> Family:
        return self.submission.family

    @property
    def model(self) -> str:
        """What its usage is counted under; `brief.model` makes its outputs."""
        return self.submission.model

    @property
    def catalog_version(self) -> str:
        """Of the catalog it was accepted by, and is finished by."""
        return self.submission.catalog_version

    @property
    def asset(self) -> Asset:
        return self.submission.asset

    @property
    def output_count(self) -> int:
        return self.submission.output_count

    @property
    def asked(self) -> str:
        """What was asked for, in the caller's words: a prompt, or a video's idea."""
        return self.brief.prompt

    def mentions(self, text: str) -> bool:
        """Whether its id is, or its words contain, a text in any case of letters."""
        wanted = folded(text)
        return wanted in folded(self.id) or wanted in folded(self.asked)

    @property
    def price(self) -> int:
        """What all its outputs cost, in the asset's unit: what the hold takes."""
        return self.submission.price

    def units_of(self, delivered: int) -> int:
        """What so many delivered outputs count for: a video counts as all its clips, or nothing."""
        return self.output_count if self.kind is Kind.VIDEO and delivered else delivered

    def measured(self, outputs: Sequence[Output]) -> Sequence[Quantities]:
        """What delivered outputs are charged by: the file of a video stands for all its clips."""
        if self.kind is Kind.VIDEO:
            return [self.submission.terms.most] * self.units_of(len(outputs))
        return [output.quantities for output in outputs]

    def cost_of(self, outputs: Sequence[Output]) -> int:
        """What delivered outputs cost: nothing on a free trial."""
        return 0 if self.free_trial else self.submission.terms.cost_of(self.measured(outputs))

    def charges_of(self, outputs: Sequence[Output]) -> tuple[Charge, ...]:
        """What that cost is made of."""
        return () if self.free_trial else self.submission.terms.charges(self.measured(outputs))

    @property
    def charges_at_most(self) -> tuple[Charge, ...]:
        """What the price of the outputs that a cancel captured is made of."""
        terms = self.submission.terms
        return () if self.free_trial else terms.charges([terms.most] * len(self.captured))

    def price_of(self, units: int) -> int:
        """What so many single outputs cost at most, a video's clips too: nothing on a free trial."""
        return 0 if self.free_trial else self.submission.terms.price_of(units)

    @property
    def billed(self) -> frozenset[int]:
        """The outputs a cancel captures by now: each was asked for, and is billed though it is called off.

        Callers see no output before it is paid for, so none has to be captured for being seen.
        """
        return frozenset(index for index, call in self.calls.items() if call.billed)

    @property
    def opened(self) -> bool:
        """Whether its beginning was announced for certain.

        That comes before its script is written, and before a provider is asked for its first output: what an
        answer left behind tells it.
        """
        call = self.calls.get(0)
        answered = call is not None and (
            call.number > 1
            or call.tries > 0
            or 0 in self.provider_refs
            or (self.failure is not None and self.failure.code in ANSWERS)
        )
        return answered or bool(self.outputs) or Step.SCRIPT in self.steps

    def begun(self, now_ms: int, grace_ms: int | None = None) -> Job:
        """The job once its next step has begun, as far as that changes it.

        `grace_ms` is what a step that asks no provider may take beyond a provider's time.
        """
        by_ms = self.answer_by_ms(now_ms)
        return replace(
            self,
            status=JobStatus.PROCESSING,
            deadline_at_ms=min(by_ms, now_ms + LOOK_AGAIN_MS) if grace_ms is None else by_ms + grace_ms,
            started_at_ms=self.started_at_ms or now_ms,
        )

    def awaits(self, index: int) -> bool:
        """Whether the output is still wanted though the job was canceled: it is paid for."""
        return self.awaiting and index in self.captured

    @property
    def files_due_at_ms(self) -> int | None:
        """When its files are due to be deleted; None if never, or if the stage's own rule deletes them."""
        if self.status is JobStatus.COMPLETED or (self.captured and self.kind is not Kind.VIDEO):
            return self.outputs_expire_at_ms if self.submission.ttl_s is not None else None
        if self.captured and self.submission.ttl_s is not None:
            return self.outputs_expire_at_ms
        if self.closed_at_ms is not None:
            return self.closed_at_ms + CLEAN_UP_AFTER_MS
        return None

    def expiry_ms(self, now_ms: int, retention_s: int | None) -> int | None:
        """Until when outputs that are delivered now are kept; `retention_s` is how long the stage does."""
        kept = [seconds for seconds in (self.submission.ttl_s, retention_s) if seconds is not None]
        return now_ms + min(kept) * 1000 if kept else None

    def outputs_expired(self, now_ms: int) -> bool:
        """Whether its outputs are no longer kept."""
        return self.outputs_expire_at_ms is not None and now_ms >= self.outputs_expire_at_ms

    @property
    def test(self) -> bool:
        """Whether play money pays for it."""
        return self.asset.startswith("test_")

    @property
    def hold(self) -> Hold:
        return Hold(
            account_id=self.account_id,
            asset=self.asset,
            reference=self.ulid,
            amount=0 if self.free_trial else self.price,
            free_trial=self.free_trial,
        )

    @property
    def completed_at_ms(self) -> int | None:
        """When it completed; None while it has not, and when it ended otherwise."""
        return self.closed_at_ms if self.status is JobStatus.COMPLETED else None


def output_folder(job: Job) -> str:
    """What the keys of all its outputs begin with."""
    return f"images/{job.id}/"


def closing_status(failure: JobFailure) -> JobStatus:
    """The terminal status a failure gives its job."""
    return {"canceled": JobStatus.CANCELED, "expired": JobStatus.EXPIRED}.get(failure.code, JobStatus.FAILED)


def no_such_job() -> NotFound:
    return NotFound("There is no job with this id.")
