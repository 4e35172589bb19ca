"""The image dialect: requests in, resources out. No AWS, no money moves here."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from pydantic import ValidationError

from shoal.dialects import fields
from shoal.dialects.either import choose, parse_either
from shoal.dialects.errors import image_error, invalid_field, neutral_error, validation_error
from shoal.dialects.spoken import Csv, SpokenApi
from shoal.domain import families
from shoal.domain.brief import Brief, Kind
from shoal.domain.catalog import Catalog, size_px
from shoal.domain.events import UrlOf
from shoal.domain.job import Job, JobStatus
from shoal.domain.models.tariff import Terms
from shoal.domain.money import Asset, format_amount, format_usd
from shoal.domain.submission import Submission
from shoal.domain.wallet import Wallet
from shoal.ports.jobs import JobFilter, JobPage

if TYPE_CHECKING:
    from shoal.dialects.answers import image as answers

CSV_COLUMNS = ("job_id", "status", "model", "mode", "cost", "created_at", "completed_at")


class GenerateRequest(fields.SubmitFields):
    """The body of a submit."""

    mode: str | None = None
    prompt: fields.Prompt
    aspect_ratio: str | None = None
    seed: fields.Seed | None = None


def parse_submission(body: Mapping[str, Any], catalog: Catalog) -> Submission:
    """A submit as the engine takes it, priced. Raises `ValidationFailed` naming every wrong field."""
    try:
        request = GenerateRequest.model_validate(body)
    except ValidationError as error:
        raise validation_error(error) from None
    name = catalog.default_mode if request.mode is None else request.mode
    if name not in catalog.modes:
        raise invalid_field("mode", f"must be one of {', '.join(catalog.modes)}")
    mode = catalog.modes[name]
    model = catalog.models[mode.model]
    aspect_ratio = model.default_aspect_ratio if request.aspect_ratio is None else request.aspect_ratio
    if aspect_ratio not in model.aspect_ratios:
        raise invalid_field("aspect_ratio", f"must be one of {', '.join(model.aspect_ratios)}")
    width_px, height_px = size_px(mode.long_side_px, aspect_ratio)
    return Submission(
        family=families.IMAGE,
        model=mode.model,
        mode=name,
        brief=Brief(
            kind=Kind.PICTURE,
            model=mode.model,
            prompt=request.prompt,
            aspect_ratio=aspect_ratio,
            width_px=width_px,
            height_px=height_px,
            seed=request.seed,
        ),
        words=request.words("mode") | {"aspect_ratio": aspect_ratio},
        metadata=request.metadata,
        asset=Asset.USD,
        terms=Terms.flat(mode.price_micros),
        price_version=catalog.price_version,
        catalog_version=catalog.version,
        free_trial_allowed=True,
        max_cost=fields.parse_max_cost(request.max_cost, Asset.USD),
        webhook_url=request.webhook_url,
        ttl_s=request.ttl_seconds,
    )


def acceptance(job: Job) -> answers.Accepted:
    """The answer to a submit."""
    return {"job_id": job.id, "status": "queued", "estimated_cost": format_usd(job.hold.amount)}


def job_resource(job: Job, *, complete: answers.Success, url_of: UrlOf, now_ms: int) -> answers.Job:
    """The nine fields of the job-status page. `complete` is how the route spells success.

    An expired output has no `image_url` any more, and `error` says why. A canceled job whose picture is paid
    for is processing until that is there.
    """
    completed = bool(job.outputs)
    expired = completed and job.outputs_expired(now_ms)
    queued_at = fields.iso_seconds(job.created_at_ms)
    return {
        "job_id": job.id,
        "status": status_word(job, complete),
        "image_url": url_of(job.outputs[0].key) if completed and not expired else None,
        "cost": _cost(job),
        "error": _error(job, expired),
        "queued_at": queued_at,
        "started_at": fields.iso_seconds(job.started_at_ms),
        "completed_at": fields.iso_seconds(job.completed_at_ms),
        "created_at": queued_at,
    }


def wallet_resource(wallet: Wallet) -> answers.WalletAnswer:
    return {
        "balance": format_usd(wallet.balance),
        "held": format_usd(wallet.held),
        "available": format_usd(wallet.available),
        "free_generations_left": wallet.free_generations,
    }


def usage_resource(page: JobPage, *, complete: answers.Success) -> answers.Usage:
    """Historical requests, newest first."""
    return {"requests": [usage_row(job, complete) for job in page.jobs], "next_cursor": page.next_cursor}


def usage_row(job: Job, complete: answers.Success) -> answers.UsageRow:
    return {
        "job_id": job.id,
        "status": status_word(job, complete),
        "model": job.model,
        "mode": job.submission.mode,
        "prompt": job.asked,
        "cost": _cost(job),
        "error": _error(job, expired=False),
        "created_at": fields.iso_seconds(job.created_at_ms),
        "completed_at": fields.iso_seconds(job.completed_at_ms),
    }


def parse_usage_query(query: Mapping[str, str]) -> tuple[JobFilter, int, str | None]:
    """Filter, page size and cursor of a usage request. Raises `ValidationFailed`."""
    fields.check_parameters(query, {"status", "from", "to", "limit", "cursor"})
    from_ms, to_ms = fields.parse_range(query)
    statuses = _statuses(query["status"]) if "status" in query else None
    which = JobFilter(statuses=statuses, from_ms=from_ms, to_ms=to_ms)
    return which, fields.parse_limit(query), query.get("cursor")


def status_word(job: Job, complete: answers.Success) -> answers.Status:
    """The job's status in the dialect's words."""
    if job.status is JobStatus.COMPLETED or job.outputs:
        return complete
    if job.status.terminal and not job.awaiting:
        return "failed"
    return "queued" if job.status is JobStatus.QUEUED else "processing"


def _cost(job: Job) -> str | None:
    return format_amount(job.asset, job.cost) if job.status is JobStatus.COMPLETED or job.captured else None


def _error(job: Job, expired: bool) -> str | None:
    if expired:
        return "The image has expired and is no longer kept."
    return job.failure.message if job.failure and not (job.outputs or job.awaiting) else None


def _statuses(text: str) -> frozenset[JobStatus]:
    words = {word: frozenset({JobStatus(word)}) for word in ("queued", "processing", "completed")}
    words["complete"] = words["completed"]
    words["failed"] = frozenset({JobStatus.FAILED, JobStatus.CANCELED, JobStatus.EXPIRED})
    if text not in words:
        raise invalid_field("status", f"must be one of {', '.join(sorted(words))}")
    return words[text]


def _spelled(complete: answers.Success) -> SpokenApi:
    """Two documents describe this API, and each spells success in its own way."""
    return SpokenApi(
        render_error=lambda error, _: image_error(error),
        shapes=("image",),
        request_of=lambda *_: GenerateRequest,
        parse=parse_submission,
        accepted=acceptance,
        resource=lambda job, view: job_resource(
            job, complete=complete, url_of=view.url_of, now_ms=view.now_ms
        ),
        parse_list=parse_usage_query,
        listing=lambda page, _: usage_resource(page, complete=complete),
        csv=Csv(CSV_COLUMNS, lambda job: usage_row(job, complete)),
    )


API, API_V1 = _spelled("completed"), _spelled("complete")
"""The job-status page, under /api/v1, and the quick start, under /v1."""
GENERATE = replace(
    API_V1,
    choose=choose,
    parse=parse_either,
    render_error=lambda error, _: neutral_error(error),
    shapes=("neutral", "image", "tasks"),
)
"""An image or a task: errors are neutral until the body has been read."""
