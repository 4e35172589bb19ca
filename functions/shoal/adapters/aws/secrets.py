"""Secrets Manager, each secret read once in a while."""

from __future__ import annotations

from typing import TYPE_CHECKING, TypedDict

from botocore.exceptions import ClientError

from shoal.adapters.aws.client import error_code, unavailable_when_unreachable
from shoal.ports.system import Clock

if TYPE_CHECKING:
    from mypy_boto3_secretsmanager import SecretsManagerClient

LIFETIME_MS = 5 * 60_000
"""How long a read secret is used: a rotated one is seen after this at the latest."""


class _Under(TypedDict, total=False):
    KmsKeyId: str


def keep(client: SecretsManagerClient, name: str, text: str, *, description: str, key_arn: str = "") -> None:
    """Set a secret's text, under the stage's own key of KMS where it has one; make the secret if need be."""
    under: _Under = {"KmsKeyId": key_arn} if key_arn else {}
    with unavailable_when_unreachable():
        try:
            client.update_secret(SecretId=name, SecretString=text, **under)
        except ClientError as error:
            if error_code(error) != "ResourceNotFoundException":
                raise
            client.create_secret(Name=name, SecretString=text, Description=description, **under)


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
