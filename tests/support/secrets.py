"""Every secret that passes between a caller and the API, and whether a log holds one of them."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

import requests

_MADE = re.compile(r"whsec_[A-Za-z0-9+/=]{20,}|(?:sk_live|vsk_live|sk_test)_[A-Za-z0-9]{20,}")
_SIGNATURE = re.compile(r"X-Amz-Signature=([0-9a-f]{64})")
_CREDENTIALS = re.compile(r"[?&](?:token|key|secret|signature)=([^&#\"\\]{12,})")
PARTS = (_MADE, _SIGNATURE, _CREDENTIALS)


@dataclass
class SecretsSeen:
    """`seen`: keys, signing secrets, signatures of addresses, credentials in addresses callers gave."""

    seen: set[str] = field(default_factory=set)

    def watch(self, http: requests.Session) -> None:
        """Look at everything the session sends and gets."""
        http.hooks["response"].append(self._look)

    def look_at(self, text: str | bytes) -> None:
        readable = text.decode(errors="replace") if isinstance(text, bytes) else text
        for pattern in PARTS:
            self.seen |= set(pattern.findall(readable))

    def leaks(self, lines: Iterable[str]) -> list[str]:
        """The log lines that hold one of them, however JSON has escaped it."""
        written = {form for secret in self.seen for form in (secret, json.dumps(secret)[1:-1])}
        return [line for line in lines if any(form in line for form in written)]

    def _look(self, response: requests.Response, *_: Any, **__: Any) -> None:
        request = response.request
        self.look_at(request.headers.get("Authorization", ""))
        self.look_at(request.body if isinstance(request.body, bytes) else str(request.body or ""))
        if "json" in response.headers.get("Content-Type", ""):
            self.look_at(response.text)
