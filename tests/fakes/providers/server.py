"""The base of the fake providers: a real HTTP server on loopback, strict with its callers, scripted to fail.

A fake names its routes. What does not fit them or their fields is refused as the provider would refuse it,
and kept in `problems`, which the tests want empty. `will(...)` scripts what happens to the next requests.
"""

from __future__ import annotations

import json
import re
import sys
import threading
from collections import deque
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from email.message import Message
from email.parser import BytesParser
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import TracebackType
from typing import Any, Self
from urllib.parse import parse_qsl, urlsplit

SECONDS_MAX = 30.0


@dataclass(frozen=True)
class Part:
    """One part of a form. `filename` is None for a plain field."""

    name: str
    filename: str | None
    content_type: str
    data: bytes


@dataclass(frozen=True)
class Asked:
    """One request as it came. `headers` have lower-case names; `matched` is the route's match of the path."""

    method: str
    path: str
    query: Mapping[str, str]
    headers: Mapping[str, str]
    body: bytes
    matched: re.Match[str] | None = None

    def json(self) -> dict[str, Any]:
        """Raises `Malformed` unless the body is a JSON object and says so."""
        if self.headers.get("content-type", "").partition(";")[0] != "application/json":
            raise Malformed("content-type", "must be application/json")
        try:
            value = json.loads(self.body)
        except ValueError:
            raise Malformed("body", "is not JSON") from None
        if not isinstance(value, dict):
            raise Malformed("body", "must be an object")
        return value

    def form(self) -> list[Part]:
        """Raises `Malformed` unless the body is multipart/form-data."""
        content_type = self.headers.get("content-type", "")
        if not content_type.startswith("multipart/form-data; boundary="):
            raise Malformed("content-type", "must be multipart/form-data")
        message = BytesParser().parsebytes(f"Content-Type: {content_type}\r\n\r\n".encode() + self.body)
        return [_part(part) for part in message.get_payload() if isinstance(part, Message)]


@dataclass(frozen=True)
class Told:
    """One answer, and how it goes out: late, only in part, or not at all."""

    status: int = 200
    body: bytes = b""
    headers: Mapping[str, str] = field(default_factory=dict)
    delay_s: float = 0.0
    bytes_sent_max: int | None = None
    silent: bool = False


class Malformed(Exception):
    """A request that does not keep to the contract: what is wrong where."""

    def __init__(self, what: str, why: str, *, status: int = 400) -> None:
        self.what = what
        self.why = why
        self.status = status
        super().__init__(f"{what}: {why}")


@dataclass(frozen=True)
class Fault:
    """What happens to one request. `works` tells whether the provider takes it before it fails."""

    alter: Callable[[Told], Told]
    works: bool = True
    path: str = ""


def telling(value: Any, status: int = 200, headers: Mapping[str, str] | None = None) -> Told:
    """An answer of JSON."""
    kept = {"Content-Type": "application/json", **(headers or {})}
    return Told(status, json.dumps(value).encode(), kept)


def late(seconds: float) -> Fault:
    return Fault(lambda told: replace(told, delay_s=seconds))


def instead(told: Told, path: str = "") -> Fault:
    """Answer this and do nothing; only to requests whose path has `path` in it."""
    return Fault(lambda _: told, works=False, path=path)


def lost(path: str = "") -> Fault:
    """Take the work and close the connection without a word."""
    return Fault(lambda told: replace(told, silent=True), path=path)


def broken_off(path: str = "") -> Fault:
    """Take the work and close the connection in the middle of the answer."""
    return Fault(lambda told: replace(told, bytes_sent_max=len(told.body) // 2), path=path)


def garbage(path: str = "") -> Fault:
    """Take the work and answer nonsense under the right content type."""
    return Fault(lambda told: replace(told, body=b'{"\x00\xff'), path=path)


def wrong_type(path: str = "") -> Fault:
    """Take the work and answer rightly under the content type of a page."""
    page = {"Content-Type": "text/html"}
    return Fault(lambda told: replace(told, headers={**told.headers, **page}), path=path)


class FakeProvider:
    """Serves while it is entered. Subclasses name `routes` and say what a refusal looks like."""

    routes: tuple[tuple[str, str, str], ...] = ()
    """Method, a pattern of the whole path, the name of the method that answers."""

    def __init__(self, *, key: str) -> None:
        self.key = key
        self.requests: list[Asked] = []
        self.problems: list[str] = []
        self._script: deque[Fault] = deque()
        self._lock = threading.Lock()
        self._stopping = threading.Event()
        self._server = _Server(("127.0.0.1", 0), _Handler)
        self._server.fake = self

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self._server.server_port}"

    def will(self, *faults: Fault) -> None:
        """Each happens to one request, in order; a fault with a path waits for a request that fits it."""
        self._script.extend(faults)

    def allow(self, asked: Asked) -> Told | None:
        """The answer to a request without the right key, None for one that has it."""
        raise NotImplementedError

    def refuse(self, problem: Malformed) -> Told:
        """A malformed request's answer, in the provider's shape."""
        raise NotImplementedError

    def answer(self, asked: Asked) -> Told:
        with self._lock:
            self.requests.append(asked)
            fault = self._next_fault(asked)
            told = Told() if fault and not fault.works else self._work(asked)
        return fault.alter(told) if fault else told

    def pause(self, seconds: float) -> None:
        """Until the time is over, or the fake stops."""
        self._stopping.wait(min(seconds, SECONDS_MAX))

    def __enter__(self) -> Self:
        threading.Thread(target=self._server.serve_forever, args=(0.05,), daemon=True).start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._stopping.set()
        self._server.shutdown()
        self._server.server_close()

    def _next_fault(self, asked: Asked) -> Fault | None:
        if self._script and self._script[0].path in asked.path:
            return self._script.popleft()
        return None

    def _work(self, asked: Asked) -> Told:
        try:
            method, matched = self._route(asked)
            refused = self.allow(asked)
            told: Told = refused or getattr(self, method)(replace(asked, matched=matched))
        except Malformed as problem:
            self.problems.append(f"{asked.method} {asked.path}: {problem}")
            return self.refuse(problem)
        return told

    def _route(self, asked: Asked) -> tuple[str, re.Match[str]]:
        others = False
        for method, pattern, name in self.routes:
            if matched := re.fullmatch(pattern, asked.path):
                if method == asked.method:
                    return name, matched
                others = True
        raise Malformed("path", "not found", status=405 if others else 404)


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    block_on_close = False
    fake: FakeProvider

    def handle_error(self, *_: Any) -> None:
        """The caller may have gone; anything else is a fault of the fake and must be seen."""
        error = sys.exception()
        if not isinstance(error, ConnectionError):
            self.fake.problems.append(f"the fake itself: {error!r}")


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = (
        True  # head and body are two writes: the second would wait for an acknowledgement
    )
    timeout = SECONDS_MAX
    server: _Server

    def handle_one(self) -> None:
        told = self.server.fake.answer(self._asked())
        if told.delay_s:
            self.server.fake.pause(told.delay_s)
        if told.silent:
            self.close_connection = True
            return
        self.send_response(told.status)
        for name, value in {"Content-Length": str(len(told.body)), **told.headers}.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(told.body[: told.bytes_sent_max])
        self.close_connection = self.close_connection or told.bytes_sent_max is not None

    do_GET = do_POST = do_PUT = do_DELETE = do_HEAD = do_PATCH = handle_one  # noqa: N815 (http.server's names)

    def log_message(self, *_: Any) -> None:
        """Nothing on the terminal: `requests` has it all."""

    def _asked(self) -> Asked:
        parts = urlsplit(self.path)
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        headers = {name.lower(): value for name, value in self.headers.items()}
        return Asked(self.command, parts.path, dict(parse_qsl(parts.query)), headers, body)


def _part(part: Message) -> Part:
    name = part.get_param("name", header="content-disposition")
    data = part.get_payload(decode=True)
    assert isinstance(name, str)
    assert isinstance(data, bytes)
    return Part(name, part.get_filename(), part.get_content_type(), data)
