"""`make bootstrap`: prepare an AWS account for stages of Shoal, with the rights that they need and no more.

Makes three policies of the account or brings them up to date, and bootstraps the CDK with the first two: what
CloudFormation may do, and what no role of a stage may exceed. An administrator runs it once a region; from
then on a deployment needs neither. Where the account has other apps of the CDK, keep its bootstrap instead.
"""

from __future__ import annotations

import json
import os
import sys
from typing import Any

import boto3
from botocore.exceptions import BotoCoreError, ClientError

from .deploy import DeploymentFailed, run_cdk
from .paths import ROOT

POLICIES = ROOT / "infra" / "policies"
VERSIONS_MAX = 5
"""Of a policy; IAM refuses a sixth (IAM User Guide, "Versioning IAM policies")."""


def bootstrap() -> str:
    """Returns the ARN of the boundary. Raises `DeploymentFailed`, and what AWS answers."""
    session = boto3.Session(region_name=os.environ.get("AWS_REGION"))
    caller = session.client("sts").get_caller_identity()
    account, partition = caller["Account"], caller["Arn"].split(":")[1]
    iam = session.client("iam")
    names = ("deploy", "release", "boundary")
    arns = {name: put_policy(iam, account, name, partition) for name in names}
    run_cdk(
        *("bootstrap", f"aws://{account}/{session.region_name}"),
        *("--cloudformation-execution-policies", f"{arns['deploy']},{arns['release']}"),
        cwd=POLICIES,  # where there is no app, which would be synthesized for nothing
    )
    return arns["boundary"]


def put_policy(iam: Any, account: str, name: str, partition: str) -> str:
    """Make `shoal-<name>` what its file says, for resources of the partition. Returns its ARN."""
    text = (POLICIES / f"{name}.json").read_text(encoding="utf-8")
    document = json.dumps(json.loads(text.replace("arn:aws:", f"arn:{partition}:")))
    try:
        made = iam.create_policy(PolicyName=f"shoal-{name}", PolicyDocument=document)
        return str(made["Policy"]["Arn"])
    except iam.exceptions.EntityAlreadyExistsException:
        arn = f"arn:{partition}:iam::{account}:policy/shoal-{name}"
    versions = iam.list_policy_versions(PolicyArn=arn)["Versions"]
    if len(versions) >= VERSIONS_MAX:
        oldest = min((v for v in versions if not v["IsDefaultVersion"]), key=lambda v: v["CreateDate"])
        iam.delete_policy_version(PolicyArn=arn, VersionId=oldest["VersionId"])
    iam.create_policy_version(PolicyArn=arn, PolicyDocument=document, SetAsDefault=True)
    return arn


def main() -> None:
    """Exits with 1 and what went wrong when a step fails."""
    try:
        boundary = bootstrap()
    except (DeploymentFailed, BotoCoreError, ClientError) as error:
        sys.exit(str(error))
    print(f'Put this into the file of each stage:\npermissions_boundary = "{boundary}"')


if __name__ == "__main__":
    main()
