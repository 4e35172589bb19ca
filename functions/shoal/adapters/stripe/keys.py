"""The keys of Stripe: one secret in Secrets Manager, made when keys are set, read once in a while."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass, field
from typing import TYPE_CHECKING

from botocore.exceptions import ClientError

from shoal.adapters.aws.client import error_code, unavailable_when_unreachable
from shoal.adapters.aws.secrets import keep
from shoal.domain.errors import PaymentsOff
from shoal.domain.text import json_text
from shoal.ports.system import Clock

if TYPE_CHECKING:
    from mypy_boto3_secretsmanager import SecretsManagerClient

LIFETIME_MS = 60_000
"""How long keys that were read are used, and how long the lack of them is believed."""
ABSENT = ("ResourceNotFoundException", "AccessDeniedException")
"""A role that may read a secret by its ARN is denied a name no secret has: there is no ARN to match."""


def secret_name(stage: str) -> str:
    return f"shoal/{stage}/stripe"


@dataclass(frozen=True, slots=True)
class Keys:
    """What calls are signed in with, and what events are signed with."""

    api_key: str = field(repr=False)
    webhook_secret: str = field(repr=False)


class StripeKeys:
    """Implements the `ProcessorKeys` port.

    `key_arn`: the key of KMS under which the secret is set, if not that of AWS.
    """

    def __init__(self, client: SecretsManagerClient, stage: str, clock: Clock, *, key_arn: str = "") -> None:
        self._key_arn = key_arn
        self._client, self._name, self._clock = client, secret_name(stage), clock
        self._keys: Keys | None = None
        self._read_at_ms = -LIFETIME_MS

    def __call__(self) -> Keys:
        """The keys of the moment. Raises `PaymentsOff` while there are none."""
        if not self.there():
            raise PaymentsOff
        assert self._keys is not None  # noqa: S101 - `there` has just found them
        return self._keys

    def there(self) -> bool:
        """Whether the stage has keys."""
        now_ms = self._clock.now_ms()
        if now_ms - self._read_at_ms >= LIFETIME_MS:
            self._keys, self._read_at_ms = self._fetch(), now_ms
        return self._keys is not None

    def set(self, *, api_key: str, webhook_secret: str) -> None:
        text = json_text(asdict(Keys(api_key, webhook_secret)))
        description = "Keys of Stripe, set by `shoal stripe set-keys`"
        keep(self._client, self._name, text, description=description, key_arn=self._key_arn)

    def remove(self) -> None:
        try:
            with unavailable_when_unreachable():
                self._client.delete_secret(SecretId=self._name, ForceDeleteWithoutRecovery=True)
        except ClientError as error:
            if error_code(error) != "ResourceNotFoundException":
                raise

    def _fetch(self) -> Keys | None:
        try:
            with unavailable_when_unreachable():
                text = self._client.get_secret_value(SecretId=self._name)["SecretString"]
        except ClientError as error:
            if error_code(error) in ABSENT:
                return None
            raise
        return Keys(**json.loads(text))
