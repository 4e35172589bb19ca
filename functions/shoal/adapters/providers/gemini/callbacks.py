"""Gemini's callbacks, https://ai.google.dev/gemini-api/docs/webhooks, in both of their signatures.

A webhook of the whole project is signed after Standard Webhooks, with its secret; one that a request named
carries an RS256 token of Google's in `webhook-signature` instead.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any
from urllib.parse import urljoin

from shoal.adapters.providers.gemini.http import check
from shoal.adapters.providers.kit import rs256, standard_webhooks
from shoal.adapters.providers.kit.http import ProviderHttp
from shoal.adapters.providers.kit.rotating import Rotating
from shoal.domain.errors import CallbackRefused

KEYS_PATH = "/.well-known/jwks.json"


class GeminiCallbacks:
    def __init__(self, http: ProviderHttp, webhook_secret: Callable[[], str]) -> None:
        self._http = http
        self._webhook_secret = webhook_secret
        self._keys = Rotating(self._fetch_keys)

    def ref(self, headers: Mapping[str, str], body: bytes, now_ms: int) -> str | None:
        """The interaction a genuine event is about, None if about none. Raises `CallbackRefused`.

        Raises `Unavailable` while Google's keys cannot be fetched.
        """
        if headers.get("webhook-signature", "").startswith("v1,"):
            standard_webhooks.verify(standard_webhooks.key(self._webhook_secret()), headers, body, now_ms)
        else:
            self._verify_token(headers, now_ms)
        match standard_webhooks.event(body):
            case {"type": str(kind), "data": {"id": str(ref)}} if kind.startswith("interaction."):
                return ref
            case {"type": str()}:
                return None
        raise CallbackRefused("the body is not an event")

    def _verify_token(self, headers: Mapping[str, str], now_ms: int) -> None:
        """The token does not bind the body; the address the callback came to binds it to its job."""
        token = headers.get("webhook-signature", "")
        self._keys.verify(lambda keys: _check_age(rs256.claims(token, keys), now_ms), now_ms)

    def _fetch_keys(self) -> rs256.Keys:
        reply = self._http.send("GET", urljoin(self._http.base_url, KEYS_PATH))
        check(reply)
        return rs256.key_set(reply.json())


def _check_age(told: Mapping[str, Any], now_ms: int) -> None:
    issued_s, expires_s = told.get("iat"), told.get("exp")
    if not isinstance(issued_s, int | float) and not isinstance(expires_s, int | float):
        raise CallbackRefused("the token tells no time")
    now_s = now_ms / 1000
    if isinstance(issued_s, int | float) and abs(now_s - issued_s) > standard_webhooks.TOLERANCE_S:
        raise CallbackRefused("the callback is too old or too new")
    if isinstance(expires_s, int | float) and now_s > expires_s + standard_webhooks.TOLERANCE_S:
        raise CallbackRefused("the callback is too old or too new")
