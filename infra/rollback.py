"""`python -m infra.rollback STAGE [--to N]`: have callers use the versions of an earlier deployment again.

Nothing is built and no stack is updated: each alias `live` is set to the version it led to, in seconds. The
versions of one deployment go together; they are read from the record that each deployment leaves
(`infra/constructs/versions.py`). Without N it is the deployment before the last one, however often this is
run; N, one of the numbers that are printed, is any other, also the last one again.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import boto3
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError

from .constructs.functions import LIVE
from .constructs.versions import record_name
from .errors import SynthesisError
from .paths import ROOT
from .stage import STAGES, Stage, load_stage

RETRIES = Config(retries={"mode": "standard", "max_attempts": 10})
"""Lambda takes 15 changes a second from an account, a deployment's among them."""
AWAY = ("ResourceNotFoundException", "ParameterNotFound")

Clients = Callable[[str], Any]
"""A service's client for the stage's region."""


class RollbackRefused(Exception):
    """Nothing was changed; the message says why, and what to do."""


@dataclass(frozen=True)
class Deployed:
    """Versions that were deployed together, by the function's name. Later ones have higher numbers."""

    number: int
    at: datetime
    versions: Mapping[str, str]

    def __str__(self) -> str:
        return f"{self.number} of {self.at:%Y-%m-%d %H:%M} UTC"


def deployments(stage: Stage, client: Clients) -> list[Deployed]:
    """What the stage's record holds, the oldest first. Raises `RollbackRefused` where there is no record."""
    pages = client("ssm").get_paginator("get_parameter_history").paginate(Name=record_name(stage))
    try:
        found = [each for page in pages for each in page["Parameters"]]
    except ClientError as error:
        if _code(error) not in AWAY:
            raise
        raise RollbackRefused(
            f"{stage.name} has no record of versions: it is not deployed, or without `versions`"
        ) from None
    deployed = [
        Deployed(each["Version"], each["LastModifiedDate"], json.loads(each["Value"])) for each in found
    ]
    return sorted(deployed, key=lambda each: each.number)


def roll_back(
    stage: Stage, client: Clients, *, to: int | None = None, say: Callable[[str], None] = print
) -> int:
    """Returns how many aliases were set, none the second time. Raises `RollbackRefused` and `ClientError`."""
    known = deployments(stage, client)
    target = _chosen(known, to)
    _require_rest(stage, client)
    functions = client("lambda")
    led = {name: _live(functions, name) for name in target.versions}
    if missing := [
        f"{name}:{version}"
        for name, version in target.versions.items()
        if led[name] is not None and not _is_there(functions, name, version)
    ]:
        raise RollbackRefused(f"versions of {target} were deleted: {', '.join(missing)}")
    say(f"{stage.name}: back to {target}; the last one is {known[-1]}")
    changed = 0
    for name, version in target.versions.items():
        found = led[name]
        if found is None:
            say(f"  {name}: the function is no longer there")
        elif found != (version, {}):
            functions.update_alias(FunctionName=name, Name=LIVE, FunctionVersion=version, RoutingConfig={})
            say(f"  {name}: {found[0]} → {version}")
            changed += 1
    for name in sorted(known[-1].versions.keys() - target.versions.keys()):
        say(f"  {name}: came later, and stays as it is")
    return changed


def rolled_back(stage: Stage, client: Clients) -> bool:
    """Whether some alias does not lead to what was deployed last."""
    try:
        last = deployments(stage, client)[-1]
    except RollbackRefused:
        return False
    functions = client("lambda")
    led = {name: _live(functions, name) for name in last.versions}
    return any(led[name] not in (None, (version, {})) for name, version in last.versions.items())


def clients() -> Clients:
    """Of the environment's account and region. The CDK goes by AWS_REGION, which boto3 does not read."""
    session = boto3.Session(region_name=os.environ.get("AWS_REGION"))
    return lambda service: session.client(service, config=RETRIES)  # type: ignore[call-overload]


def _chosen(known: list[Deployed], to: int | None) -> Deployed:
    if to is None:
        if len(known) < 2:
            raise RollbackRefused(f"there is nothing to go back to: {known[-1]} is the only deployment")
        return known[-2]
    for each in known:
        if each.number == to:
            return each
    raise RollbackRefused(f"there is no deployment {to}: {'; '.join(map(str, known))}")


def _require_rest(stage: Stage, client: Clients) -> None:
    """What CloudFormation and CodeDeploy are about to set must not be set meanwhile."""
    stack = f"{stage.prefix}-service"
    status = client("cloudformation").describe_stacks(StackName=stack)["Stacks"][0]["StackStatus"]
    if status.endswith("_IN_PROGRESS"):
        raise RollbackRefused(
            f"{stack} is {status}: `aws cloudformation cancel-update-stack --stack-name {stack}` takes a"
            " deployment back that is under way"
        )


def _live(functions: Any, name: str) -> tuple[str, Mapping[str, float]] | None:
    """To which version the alias leads, and to which others a part of the calls; None without function."""
    try:
        alias = functions.get_alias(FunctionName=name, Name=LIVE)
    except ClientError as error:
        if _code(error) not in AWAY:
            raise
        return None
    weights = (alias.get("RoutingConfig") or {}).get("AdditionalVersionWeights") or {}
    return alias["FunctionVersion"], weights


def _is_there(functions: Any, name: str, version: str) -> bool:
    try:
        functions.get_function_configuration(FunctionName=name, Qualifier=version)
    except ClientError as error:
        if _code(error) not in AWAY:
            raise
        return False
    return True


def _code(error: ClientError) -> str:
    return str(error.response.get("Error", {}).get("Code", ""))


def main() -> None:
    """Exits with 1 and a clear message when the stage stays as it is."""
    parser = argparse.ArgumentParser(prog="python -m infra.rollback")
    parser.add_argument("stage")
    parser.add_argument("--to", type=int, help="number of a deployment; the one before the last unless given")
    options = parser.parse_args()
    began = time.monotonic()
    try:
        stage = load_stage(ROOT / STAGES / f"{options.stage}.toml")
        changed = roll_back(stage, clients(), to=options.to)
    except (SynthesisError, RollbackRefused, BotoCoreError, ClientError) as error:
        sys.exit(str(error))
    print(
        f"{changed} aliases set in {time.monotonic() - began:.0f} s" if changed else "all were there already"
    )


if __name__ == "__main__":
    main()
