"""The stage's cloud assembly: synthesized by the CDK, deployed in seconds without the CDK's CLI.

`make run` uses the real `cdk deploy`; tests deploy the very same assembly with this.
"""

from __future__ import annotations

import hashlib
import io
import json
import os
import sys
import zipfile
from collections.abc import Mapping
from dataclasses import dataclass
from graphlib import TopologicalSorter
from pathlib import Path
from typing import Any

from botocore.exceptions import ClientError, WaiterError

from infra.local import aws
from infra.local.processes import ROOT, LocalCloudError, run

STACK = "aws:cloudformation:stack"
DEPLOY_POLL_SECONDS = 1
DEPLOY_POLLS_MAX = 120
BOOTSTRAP_VERSION = ("/cdk-bootstrap/hnb659fds/version", "30")
# What decides on the assembly, besides the environment that `Stage` reads.
SOURCES = ("app.py", "cdk.json", "functions", "infra", "stages", "statemachines", "uv.lock")
UNDEPLOYED = ("infra/local", "__pycache__")


@dataclass(frozen=True)
class Assembly:
    """A folder like `cdk.out`."""

    folder: Path

    def deploy(self, cloud: aws.Endpoint) -> None:
        """Create or update the stacks. Raises `LocalCloudError` with the reasons."""
        name, value = BOOTSTRAP_VERSION
        cloud.client("ssm").put_parameter(Name=name, Value=value, Type="String", Overwrite=True)
        for stack in self.stacks():
            stack.deploy(cloud)

    def stacks(self) -> list[AssembledStack]:
        """The stacks, those that others depend on first."""
        artifacts: dict[str, Any] = json.loads((self.folder / "manifest.json").read_text())["artifacts"]
        waits_for = {
            id_: [other for other in artifact.get("dependencies", []) if artifacts[other]["type"] == STACK]
            for id_, artifact in artifacts.items()
            if artifact["type"] == STACK
        }
        return [
            AssembledStack(self.folder, id_, artifacts[id_]["properties"]["stackName"])
            for id_ in TopologicalSorter(waits_for).static_order()
        ]


@dataclass(frozen=True)
class AssembledStack:
    """One stack in an assembly's folder."""

    folder: Path
    id: str
    name: str

    def deploy(self, cloud: aws.Endpoint) -> None:
        """Create or update it. Raises `LocalCloudError` with the reasons."""
        stacks = cloud.client("cloudformation")
        request: dict[str, Any] = {
            "StackName": self.name,
            "TemplateURL": self._publish(cloud),
            "Capabilities": ["CAPABILITY_IAM", "CAPABILITY_NAMED_IAM"],
        }
        action = "create"
        try:
            stacks.create_stack(**request)
        except stacks.exceptions.AlreadyExistsException:
            action = "update"
            try:
                stacks.update_stack(**request)
            except ClientError as error:
                if "No updates" not in str(error):
                    raise
                return
        waiter = stacks.get_waiter(f"stack_{action}_complete")
        try:
            waiter.wait(
                StackName=self.name,
                WaiterConfig={"Delay": DEPLOY_POLL_SECONDS, "MaxAttempts": DEPLOY_POLLS_MAX},
            )
        except WaiterError as error:
            raise LocalCloudError(f"{self.name} was not deployed:\n{_failures(cloud, self.name)}") from error

    def _publish(self, cloud: aws.Endpoint) -> str:
        """Upload the assets to where the template expects them; returns the template's own URL."""
        s3 = cloud.client("s3")
        template_url = ""
        manifest = json.loads((self.folder / f"{self.id}.assets.json").read_text())
        for asset in manifest["files"].values():
            source = self.folder / asset["source"]["path"]
            content = _zip(source) if asset["source"]["packaging"] == "zip" else source.read_bytes()
            for destination in asset["destinations"].values():
                bucket = _resolve(destination["bucketName"])
                s3.create_bucket(Bucket=bucket)
                s3.put_object(Bucket=bucket, Key=destination["objectKey"], Body=content)
                if source.name == f"{self.id}.template.json":
                    template_url = f"{cloud.url}/{bucket}/{destination['objectKey']}"
        return template_url


def synthesize(folder: Path, settings: Mapping[str, str]) -> Assembly:
    """The local stage's assembly in `folder`; `settings` are environment variables that `Stage` reads.

    Raises `LocalCloudError` with what the CDK said.
    """
    run(
        [sys.executable, "app.py"],
        env={
            **os.environ,
            **settings,
            "CDK_OUTDIR": str(folder),
            "CDK_CONTEXT_JSON": json.dumps({"stage": aws.STAGE}),
            "CDK_DEFAULT_ACCOUNT": aws.ACCOUNT,
            "CDK_DEFAULT_REGION": aws.REGION,
        },
        log=folder.with_name("synth.log"),
    )
    return Assembly(folder)


def outputs(cloud: aws.Endpoint) -> dict[str, str]:
    """What the deployed stage says of itself, by key."""
    stack = cloud.client("cloudformation").describe_stacks(StackName=aws.SERVICE_STACK)["Stacks"][0]
    return {output["OutputKey"]: output["OutputValue"] for output in stack.get("Outputs", [])}


def source_hash(settings: Mapping[str, str]) -> str:
    """A hash over all that the assembly is made of: the same hash, the same assembly."""
    digest = hashlib.sha256(json.dumps(sorted(settings.items())).encode())
    for path in sorted(path for source in SOURCES for path in _files(ROOT / source)):
        relative = path.relative_to(ROOT).as_posix()
        if not any(part in relative for part in UNDEPLOYED):
            digest.update(relative.encode() + b"\0" + path.read_bytes() + b"\0")
    return digest.hexdigest()


def _files(source: Path) -> list[Path]:
    return [path for path in source.rglob("*") if path.is_file()] if source.is_dir() else [source]


def _zip(folder: Path) -> bytes:
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w", zipfile.ZIP_DEFLATED, compresslevel=1) as archive:
        for path in sorted(_files(folder)):
            archive.write(path, path.relative_to(folder))
    return content.getvalue()


def _resolve(name: str) -> str:
    return name.replace("${AWS::AccountId}", aws.ACCOUNT).replace("${AWS::Region}", aws.REGION)


def _failures(cloud: aws.Endpoint, stack: str) -> str:
    events = cloud.client("cloudformation").describe_stack_events(StackName=stack)["StackEvents"]
    failed = [event for event in events if event["ResourceStatus"].endswith("FAILED")]
    return "\n".join(
        f"{event['LogicalResourceId']}: {event.get('ResourceStatusReason', '')}" for event in failed
    )
