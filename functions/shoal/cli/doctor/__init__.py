"""`shoal doctor`: what stands between a stage and its customers, before and after a deployment."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import asdict
from functools import partial
from pathlib import Path
from typing import Annotated

import typer
from botocore.exceptions import BotoCoreError, ClientError

from shoal.cli import console
from shoal.cli import stage as stages
from shoal.cli.doctor import account, answers, people, stacks
from shoal.cli.doctor.finding import Check, Finding, Level, Patient, look
from shoal.cli.doctor.finding import stops as stops_all
from shoal.cli.doctor.plan import STAGES, read_plan
from shoal.domain.catalog import Catalog

FileOption = Annotated[
    Path | None, typer.Option("--file", help="The stage's file. Default: stages/<stage>.toml.")
]
DriftOption = Annotated[
    bool, typer.Option("--drift", help="Also look for what was changed by hand: takes minutes.")
]


def doctor(
    context: typer.Context,
    file: FileOption = None,
    drift: DriftOption = False,
    as_json: console.JsonOption = False,
    stage: console.StageOption = None,
) -> None:
    """Check account and stage, before a deployment and after it. Exit code 1 if something stops the stage."""
    name = stage or context.find_root().params["stage"] or stages.LOCAL_STAGE
    plan = read_plan(file or STAGES / f"{name}.toml")
    client, region = stages.clients_at(plan.name if plan.kind != "local" else None)
    found = list(examine(Patient(plan, client, region), stages.catalog(), drift=drift))
    if as_json:
        console.print_json({"stage": plan.name, "findings": [asdict(each) for each in found]})
    else:
        rows = [[each.check, each.level.value, each.found, each.todo] for each in found]
        console.print_table(["Check", "Level", "Found", "What to do"], rows)
    if any(each.level is Level.STOPS for each in found):
        raise typer.Exit(1)


def examine(patient: Patient, catalog: Catalog, *, drift: bool = False) -> Iterator[Finding]:
    """Every finding, the most urgent first. Without credentials there is but one."""
    try:
        yield from account.identity(patient)
    except (BotoCoreError, ClientError) as error:
        todo = "Sign in: `aws configure sso`, `aws sso login`, or set AWS_PROFILE; and set AWS_REGION."
        yield stops_all("credentials", " ".join(str(error).split()), todo)
        return
    checks: dict[str, Check] = {
        "bootstrap": account.bootstrap,
        "concurrency": account.concurrency,
        "executions": account.executions,
        "mail": people.mail,
        "domain": people.domain,
        "providers": partial(people.keys_check, catalog),
        "alarms": people.alarms,
        "stacks": stacks.stacks,
        answers.ANSWERS: answers.answers,
        "budget": account.budget,
        "spend": account.spend,
    }
    if drift:
        checks["drift"] = stacks.drift
    for name, check in checks.items():
        yield from look(name, check, patient)
