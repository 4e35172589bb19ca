"""The tasks dialect: requests in, `{data, error}` envelopes out. No AWS, no money moves here."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from functools import cache
from typing import TYPE_CHECKING, Annotated, Any, Literal, TypeVar

from pydantic import BaseModel, ConfigDict, Field, StringConstraints, ValidationError, create_model

from shoal.dialects import fields
from shoal.dialects.either import parse_either
from shoal.dialects.errors import invalid_field, tasks_error, validation_error
from shoal.dialects.spoken import SpokenApi
from shoal.domain import families
from shoal.domain.brief import Brief
from shoal.domain.catalog import Catalog, Model, ModelType, size_px
from shoal.domain.events import UrlOf, utc_day
from shoal.domain.job import Job, JobStatus
from shoal.domain.models.tariff import Terms, Unit, whole_or_decimal
from shoal.domain.money import Asset, format_amount
from shoal.domain.submission import Submission
from shoal.ports.jobs import JobFilter, JobPage
from shoal.use_cases.jobs.quote import Quote
from shoal.use_cases.money.summarize_usage import ModelUsage

if TYPE_CHECKING:
    from shoal.dialects.answers import tasks as answers

Data = TypeVar("Data")

COST_DECIMALS = 4
CSV_COLUMNS = ("model", "total_units", "total_cost", "request_count")
STATUS_WORDS: Mapping[JobStatus, answers.Status] = {
    JobStatus.QUEUED: "pending",
    JobStatus.PROCESSING: "processing",
    JobStatus.COMPLETED: "completed",
    JobStatus.FAILED: "failed",
    JobStatus.CANCELED: "canceled",
    JobStatus.EXPIRED: "failed",
}
_STRICT = ConfigDict(extra="forbid", strict=True)


def envelope(data: Data) -> answers.Envelope[Data]:
    """The shape of every success."""
    return {"data": data, "error": None}


@cache
def parameters_of(name: str, model: Model) -> type[BaseModel]:
    """The parameters a model takes: what parses its requests and what its JSON Schema is made from."""
    prompt = StringConstraints(strip_whitespace=True, min_length=1, max_length=model.prompt_length_max)
    taken: dict[str, Any] = {
        "prompt": (Annotated[str, prompt, fields.Visible], Field(description="What to make.")),
        "aspect_ratio": (Literal[model.aspect_ratios], model.default_aspect_ratio),
        "num_outputs": (Annotated[int, Field(ge=1, le=model.outputs_max), fields.Whole], 1),
        "seed": (fields.Seed | None, Field(None, description="The same seed makes the same output again.")),
    }
    if model.negative_prompt:
        negative = StringConstraints(strip_whitespace=True, max_length=model.prompt_length_max)
        taken["negative_prompt"] = (Annotated[str, negative, fields.EmptyIfBlank] | None, None)
    if model.input_images_max:
        urls = Annotated[list[fields.Url], Field(min_length=1, max_length=model.input_images_max)]
        taken["input_image_urls"] = (urls | None, Field(None, description="Pictures to edit."))
    return create_model(f"{name} parameters", __config__=_STRICT, **taken)


def parse_submission(body: Mapping[str, Any], catalog: Catalog) -> Submission:
    """A submit as the engine takes it, priced.

    Raises `NotFound` with the nearest names for an unknown model, `ValidationFailed` naming every wrong
    field.
    """
    name = body.get("model")
    if not isinstance(name, str):
        raise invalid_field("model", "must be the id of a model")
    model = catalog.model(name)
    try:
        request: Any = request_of(name, model).model_validate(body)
    except ValidationError as error:
        raise validation_error(error) from None
    width_px, height_px = size_px(model.long_side_px, request.aspect_ratio)
    return Submission(
        family=families.TASKS,
        model=name,
        mode=None,
        brief=Brief(
            kind=model.kind,
            model=name,
            prompt=request.prompt,
            aspect_ratio=request.aspect_ratio,
            width_px=width_px,
            height_px=height_px,
            seed=request.seed,
            negative_prompt=getattr(request, "negative_prompt", None),
        ),
        words=request.words("model", "num_outputs", "input_image_urls"),
        metadata=request.metadata,
        asset=model.asset,
        terms=Terms.flat(model.price),
        output_count=request.num_outputs,
        price_version=catalog.price_version,
        catalog_version=catalog.version,
        free_trial_allowed=False,
        max_cost=fields.parse_max_cost(request.max_cost, model.asset),
        webhook_url=request.webhook_url,
        input_urls=tuple(getattr(request, "input_image_urls", None) or ()),
        ttl_s=request.ttl_seconds,
    )


def acceptance(job: Job) -> answers.AcceptedTaskAnswer:
    """The answer to a submit."""
    data: answers.AcceptedTask = {
        "id": job.id,
        "status": "pending",
        "model": job.model,
        "type": _type(job),
        "cost": _cost(job),
        "created_at": fields.iso_seconds(job.created_at_ms),
    }
    return envelope(data)


def task_resource(job: Job, *, url_of: UrlOf, now_ms: int) -> answers.Task:
    """A task. `output` is null until it has completed or what its cancel captured is there.

    Expired outputs are shown as such, without URLs.
    """
    return {
        "id": job.id,
        "status": STATUS_WORDS[job.status],
        "model": job.model,
        "type": _type(job),
        "output": _output(job, url_of, now_ms),
        "cost": _cost(job),
        "error": {"code": job.failure.code, "message": job.failure.message} if job.failure else None,
        "metadata": job.submission.metadata,
        "created_at": fields.iso_seconds(job.created_at_ms),
        "started_at": fields.iso_seconds(job.started_at_ms),
        "completed_at": fields.iso_seconds(job.completed_at_ms),
    }


def task_list(page: JobPage, *, url_of: UrlOf, now_ms: int) -> answers.TaskListAnswer:
    data = [task_resource(job, url_of=url_of, now_ms=now_ms) for job in page.jobs]
    return {"data": data, "next_cursor": page.next_cursor, "error": None}


def parse_list_query(query: Mapping[str, str]) -> tuple[JobFilter, int, str | None]:
    """Filter, page size and cursor of a list of tasks. Raises `ValidationFailed`."""
    fields.check_parameters(query, {"status", "model", "from", "to", "limit", "cursor"})
    from_ms, to_ms = fields.parse_range(query)
    which = JobFilter(
        statuses=fields.parse_statuses(query["status"], STATUS_WORDS) if "status" in query else None,
        models=frozenset({query["model"]}) if "model" in query else None,
        from_ms=from_ms,
        to_ms=to_ms,
    )
    return which, fields.parse_limit(query), query.get("cursor")


def parse_summary_query(query: Mapping[str, str]) -> tuple[str | None, str | None]:
    """First and last UTC day of a summary, both included. Raises `ValidationFailed`."""
    fields.check_parameters(query, {"from", "to"})
    from_ms, to_ms = fields.parse_range(query)
    if to_ms is not None and fields.is_day(query["to"]):
        to_ms -= 1
    return (
        None if from_ms is None else utc_day(from_ms),
        None if to_ms is None else utc_day(to_ms),
    )


def summary_rows(usage: Sequence[ModelUsage]) -> list[answers.UsageOfModel]:
    return [
        {
            "model": used.model,
            "total_units": used.units,
            "total_cost": format_amount(used.asset, used.cost, decimals_min=COST_DECIMALS),
            "request_count": used.requests,
            **_units(used.by_unit),
        }
        for used in usage
    ]


def _units(by_unit: Mapping[Unit, int]) -> answers.Units:
    """Only there where something else was charged by than outputs."""
    units = {unit.value: whole_or_decimal(quantity) for unit, quantity in by_unit.items() if quantity}
    return {"units": units} if units else {}


def quote_resource(quote: Quote) -> answers.Quote:
    """`upper_bound` is what a submit would hold; fewer delivered outputs cost less."""
    asked = quote.submission
    return {
        "model": asked.model,
        "mode": asked.mode,
        "num_outputs": asked.output_count,
        "price": format_amount(asked.asset, asked.unit_price, decimals_min=COST_DECIMALS),
        "upper_bound": format_amount(asked.asset, asked.price, decimals_min=COST_DECIMALS),
        "price_version": asked.price_version,
        "seconds_expected": quote.seconds_expected,
        **_rows(asked.terms, asked.asset),
    }


def _rows(terms: Terms, asset: Asset) -> answers.QuotedRows:
    """What a price is made of that is not one for each output."""
    if terms.is_flat:
        return {}
    rows: list[answers.QuotedRow] = [
        {
            "per": rate.per.value,
            "amount": format_amount(asset, rate.amount, decimals_min=COST_DECIMALS),
            "units": whole_or_decimal(quantity),
        }
        for rate, quantity in terms.expected()
    ]
    return {"rows": rows, "sentence": terms.sentence(asset)}


def model_resource(name: str, catalog: Catalog, *, available: bool) -> answers.Model:
    """A model of the catalog. Raises `NotFound` with the nearest names."""
    model = catalog.model(name)
    schema = parameters_of(name, model).model_json_schema()
    return {
        "id": name,
        "title": model.title,
        "type": model.type,
        "parameters": schema,
        "price": {
            "per": "output",
            "amount": format_amount(model.asset, model.price, decimals_min=COST_DECIMALS),
            "asset": model.asset,
            "version": catalog.price_version,
        },
        "limits": {"num_outputs": model.outputs_max, "prompt_characters": model.prompt_length_max},
        "availability": "available" if available else "unavailable",
        "deprecated": model.deprecated,
        "replacement": model.replacement,
    }


@cache
def request_of(name: str, model: Model) -> type[BaseModel]:
    """The whole body of a submit: building it takes longer than reading a request with it."""
    return create_model(
        "Request", __base__=(parameters_of(name, model), fields.SubmitFields), model=(str, ...)
    )


def _type(job: Job) -> ModelType:
    return "video_generate" if job.kind.of_clips else "image_generate"


def _cost(job: Job) -> str:
    if job.status is JobStatus.COMPLETED or job.captured:
        return format_amount(job.asset, job.cost, decimals_min=COST_DECIMALS)
    return format_amount(job.asset, 0)


def _output(job: Job, url_of: UrlOf, now_ms: int) -> answers.TaskOutput | None:
    if not job.outputs:
        return None
    if job.outputs_expired(now_ms):
        return {"url": None, "urls": [], "expired": True}
    urls = [url_of(output.key) for output in job.outputs]
    return {"url": urls[0], "urls": urls}


API = SpokenApi(
    render_error=lambda error, _: tasks_error(error),
    shapes=("tasks",),
    request_of=lambda name, catalog: request_of(name, catalog.models[name]),
    parse=parse_submission,
    accepted=acceptance,
    resource=lambda job, view: task_resource(job, url_of=view.url_of, now_ms=view.now_ms),
    wrap=envelope,
    parse_list=parse_list_query,
    listing=lambda page, view: task_list(page, url_of=view.url_of, now_ms=view.now_ms),
    read_waits=True,
)
QUOTE = replace(API, parse=parse_either)
"""A price is told in these words, whatever it was asked for."""
