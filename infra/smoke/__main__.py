"""`make smoke STAGE=dev`: walk over a stage as a customer with an account of its own, and measure it.

It costs what seven pictures, of which one is canceled, a task of two and a film of one scene cost at the
stage's providers. The account and what it received by are removed, also when a step fails.
"""

from __future__ import annotations

import argparse
import json
import sys
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError
from rich.console import Console

from infra.smoke import measure
from infra.smoke.erase import StillOpen, erase
from infra.smoke.inbox import inbox
from infra.smoke.walk import FAILURES, Walk
from shoal.cli import stage as stages
from shoal.composition.operator import Operator
from shoal.domain.errors import ShoalError
from shoal.domain.grant import Decision
from shoal.domain.job import Job
from shoal.domain.money import parse_usd
from shoal_client import Shoal
from shoal_client.errors import ShoalError as ClientFailure

EMAIL = "smoke@shoal.invalid"
USD, CREDITS = parse_usd("2.00"), 2
PICTURES = 5
"""Enough for a median that is not that of a cold start."""
OUT = Path(".local", "smoke")


@dataclass(frozen=True)
class Place:
    """The stage that is walked over. `endpoint_url` is that of the local cloud, where it is there."""

    name: str
    operator: Operator
    client: Callable[..., Any]
    outputs: dict[str, str]
    endpoint_url: str | None = None

    @property
    def api_url(self) -> str:
        """As customers are told it."""
        return self.outputs.get("GuardedUrl") or self.outputs["ApiUrl"]


def place_of(stage: str) -> Place:
    """Raises `StageNotFound`."""
    operator = stages.connect(stage)
    client, _ = stages.clients_at(None if stage == stages.LOCAL_STAGE else stage)
    (stack,) = client("cloudformation").describe_stacks(StackName=f"shoal-{stage}-service")["Stacks"]
    outputs = {each["OutputKey"]: each["OutputValue"] for each in stack["Outputs"]}
    endpoint = client("sqs").meta.endpoint_url if stage == stages.LOCAL_STAGE else None
    return Place(stage, operator, client, outputs, endpoint)


def smoke(place: Place, say: Callable[[str], None], *, pictures: int = PICTURES) -> dict[str, Any]:
    """Walk, measure, erase. Returns what was measured. Raises what a step raised."""
    began = datetime.now(UTC)
    decision = Decision.of(place.operator.who(), "smoke: a walk over the stage")
    account, first = place.operator.manage.open(EMAIL, usd_micros=USD, credits=CREDITS, decision=decision)
    shoal = Shoal(first.secret, place.api_url)
    walk: Walk | None = None
    try:
        say(f"account {account.id}; making an inbox, which takes a minute on AWS")
        with inbox(
            place.client,
            stage=place.name,
            bus=place.outputs["EventBusName"],
            endpoint_url=place.endpoint_url,
        ) as received:
            walk = Walk(place.operator, shoal, account.id, place.api_url, received, pictures)
            for name, step in walk.steps():
                started = time.monotonic()
                try:
                    seen = step()
                except (*FAILURES, ClientFailure) as error:
                    error.add_note(f"step {name}")
                    raise
                say(f"✓ {name}: {seen} ({time.monotonic() - started:.1f} s)")
        jobs = [place.operator.inspect.job(account.id, id_) for id_ in walk.jobs.values()]
        measured = measure.report(
            client=place.client,
            stage=place.name,
            kind=place.outputs["StageKind"],
            table=place.outputs["TableName"],
            arns=[arn for job in jobs for arn in _executions(place.outputs["StateMachineArn"], job)],
            tokens=walk.tokens,
            began=began,
        )
        return measured | {"api": {name: measure.latency(ms) for name, ms in walk.timed_ms.items()}}
    finally:
        count = erase(place.operator, place.client, place.outputs, account.id)
        say(f"✓ erased {account.id}: {count} items")


def _executions(machine: str, job: Job) -> list[str]:
    """Where its execution may be: each has the name of its job, one of several outputs in another machine."""
    execution = machine.replace(":stateMachine:", ":execution:")
    return [f"{execution}:{job.execution}", f"{execution}-batch:{job.execution}"]


def main() -> None:
    """Exits with 1 and what went wrong when a step fails."""
    parser = argparse.ArgumentParser(prog="make smoke", description=__doc__)
    parser.add_argument("stage")
    parser.add_argument("--out", type=Path, help="where the measurement goes; .local/smoke/<stage>.json")
    parser.add_argument("--pictures", type=int, default=PICTURES, help="how many more are made and measured")
    options = parser.parse_args()
    console = Console(highlight=False, markup=False)
    try:
        measured = smoke(
            place_of(options.stage),
            lambda line: console.print(line, soft_wrap=True),
            pictures=options.pictures,
        )
    except (*FAILURES, ClientFailure, StillOpen, ShoalError, BotoCoreError, ClientError) as error:
        where = " ".join(getattr(error, "__notes__", []))
        sys.exit(f"✗ {where}: {type(error).__name__}: {error}" if where else f"✗ {error}")
    out = options.out or OUT / f"{options.stage}.json"
    out.parent.mkdir(parents=True, exist_ok=True)
    out.write_text(json.dumps(measured, indent=2) + "\n")
    console.print_json(data=measured)
    console.print(f"\nNow calibrate: make simulate ARGS='--measured {out}'", soft_wrap=True)


if __name__ == "__main__":
    with suppress(KeyboardInterrupt):
        main()
