"""Exchanges with a receiver on loopback: what is sent, where it goes, and whose certificate is taken."""

from __future__ import annotations

import gzip
import io
import socket
import threading
import time
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from shoal.adapters.http.caller_http import VettedCallerHttp
from shoal.adapters.http.vetted_http import VettedHttp, resolve
from shoal.domain.addresses import LOCAL_RULES, AddressRules
from shoal.domain.errors import (
    AddressRefused,
    ConnectionFailed,
    ExchangeError,
    ExchangeTimedOut,
    NameNotResolved,
    TlsFailed,
)
from tests.support.receiver import AUTHORITY, Receiver, head, raw, reply, write_authority
from tests.support.resolver import Resolver

NAME = "hooks.example.com"
PUBLIC_RULES_ANY_PORT = AddressRules(https_only=False, ports=range(1, 65_536))
NOBODYS = "2000::1"
"""An address the table permits, in space that nobody has been given."""


@pytest.fixture
def local() -> VettedHttp:
    """Finds every name on loopback."""
    return VettedHttp(LOCAL_RULES, resolve=Resolver())


@pytest.fixture
def trusting(tmp_path: Path) -> VettedHttp:
    """Finds every name on loopback, and trusts the tests' own authority."""
    return VettedHttp(LOCAL_RULES, resolve=Resolver(), ca_file=write_authority(tmp_path))


# What is sent, and what comes back


def test_request_arrives_as_given_under_the_urls_name(local: VettedHttp) -> None:
    with Receiver() as receiver:
        url = receiver.url("/a?b=c", host=NAME)
        local.send(
            "POST", url, headers={"X-One": "1", "host": "evil", "CONNECTION": "keep-alive"}, body=b"{}"
        )
        (received,) = receiver.requests
    assert (received.method, received.path, received.body) == ("POST", "/a?b=c", b"{}")
    assert received.headers == {
        "host": f"{NAME}:{receiver.port}",
        "accept-encoding": "identity",
        "connection": "close",
        "user-agent": "Shoal",
        "x-one": "1",
        "content-length": "2",
    }


@pytest.mark.parametrize("status", [200, 204, 301, 307, 410, 429, 500, 503])
def test_any_status_is_an_answer(local: VettedHttp, status: int) -> None:
    with Receiver(reply(status, headers={"Retry-After": "7", "Content-Length": "0"})) as receiver:
        response = local.send("POST", receiver.url(), body=b"")
    assert (response.status, response.body, response.truncated) == (status, b"", False)
    assert response.headers["retry-after"] == "7"
    assert 0 <= response.duration_ms < 5000


INTERIM = (
    b"HTTP/1.1 100 Continue\r\n\r\n",
    b"HTTP/1.1 103 Early Hints\r\nLink: </style.css>; rel=preload\r\n\r\nHTTP/1.1 102 Processing\r\n\r\n",
)


@pytest.mark.parametrize("interim", INTERIM)
def test_the_final_answer_is_the_one_that_counts(local: VettedHttp, interim: bytes) -> None:
    with Receiver(raw(interim + head(200, {"Content-Length": "2"}) + b"ok")) as receiver:
        response = local.send("GET", receiver.url())
    assert (response.status, response.body) == (200, b"ok")


def test_only_interim_answers_are_none(local: VettedHttp) -> None:
    with Receiver(raw(INTERIM[1])) as receiver, pytest.raises(ConnectionFailed):
        local.send("GET", receiver.url())


def test_a_field_of_several_lines_is_one_list(local: VettedHttp) -> None:
    lines = b"HTTP/1.1 200\r\nX-One: a \r\nx-one:b\r\nContent-Length: 0\r\n\r\n"
    with Receiver(raw(lines)) as receiver:
        assert local.send("GET", receiver.url()).headers["x-one"] == "a, b"


@pytest.mark.parametrize("status", [200, 203])
def test_a_whole_file_may_have_come_through_a_proxy(local: VettedHttp, status: int) -> None:
    target = io.BytesIO()
    with Receiver(reply(status, b"file")) as receiver:
        local.download(receiver.url(), target, wall_clock_seconds=5.0, bytes_max=10)
        fetched = VettedCallerHttp(loopback_allowed=True).fetch(receiver.url(), bytes_max=10, seconds_max=5.0)
    assert target.getvalue() == fetched == b"file"


def test_redirect_is_not_followed(local: VettedHttp) -> None:
    with Receiver() as elsewhere, Receiver(reply(301, headers={"Location": elsewhere.url()})) as receiver:
        assert local.send("GET", receiver.url()).status == 301
        assert elsewhere.connections == 0
        assert receiver.connections == 1


def test_proxies_of_the_environment_are_ignored(local: VettedHttp, monkeypatch: pytest.MonkeyPatch) -> None:
    with Receiver() as proxy, Receiver() as receiver:
        for variable in ("http_proxy", "HTTP_PROXY", "https_proxy", "all_proxy", "ALL_PROXY"):
            monkeypatch.setenv(variable, proxy.url())
        local.send("GET", receiver.url(host=NAME))
        assert (proxy.connections, receiver.connections) == (0, 1)


def test_body_is_not_decompressed(local: VettedHttp) -> None:
    packed = gzip.compress(b"a" * 10_000)
    with Receiver(reply(200, packed, {"Content-Encoding": "gzip"})) as receiver:
        assert local.send("GET", receiver.url()).body == packed


# Where it goes


def test_name_that_turns_to_loopback_is_never_connected_to() -> None:
    resolver = Resolver([NOBODYS], ["127.0.0.1"])
    http = VettedHttp(PUBLIC_RULES_ANY_PORT, resolve=resolver)
    with Receiver() as receiver:
        with pytest.raises((ConnectionFailed, ExchangeTimedOut)):
            http.send("POST", receiver.url(host=NAME), wall_clock_seconds=0.3)
        assert len(resolver.asked) == 1
        with pytest.raises(AddressRefused):
            http.send("POST", receiver.url(host=NAME))
        assert len(resolver.asked) == 2
        assert receiver.connections == 0


def test_what_the_system_thinks_of_the_name_does_not_matter() -> None:
    http = VettedHttp(LOCAL_RULES, resolve=Resolver(["127.0.0.2"]))
    with Receiver() as receiver, pytest.raises((ConnectionFailed, ExchangeTimedOut)):
        http.send("POST", receiver.url(host="localhost"), wall_clock_seconds=0.3)
    assert receiver.connections == 0


def test_forbidden_address_among_others_is_refused_before_connecting() -> None:
    http = VettedHttp(LOCAL_RULES, resolve=Resolver(["127.0.0.1", "169.254.169.254"]))
    with Receiver() as receiver, pytest.raises(AddressRefused):
        http.send("POST", receiver.url(host=NAME))
    assert receiver.connections == 0


def test_next_address_is_tried_when_one_does_not_answer() -> None:
    http = VettedHttp(LOCAL_RULES, resolve=Resolver(["::1", "127.0.0.2", "127.0.0.1"]))
    with Receiver() as receiver:
        assert http.send("GET", receiver.url(host=NAME)).status == 200


def test_closed_port_is_a_failed_connection(local: VettedHttp) -> None:
    with Receiver() as receiver:
        url = receiver.url()
    with pytest.raises(ConnectionFailed, match="refused"):
        local.send("GET", url)


def test_connection_closed_without_an_answer_fails(local: VettedHttp) -> None:
    with Receiver(raw()) as receiver, pytest.raises(ConnectionFailed, match="without an answer"):
        local.send("GET", receiver.url())


# TLS


def test_right_certificate_is_taken_and_the_name_asked_for(trusting: VettedHttp) -> None:
    with Receiver(reply(200, b"hello"), certificate=AUTHORITY.issue_cert(NAME)) as receiver:
        assert trusting.send("POST", receiver.url(host=NAME), body=b"{}").body == b"hello"
        assert receiver.server_names == [NAME]


def test_certificate_of_another_name_fails(trusting: VettedHttp) -> None:
    certificate = AUTHORITY.issue_cert("other.example.com", "127.0.0.1")
    with (
        Receiver(certificate=certificate) as receiver,
        pytest.raises(TlsFailed, match=f"not valid for '{NAME}'"),
    ):
        trusting.send("POST", receiver.url(host=NAME))
    assert receiver.requests == []


def test_expired_certificate_fails(trusting: VettedHttp) -> None:
    certificate = AUTHORITY.issue_cert(NAME, not_after=datetime(2020, 1, 1, tzinfo=UTC))
    with Receiver(certificate=certificate) as receiver, pytest.raises(TlsFailed, match="has expired"):
        trusting.send("POST", receiver.url(host=NAME))


def test_certificate_of_an_unknown_authority_fails(local: VettedHttp) -> None:
    certificate = AUTHORITY.issue_cert(NAME)
    with Receiver(certificate=certificate) as receiver, pytest.raises(TlsFailed, match="does not hold"):
        local.send("POST", receiver.url(host=NAME))
    assert receiver.requests == []


def test_receiver_without_tls_fails(local: VettedHttp) -> None:
    receiver = Receiver(greeting=lambda: [b"HTTP/1.1 400 Bad Request\r\n\r\n"])
    with receiver, pytest.raises(TlsFailed, match="wrong version number"):
        local.send("POST", receiver.url(scheme="https"))


# Names


def test_name_of_this_machine_resolves_to_loopback() -> None:
    assert set(resolve("localhost", 443)) <= {"127.0.0.1", "::1"}


def test_unknown_name_is_not_resolved() -> None:
    def look_up(*_: object, **__: object) -> list[Any]:
        raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")

    with pytest.raises(NameNotResolved, match="could not be resolved"):
        resolve(NAME, 443, look_up=look_up)


def test_slow_lookup_is_given_up() -> None:
    released = threading.Event()

    def look_up(*_: object, **__: object) -> list[Any]:
        released.wait(10)
        return []

    started_at = time.monotonic()
    with pytest.raises(NameNotResolved, match="in time"):
        resolve(NAME, 443, seconds_max=0.1, look_up=look_up)
    assert time.monotonic() - started_at < 5
    released.set()


def test_no_error_names_an_address(local: VettedHttp) -> None:
    with Receiver() as receiver:
        url = receiver.url(host=NAME)
    with pytest.raises(ExchangeError) as failed:
        local.send("GET", url)
    assert "127.0.0.1" not in str(failed.value)
