"""The simulator's callbacks: posted to the public API like any provider's, signed with its own key."""

from __future__ import annotations

import hashlib
import hmac
import json
import logging
from collections.abc import Callable, Mapping

import requests

from shoal.adapters.providers.kit import standard_webhooks
from shoal.domain.errors import CallbackRefused
from shoal.domain.text import json_text
from shoal.ports.system import Clock

logger = logging.getLogger(__name__)

TIMEOUT_S = (2, 8)


class SimulatorCallbacks:
    """Sends and verifies. The simulator's key derives from the stage's callback secret (HMAC, one step)."""

    def __init__(self, secret: Callable[[], str], clock: Clock) -> None:
        self._secret = secret
        self._clock = clock

    def send(self, url: str, ref: str) -> None:
        """Post the callback. One that is refused or lost is what the fallback poll is for."""
        body = json_text({"ref": ref, "status": "succeeded"}).encode()
        headers = standard_webhooks.signed_headers(self._key(), ref, self._clock.now_ms() // 1000, body)
        try:
            requests.post(
                url,
                data=body,
                headers=headers | {"Content-Type": "application/json"},
                timeout=TIMEOUT_S,
                allow_redirects=False,
            ).close()
        except requests.RequestException:
            logger.warning("callback not delivered", extra={"ref": ref}, exc_info=True)

    def verify(self, headers: Mapping[str, str], body: bytes, now_ms: int) -> str:
        """The reference a genuine callback is about. Raises `CallbackRefused`."""
        standard_webhooks.verify(self._key(), headers, body, now_ms)
        try:
            return str(json.loads(body)["ref"])
        except (ValueError, KeyError, TypeError, RecursionError):
            raise CallbackRefused("the body is not a callback") from None

    def _key(self) -> bytes:
        return hmac.new(self._secret().encode(), b"simulator", hashlib.sha256).digest()
