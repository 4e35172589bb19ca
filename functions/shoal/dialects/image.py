"""The image dialect: requests in, resources out. No AWS, no money moves here."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field, StringConstraints, ValidationError

from shoal.dialects.errors import invalid_field, validation_failed
from shoal.domain.catalog import Catalog
from shoal.domain.events import output_url
from shoal.domain.job import Dialect, Job, JobStatus
from shoal.domain.money import Asset, format_usd
from shoal.domain.ports import JobFilter, JobPage
from shoal.domain.wallet import Wallet
from shoal.use_cases.submit_job import Submission

PROMPT_LENGTH_MAX = 4_000
SEED_MAX = 2**32 - 1
METADATA_BYTES_MAX = 4_096
PAGE_LIMIT = 20
PAGE_LIMIT_MAX = 100
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)

Prompt = Annotated[
    str,
    StringConstraints(strip_whitespace=True, min_length=1, max_length=PROMPT_LENGTH_MAX),
]


class GenerateRequest(BaseModel):
    """The body of a submit."""

    model_config = ConfigDict(extra="forbid", strict=True)

    mode: str | None = None
    prompt: Prompt
    aspect_ratio: str | None = None
    seed: Annotated[int, Field(ge=0, le=SEED_MAX)] | None = None
    metadata: dict[str, Any] | None = None


def parse_submission(body: Mapping[str, Any], catalog: Catalog) -> Submission:
    """A submit as the engine takes it, priced. Raises `ValidationFailed` naming every wrong field."""
    try:
        request = GenerateRequest.model_validate(body)
    except ValidationError as error:
        raise validation_failed(error) from None
    name = catalog.default_mode if request.mode is None else request.mode
    if name not in catalog.modes:
        raise invalid_field("mode", f"must be one of {', '.join(catalog.modes)}")
    mode = catalog.modes[name]
    model = catalog.models[mode.model]
    aspect_ratio = model.default_aspect_ratio if request.aspect_ratio is None else request.aspect_ratio
    if aspect_ratio not in model.aspect_ratios:
        raise invalid_field("aspect_ratio", f"must be one of {', '.join(model.aspect_ratios)}")
    _check_metadata(request.metadata)
    return Submission(
        dialect=Dialect.IMAGE,
        model=mode.model,
        mode=name,
        request={
            "prompt": request.prompt,
            "aspect_ratio": aspect_ratio,
            "seed": request.seed,
            "metadata": request.metadata,
        },
        asset=Asset.USD,
        price=mode.price_micros,
        price_version=catalog.price_version,
        provider=model.routes[0],
        free_trial_allowed=True,
    )


def accepted(job: Job) -> dict[str, Any]:
    """The answer to a submit."""
    return {
        "job_id": job.id,
        "status": "queued",
        "estimated_cost": format_usd(job.hold.amount),
    }


def job_resource(job: Job, *, complete: str, public_url: str) -> dict[str, Any]:
    """The nine fields of the job-status page. `complete` is how the route spells success."""
    completed = job.status is JobStatus.COMPLETED
    queued_at = iso_seconds(job.created_at_ms)
    return {
        "job_id": job.id,
        "status": status_word(job.status, complete),
        "image_url": output_url(job.outputs[0].key, public_url) if completed else None,
        "cost": format_usd(job.cost) if completed else None,
        "error": job.failure.message if job.failure else None,
        "queued_at": queued_at,
        "started_at": iso_seconds(job.started_at_ms),
        "completed_at": iso_seconds(job.completed_at_ms),
        "created_at": queued_at,
    }


def wallet_resource(wallet: Wallet) -> dict[str, Any]:
    return {
        "balance": format_usd(wallet.balance),
        "held": format_usd(wallet.held),
        "available": format_usd(wallet.available),
        "free_generations_left": wallet.free_generations,
    }


def usage_resource(page: JobPage, *, complete: str) -> dict[str, Any]:
    """Historical requests, newest first."""
    return {
        "requests": [_usage_row(job, complete) for job in page.jobs],
        "next_cursor": page.next_cursor,
    }


def parse_usage_query(query: Mapping[str, str]) -> tuple[JobFilter, int, str | None]:
    """Filter, page size and cursor of a usage request. Raises `ValidationFailed`."""
    unknown = set(query) - {"status", "from", "to", "limit", "cursor"}
    if unknown:
        raise invalid_field(min(unknown), "unknown parameter")
    from_ms, to_ms = _moment(query, "from"), _moment(query, "to")
    if from_ms is not None and to_ms is not None and from_ms > to_ms:
        raise invalid_field("from", "must not be after to")
    statuses = _statuses(query["status"]) if "status" in query else None
    which = JobFilter(statuses=statuses, from_ms=from_ms, to_ms=to_ms)
    return which, _limit(query.get("limit")), query.get("cursor")


def status_word(status: JobStatus, complete: str) -> str:
    """An engine status in the dialect's words."""
    if status is JobStatus.COMPLETED:
        return complete
    return "failed" if status.terminal else status.value


def iso_seconds(at_ms: int | None) -> str | None:
    """ISO 8601 UTC to the second, `2025-01-15T10:23:44Z`."""
    if at_ms is None:
        return None
    return datetime.fromtimestamp(at_ms // 1000, UTC).isoformat().replace("+00:00", "Z")


def _usage_row(job: Job, complete: str) -> dict[str, Any]:
    return {
        "job_id": job.id,
        "status": status_word(job.status, complete),
        "model": job.model,
        "mode": job.mode,
        "prompt": job.request.get("prompt"),
        "cost": format_usd(job.cost) if job.status is JobStatus.COMPLETED else None,
        "error": job.failure.message if job.failure else None,
        "created_at": iso_seconds(job.created_at_ms),
        "completed_at": iso_seconds(job.completed_at_ms),
    }


def _check_metadata(metadata: Mapping[str, Any] | None) -> None:
    if metadata is not None and len(json.dumps(metadata)) > METADATA_BYTES_MAX:
        raise invalid_field("metadata", f"must be at most {METADATA_BYTES_MAX} bytes of JSON")


def _statuses(text: str) -> frozenset[JobStatus]:
    words = {word: JobStatus(word) for word in ("queued", "processing", "completed")}
    if text == "failed":
        return frozenset({JobStatus.FAILED, JobStatus.CANCELED, JobStatus.EXPIRED})
    if text == "complete":
        return frozenset({JobStatus.COMPLETED})
    if text not in words:
        raise invalid_field("status", "must be one of queued, processing, complete, completed, failed")
    return frozenset({words[text]})


def _moment(query: Mapping[str, str], name: str) -> int | None:
    if name not in query:
        return None
    try:
        moment = datetime.fromisoformat(query[name])
    except ValueError:
        raise invalid_field(name, "must be an ISO 8601 time such as 2026-01-31T00:00:00Z") from None
    at_ms = (moment.replace(tzinfo=moment.tzinfo or UTC) - _EPOCH) // timedelta(milliseconds=1)
    if at_ms < 0:
        raise invalid_field(name, "must be a time from 1970 on")
    return at_ms


def _limit(text: str | None) -> int:
    if text is None:
        return PAGE_LIMIT
    if not re.fullmatch(r"[0-9]{1,3}", text) or not 1 <= int(text) <= PAGE_LIMIT_MAX:
        raise invalid_field("limit", f"must be a whole number from 1 to {PAGE_LIMIT_MAX}")
    return int(text)
