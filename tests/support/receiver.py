"""A receiver on loopback that can answer anything: HTTP or not, over TLS or not, in its own time."""

from __future__ import annotations

import socket
import ssl
import threading
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass
from itertools import chain, cycle, repeat
from pathlib import Path
from socketserver import BaseRequestHandler, ThreadingTCPServer
from types import TracebackType
from typing import Any, BinaryIO, Self

import trustme

FOREVER_SECONDS = 3600.0
CONNECTION_SECONDS_MAX = 30.0
BLOCK = b"x" * 65_536
AUTHORITY = trustme.CA()
"""Issues the certificates of receivers; each run makes its own."""

Piece = bytes | float
"""Bytes to send, or seconds to pause."""


@dataclass(frozen=True)
class Received:
    """One request. `headers` have lower-case names."""

    method: str
    path: str
    headers: Mapping[str, str]
    body: bytes


Answer = Callable[[Received], Iterable[Piece]]
"""What goes back for a request; when it ends the connection is closed."""


def raw(*pieces: Piece) -> Answer:
    return lambda _: pieces


def reply(status: int, body: bytes = b"", headers: Mapping[str, str] | None = None) -> Answer:
    return raw(head(status, {"Content-Length": str(len(body)), **(headers or {})}) + body)


def hang() -> Answer:
    return raw(FOREVER_SECONDS)


def dripping_headers(pause_seconds: float) -> Answer:
    """Headers without end, byte by byte."""
    return lambda _: chain([b"HTTP/1.1 200 OK\r\n"], drip(b"X-More: yes\r\n", pause_seconds))


def dripping_body(pause_seconds: float) -> Answer:
    """A body without end, byte by byte."""
    return lambda _: chain([head(200, {})], drip(b"x", pause_seconds))


def huge(size_bytes: int, *, announced: bool = True) -> Answer:
    """A body made as it is sent, of whole blocks, its length announced or not."""
    headers = {"Content-Length": str(size_bytes)} if announced else {}
    return lambda _: chain([head(200, headers)], repeat(BLOCK, size_bytes // len(BLOCK)))


def head(status: int, headers: Mapping[str, str]) -> bytes:
    lines = (f"HTTP/1.1 {status} Answer", *(f"{name}: {value}" for name, value in headers.items()))
    return "".join(f"{line}\r\n" for line in (*lines, "")).encode()


def drip(data: bytes, pause_seconds: float) -> Iterator[Piece]:
    """The data over and over, byte by byte."""
    for byte in cycle(data):
        yield bytes([byte])
        yield pause_seconds


def write_authority(folder: Path) -> str:
    """The file a client is given to trust the authority."""
    path = folder / "authority.pem"
    AUTHORITY.cert_pem.write_to_path(path)
    return str(path)


class Receiver:
    """Gives its answers in turn, the last one for ever. `greeting` is sent before anything is read.

    `server_names` are the names that clients asked for in TLS.
    """

    def __init__(
        self,
        *answers: Answer,
        certificate: trustme.LeafCert | None = None,
        greeting: Callable[[], Iterable[Piece]] = tuple,
    ) -> None:
        self.requests: list[Received] = []
        self.server_names: list[str | None] = []
        self.connections = 0
        self._scheme = "https" if certificate else "http"
        self._tls = self._context(certificate) if certificate else None
        self._answers = deque(answers or (reply(200),))
        self._greeting = greeting
        self._changed = threading.Condition()
        self._stopped = threading.Event()
        self._server = _Server(self._serve)
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.01,))
        self.port: int = self._server.server_address[1]

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: object, trace: TracebackType | None) -> None:
        self._stopped.set()
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()

    def url(self, path: str = "/", *, host: str = "127.0.0.1", scheme: str | None = None) -> str:
        return f"{scheme or self._scheme}://{host}:{self.port}{path}"

    def wait_for(self, count: int, seconds_max: float = 10.0) -> list[Received]:
        """The requests so far, once there are `count` of them."""
        with self._changed:
            assert self._changed.wait_for(lambda: len(self.requests) >= count, seconds_max), (
                f"{len(self.requests)} of {count} requests came within {seconds_max:g} s"
            )
            return list(self.requests)

    def _context(self, certificate: trustme.LeafCert) -> ssl.SSLContext:
        context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
        certificate.configure_cert(context)
        context.sni_callback = lambda _, name, __: self.server_names.append(name)
        return context

    def _serve(self, connection: socket.socket) -> None:
        with self._changed:
            self.connections += 1
        # Many a test is about a caller that leaves in the middle.
        with suppress(OSError):
            self._send(connection, self._greeting())
            if not self._tls:
                self._answer(connection)
                return
            with self._tls.wrap_socket(connection, server_side=True) as tls:
                self._answer(tls)

    def _answer(self, connection: socket.socket) -> None:
        with connection.makefile("rb") as stream:
            received = _read_request(stream)
        if received is None:
            return
        with self._changed:
            self.requests.append(received)
            answer = self._answers.popleft() if len(self._answers) > 1 else self._answers[0]
            self._changed.notify_all()
        self._send(connection, answer(received))

    def _send(self, connection: socket.socket, pieces: Iterable[Piece]) -> None:
        for piece in pieces:
            if isinstance(piece, bytes):
                connection.sendall(piece)
            elif self._stopped.wait(piece):
                return


class _Server(ThreadingTCPServer):
    request_queue_size = 128

    def __init__(self, serve: Callable[[socket.socket], None]) -> None:
        super().__init__(("127.0.0.1", 0), BaseRequestHandler)
        self._serve = serve

    def finish_request(self, request: Any, client_address: Any) -> None:  # noqa: ARG002 - the base's signature
        request.settimeout(CONNECTION_SECONDS_MAX)
        self._serve(request)


def _read_request(stream: BinaryIO) -> Received | None:
    """None if the client left before its request was complete."""
    method, _, rest = stream.readline().decode("latin-1").partition(" ")
    headers: dict[str, str] = {}
    while (line := stream.readline().decode("latin-1")) not in ("\r\n", ""):
        name, _, value = line.partition(":")
        headers[name.lower()] = value.strip()
    if not line:
        return None
    length = int(headers.get("content-length", 0))
    body = stream.read(length)
    return Received(method, rest.split(" ")[0], headers, body) if len(body) == length else None
