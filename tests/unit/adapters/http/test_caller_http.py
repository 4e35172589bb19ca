"""The callers' addresses as the use cases reach them: by the stage's rules, and only a 200 is an answer."""

from __future__ import annotations

from typing import IO, Any

import pytest

from shoal.adapters.http.caller_http import VettedCallerHttp
from shoal.adapters.http.vetted_http import VettedHttp
from shoal.domain.addresses import Response
from shoal.domain.errors import AddressRefused, ResponseInvalid


def answering(monkeypatch: pytest.MonkeyPatch, status: int, body: bytes = b"cat") -> list[dict[str, Any]]:
    """Every address answers like this; the requests made."""
    sent: list[dict[str, Any]] = []

    def download(_: VettedHttp, url: str, target: IO[bytes], **options: Any) -> Response:
        sent.append({"url": url} | options)
        if status == 200:
            target.write(body)
        return Response(status=status, headers={}, body=b"", truncated=False, duration_ms=1)

    monkeypatch.setattr(VettedHttp, "download", download)
    return sent


def test_a_picture_is_fetched_whole_within_its_limits(monkeypatch: pytest.MonkeyPatch) -> None:
    sent = answering(monkeypatch, 200)

    data = VettedCallerHttp(loopback_allowed=False).fetch("https://a.test", bytes_max=9, seconds_max=5)

    assert data == b"cat"
    assert sent == [{"url": "https://a.test", "wall_clock_seconds": 5, "bytes_max": 9}]


@pytest.mark.parametrize("status", [201, 204, 206, 301, 302, 304, 400, 403, 404, 500])
def test_any_status_but_200_is_no_picture(monkeypatch: pytest.MonkeyPatch, status: int) -> None:
    answering(monkeypatch, status)

    with pytest.raises(ResponseInvalid, match=f"status {status}, not 200"):
        VettedCallerHttp(loopback_allowed=False).fetch("https://a.test", bytes_max=9, seconds_max=5)


@pytest.mark.parametrize("url", ["http://127.0.0.1:8080/x", "http://localhost/x", "https://[::1]/x"])
def test_the_local_stage_alone_speaks_to_loopback(url: str, socket_enabled: None) -> None:
    VettedCallerHttp(loopback_allowed=True).vet(url)
    with pytest.raises(AddressRefused):
        VettedCallerHttp(loopback_allowed=False).vet(url)


@pytest.mark.parametrize(
    "url",
    [
        "https://169.254.169.254/latest",
        "https://10.0.0.1/x",
        "ftp://1.1.1.1/x",
        "file:///etc/passwd",
        "x",
        "",
    ],
)
@pytest.mark.parametrize("loopback_allowed", [True, False])
def test_no_stage_speaks_to_inner_networks_or_in_other_schemes(url: str, loopback_allowed: bool) -> None:
    with pytest.raises(AddressRefused):
        VettedCallerHttp(loopback_allowed=loopback_allowed).vet(url)
