"""How programs reach the local cloud instead of AWS."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from typing import Any

import boto3
from botocore.config import Config

REGION = "us-east-1"
ACCOUNT = "000000000000"
STAGE = "local"
STATE_STACK, SERVICE_STACK = f"shoal-{STAGE}-state", f"shoal-{STAGE}-service"
API_ID = f"shoal{STAGE}"  # the stack asks for it with the tag ms-custom-id
CREDENTIALS = {"aws_access_key_id": "test", "aws_secret_access_key": "test"}  # the account's owner
CLIENT_CONFIG = Config(
    retries={"mode": "standard", "max_attempts": 2}, s3={"addressing_style": "path"}, max_pool_connections=64
)


@dataclass(frozen=True)
class Endpoint:
    """A local cloud by its root URL."""

    url: str

    def environment(self) -> dict[str, str]:
        """Environment variables that send the AWS SDKs of a program here."""
        return {
            "AWS_ENDPOINT_URL": self.url,
            **{name.upper(): value for name, value in CREDENTIALS.items()},
            "AWS_REGION": REGION,
            "AWS_DEFAULT_REGION": REGION,
        }

    def client(self, service: str) -> Any:
        """The boto3 client of `service` here, whatever the machine's own AWS settings are."""
        return _client(self.url, service)


@cache  # making one takes as long as ten calls with it
def _client(url: str, service: str) -> Any:
    session = boto3.Session(region_name=REGION)
    return session.client(service, endpoint_url=url, config=CLIENT_CONFIG, **CREDENTIALS)  # type: ignore[call-overload]
