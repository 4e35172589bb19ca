"""Callback addresses with a MAC: HMAC-SHA256 (RFC 2104) over provider and call, under the stage's secret."""

from __future__ import annotations

import hashlib
import hmac
import re
from collections.abc import Callable

from shoal.domain.errors import CallbackRefused
from shoal.domain.job import Job
from shoal.domain.routing import ProviderCall
from shoal.ports.routing import CalledBack

_JOB_KEY = re.compile(r"(acc_\w{26})\.([a-z]{3}_\w{26})\.(0|[1-9][0-9]?)\.([1-9][0-9]?)", re.ASCII)


class MacCallbackUrls:
    """Implements the `CallbackUrls` port. `secret` is asked for only when an address is made or checked."""

    def __init__(self, secret: Callable[[], str], api_url: str = "") -> None:
        self._secret = secret
        self._api_url = api_url.rstrip("/")

    def url(self, job: Job, index: int, call: ProviderCall) -> str:
        job_key = f"{job.account_id}.{job.id}.{index}.{call.number}"
        return f"{self._api_url}/callbacks/{call.provider}/{job_key}/{self._mac(call.provider, job_key)}"

    def verify(self, provider: str, job_key: str, mac: str) -> CalledBack:
        expected = self._mac(provider, job_key)
        match = _JOB_KEY.fullmatch(job_key)
        genuine = hmac.compare_digest(expected.encode(), mac.encode("utf-8", "surrogatepass"))
        if match is None or not genuine:
            raise CallbackRefused("the address is not one we made")
        account_id, job_id, index, number = match.groups()
        return CalledBack(account_id, job_id, int(index), int(number))

    def _mac(self, provider: str, job_key: str) -> str:
        message = f"{provider}\n{job_key}".encode("utf-8", "surrogatepass")
        return hmac.new(self._secret().encode(), message, hashlib.sha256).hexdigest()
