"""Events a job emits. An event's id derives from its job and type: emitted twice it is still one event."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from shoal.domain.ids import derived_id
from shoal.domain.job import Dialect, Job, JobStatus
from shoal.domain.money import decimal_amount, format_amount, format_usd
from shoal.domain.wallet import Wallet

SOURCE = "shoal"
_FAMILY = {Dialect.IMAGE: "image", Dialect.TASKS: "task"}


def iso_ms(at_ms: int) -> str:
    """ISO 8601 UTC with milliseconds: `2026-05-13T10:23:14.001Z`."""
    moment = datetime.fromtimestamp(at_ms // 1000, UTC).replace(microsecond=at_ms % 1000 * 1000)
    return moment.isoformat(timespec="milliseconds").replace("+00:00", "Z")


def utc_day(at_ms: int) -> str:
    """The UTC day of a moment: `2026-05-13`."""
    return iso_ms(at_ms)[:10]


@dataclass(frozen=True, slots=True)
class Event:
    """One entry of the bus. `detail` is the envelope webhooks carry plus the account id."""

    type: str
    detail: dict[str, Any]

    def entry(self) -> dict[str, Any]:
        """As the state machine hands it to PutEvents, which adds the bus's name."""
        return {"DetailType": self.type, "Detail": self.detail}


def opening_events(job: Job) -> list[Event]:
    """`job.created` and `job.processing`; the job must have started."""
    started_at_ms = job.started_at_ms or job.created_at_ms
    return [
        _event("job.created", job, job.created_at_ms, {"status": JobStatus.QUEUED}),
        _event("job.processing", job, started_at_ms, {"status": JobStatus.PROCESSING}),
    ]


def closing_events(job: Job, public_url: str) -> list[Event]:
    """What the world hears of a terminal job: its dialect's event and the engine's own."""
    closed_at_ms = job.closed_at_ms or job.created_at_ms
    outcome = "completed" if job.status is JobStatus.COMPLETED else "failed"
    data = {
        "status": job.status,
        "closed_at": iso_ms(closed_at_ms),
        **_result(job, public_url),
    }
    return [
        _event(f"{family}.{outcome}", job, closed_at_ms, data) for family in (_FAMILY[job.dialect], "job")
    ]


def low_balance_event(job: Job, wallet: Wallet, below: int) -> Event:
    """`wallet.low_balance`: a completed job left less than `below` available in its wallet."""
    at_ms, event_type = job.closed_at_ms or job.created_at_ms, "wallet.low_balance"
    detail = {
        "id": derived_id("evt", at_ms, job.id, event_type),
        "type": event_type,
        "created_at": iso_ms(at_ms),
        "account_id": job.account_id,
        "data": {
            "asset": wallet.asset,
            "balance": format_amount(wallet.asset, wallet.balance),
            "available": format_amount(wallet.asset, wallet.available),
            "threshold": format_amount(wallet.asset, below),
            "test": job.test,
        },
    }
    return Event(event_type, detail)


def output_url(key: str, public_url: str) -> str:
    """The permanent address of a stored output."""
    return f"{public_url.rstrip('/')}/{key}"


def _result(job: Job, public_url: str) -> dict[str, Any]:
    cost = format_usd(job.cost) if job.asset.in_dollars else decimal_amount(job.asset, job.cost)
    urls = [output_url(output.key, public_url) for output in job.outputs]
    return {
        "cost": cost,
        "image_url": urls[0] if urls else None,
        "urls": urls,
        "error": {"code": job.failure.code, "message": job.failure.message} if job.failure else None,
    }


def _event(event_type: str, job: Job, at_ms: int, data: dict[str, Any]) -> Event:
    common = {
        "job_id": job.id,
        "dialect": job.dialect,
        "model": job.model,
        "mode": job.mode,
        "test": job.test,
        "metadata": job.request.get("metadata"),
        "created_at": iso_ms(job.created_at_ms),
    }
    detail = {
        "id": derived_id("evt", at_ms, job.id, event_type),
        "type": event_type,
        "created_at": iso_ms(at_ms),
        "account_id": job.account_id,
        "data": common | data,
    }
    return Event(event_type, detail)
