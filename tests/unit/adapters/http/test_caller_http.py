"""The callers' addresses as the use cases reach them: by the stage's rules, and only a 200 is an answer."""

from __future__ import annotations

import pytest

from shoal.adapters.http.caller_http import VettedCallerHttp
from shoal.domain.errors import AddressRefused, ExchangeTimedOut, ResponseInvalid, ResponseTooLarge
from tests.support.receiver import Receiver, hang, reply

pytestmark = pytest.mark.usefixtures("socket_enabled")


def test_a_picture_is_fetched_whole_within_its_limits() -> None:
    http = VettedCallerHttp(loopback_allowed=True)
    with Receiver(reply(200, b"cat")) as receiver:
        assert http.fetch(receiver.url(), bytes_max=3, seconds_max=5) == b"cat"
        with pytest.raises(ResponseTooLarge):
            http.fetch(receiver.url(), bytes_max=2, seconds_max=5)
    with Receiver(hang()) as receiver, pytest.raises(ExchangeTimedOut):
        http.fetch(receiver.url(), bytes_max=3, seconds_max=0.2)


@pytest.mark.parametrize("status", [201, 204, 206, 301, 302, 304, 400, 403, 404, 500])
def test_any_status_but_200_is_no_picture(status: int) -> None:
    with (
        Receiver(reply(status)) as receiver,
        pytest.raises(ResponseInvalid, match=f"status {status}, not 200"),
    ):
        VettedCallerHttp(loopback_allowed=True).fetch(receiver.url(), bytes_max=9, seconds_max=5)


@pytest.mark.parametrize("url", ["http://127.0.0.1:8080/x", "http://localhost/x", "https://[::1]/x"])
def test_the_local_stage_alone_speaks_to_loopback(url: str) -> None:
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
