"""The local address of Shoal: one root URL for what AWS serves at two, the HTTP API and the CDN.

GET and HEAD of outputs go to the stack's CloudFront distribution, everything else to its HTTP API, both in
the local cloud. Requests and answers pass unchanged, with two exceptions: an HTTP API takes no body over
10 MB, and an error of the CDN is said in two words, without the names that the local S3 puts into it.
"""

from __future__ import annotations

import argparse
import asyncio
import json
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from http import HTTPStatus

import urllib3
from hypercorn.asyncio import serve
from hypercorn.config import Config
from hypercorn.typing import (
    ASGIReceiveCallable,
    ASGISendCallable,
    HTTPScope,
    Scope,
)
from ministack.core import hypercorn_compat  # type: ignore[import-untyped]

from infra.local.lifeline import end_with_parent
from infra.local.pages import READS, headers_of, of_own_page, of_this_machine, refuse

BODY_BYTES_MAX = 10 * 1024 * 1024  # "Payload size" of an HTTP API
OUTPUT_PATHS = ("/images/", "/videos/")
CONCURRENT_REQUESTS_MAX = 64
ANSWER_SECONDS_MAX = 60.0
HOP_BY_HOP = frozenset(
    {"connection", "keep-alive", "transfer-encoding", "te", "trailer", "upgrade", "proxy-connection"}
)

# Whose page shows an output is nobody's business, as outputs are public or signed.
OF_BROWSERS = frozenset({"origin", "sec-fetch-site", "sec-fetch-mode", "sec-fetch-dest"})

Headers = list[tuple[bytes, bytes]]
Answer = tuple[int, Headers, bytes]


class Front:
    """An ASGI application in front of the local cloud at `cloud_url`."""

    def __init__(self, *, cloud_url: str, api_id: str, cdn_host: str) -> None:
        self._api_path = f"/_aws/execute-api/{api_id}/$default"
        self._cdn_host = cdn_host
        self._cloud = urllib3.connection_from_url(cloud_url, maxsize=CONCURRENT_REQUESTS_MAX, retries=False)
        self._threads = ThreadPoolExecutor(CONCURRENT_REQUESTS_MAX)

    async def __call__(self, scope: Scope, receive: ASGIReceiveCallable, send: ASGISendCallable) -> None:
        if scope["type"] == "http":
            await self._serve(scope, receive, send)
        elif scope["type"] == "lifespan":
            await _live(receive, send)

    async def _serve(self, scope: HTTPScope, receive: ASGIReceiveCallable, send: ASGISendCallable) -> None:
        body = await _read(receive)
        if problem := _problem(scope):
            await refuse(send, problem)
            return
        if body is None:
            status, headers, content = _error(HTTPStatus.REQUEST_ENTITY_TOO_LARGE, "Request Entity Too Large")
        else:
            loop = asyncio.get_running_loop()
            status, headers, content = await loop.run_in_executor(self._threads, self._answer, scope, body)
        await send({"type": "http.response.start", "status": status, "headers": headers})
        await send({"type": "http.response.body", "body": content, "more_body": False})

    def _answer(self, scope: HTTPScope, body: bytes) -> Answer:
        """Ask the local cloud. An answer that doesn't come is API Gateway's 503."""
        path, headers = _target(scope), _headers(scope["headers"])
        if of_cdn := _of_cdn(scope):
            headers = urllib3.HTTPHeaderDict(
                {name: value for name, value in headers.items() if name not in OF_BROWSERS}
            )
            headers["host"] = self._cdn_host
            headers["x-forwarded-proto"] = "https"  # the distribution refuses plain HTTP
        else:
            path = self._api_path + path
        try:
            answer = self._cloud.urlopen(
                scope["method"],
                path,
                headers=headers,
                body=body,
                redirect=False,
                decode_content=False,
                timeout=ANSWER_SECONDS_MAX,
            )
        except urllib3.exceptions.HTTPError:
            return _error(HTTPStatus.SERVICE_UNAVAILABLE, "Service Unavailable")
        if of_cdn and answer.status >= HTTPStatus.BAD_REQUEST:
            return _error(answer.status, HTTPStatus(answer.status).phrase)
        passed = [(name.lower(), value) for name, value in answer.headers.items()]
        kept = [(name, value) for name, value in passed if name not in HOP_BY_HOP]
        return answer.status, [(name.encode(), value.encode("latin-1")) for name, value in kept], answer.data


def _problem(scope: HTTPScope) -> str | None:
    """Why the request is refused, or None."""
    headers = headers_of(scope)
    if not of_this_machine(headers):
        return "This address answers to names of this machine alone."
    if not of_own_page(scope["method"], headers) and not _of_cdn(scope):
        return "Pages of other sites may not call this address."
    return None


def _of_cdn(scope: HTTPScope) -> bool:
    return scope["method"] in READS and scope["path"].startswith(OUTPUT_PATHS)


def _target(scope: HTTPScope) -> str:
    """Path and query as the caller sent them."""
    path, query = scope["raw_path"].decode("latin-1"), scope["query_string"].decode("latin-1")
    return f"{path}?{query}" if query else path


def _headers(received: Iterable[tuple[bytes, bytes]]) -> urllib3.HTTPHeaderDict:
    headers = urllib3.HTTPHeaderDict()
    for name, value in received:
        if (key := name.decode("latin-1").lower()) not in HOP_BY_HOP:
            headers.add(key, value.decode("latin-1"))
    return headers


async def _read(receive: ASGIReceiveCallable) -> bytes | None:
    """The whole body, or None when it is over the limit.

    Even that is read to its end, since a caller that is still sending could miss the answer.
    """
    chunks: list[bytes] = []
    size, more = 0, True
    while more:
        message = await receive()
        if message["type"] != "http.request":
            break  # the caller has gone
        size += len(message["body"])
        more = message["more_body"]
        if size <= BODY_BYTES_MAX:
            chunks.append(message["body"])
    return b"".join(chunks) if size <= BODY_BYTES_MAX else None


async def _live(receive: ASGIReceiveCallable, send: ASGISendCallable) -> None:
    """There is nothing to do at the start and the end."""
    while (await receive())["type"] == "lifespan.startup":
        await send({"type": "lifespan.startup.complete"})
    await send({"type": "lifespan.shutdown.complete"})


def _error(status: int, message: str) -> Answer:
    """An error as API Gateway answers it."""
    content = json.dumps({"message": message}, separators=(",", ":")).encode()
    return (
        status,
        [(b"content-type", b"application/json"), (b"content-length", b"%d" % len(content))],
        content,
    )


def main() -> None:
    """Serve until SIGTERM."""
    end_with_parent()
    parser = argparse.ArgumentParser(prog="python -m infra.local.front")
    parser.add_argument("--port", type=int, required=True)
    parser.add_argument("--cloud-url", required=True)
    parser.add_argument("--api-id", required=True)
    parser.add_argument("--cdn-host", required=True)
    options = parser.parse_args()
    config = Config()
    config.bind = [f"127.0.0.1:{options.port}"]
    config.include_server_header = config.include_date_header = False  # the cloud's own pass
    config.keep_alive_timeout = ANSWER_SECONDS_MAX
    hypercorn_compat.install()  # `HTTP/1.1 202 Accepted`, where h11 alone says `HTTP/1.1 202`
    front = Front(cloud_url=options.cloud_url, api_id=options.api_id, cdn_host=options.cdn_host)
    asyncio.run(serve(front, config))


if __name__ == "__main__":
    main()
