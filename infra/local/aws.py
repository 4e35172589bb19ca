"""How programs reach the local cloud instead of AWS."""

from __future__ import annotations

import secrets
from dataclasses import dataclass, field
from functools import cache
from typing import Any

import boto3
from botocore.config import Config

REGION = "us-east-1"
ACCOUNT = "000000000000"
STAGE = "local"
STATE_STACK, SERVICE_STACK = f"shoal-{STAGE}-state", f"shoal-{STAGE}-service"
API_ID = f"shoal{STAGE}"  # the stack asks for it with the tag ms-custom-id
CLIENT_CONFIG = Config(
    retries={"mode": "standard", "max_attempts": 2}, s3={"addressing_style": "path"}, max_pool_connections=64
)


@dataclass(frozen=True)
class Credentials:
    """Of the account's owner, for one run of the local cloud: nothing else opens it."""

    access_key_id: str
    secret_access_key: str = field(repr=False)

    @classmethod
    def fresh(cls) -> Credentials:
        """Credentials that no other run has."""
        return cls(f"AKIA{secrets.token_hex(8).upper()}", secrets.token_hex(20))

    def environment(self) -> dict[str, str]:
        """The variables in which the AWS SDKs look for them."""
        return {"AWS_ACCESS_KEY_ID": self.access_key_id, "AWS_SECRET_ACCESS_KEY": self.secret_access_key}


@dataclass(frozen=True)
class Endpoint:
    """A local cloud by its root URL, with what opens it."""

    url: str
    credentials: Credentials

    @property
    def port(self) -> int:
        """Where the cloud listens."""
        return int(self.url.rpartition(":")[2])

    def environment(self) -> dict[str, str]:
        """Environment variables that send the AWS SDKs of a program here."""
        return {
            "AWS_ENDPOINT_URL": self.url,
            **self.credentials.environment(),
            "AWS_REGION": REGION,
            "AWS_DEFAULT_REGION": REGION,
        }

    def client(self, service: str) -> Any:
        """The boto3 client of `service` here, whatever the machine's own AWS settings are."""
        return _client(self, service)


@cache  # making one takes as long as ten calls with it
def _client(endpoint: Endpoint, service: str) -> Any:
    keys = endpoint.credentials
    session = boto3.Session(keys.access_key_id, keys.secret_access_key, region_name=REGION)
    # S3 alone still signs addresses in an older way unless it is told not to.
    config = CLIENT_CONFIG.merge(Config(signature_version="s3v4")) if service == "s3" else CLIENT_CONFIG
    return session.client(service, endpoint_url=endpoint.url, config=config)  # type: ignore[call-overload]
