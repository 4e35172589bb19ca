"""`shoal jobs`: what was asked for and how far it is."""

from __future__ import annotations

import json
from dataclasses import asdict
from typing import Annotated, Any

import typer

from shoal.cli import console
from shoal.domain.job import Job, JobStatus
from shoal.domain.money import decimal_amount
from shoal.ports.jobs import JobFilter

LIMIT = 20
LIMIT_MAX = 1000
SWEEP_STEPS = ("started", "closed", "announced", "left", "deferred", "unread", "told")

app = typer.Typer(help="Look at jobs and finish stuck ones.", no_args_is_help=True)

JobArgument = Annotated[str, typer.Argument(metavar="JOB", help="Job id, job_…, gen_… or vid_…")]
StatusOption = Annotated[
    list[JobStatus] | None,
    typer.Option("--status", help="May be given several times. Default: every status."),
]
LimitOption = Annotated[int, typer.Option("--limit", min=1, max=LIMIT_MAX, help="How many at most.")]
CursorOption = Annotated[
    str | None, typer.Option("--cursor", metavar="CURSOR", help="Where the last list ended.")
]


@app.command("list")
def list_jobs(
    context: typer.Context,
    account_id: console.AccountArgument,
    statuses: StatusOption = None,
    limit: LimitOption = LIMIT,
    cursor: CursorOption = None,
    as_json: console.JsonOption = False,
    stage: console.StageOption = None,
) -> None:
    """List the jobs of an account, newest first."""
    which = JobFilter(statuses=frozenset(statuses) if statuses else None)
    page = console.operator(context, stage).inspect.list_jobs(account_id, which, limit=limit, cursor=cursor)
    if as_json:
        console.print_json({"jobs": [_resource(job) for job in page.jobs], "next_cursor": page.next_cursor})
        return
    console.print_table(
        ["Job", "Status", "Mode", "Price", "Cost", "Created", "Closed"],
        [
            [
                job.id,
                job.status,
                job.submission.mode or job.model,
                f"{decimal_amount(job.asset, job.price)} {job.asset}",
                decimal_amount(job.asset, job.cost),
                console.moment(job.created_at_ms) or "",
                console.moment(job.closed_at_ms) or "",
            ]
            for job in page.jobs
        ],
    )
    if page.next_cursor:
        typer.echo(f"There are more: --cursor {page.next_cursor}")


@app.command()
def show(
    context: typer.Context,
    account_id: console.AccountArgument,
    job_id: JobArgument,
    as_json: console.JsonOption = False,
    stage: console.StageOption = None,
) -> None:
    """Show all that is known of a job."""
    resource = _resource(console.operator(context, stage).inspect.job(account_id, job_id))
    if as_json:
        console.print_json(resource)
    else:
        console.print_fields(
            {name: _text(value) for name, value in resource.items() if value not in (None, [])}
        )


@app.command("retry-stuck")
def retry_stuck(
    context: typer.Context, as_json: console.JsonOption = False, stage: console.StageOption = None
) -> None:
    """Sweep now: start, close or announce every job whose time is up, and tell what waits in the outbox."""
    at = console.operator(context, stage)
    done = at.sweep()
    done["told"] = at.tell()
    if as_json:
        console.print_json({step: done[step] for step in SWEEP_STEPS})
    elif done.total():
        typer.echo(", ".join(f"{done[step]} {step}" for step in SWEEP_STEPS if done[step]))
    else:
        typer.echo("No job is stuck.")


def _resource(job: Job) -> dict[str, Any]:
    """Without the task token: anybody who has it can answer in the provider's place."""
    return {
        "job_id": job.id,
        "account_id": job.account_id,
        "key_id": job.key_id,
        "status": job.status,
        "dialect": job.family.spelling,
        "model": job.model,
        "mode": job.submission.mode,
        "request": {**job.submission.words, "metadata": job.submission.metadata, **asdict(job.brief)},
        "asset": job.asset,
        "price": decimal_amount(job.asset, job.price),
        "cost": decimal_amount(job.asset, job.cost),
        "free_trial": job.free_trial,
        "hold": job.hold_state,
        "provider": job.provider,
        "provider_refs": list(job.provider_refs.values()),
        "created_at": console.moment(job.created_at_ms),
        "started_at": console.moment(job.started_at_ms),
        "closed_at": console.moment(job.closed_at_ms),
        "closed_by": job.closed_by,
        "deadline_at": console.moment(job.deadline_at_ms),
        "error": {"code": job.failure.code, "message": job.failure.message} if job.failure else None,
        "outputs": [output.key for output in job.outputs],
    }


def _text(value: Any) -> str:
    """JSON where it is more than a word: what a caller wrote must not steer the terminal."""
    plain = isinstance(value, str) and value.isprintable()
    return value if plain else json.dumps(value, ensure_ascii=False)
