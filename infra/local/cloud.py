"""A local cloud with Shoal on it, for tests.

    with local_cloud(folder) as cloud:
        requests.post(f"{cloud.api_url}/v1/generate", ...)
        cloud.client("dynamodb").scan(TableName=cloud.outputs["TableName"])

Each has its own free ports and folder, so several can run at once, and ends with the tests however they end.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import requests

from infra.local import aws
from infra.local.assembly import outputs, synthesize
from infra.local.processes import LocalCloudError, Service, free_port

BOOT_SECONDS_MAX = 60.0
PROBE_SECONDS_MAX = 2.0
TEST_DEADLINE_SECONDS = 30
TEST_CLIP_DEADLINE_SECONDS = 120  # the simulator needs seconds for a clip, more of them beside other tests
SERVER = "infra.local.ministack"
# Lambdas inherit the server's environment, so it gets these of the machine's variables and no others.
INHERITED = ("PATH", "HOME", "LANG")


@dataclass(frozen=True, kw_only=True)
class LocalCloud:
    """A booted cloud with the stack deployed. `api_url` is the front's root, `outputs` are the stack's."""

    api_url: str
    endpoint: aws.Endpoint
    folder: Path
    outputs: Mapping[str, str]

    def client(self, service: str) -> Any:
        """A boto3 client of `service` in this cloud."""
        return self.endpoint.client(service)

    def environment(self) -> dict[str, str]:
        """Environment variables that send the AWS SDKs of a program to this cloud."""
        return self.endpoint.environment()

    def config(self, *, api_key: str = "", account_id: str = "") -> dict[str, str]:
        """What `.local/shoal.json` says of this cloud."""
        return {
            "api_url": self.api_url,
            "endpoint_url": self.endpoint.url,
            **asdict(self.endpoint.credentials),
            "region": aws.REGION,
            "stage": aws.STAGE,
            "stage_kind": self.outputs["StageKind"],
            "api_key": api_key,
            "account_id": account_id,
            "event_bus": self.outputs["EventBusName"],
            "table": self.outputs["TableName"],
            "outputs_bucket": self.outputs["OutputsBucketName"],
            "catalog_bucket": self.outputs["CatalogBucketName"],
            "staging_bucket": self.outputs["StagingBucketName"],
            "videos_bucket": self.outputs["VideosBucketName"],
            "signed_url_s": self.outputs["SignedUrlSeconds"],
            "state_machine_arn": self.outputs["StateMachineArn"],
            "poll_queue_url": self.outputs["PollQueueUrl"],
            "simulated_poll_queue_url": self.outputs["SimulatedPollQueueUrl"],
            "callback_secret_arn": self.outputs["CallbackSecretArn"],
            "public_url": self.outputs["PublicUrl"],
            "stripe_url": self.outputs["StripeUrl"],
            "grant_cap_usd": self.outputs["GrantCapUsd"],
            "grant_cap_credits": self.outputs["GrantCapCredits"],
            "keyless_providers": self.outputs["KeylessProviders"],
            "provider_base_urls": self.outputs["ProviderBaseUrls"],
        }


@contextmanager
def bare_cloud(folder: Path, *, enforce_iam: bool = False, server: str = SERVER) -> Iterator[aws.Endpoint]:
    """An empty cloud without Shoal; it ends with the context. `server` is the module that serves it."""
    service = Service("cloud", folder, tied=True)
    try:
        endpoint = aws.Endpoint(f"http://localhost:{free_port()}", aws.Credentials.fresh())
        start_cloud(service, endpoint, enforce_iam=enforce_iam, server=server)
        yield endpoint
    finally:
        service.stop()


@contextmanager
def local_cloud(
    folder: Path,
    *,
    provider_deadline_s: int = TEST_DEADLINE_SECONDS,
    clip_deadline_s: int = TEST_CLIP_DEADLINE_SECONDS,
    enforce_iam: bool = False,
    server: str = SERVER,
    versions: bool = False,
) -> Iterator[LocalCloud]:
    """A cloud with Shoal deployed; it ends with the context.

    `enforce_iam`: every call of a Lambda is checked against its role, by action and resource. Not checked are
    the state machine's role and conditions on leading keys; the template tests look at those.
    """
    front = Service("front", folder, tied=True)
    front_port = free_port()
    settings = {
        "SHOAL_LOCAL_URL": f"http://localhost:{front_port}",
        "SHOAL_PROVIDER_DEADLINE_S": str(provider_deadline_s),
        "SHOAL_CLIP_DEADLINE_S": str(clip_deadline_s),
        "SHOAL_VERSIONS": str(versions).lower(),
    }
    with bare_cloud(folder, enforce_iam=enforce_iam, server=server) as endpoint:
        synthesize(folder / "cdk.out", settings).deploy(endpoint)
        try:
            start_front(front, port=front_port, endpoint=endpoint)
            yield LocalCloud(
                api_url=settings["SHOAL_LOCAL_URL"],
                endpoint=endpoint,
                folder=folder,
                outputs=outputs(endpoint),
            )
        finally:
            front.stop()


def start_cloud(
    service: Service, endpoint: aws.Endpoint, *, enforce_iam: bool = False, server: str = SERVER
) -> None:
    """Boot MiniStack, empty, for these credentials alone. Raises `LocalCloudError`."""
    temporary = temporary_folder(service)
    temporary.mkdir(parents=True, exist_ok=True)
    service.start(
        [sys.executable, "-m", server],
        port=endpoint.port,
        env=server_environment(endpoint, temporary=temporary, enforce_iam=enforce_iam),
    )
    service.wait_until(lambda: _answers(f"{endpoint.url}/_ministack/health"), seconds_max=BOOT_SECONDS_MAX)


def temporary_folder(service: Service) -> Path:
    """Where the cloud unpacks its Lambdas; it leaves them there."""
    return service.folder / "tmp"


def server_environment(endpoint: aws.Endpoint, *, temporary: Path, enforce_iam: bool) -> dict[str, str]:
    """MiniStack's settings, and nothing of this process's environment that a Lambda could trip over."""
    return {
        **{name: os.environ[name] for name in INHERITED if name in os.environ},
        "TMPDIR": str(temporary),
        **endpoint.credentials.environment(),
        "GATEWAY_PORT": str(endpoint.port),
        "BIND_HOST": "127.0.0.1",
        "LOG_LEVEL": "WARNING",
        "AUTH": "true" if enforce_iam else "false",
        "LAMBDA_EXECUTOR": "local",
        "LAMBDA_WARM_TTL_SECONDS": "86400",
        # Listeners with fixed ports, of which a second cloud could not have its own.
        "IOT_MTLS_ENABLED": "0",
        "SFTP_ENABLED": "0",
    }


def start_front(service: Service, *, port: int, endpoint: aws.Endpoint) -> None:
    """Open the public address of the stack deployed at `endpoint`. Raises `LocalCloudError`."""
    service.start(
        [
            *(sys.executable, "-m", "infra.local.front", "--port", str(port), "--cloud-url", endpoint.url),
            *("--api-id", aws.API_ID, "--cdn-host", cdn_host(endpoint)),
        ],
        port=port,
        env=dict(os.environ),
    )
    service.wait_until(lambda: _answers(f"http://localhost:{port}/healthz"), seconds_max=BOOT_SECONDS_MAX)


def cdn_host(endpoint: aws.Endpoint) -> str:
    """The name by which MiniStack serves the stack's CloudFront distribution. Raises `LocalCloudError`."""
    stacks = endpoint.client("cloudformation")
    resources = stacks.describe_stack_resources(StackName=aws.STATE_STACK)["StackResources"]
    for resource in resources:
        if resource["ResourceType"] == "AWS::CloudFront::Distribution":
            cdn = endpoint.client("cloudfront").get_distribution(Id=resource["PhysicalResourceId"])
            label: str = cdn["Distribution"]["DomainName"].partition(".")[0]
            return f"{label}.cloudfront.localhost"
    raise LocalCloudError("the stack has no CloudFront distribution to serve the outputs")


def _answers(url: str) -> bool:
    try:
        requests.get(url, timeout=PROBE_SECONDS_MAX)
    except requests.RequestException:
        return False
    return True
