"""The tasks dialect: requests in, `{data, error}` envelopes out. No AWS, no money moves here."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any, TypeVar, cast

from shoal.dialects import fields
from shoal.dialects.either import parse_either
from shoal.dialects.errors import invalid_field, tasks_error
from shoal.dialects.parameters import parameters_of, read, request_of
from shoal.dialects.spoken import SpokenApi
from shoal.domain import families
from shoal.domain.catalog import Catalog
from shoal.domain.errors import Unavailable
from shoal.domain.events import UrlOf, files_of, utc_day
from shoal.domain.job import Job, JobStatus
from shoal.domain.models.briefs import brief_of
from shoal.domain.models.inputs import Values
from shoal.domain.models.model import USUAL_TYPES, Model, ModelType
from shoal.domain.models.roles import Role
from shoal.domain.models.tariff import Terms, Unit, whole_or_decimal
from shoal.domain.money import Asset, format_amount
from shoal.domain.routing import UNAVAILABLE_RETRY_S
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


def envelope(data: Data) -> answers.Envelope[Data]:
    """The shape of every success."""
    return {"data": data, "error": None}


def parse_submission(body: Mapping[str, Any], catalog: Catalog) -> Submission:
    """A submit as the engine takes it, priced.

    Raises `NotFound` with the nearest names for an unknown model, `ValidationFailed` naming every wrong
    field.
    """
    name = body.get("model")
    if not isinstance(name, str):
        raise invalid_field("model", "must be the id of a model")
    model = catalog.model(name)
    if model.unsupported:
        raise Unavailable("The model is not available here.", retry_after_seconds=UNAVAILABLE_RETRY_S)
    given = read(model, body, catalog.models.values())
    values = model.inputs.filled({own: given[own] for own in model.inputs.properties})
    count, images = _of_role(model, Role.COUNT, values), _of_role(model, Role.IMAGE, values)
    return Submission(
        family=families.TASKS,
        model=name,
        mode=None,
        brief=brief_of(model, values),
        words={own: given[own] for own in model.inputs.properties if _is_word(model, own)},
        metadata=given["metadata"],
        asset=model.asset,
        terms=model.terms(values),
        output_count=count or 1,
        price_version=catalog.price_version,
        catalog_version=catalog.version,
        free_trial_allowed=False,
        max_cost=fields.parse_max_cost(given["max_cost"], model.asset),
        webhook_url=given["webhook_url"],
        input_urls=tuple([images] if isinstance(images, str) else images or ()),
        ttl_s=given["ttl_seconds"],
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
        "files": [] if job.outputs_expired(now_ms) else files_of(job.outputs, url_of),
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
    schema = parameters_of(model).model_json_schema()
    return {
        "id": name,
        "title": model.title,
        "type": model.type,
        "parameters": schema,
        "price": _price(model, catalog),
        "limits": {"num_outputs": model.outputs_max, "prompt_characters": model.prompt_length_max},
        "availability": "available" if available else "unavailable",
        "deprecated": model.deprecated,
        "replacement": model.replacement,
    }


def _price(model: Model, catalog: Catalog) -> answers.Price:
    price: answers.Price = {
        "per": "output" if model.is_flat else "rows",
        "amount": format_amount(model.asset, model.price, decimals_min=COST_DECIMALS),
        "asset": model.asset,
        "version": catalog.price_version,
    }
    if not model.is_flat:
        price["rows"] = [
            {
                "per": row.per.value,
                "amount": format_amount(model.asset, amount, decimals_min=COST_DECIMALS),
                "when": dict(zip(row.by, words, strict=True)),
            }
            for row in model.rows
            for words, amount in row.amounts.items()
        ]
        price["sentence"] = model.sentence
    return price


def _of_role(model: Model, role: Role, values: Values) -> Any:
    own = model.inputs.of_role(role)
    return values.get(own.name) if own else None


def _is_word(model: Model, name: str) -> bool:
    """How many is told by the job, and its files may be megabytes."""
    role = model.inputs.properties[name].role
    return role is not Role.COUNT and not (role and role.is_file)


def _type(job: Job) -> ModelType:
    return cast("ModelType", job.brief.task) if job.brief.task else USUAL_TYPES[job.kind]


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
    request_of=lambda name, catalog: request_of(catalog.models[name]),
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
