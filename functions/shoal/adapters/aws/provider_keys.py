"""Keys of providers: one secret each in Secrets Manager, read once in a while: rotating needs no deploy."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

from botocore.exceptions import ClientError

from shoal.adapters.aws.client import error_code, unavailable_when_unreachable
from shoal.adapters.aws.secrets import keep
from shoal.domain.errors import ProviderUnusable
from shoal.domain.routing import key_name
from shoal.domain.text import json_text
from shoal.ports.routing import ADDRESS, KEY, WEBHOOK_SECRET
from shoal.ports.system import Clock

if TYPE_CHECKING:
    from mypy_boto3_secretsmanager import SecretsManagerClient

LIFETIME_MS = 5 * 60_000
"""How long a key that was read is used: one that was replaced is seen after this at the latest."""

MISSING_MS = 60_000
"""How long the lack of a key is believed."""

FIELDS = (KEY, WEBHOOK_SECRET, ADDRESS)
"""What a secret may hold."""


def secret_name(stage: str, provider: str) -> str:
    """`shoal/<stage>/providers/<name>`. A provider's variants, such as `openai-background`, share its key."""
    return f"shoal/{stage}/providers/{key_name(provider)}"


class ProviderKeys:
    """The keys of a stage's providers. A secret is JSON with `FIELDS`, or just the key.

    `key_arn`: the key of KMS under which secrets are set, if not that of AWS.
    """

    def __init__(self, client: SecretsManagerClient, stage: str, clock: Clock, *, key_arn: str = "") -> None:
        self._key_arn = key_arn
        self._client = client
        self._stage = stage
        self._clock = clock
        self._read: dict[str, tuple[int, Mapping[str, str]]] = {}

    def has(self, provider: str) -> bool:
        return bool(self.fields(provider).get(KEY))

    def key(self, provider: str, field: str = KEY) -> Callable[[], str]:
        """The key of the moment, called for: raises `ProviderUnusable` while there is none."""

        def read() -> str:
            found = self.fields(provider).get(field)
            if not found:
                raise ProviderUnusable(f"no {field} of {key_name(provider)} is set on this stage")
            return found

        return read

    def fields(self, provider: str) -> Mapping[str, str]:
        """What the provider's secret holds; nothing if there is none."""
        name, now_ms = secret_name(self._stage, provider), self._clock.now_ms()
        read_at_ms, fields = self._read.get(name, (now_ms - LIFETIME_MS, {}))
        if now_ms - read_at_ms >= (LIFETIME_MS if fields else MISSING_MS):
            fields = self._fetch(name)
            self._read[name] = now_ms, fields
        return fields

    def put(self, provider: str, field: str, value: str) -> None:
        """Set one field of the provider's secret, which is made if there is none."""
        name = secret_name(self._stage, provider)
        text = json_text({**self._fetch(name), field: value})
        description = f"Key of the provider {key_name(provider)}, set by `shoal providers set-key`"
        keep(self._client, name, text, description=description, key_arn=self._key_arn)
        self._read.pop(name, None)

    def delete(self, provider: str) -> None:
        """Remove the secret at once and for good. One that is not there is no error."""
        name = secret_name(self._stage, provider)
        try:
            with unavailable_when_unreachable():
                self._client.delete_secret(SecretId=name, ForceDeleteWithoutRecovery=True)
        except ClientError as error:
            if error_code(error) != "ResourceNotFoundException":
                raise
        self._read.pop(name, None)

    def _fetch(self, name: str) -> Mapping[str, str]:
        try:
            with unavailable_when_unreachable():
                text = self._client.get_secret_value(SecretId=name)["SecretString"]
        except ClientError as error:
            if error_code(error) == "ResourceNotFoundException":
                return {}
            raise
        return _fields(text)


def _fields(text: str) -> Mapping[str, str]:
    try:
        held: Any = json.loads(text)
    except ValueError:
        held = None
    if not isinstance(held, dict):
        return {KEY: text.strip()}
    return {field: str(held[field]).strip() for field in FIELDS if held.get(field)}
