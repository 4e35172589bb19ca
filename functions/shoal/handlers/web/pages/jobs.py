"""Jobs and videos: find one, look into it, cancel it, do it again."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

from shoal.composition.dashboard import ForMembers
from shoal.dialects import video
from shoal.domain import families
from shoal.domain.errors import JobAlreadyTerminal, NotFound, ValidationFailed
from shoal.domain.events import UrlOf, ending_events, opening_events
from shoal.domain.ids import is_ulid
from shoal.domain.job import Job, JobStatus, no_such_job
from shoal.domain.video import MODEL
from shoal.handlers.web import submitting
from shoal.handlers.web.rendering import page
from shoal.handlers.web.shown import card, cards
from shoal.handlers.web.visit import Context, Page, Visit, redirect
from shoal.ports.jobs import JobFilter

LIMIT = 20
VIDEOS_LIMIT = 12
TEXT_LENGTH_MAX = 200
PAUSE_S = 1.5
ENDS = {
    JobStatus.COMPLETED: ("Completed", "good"),
    JobStatus.FAILED: ("Failed", "bad"),
    JobStatus.CANCELED: ("Canceled", "bad"),
    JobStatus.EXPIRED: ("Expired", "bad"),
}


@dataclass(frozen=True, slots=True)
class Moment:
    """A step of a job's timeline. `at_ms` is None for what is still to come."""

    name: str
    at_ms: int | None
    kind: str = ""


def show(visit: Visit[ForMembers]) -> Page:
    query = visit.query
    which = JobFilter(
        statuses=_statuses(query.get("status", "")),
        models=frozenset({query["model"]}) if "model" in query else None,
        text=query.get("text", "")[:TEXT_LENGTH_MAX] or None,
    )
    found = visit.use.list_jobs()(visit.caller, which, limit=LIMIT, cursor=query.get("cursor"))
    return page(
        visit,
        "jobs.html",
        jobs=cards(visit.site, found.jobs),
        next_cursor=found.next_cursor,
        query={name: query.get(name, "") for name in ("status", "model", "text")},
        statuses=[status.value for status in JobStatus],
        models=[*visit.site.catalog().models, MODEL],
        filtered=any(query.get(name) for name in ("status", "model", "text")),
    )


def show_one(visit: Visit[ForMembers]) -> Page:
    """The page of a job, also by its ULID alone, as ledger entries name it."""
    return page(visit, "job.html", **_one(visit, _job(visit)))


def show_live(visit: Visit[ForMembers]) -> Page:
    """What changes while it runs."""
    return page(visit, "job_live.html", **_one(visit, _job(visit)))


def show_card(visit: Visit[ForMembers]) -> Page:
    """The job as the playground watches it."""
    job = _job(visit)
    return page(visit, "job_card.html", shown=card(visit.site, job, with_outputs=True), pause_s=PAUSE_S)


def cancel(visit: Visit[ForMembers]) -> Page:
    """Back to the job, which tells how it ended, also if that was before it could be canceled."""
    job = _job(visit)
    with suppress(JobAlreadyTerminal):
        visit.use.cancel_job()(visit.caller, job.id)
    return redirect(f"/jobs/{job.id}")


def retry(visit: Visit[ForMembers]) -> Page:
    """Another job that asks for the same."""
    job = _job(visit)
    if job.brief.input_keys:
        raise ValidationFailed("The pictures this job was given are no longer kept: submit them again.")
    return redirect(f"/jobs/{submitting.submit(visit, body_of(job), job.family)}")


def show_videos(visit: Visit[ForMembers]) -> Page:
    which = JobFilter(families=frozenset({families.VIDEO}))
    found = visit.use.list_jobs()(visit.caller, which, limit=VIDEOS_LIMIT, cursor=visit.query.get("cursor"))
    return page(visit, "videos.html", videos=cards(visit.site, found.jobs), next_cursor=found.next_cursor)


def body_of(job: Job) -> dict[str, Any]:
    """The body of a submit that asks for the same as a job did."""
    body = _said(job)
    if job.family is families.IMAGE:
        body["mode"] = job.submission.mode
    if job.family is families.TASKS:
        body |= {"model": job.model, "num_outputs": job.output_count}
    if job.submission.ttl_s is not None:
        body["ttl_seconds"] = job.submission.ttl_s
    return body


def _one(visit: Visit[ForMembers], job: Job) -> Context:
    in_video = job.family is families.VIDEO
    return {
        "shown": card(visit.site, job, with_outputs=True),
        "timeline": list(timeline(job)),
        "asked_for": _order_rows(job),
        "events": _events(job, visit.site.url_of),
        "film": video.API.resource(job, visit.use.view()) if in_video else {},
        "can_retry": not job.brief.input_keys,
        "pause_s": PAUSE_S,
    }


def timeline(job: Job) -> Iterator[Moment]:
    """What happened to a job so far, and what comes next."""
    yield Moment("Accepted, price held", job.created_at_ms)
    if job.started_at_ms is not None:
        yield Moment("Processing", job.started_at_ms)
    if job.closed_at_ms is not None:
        name, kind = ENDS[job.status]
        yield Moment(name, job.closed_at_ms, kind)
    else:
        yield Moment("Processing" if job.started_at_ms is None else "Done", None, "next")


def _order_rows(job: Job) -> list[tuple[str, str]]:
    said = {name: value for name, value in _said(job).items() if name not in ("prompt", "idea")}
    return [(name.replace("_", " ").capitalize(), str(value)) for name, value in said.items()]


def _said(job: Job) -> dict[str, Any]:
    said = {**job.submission.words, "metadata": job.submission.metadata}
    return {name: value for name, value in said.items() if value is not None}


def _events(job: Job, url_of: UrlOf) -> list[tuple[str, str, str]]:
    """Type, id and moment of what the bus was told."""
    ended = job.status.terminal and not job.awaiting
    events = opening_events(job) if job.started_at_ms is not None or ended else []
    if ended:
        events += ending_events(job, url_of)
    return [(event.type, event.detail["id"], event.detail["created_at"]) for event in events]


def _job(visit: Visit[ForMembers]) -> Job:
    wanted = visit.parameter("id")
    if not is_ulid(wanted):
        return visit.use.read_job()(visit.caller, wanted)
    for family in families.FAMILIES.values():
        try:
            return visit.use.read_job()(visit.caller, f"{family.id_prefix}_{wanted}")
        except NotFound:
            continue
    raise no_such_job()


def _statuses(text: str) -> frozenset[JobStatus] | None:
    if not text:
        return None
    if text not in list(JobStatus):
        raise ValidationFailed("There is no such status.")
    return frozenset({JobStatus(text)})
