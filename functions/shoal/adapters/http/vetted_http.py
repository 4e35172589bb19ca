"""HTTP to addresses that callers chose: we say where it goes, how long it takes and how much is read.

The standard library's client, because everything a larger one adds is unwanted here: redirects, proxies,
retries, cookies, decompression, pooled connections.
"""

from __future__ import annotations

import http.client
import io
import socket
import ssl
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from http import HTTPStatus
from queue import Empty, SimpleQueue
from threading import Thread
from typing import IO, TYPE_CHECKING, Any, Literal

from shoal.adapters.http.final_response import FinalResponse
from shoal.domain import errors
from shoal.domain.addresses import AddressRules, Resolve, Response, Target, VettedTarget, vet

if TYPE_CHECKING:
    from _typeshed import WriteableBuffer

RESOLVE_SECONDS_MAX = 5.0
ADDRESSES_TRIED_MAX = 4
CHUNK_BYTES = 64 * 1024
WITH_CONTENT = frozenset({HTTPStatus.OK, HTTPStatus.NON_AUTHORITATIVE_INFORMATION})
"""What a GET is answered with that brings the whole file, be it through a proxy that changed it."""


def resolve(
    host: str,
    port: int,
    *,
    seconds_max: float = RESOLVE_SECONDS_MAX,
    look_up: Callable[..., list[Any]] = socket.getaddrinfo,
) -> list[str]:
    """Implements the `Resolve` port. A lookup cannot be stopped; a slow one is left to itself."""
    outcome: SimpleQueue[list[str] | OSError] = SimpleQueue()

    def look() -> None:
        try:
            # As bytes, or the name goes through an older IDNA.
            found = look_up(host.encode("ascii"), port, type=socket.SOCK_STREAM)
            outcome.put([address[0] for *_, address in found])
        except OSError as error:
            outcome.put(error)

    Thread(target=look, name="resolve", daemon=True).start()
    try:
        addresses = outcome.get(timeout=seconds_max)
    except Empty:
        raise errors.NameNotResolved("The URL's host name could not be resolved in time.") from None
    if isinstance(addresses, OSError):
        raise errors.NameNotResolved("The URL's host name could not be resolved.") from addresses
    return addresses


class VettedHttp:
    """Each exchange resolves the name once, and speaks to what was vetted as the name.

    `ca_file`: the only authorities to trust, in PEM; otherwise the system's.
    """

    def __init__(
        self, rules: AddressRules, *, resolve: Resolve = resolve, ca_file: str | None = None
    ) -> None:
        self._rules = rules
        self._resolve = resolve
        self._tls = ssl.create_default_context(cafile=ca_file)
        self._tls.minimum_version = ssl.TLSVersion.TLSv1_2

    def send(
        self,
        method: str,
        url: str,
        *,
        headers: Mapping[str, str] | None = None,
        body: bytes | None = None,
        wall_clock_seconds: float = 10.0,
        response_bytes_max: int = 16 * 1024,
        too_long: Literal["cut", "refuse"] = "cut",
    ) -> Response:
        """One exchange. The wall clock runs from the resolving to the last byte of the answer.

        Raises `ExchangeError`. A status is never an error, a redirect is an answer like any other.
        """
        with self._answer(method, url, headers or {}, body, wall_clock_seconds) as (answer, deadline):
            data = _read(answer, response_bytes_max, refuse_more=too_long == "refuse")
        return _response(answer, data[:response_bytes_max], len(data) > response_bytes_max, deadline)

    def download(self, url: str, target: IO[bytes], *, wall_clock_seconds: float, bytes_max: int) -> Response:
        """GET, with the body of a 200 or 203 written to `target` as it comes; the answer told of has none.

        Raises `ExchangeError`, `ResponseTooLarge` among them.
        """
        with self._answer("GET", url, {}, None, wall_clock_seconds) as (answer, deadline):
            if answer.status in WITH_CONTENT:
                _refuse_more(answer.length or 0, bytes_max)
                size = 0
                for chunk in _chunks(answer, bytes_max + 1):
                    size += len(chunk)
                    _refuse_more(size, bytes_max)
                    target.write(chunk)
        return _response(answer, b"", False, deadline)

    @contextmanager
    def _answer(
        self, method: str, url: str, headers: Mapping[str, str], body: bytes | None, seconds_max: float
    ) -> Iterator[tuple[http.client.HTTPResponse, _Deadline]]:
        """An answer whose body is still to be read, within the same deadline."""
        deadline = _Deadline(seconds_max)
        vetted = vet(url, self._rules, self._resolve)
        with _plain_errors(seconds_max), self._connect(vetted, deadline) as sock:
            client = http.client.HTTPConnection(vetted.target.host, vetted.target.port)
            client.response_class = FinalResponse
            client.sock = _TimedSocket(sock, deadline)
            client.request(method, vetted.target.path, body, _headers(vetted.target, headers))
            yield client.getresponse(), deadline

    @contextmanager
    def _connect(self, vetted: VettedTarget, deadline: _Deadline) -> Iterator[socket.socket]:
        with _reach(vetted, deadline) as sock:
            if vetted.target.scheme == "http":
                yield sock
                return
            sock.settimeout(deadline.remaining_seconds())
            with self._tls.wrap_socket(sock, server_hostname=vetted.target.host) as tls:
                yield tls


class _Deadline:
    def __init__(self, seconds: float) -> None:
        self._started_at = time.monotonic()
        self._seconds = seconds

    def elapsed_ms(self) -> int:
        return round((time.monotonic() - self._started_at) * 1000)

    def remaining_seconds(self) -> float:
        """More than zero. Raises `TimeoutError` when nothing is left."""
        remaining = self._started_at + self._seconds - time.monotonic()
        if remaining <= 0:
            raise TimeoutError
        return remaining


class _TimedSocket(io.RawIOBase):
    """As much of a socket as `http.client` uses, no wait longer than what is left of the deadline."""

    def __init__(self, sock: socket.socket, deadline: _Deadline) -> None:
        self._sock = sock
        self._deadline = deadline

    def sendall(self, data: bytes) -> None:
        unsent = memoryview(data)
        while unsent:
            self._sock.settimeout(self._deadline.remaining_seconds())
            unsent = unsent[self._sock.send(unsent) :]

    def makefile(self, _mode: str) -> io.BufferedReader:
        return io.BufferedReader(self, CHUNK_BYTES)

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: WriteableBuffer, /) -> int:
        self._sock.settimeout(self._deadline.remaining_seconds())
        return self._sock.recv_into(buffer)

    def readall(self) -> bytes:
        """Only a chunk of length -1 asks for everything, however much it is."""
        raise errors.ResponseInvalid("The answer has a chunk of negative length.")

    def close(self) -> None:
        """The exchange closes the socket: `http.client` would do so before it has read the answer."""


def _reach(vetted: VettedTarget, deadline: _Deadline) -> socket.socket:
    """Connect to the first address that lets us; none may use up the time of those after it."""
    *others, last = vetted.addresses[:ADDRESSES_TRIED_MAX]
    for tried, address in enumerate(others):
        with suppress(OSError):
            share = deadline.remaining_seconds() / (len(others) + 1 - tried)
            return _open(address, vetted.target.port, share)
    return _open(last, vetted.target.port, deadline.remaining_seconds())


def _open(address: str, port: int, timeout_seconds: float) -> socket.socket:
    sock = socket.socket(socket.AF_INET6 if ":" in address else socket.AF_INET)
    try:
        sock.settimeout(timeout_seconds)
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        sock.connect((address, port))
    except OSError:
        sock.close()
        raise
    return sock


def _headers(target: Target, given: Mapping[str, str]) -> dict[str, str]:
    """The given ones cannot replace what the exchange depends on."""
    ours = {
        "Host": target.authority,
        "Accept-Encoding": "identity",
        "Connection": "close",
        "User-Agent": "Shoal",
    }
    names = {name.lower() for name in ours}
    return ours | {name: value for name, value in given.items() if name.lower() not in names}


def _read(answer: http.client.HTTPResponse, bytes_max: int, *, refuse_more: bool) -> bytes:
    """The body, or its first `bytes_max` and one byte that tells that there is more."""
    if refuse_more:
        _refuse_more(answer.length or 0, bytes_max)
    data = b"".join(_chunks(answer, bytes_max + 1))
    if refuse_more:
        _refuse_more(len(data), bytes_max)
    return data


def _chunks(answer: http.client.HTTPResponse, wanted: int) -> Iterator[bytes]:
    """The body's first `wanted` bytes as they come, or all of it. Raises `ResponseInvalid`."""
    try:
        while wanted and (chunk := answer.read(min(CHUNK_BYTES, wanted))):
            wanted -= len(chunk)
            yield chunk
    except ValueError as error:
        raise errors.ResponseInvalid("The answer's chunks are malformed.") from error
    if wanted and answer.length:
        raise errors.ResponseInvalid("The answer ended before it was complete.")


def _refuse_more(size: int, bytes_max: int) -> None:
    if size > bytes_max:
        raise errors.ResponseTooLarge(bytes_max)


def _response(
    answer: http.client.HTTPResponse, body: bytes, truncated: bool, deadline: _Deadline
) -> Response:
    return Response(
        status=answer.status,
        headers=_fields(answer.getheaders()),
        body=body,
        truncated=truncated,
        duration_ms=deadline.elapsed_ms(),
    )


def _fields(lines: list[tuple[str, str]]) -> dict[str, str]:
    """By lower-case name, a field of several lines as one list (RFC 9110, section 5.3)."""
    fields: dict[str, str] = {}
    for name, value in lines:
        key, said = name.lower(), value.strip()
        fields[key] = f"{fields[key]}, {said}" if key in fields else said
    return fields


@contextmanager
def _plain_errors(wall_clock_seconds: float) -> Iterator[None]:
    """The system's errors in words for the owner of the address."""
    try:
        yield
    except TimeoutError as error:
        raise errors.ExchangeTimedOut(wall_clock_seconds) from error
    except ssl.SSLCertVerificationError as error:
        raise errors.TlsFailed(
            f"The certificate does not hold: {error.verify_message.rstrip('.')}."
        ) from error
    except ssl.SSLError as error:
        reason = (error.reason or "unknown").replace("_", " ").lower()
        raise errors.TlsFailed(f"The TLS connection failed: {reason}.") from error
    except http.client.RemoteDisconnected as error:
        raise errors.ConnectionFailed("The connection was closed without an answer.") from error
    except http.client.HTTPException as error:
        raise errors.ResponseInvalid("The answer is malformed or incomplete.") from error
    except ConnectionRefusedError as error:
        raise errors.ConnectionFailed("The connection was refused.") from error
    except OSError as error:
        raise errors.ConnectionFailed("No connection could be made, or it broke.") from error
