"""Where the command works: the local stage by its file, any other by its CloudFormation stack's outputs."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import boto3
from botocore.exceptions import ClientError
from pydantic import ValidationError

from shoal.composition import upstreams
from shoal.composition.operator import Operator, clients_of, operator_of
from shoal.composition.parts import Stage
from shoal.domain.catalog import Catalog, load_catalog
from shoal.domain.errors import ShoalError
from shoal.domain.models.files import CATALOG
from shoal.domain.provider import SIMULATOR, is_worker
from shoal.ports.routing import KEY
from shoal.settings import OperatorSettings

if TYPE_CHECKING:
    from mypy_boto3_cloudformation import CloudFormationClient

LOCAL_STAGE = "local"
LOCAL_FILE = Path(".local", "shoal.json")
LOCAL_FILE_VARIABLE = "SHOAL_CONFIG"
CATALOG_VARIABLE = "SHOAL_CATALOG"
"""Names the folder of the stage's catalog, where that is not Shoal's own."""
OUTPUTS = {
    "stage_kind": "StageKind",
    "table": "TableName",
    "event_bus": "EventBusName",
    "state_machine_arn": "StateMachineArn",
    "outputs_bucket": "OutputsBucketName",
    "catalog_bucket": "CatalogBucketName",
    "staging_bucket": "StagingBucketName",
    "videos_bucket": "VideosBucketName",
    "signed_url_s": "SignedUrlSeconds",
    "poll_queue_url": "PollQueueUrl",
    "simulated_poll_queue_url": "SimulatedPollQueueUrl",
    "public_url": "PublicUrl",
    "stripe_url": "StripeUrl",
    "grant_cap_usd": "GrantCapUsd",
    "grant_cap_credits": "GrantCapCredits",
    "keyless_providers": "KeylessProviders",
    "provider_base_urls": "ProviderBaseUrls",
}
"""Which output of the stack holds which setting."""
OPTIONAL_OUTPUTS = {"key_arn": "KeyArn"}
"""The same of what not every stage has."""


class StageNotFound(ShoalError):
    """There is no such stage, or not a whole one; the message tells the operator what to do."""


class LocalStage(OperatorSettings):
    """What the command reads of the local stage's file."""

    endpoint_url: str
    region: str
    access_key_id: str
    secret_access_key: str


def connect(stage: str | None) -> Operator:
    """The operator of a stage; without a name, of the local one. Raises `StageNotFound`.

    A deployed stage is reached with the machine's own AWS credentials and region.
    """
    if stage is None or stage == LOCAL_STAGE:
        local = _local()
        return operator_of(local, _clients_of(local), catalog())
    client = clients_of(_session())
    return operator_of(_outputs_of(client("cloudformation"), stage), client, catalog())


def clients_at(stage: str | None) -> tuple[Callable[..., Any], str]:
    """What makes the clients of a stage's account, whether the stage is there or not, and their region.

    Raises `StageNotFound` where the local stage is meant (None) and does not run.
    """
    if stage is None:
        local = _local()
        return _clients_of(local), local.region
    session = _session()
    return clients_of(session), session.region_name or "no region: set AWS_REGION"


def providers_of_routes() -> frozenset[str]:
    """Those that a catalog's routes may name."""
    return frozenset({*upstreams.PROVIDERS, SIMULATOR})


def provider_keys(stage: str, client: Callable[..., Any], sold: Catalog) -> dict[str, str]:
    """The key that a stage has of each provider that takes one; empty where it has none."""
    keys = upstreams.keys_of(stage, Stage(client, lambda: sold))
    workers = {route.provider for route in sold.all_routes() if is_worker(route.provider)}
    return {name: keys.fields(name).get(KEY, "") for name in sorted(upstreams.keyed() | workers)}


def _session() -> boto3.Session:
    # boto3 reads AWS_DEFAULT_REGION only; the CDK and other SDKs go by AWS_REGION.
    return boto3.Session(region_name=os.environ.get("AWS_REGION"))


def _local_file() -> Path:
    chosen = os.environ.get(LOCAL_FILE_VARIABLE)
    if chosen:
        return Path(chosen)
    here = Path.cwd()
    return next((p for folder in (here, *here.parents) if (p := folder / LOCAL_FILE).exists()), LOCAL_FILE)


def _local() -> LocalStage:
    file = _local_file()
    try:
        return LocalStage.model_validate_json(file.read_bytes())
    except OSError as error:
        raise StageNotFound(
            f"There is no local stage ({file}: {error.strerror}): start it with `make run`, or name a stage"
            " with --stage."
        ) from None
    except ValidationError as error:
        raise StageNotFound(f"{file} does not describe a local stage: {_fields(error)}.") from None


def _clients_of(local: LocalStage) -> Callable[..., Any]:
    # The machine's own credentials must not go there.
    session = boto3.Session(local.access_key_id, local.secret_access_key, region_name=local.region)
    return clients_of(session, local.endpoint_url)


def catalog() -> Catalog:
    """What the stage sells: the catalog that the environment names, else Shoal's own."""
    folder = Path(os.environ.get(CATALOG_VARIABLE) or CATALOG)
    try:
        return load_catalog(folder)
    except (OSError, ValueError) as error:
        raise StageNotFound(f"{folder} is no catalog: {error}") from None


def _outputs_of(cloudformation: CloudFormationClient, stage: str) -> OperatorSettings:
    name = f"shoal-{stage}-service"
    try:
        stacks = cloudformation.describe_stacks(StackName=name)["Stacks"]
    except ClientError as error:
        if error.response["Error"]["Code"] != "ValidationError":
            raise
        raise StageNotFound(f"There is no stack {name} in {cloudformation.meta.region_name}.") from None
    outputs = {output["OutputKey"]: output["OutputValue"] for output in stacks[0].get("Outputs", [])}
    missing = [key for key in OUTPUTS.values() if key not in outputs]
    if missing:
        raise StageNotFound(f"Stack {name} has no output {', '.join(missing)}: deploy it again.")
    there = {field: outputs[key] for field, key in (OUTPUTS | OPTIONAL_OUTPUTS).items() if key in outputs}
    return OperatorSettings.model_validate({"stage": stage, **there})


def _fields(error: ValidationError) -> str:
    return "; ".join(f"{'.'.join(map(str, e['loc']))} {e['msg']}".strip() for e in error.errors())
