"""Requests, tried again where that can help and can do no harm."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from random import random
from typing import Any, TypeVar
from urllib.parse import quote, urljoin
from uuid import uuid4

import requests

from shoal_client.errors import ApiError, ConnectionFailed, api_error

SAFE_METHODS = frozenset({"GET", "PUT", "PATCH", "DELETE"})
"""Done twice they change nothing more (RFC 9110, section 9.2.2; every PATCH of this API sets values)."""
REFUSED = frozenset({429, 503})
UNKNOWN_OUTCOME = frozenset({500, 502, 504, *range(520, 528)})
"""The request may have been carried out: only what does no harm twice is sent again. 52x is Cloudflare's."""
REDIRECTS_MAX = 5

T = TypeVar("T")
Auth = Callable[[requests.PreparedRequest], requests.PreparedRequest]


@dataclass(frozen=True, kw_only=True)
class Retries:
    """Pause number n is drawn evenly from 0 to min(`pause_max_s`, `pause_s` · 2ⁿ): "full jitter".

    That is how many clients in trouble stop hitting the API in step (Brooker, "Exponential Backoff And
    Jitter", 2015). A `Retry-After` above `retry_after_max_s` is left to the caller.
    """

    count: int = 4
    pause_s: float = 0.5
    pause_max_s: float = 20.0
    retry_after_max_s: float = 60.0


@dataclass(frozen=True, kw_only=True)
class Transport:
    """`random` gives numbers from 0 up to 1, `sleep` takes seconds, `clock` tells them."""

    api_key: str
    base_url: str
    timeout_s: float = 35.0  # an answer may wait 25 s for a job
    retries: Retries = field(default_factory=Retries)
    session: requests.Session = field(default_factory=requests.Session)
    sleep: Callable[[float], None] = time.sleep
    random: Callable[[], float] = random
    clock: Callable[[], float] = time.monotonic
    new_key: Callable[[], str] = lambda: str(uuid4())

    def get(self, path: str, query: Mapping[str, Any] | None = None, **headers: str) -> Any:
        """The body of a success. Raises `ApiError`, `ConnectionFailed`."""
        return self._call("GET", path, headers, query=query)

    def post(self, path: str, body: Mapping[str, Any] | None = None) -> Any:
        """Of a call that neither spends nor creates. Raises as `get`."""
        return self._call("POST", path, {}, body=body)

    def spend(self, path: str, body: Mapping[str, Any] | None, key: str | None, **headers: str) -> Any:
        """Of a call that spends or creates: once, however often it is sent. Raises as `get`."""
        return self._call("POST", path, {"Idempotency-Key": key or self.new_key(), **headers}, body=body)

    def bring(self, path: str, file: bytes, name: str, texts: Mapping[str, str], key: str | None) -> Any:
        """Of a call that brings a file by form: once, however often it is sent. Raises as `get`."""
        headers = {"Idempotency-Key": key or self.new_key()}
        return self._call("POST", path, headers, form=texts, files={"file": (name, file)})

    def put(self, url: str, data: bytes, headers: Mapping[str, str]) -> None:
        """Send bytes to an address that takes them once: the key is not sent there. Raises as `get`."""
        self._retried(lambda: self._put(url, data, headers), repeatable=True)

    def patch(self, path: str, body: Mapping[str, Any]) -> Any:
        return self._call("PATCH", path, {}, body=body)

    def delete(self, path: str) -> None:
        self._call("DELETE", path, {})

    def download(self, url: str) -> bytes:
        """What lies at the address of an output: the key is not sent there. Raises as `get`."""
        return self._retried(lambda: self._fetched(url), repeatable=True)

    def _call(self, method: str, path: str, headers: Mapping[str, str], **sent: Any) -> Any:
        repeatable = method in SAFE_METHODS or "Idempotency-Key" in headers
        return self._retried(lambda: self._once(method, path, headers, **sent), repeatable=repeatable)

    def _retried(self, once: Callable[[], T], *, repeatable: bool) -> T:
        for attempt in range(self.retries.count + 1):
            last = attempt == self.retries.count
            try:
                return once()
            except ApiError as error:
                if last or not self._passes(error, repeatable=repeatable):
                    raise
                self.sleep((error.retry_after_s or 0) + self._pause_s(attempt))
            except ConnectionFailed:
                if last or not repeatable:
                    raise
                self.sleep(self._pause_s(attempt))
        raise AssertionError("the last attempt returns or raises")

    def _once(
        self,
        method: str,
        path: str,
        headers: Mapping[str, str],
        *,
        body: Mapping[str, Any] | None = None,
        query: Mapping[str, Any] | None = None,
        form: Mapping[str, str] | None = None,
        files: Mapping[str, tuple[str, bytes]] | None = None,
    ) -> Any:
        answer = self._sent(
            method,
            f"{self.base_url.rstrip('/')}{path}",
            self._with_key,
            json=body,
            data=form,
            files=files,
            params=_written(query or {}),
            headers={name: _utf_8(value) for name, value in headers.items()},
        )
        if answer.status_code in (requests.codes.no_content, requests.codes.reset_content):
            return None
        told = _json(answer)
        if not 200 <= answer.status_code < 300:
            raise api_error(answer.status_code, answer.headers, told)
        if not isinstance(told, dict):
            kind = answer.headers.get("Content-Type", "no type")
            raise ConnectionFailed(f"Something else than the API answered {answer.status_code} with {kind}.")
        return told

    def _fetched(self, url: str) -> bytes:
        for _ in range(REDIRECTS_MAX + 1):
            answer = self._sent("GET", url, _without_key)
            if not answer.is_redirect:
                break
            url = urljoin(url, answer.headers["Location"])
        if not 200 <= answer.status_code < 300:
            raise api_error(answer.status_code, answer.headers, None)
        return answer.content

    def _put(self, url: str, data: bytes, headers: Mapping[str, str]) -> None:
        answer = self._sent("PUT", url, _without_key, data=data, headers=dict(headers))
        # An earlier attempt put it there, and its answer was lost.
        if answer.status_code != requests.codes.precondition_failed and not 200 <= answer.status_code < 300:
            raise api_error(answer.status_code, answer.headers, None)

    def _sent(self, method: str, url: str, auth: Auth, **more: Any) -> requests.Response:
        """The answer, redirects too: following them would send the key, or what `.netrc` has, elsewhere."""
        try:
            return self.session.request(
                method, url, auth=auth, timeout=self.timeout_s, allow_redirects=False, **more
            )
        except requests.RequestException as error:
            raise ConnectionFailed(str(error)) from error

    def _with_key(self, request: requests.PreparedRequest) -> requests.PreparedRequest:
        request.headers["Authorization"] = _utf_8(f"Bearer {self.api_key}")
        return request

    def _passes(self, error: ApiError, *, repeatable: bool) -> bool:
        """Whether the same request may be taken soon, and may be sent again."""
        refused = error.status in REFUSED or error.code == "idempotency_in_flight"
        if not refused and not (repeatable and error.status in UNKNOWN_OUTCOME):
            return False
        return (error.retry_after_s or 0) <= self.retries.retry_after_max_s

    def _pause_s(self, attempt: int) -> float:
        return self.random() * min(self.retries.pause_max_s, self.retries.pause_s * 2.0**attempt)


def part(id_: str) -> str:
    """An id as one part of a path, whatever is in it: it may come from anywhere."""
    return quote(id_, safe="")


def _without_key(request: requests.PreparedRequest) -> requests.PreparedRequest:
    """An authentication that adds none. Without one `requests` would look into `.netrc`."""
    return request


def _utf_8(text: str) -> str:
    """A field's value whose bytes are UTF-8: fields are sent a byte a letter, and fail on other letters."""
    return text.encode().decode("latin-1")


def _written(query: Mapping[str, Any]) -> dict[str, Any]:
    """By the API's names: `from_` is what Python can write of `from`."""
    return {name.removesuffix("_"): value for name, value in query.items() if value is not None}


def _json(answer: requests.Response) -> Any:
    """The body as JSON; None if it is something else, as from a proxy on the way."""
    try:
        return answer.json()
    except requests.JSONDecodeError:
        return None
