"""Secrets Manager, each secret read once in a while."""

from __future__ import annotations

from typing import TYPE_CHECKING

from shoal.adapters.aws.client import unavailable_when_unreachable
from shoal.ports.system import Clock

if TYPE_CHECKING:
    from mypy_boto3_secretsmanager import SecretsManagerClient

LIFETIME_MS = 5 * 60_000
"""How long a read secret is used: a rotated one is seen after this at the latest."""


class Secret:
    """A secret's text, called for: `Secret(client, arn, clock)()`."""

    def __init__(self, client: SecretsManagerClient, arn: str, clock: Clock) -> None:
        self._client = client
        self._arn = arn
        self._clock = clock
        self._text = ""
        self._read_at_ms = -LIFETIME_MS

    def __call__(self) -> str:
        now_ms = self._clock.now_ms()
        if now_ms - self._read_at_ms >= LIFETIME_MS:
            with unavailable_when_unreachable():
                self._text = self._client.get_secret_value(SecretId=self._arn)["SecretString"]
            self._read_at_ms = now_ms
        return self._text
