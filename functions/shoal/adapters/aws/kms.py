"""Secrets sealed with the stage's KMS key."""

from __future__ import annotations

import base64
from functools import lru_cache
from typing import TYPE_CHECKING

from shoal.adapters.aws.client import unavailable_when_unreachable

if TYPE_CHECKING:
    from mypy_boto3_kms import KMSClient

OPENED_KEPT_MAX = 1_000


class KmsSecretBox:
    """Implements the `SecretBox` port. What was opened stays in memory: most deliveries sign alike."""

    def __init__(self, client: KMSClient, key_arn: str) -> None:
        self._client = client
        self._key_arn = key_arn
        self.open = lru_cache(OPENED_KEPT_MAX)(self._open)

    def seal(self, secret: str, account_id: str, webhook_id: str) -> str:
        with unavailable_when_unreachable():
            sealed = self._client.encrypt(
                KeyId=self._key_arn,
                Plaintext=secret.encode(),
                EncryptionContext=_context(account_id, webhook_id),
            )
        return base64.b64encode(sealed["CiphertextBlob"]).decode()

    def _open(self, sealed: str, account_id: str, webhook_id: str) -> str:
        with unavailable_when_unreachable():
            opened = self._client.decrypt(
                KeyId=self._key_arn,
                CiphertextBlob=base64.b64decode(sealed),
                EncryptionContext=_context(account_id, webhook_id),
            )
        return opened["Plaintext"].decode()


def _context(account_id: str, webhook_id: str) -> dict[str, str]:
    """Bound to the ciphertext: it opens with the same context only."""
    return {"account_id": account_id, "webhook_id": webhook_id}
