"""POST to the endpoints of webhooks."""

from __future__ import annotations

from collections.abc import Mapping

from shoal.adapters.http.vetted_http import VettedHttp
from shoal.domain.addresses import Response

WALL_CLOCK_SECONDS = 10.0
RESPONSE_BYTES_MAX = 16 * 1024


class VettedWebhookHttp:
    """Implements the `WebhookHttp` port."""

    def __init__(self, http: VettedHttp) -> None:
        self._http = http

    def post(self, url: str, headers: Mapping[str, str], body: bytes) -> Response:
        return self._http.send(
            "POST",
            url,
            headers=headers,
            body=body,
            wall_clock_seconds=WALL_CLOCK_SECONDS,
            response_bytes_max=RESPONSE_BYTES_MAX,
        )
