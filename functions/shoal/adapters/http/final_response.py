"""The answer that counts: any number of others may come before it (RFC 9110, section 15.2)."""

from __future__ import annotations

import http.client
from http import HTTPStatus


class FinalResponse(http.client.HTTPResponse):
    """Passes over every answer of status 1xx; the standard library's takes all but 100 for the last one."""

    def _read_status(self) -> tuple[str, int, str]:
        version, status, reason = self._next_status()
        while status in range(101, 200) and status != HTTPStatus.SWITCHING_PROTOCOLS:
            http.client.parse_headers(self.fp)
            version, status, reason = self._next_status()
        return version, status, reason

    def _next_status(self) -> tuple[str, int, str]:
        line: tuple[str, int, str] = super()._read_status()  # type: ignore[misc]
        return line
