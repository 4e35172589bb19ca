"""What the image dialect answers."""

from __future__ import annotations

from typing import Literal

from typing_extensions import TypedDict

from shoal.dialects.answers.common import Amount, Cursor, JobId, Moment, Url, Usd

Success = Literal["complete", "completed"]
"""How a route spells it."""
Status = Literal["queued", "processing", "complete", "completed", "failed"]


class Accepted(TypedDict):
    """The job was accepted and its price is held."""

    job_id: JobId
    status: Literal["queued"]
    estimated_cost: Usd


class _Job(TypedDict):
    job_id: JobId
    image_url: Url | None
    """The picture, once the job has completed."""
    cost: Amount | None
    """What was charged, once the job has completed, or was canceled when its picture was already billed."""
    error: str | None
    """Why the job failed, in plain words. A failed job costs nothing: one that was canceled too late for that
    completes."""
    queued_at: Moment
    started_at: Moment | None
    completed_at: Moment | None
    """Null while the job has not completed, and for ever if it failed."""
    created_at: Moment


class Job(_Job):
    """A job as either route spells it."""

    status: Status


class JobV1(_Job):
    """A job as `/v1` spells it: success is `complete`."""

    status: Literal["queued", "processing", "complete", "failed"]


class JobApiV1(_Job):
    """A job as `/api/v1` spells it: success is `completed`."""

    status: Literal["queued", "processing", "completed", "failed"]


class WalletAnswer(TypedDict):
    """Dollars of the key's account; of a test key, play money."""

    balance: Usd
    held: Usd
    """What open jobs may still cost."""
    available: Usd
    """Balance less held: what can be spent."""
    free_generations_left: int


class _Row(TypedDict):
    job_id: JobId
    model: str
    mode: str | None
    prompt: str | None
    cost: Amount | None
    error: str | None
    created_at: Moment
    completed_at: Moment | None


class UsageRow(_Row):
    """A request that was made, as either route spells it."""

    status: Status


class UsageRowV1(_Row):
    """A request that was made."""

    status: Literal["queued", "processing", "complete", "failed"]


class UsageRowApiV1(_Row):
    """A request that was made."""

    status: Literal["queued", "processing", "completed", "failed"]


class Usage(TypedDict):
    """One page of requests as either route spells it."""

    requests: list[UsageRow]
    next_cursor: Cursor | None


class UsageV1(TypedDict):
    """One page of requests, newest first."""

    requests: list[UsageRowV1]
    next_cursor: Cursor | None


class UsageApiV1(TypedDict):
    """One page of requests, newest first."""

    requests: list[UsageRowApiV1]
    next_cursor: Cursor | None
