"""Any model as a form from its JSON Schema, its price while it is filled in, and the job at work."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from shoal.composition.dashboard import ForMembers
from shoal.dialects import image, video
from shoal.dialects.fields import SubmitFields
from shoal.dialects.parameters import parameters_of
from shoal.domain import families
from shoal.domain.errors import NotFound, ValidationFailed
from shoal.domain.models.model import Model
from shoal.domain.money import format_amount
from shoal.domain.routing import Route
from shoal.handlers.web import submitting
from shoal.handlers.web.pages import jobs
from shoal.handlers.web.rendering import page
from shoal.handlers.web.schema_form import Field, body_of, fields_of
from shoal.handlers.web.shown import card
from shoal.handlers.web.snippets import snippets
from shoal.handlers.web.visit import Context, Page, Visit, redirect

EXAMPLE = "A shark swimming in neon-lit deep ocean"
"""Stands in for a prompt that is not written yet: in the field, in the code, in the price."""
COMMON = frozenset(SubmitFields.model_fields)
"""What every submit may carry; the form is for what a model takes."""
PATHS = {families.IMAGE: "/v1/generate", families.TASKS: "/v1/generate", families.VIDEO: "/api/v1/videos"}


@dataclass(frozen=True, slots=True)
class Choice:
    """Something to generate with. `fixed` is what its body says beside the form's fields."""

    id: str
    title: str
    dialect: families.Family
    fields: tuple[Field, ...]
    fixed: tuple[tuple[str, str], ...] = ()


def show(visit: Visit[ForMembers]) -> Page:
    """The form of a model, filled in as a job was if the query names one to do again."""
    values: dict[str, Any] = {}
    wanted = visit.query.get("model", "image")
    if "again" in visit.query:
        job = visit.use.read_job()(visit.caller, visit.query["again"])
        values = jobs.body_of(job)
        wanted = job.model if job.family is families.TASKS else job.family.spelling
    choice = choice_of(visit, wanted)
    filled = {field.name: _text(values.get(field.name, field.default)) for field in choice.fields}
    return page(
        visit,
        "playground.html",
        choices=titles(visit),
        choice=choice,
        filled=filled,
        example=EXAMPLE,
        **_empty_quote(),
    )


def quote(visit: Visit[ForMembers]) -> Page:
    """Price and code of what is filled in so far; nothing is written or held."""
    return page(visit, "quote.html", **_quote(visit, choice_of(visit, visit.field("model"))))


def run(visit: Visit[ForMembers]) -> Page:
    """The job at work, in its place on the page; its own page for a browser without script."""
    choice = choice_of(visit, visit.field("model"))
    job_id = submitting.submit(visit, _body(visit, choice), choice.dialect)
    if not visit.partial:
        return redirect(f"/jobs/{job_id}")
    job = visit.use.read_job()(visit.caller, job_id)
    watched = card(visit.site, job, with_outputs=True)
    return page(visit, "job_card.html", shown=watched, pause_s=jobs.PAUSE_S, shown_once=True)


def titles(visit: Visit[ForMembers]) -> list[tuple[str, str]]:
    """What can be chosen here, with its price."""
    catalog = visit.site.catalog()
    cheapest = min(mode.price_micros for mode in catalog.modes.values())
    models = [
        (name, f"{model.title}, {_price_of(model)}")
        for name, model in catalog.models.items()
        if _is_offered(visit, model.routes)
    ]
    first = format_amount(catalog.models[next(iter(catalog.models))].asset, cheapest)
    scene = format_amount(catalog.models[catalog.video.clip_model].asset, catalog.video.price_credits)
    return [("image", f"Image, from {first}"), *models, ("video", f"Video, {scene} for 8 seconds")]


def _price_of(model: Model) -> str:
    return format_amount(model.asset, model.price) if model.is_flat else model.sentence


def choice_of(visit: Visit[ForMembers], wanted: str) -> Choice:
    """Raises `NotFound`."""
    catalog = visit.site.catalog()
    if wanted == "image":
        model = catalog.models[catalog.modes[catalog.default_mode].model]
        known = {"mode": list(catalog.modes), "aspect_ratio": model.aspect_ratios}
        schema = image.GenerateRequest.model_json_schema()
        schema["properties"]["mode"]["default"] = catalog.default_mode
        schema["properties"]["aspect_ratio"]["default"] = model.default_aspect_ratio
        return Choice("image", "Image", families.IMAGE, _fields(schema, known))
    if wanted == "video":
        schema = video.VideoRequest.model_json_schema()
        schema["properties"]["duration"] |= {"default": 8, "maximum": catalog.video.seconds_max}
        known = {"aspect_ratio": catalog.video.aspect_ratios}
        return Choice("video", "Video", families.VIDEO, _fields(schema, known))
    model = catalog.model(wanted)
    if not _is_offered(visit, model.routes):
        raise NotFound("This model is not available here.")
    schema = parameters_of(model).model_json_schema()
    return Choice(wanted, model.title, families.TASKS, _fields(schema, {}), (("model", wanted),))


def _is_offered(visit: Visit[ForMembers], routes: Sequence[Route]) -> bool:
    return visit.use.board()().offers(routes, visit.site.clock.now_ms())


def _fields(schema: dict[str, Any], known: Any) -> tuple[Field, ...]:
    fields = fields_of(schema, without=COMMON, choices=known)
    return tuple(sorted(fields, key=lambda field: field.name not in ("prompt", "idea")))


def _body(visit: Visit[ForMembers], choice: Choice) -> dict[str, Any]:
    return dict(choice.fixed) | body_of(choice.fields, visit.field)


def _quote(visit: Visit[ForMembers], choice: Choice) -> Context:
    examples = {field.name: EXAMPLE for field in choice.fields if field.required}
    body = dict(choice.fixed) | examples | _body(visit, choice)
    url = visit.site.api_url + PATHS[choice.dialect]
    context = _empty_quote() | {"code": snippets(url, body)}
    try:
        submission = submitting.parse(visit, body, choice.dialect)
    except ValidationFailed as error:
        fields = error.details.get("fields", [])
        missing = all(not visit.field(str(each.get("field"))) for each in fields)
        return context | ({} if missing else {"problem": error.message})
    context["price"] = format_amount(submission.asset, submission.price)
    if choice.dialect is not families.VIDEO:
        context["seconds"] = visit.use.quote_job()(submission).seconds_expected
    return context


def _empty_quote() -> Context:
    return {"price": "", "seconds": None, "problem": "", "code": {}}


def _text(value: Any) -> str:
    return "\n".join(map(str, value)) if isinstance(value, list) else str(value)
