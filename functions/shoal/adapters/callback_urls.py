"""Callback addresses with a MAC: HMAC-SHA256 (RFC 2104) over provider and job, under the stage's secret."""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Callable

from shoal.domain.errors import CallbackRefused
from shoal.domain.ids import is_account_id, job_ulid
from shoal.domain.job import Job


class MacCallbackUrls:
    """Implements the `CallbackUrls` port. `secret` is asked for only when an address is made or checked."""

    def __init__(self, secret: Callable[[], str], api_url: str = "") -> None:
        self._secret = secret
        self._api_url = api_url.rstrip("/")

    def url(self, job: Job) -> str:
        job_key = f"{job.account_id}.{job.id}"
        return f"{self._api_url}/callbacks/{job.provider}/{job_key}/{self._mac(job.provider, job_key)}"

    def verify(self, provider: str, job_key: str, mac: str) -> tuple[str, str]:
        expected = self._mac(provider, job_key)
        account_id, _, job_id = job_key.partition(".")
        genuine = hmac.compare_digest(expected.encode(), mac.encode("utf-8", "surrogatepass"))
        if not genuine or not is_account_id(account_id) or job_ulid(job_id) is None:
            raise CallbackRefused("the address is not one we made")
        return account_id, job_id

    def _mac(self, provider: str, job_key: str) -> str:
        message = f"{provider}\n{job_key}".encode("utf-8", "surrogatepass")
        return hmac.new(self._secret().encode(), message, hashlib.sha256).hexdigest()
