"""Exchanges with a receiver on loopback that is slow, endless or broken: they end in time, little is read."""

from __future__ import annotations

import socket
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from itertools import chain

import pytest

from shoal.adapters.http.vetted_http import VettedHttp
from shoal.domain.addresses import LOCAL_RULES
from shoal.domain.errors import ExchangeTimedOut, ResponseInvalid, ResponseTooLarge
from tests.support.receiver import (
    AUTHORITY,
    Answer,
    Piece,
    Receiver,
    drip,
    dripping_body,
    dripping_headers,
    hang,
    head,
    huge,
    raw,
    reply,
    write_authority,
)
from tests.support.resolver import Resolver

NAME = "hooks.example.com"
WALL_CLOCK_SECONDS = 0.3
SLACK_SECONDS = 5.0
DRIP_SECONDS = 0.02
MB = 1024 * 1024


@pytest.fixture(scope="module")
def local(tmp_path_factory: pytest.TempPathFactory) -> VettedHttp:
    """Finds every name on loopback, and trusts the tests' own authority."""
    ca_file = write_authority(tmp_path_factory.mktemp("authority"))
    return VettedHttp(LOCAL_RULES, resolve=Resolver(), ca_file=ca_file)


@contextmanager
def taking_no_longer_than_the_wall_clock() -> Iterator[None]:
    started_at = time.monotonic()
    yield
    taken = time.monotonic() - started_at
    assert WALL_CLOCK_SECONDS * 0.9 <= taken <= WALL_CLOCK_SECONDS + SLACK_SECONDS


# How long it takes


@pytest.mark.parametrize(
    "answer",
    [
        hang(),
        raw(b"HTTP/1.1 200 OK\r\nContent-Len", 3600.0),
        dripping_headers(DRIP_SECONDS),
        dripping_body(DRIP_SECONDS),
        lambda _: chain([head(200, {"Content-Length": "9999"})], drip(b"x", DRIP_SECONDS)),
        lambda _: chain([head(200, {"Transfer-Encoding": "chunked"})], drip(b"1\r\nx\r\n", DRIP_SECONDS)),
        lambda _: chain([head(200, {"Transfer-Encoding": "chunked"})], drip(b"0", DRIP_SECONDS)),
        lambda _: drip(b"HTTP/1.1 100 Continue\r\n\r\n", 0.001),
    ],
    ids=["hang", "half-header", "headers", "body", "sized-body", "chunks", "chunk-length", "continue"],
)
@pytest.mark.parametrize("tls", [False, True], ids=["http", "https"])
def test_slow_answer_ends_with_the_wall_clock(local: VettedHttp, answer: Answer, *, tls: bool) -> None:
    with Receiver(answer, certificate=AUTHORITY.issue_cert(NAME) if tls else None) as receiver:
        with taking_no_longer_than_the_wall_clock(), pytest.raises(ExchangeTimedOut, match=r"within 0\.3 s"):
            local.send("POST", receiver.url(host=NAME), wall_clock_seconds=WALL_CLOCK_SECONDS)
        assert receiver.connections == 1


@pytest.mark.parametrize(
    "greeting",
    [lambda: [3600.0], lambda: chain([b"\x16\x03\x03\x3f\x00"], drip(b"\x02", DRIP_SECONDS))],
    ids=["hang", "drip"],
)
def test_slow_handshake_ends_with_the_wall_clock(
    local: VettedHttp, greeting: Callable[[], Iterable[Piece]]
) -> None:
    with (
        Receiver(greeting=greeting) as receiver,
        taking_no_longer_than_the_wall_clock(),
        pytest.raises(ExchangeTimedOut),
    ):
        local.send("POST", receiver.url(scheme="https"), wall_clock_seconds=WALL_CLOCK_SECONDS)


def test_receiver_that_does_not_read_ends_with_the_wall_clock(local: VettedHttp) -> None:
    with (
        Receiver(greeting=lambda: [3600.0]) as receiver,
        taking_no_longer_than_the_wall_clock(),
        pytest.raises(ExchangeTimedOut),
    ):
        local.send("POST", receiver.url(), body=bytes(32 * MB), wall_clock_seconds=WALL_CLOCK_SECONDS)


def test_listener_that_does_not_accept_ends_with_the_wall_clock(local: VettedHttp) -> None:
    with socket.create_server(("127.0.0.1", 0), backlog=0) as listener, socket.socket() as waiting:
        waiting.connect(listener.getsockname())
        url = f"http://127.0.0.1:{listener.getsockname()[1]}/"
        with taking_no_longer_than_the_wall_clock(), pytest.raises(ExchangeTimedOut):
            local.send("POST", url, wall_clock_seconds=WALL_CLOCK_SECONDS)


# How much is read


@pytest.mark.parametrize("announced", [True, False])
def test_huge_answer_is_cut(local: VettedHttp, *, announced: bool) -> None:
    with Receiver(huge(1024 * MB, announced=announced)) as receiver:
        response = local.send("POST", receiver.url())
    assert (response.status, len(response.body), response.truncated) == (200, 16 * 1024, True)


@pytest.mark.parametrize("announced", [True, False])
def test_huge_answer_is_refused_where_part_of_it_is_no_use(local: VettedHttp, *, announced: bool) -> None:
    with (
        Receiver(huge(1024 * MB, announced=announced)) as receiver,
        pytest.raises(ResponseTooLarge, match="longer than 1,048,576 bytes"),
    ):
        local.send("GET", receiver.url(), response_bytes_max=MB, too_long="refuse")


def test_answer_as_long_as_the_limit_is_whole(local: VettedHttp) -> None:
    with Receiver(reply(200, b"x" * 1000)) as receiver:
        response = local.send("GET", receiver.url(), response_bytes_max=1000, too_long="refuse")
    assert (len(response.body), response.truncated) == (1000, False)


@pytest.mark.parametrize("announced", [True, False])
def test_download_is_read_whole(local: VettedHttp, *, announced: bool) -> None:
    with Receiver(huge(16 * MB, announced=announced)) as receiver:
        response = local.send("GET", receiver.url(), response_bytes_max=64 * MB, too_long="refuse")
    assert response.body == b"x" * 16 * MB


def test_chunks_are_put_together(local: VettedHttp) -> None:
    chunks = head(200, {"Transfer-Encoding": "chunked"}) + b"3\r\nabc\r\n2;x=y\r\nde\r\n0\r\n\r\n"
    with Receiver(raw(chunks)) as receiver:
        response = local.send("GET", receiver.url())
    assert (response.body, response.truncated) == (b"abcde", False)


@pytest.mark.parametrize(
    "answer",
    [
        raw(b"SSH-2.0-OpenSSH_9.6\r\n"),
        raw(b"HTTP/1.1 abc\r\n\r\n"),
        raw(b"HTTP/1.1 200 OK\r\n" + b"X: " + b"x" * 70_000),
        raw(b"HTTP/1.1 200 OK\r\n" + b"X: x\r\n" * 200 + b"\r\n"),
        raw(head(200, {"Content-Length": "10"}) + b"short"),
        raw(head(200, {"Transfer-Encoding": "chunked"}) + b"5\r\nab"),
        raw(head(200, {"Transfer-Encoding": "chunked"}) + b"xyz\r\nab"),
        raw(head(200, {"Transfer-Encoding": "chunked"}) + b"-5\r\nabcde", 3600.0),
        lambda _: chain([head(200, {"Transfer-Encoding": "chunked"}), b"-1\r\n"], drip(b"x" * 65_536, 0)),
    ],
    ids=["ssh", "status", "header", "headers", "short", "chunk", "chunk-length", "negative", "everything"],
)
def test_malformed_answer_is_invalid(local: VettedHttp, answer: Answer) -> None:
    with Receiver(answer) as receiver, pytest.raises(ResponseInvalid):
        local.send("GET", receiver.url(), wall_clock_seconds=2)
