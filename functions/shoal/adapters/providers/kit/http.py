"""One HTTP exchange with a provider, its failures in the words of the `Provider` port.

What was never sent is `ProviderBusy`. What was sent and not answered whole, or answered by a gateway that
does not know what became of it, is `OutcomeUnknown`, unless the request may be repeated (a read, or a submit
under an idempotency key): then it is `ProviderBusy` as well.
"""

from __future__ import annotations

import json
import logging
import math
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from functools import cache
from typing import IO, Any
from urllib.parse import urljoin, urlsplit

import requests
from requests.structures import CaseInsensitiveDict

from shoal.adapters.http.final_response import FinalResponse
from shoal.adapters.providers.kit.body import BYTES_MAX, CHUNK_BYTES, FileBody, JsonBody, fill, write_json
from shoal.adapters.providers.kit.fields import storable
from shoal.domain.errors import (
    OutcomeUnknown,
    ProviderBusy,
    ProviderFailed,
    ProviderRejected,
    ProviderUnusable,
    ShoalError,
)

logger = logging.getLogger(__name__)

CONNECT_SECONDS = 5.0
READ_SECONDS = 30.0
RETRY_SECONDS = 5
"""When a provider that gives no hint is asked again."""

RETRY_SECONDS_MAX = 86_400
"""No job lives that long: what is longer says no more."""

DETAIL_CHARS_MAX = 500
REDIRECTS = frozenset({301, 302, 303, 307, 308})
GATEWAY = frozenset({502, 504, *range(520, 531)})
"""Something between us and the provider gave up on it; 520 to 530 are Cloudflare's."""

REFUSED_PARAMETERS = "The provider refused the request's parameters."

Headers = Callable[[], Mapping[str, str]]


def bearer(key: Callable[[], str], scheme: str = "Authorization: Bearer") -> Headers:
    """The header that carries the key of this moment. `scheme` is the header and the word before the key."""
    name, _, word = scheme.partition(":")
    return lambda: {name: f"{word.strip()} {key()}".strip()}


@dataclass(frozen=True, slots=True)
class Reply:
    """A whole answer of any status. `headers` know no case; `secrets` are cut out of what is logged."""

    provider: str
    status: int
    headers: Mapping[str, str]
    body: FileBody | JsonBody = field(repr=False)
    repeatable: bool
    secrets: tuple[str, ...] = field(default=(), repr=False)

    @property
    def content_type(self) -> str:
        return _content_type(self.headers)

    @property
    def shortened(self) -> bool:
        """Whether `json` has names in the place of long texts."""
        return isinstance(self.body, JsonBody) and self.body.shortened

    def json(self) -> dict[str, Any]:
        """The body, an object. Garbage counts as a lost answer: `ProviderBusy` or `OutcomeUnknown`."""
        value = self._parse()
        if not isinstance(value, dict):
            raise self.lost_answer("its answer is no JSON object")
        return value

    def error_json(self) -> dict[str, Any]:
        """The body of an error, also where it is wrapped in an array; empty if it is no JSON object."""
        value = self._parse()
        if isinstance(value, list) and len(value) == 1:
            (value,) = value
        return value if isinstance(value, dict) else {}

    def decode_base64(self, base64_text: object) -> IO[bytes]:
        """The bytes of a base64 field of `json`. A field that is none counts as a lost answer."""
        try:
            if isinstance(self.body, JsonBody):
                return self.body.decode_base64(str(base64_text))
        except ValueError:  # binascii.Error among them
            pass
        raise self.lost_answer("its answer carries no base64")

    def file(self, kind: str) -> IO[bytes]:
        """The body, of a type such as `image/png` for the kind `image`. Any other counts as a lost answer."""
        if isinstance(self.body, JsonBody) or not self.content_type.startswith(f"{kind}/"):
            raise self.lost_answer(f"its answer is no {kind}")
        return self.body.file

    def lost_answer(self, reason: str) -> ShoalError:
        """The error for an answer that cannot be used although the request was taken."""
        return _loss(self.provider, reason, repeatable=self.repeatable)

    def detail(self, text: str = "") -> str:
        """`text` or the beginning of the body, for operators, without the keys the provider may repeat."""
        text = storable(text) or self.body.start[: 4 * DETAIL_CHARS_MAX].decode("utf-8", "replace")
        for secret in filter(None, self.secrets):
            text = text.replace(secret, "***")
        return f"{self.provider} answered {self.status}: {text[:DETAIL_CHARS_MAX]}"

    def raise_for_status(self, detail: str = "", *, known: bool = False) -> None:
        """The errors that every provider spells alike; nothing for a 2xx. `detail` is told to operators.

        `known`: the body is an error in the provider's own words.
        """
        if 200 <= self.status < 300:
            return
        said = self.detail(detail)
        logger.warning("provider refused", extra={"provider": self.provider, "detail": said})
        if not self.repeatable and tells_no_outcome(self.status, known=known):
            raise OutcomeUnknown(said)
        if self.status in (408, 409, 425, 429) or self.status >= 500:
            raise ProviderBusy(said, retry_after_seconds=retry_after_seconds(self.headers) or RETRY_SECONDS)
        if self.status in (400, 413, 415, 422):
            raise ProviderRejected(REFUSED_PARAMETERS)
        raise ProviderUnusable(said)

    def _parse(self) -> Any:
        if not isinstance(self.body, JsonBody):
            return None
        try:
            return json.loads(self.body.document)
        except (ValueError, RecursionError):
            return None


class ProviderHttp:
    """A provider's base URL with its key. Nothing is read from the environment, no redirect is followed.

    `headers` is called for every request, since keys rotate. `read_s` bounds each wait for more of an
    answer, and the whole answer too, from the first byte on.
    """

    def __init__(
        self,
        provider: str,
        base_url: str,
        *,
        headers: Headers,
        connect_s: float = CONNECT_SECONDS,
        read_s: float = READ_SECONDS,
        bytes_max: int = BYTES_MAX,
    ) -> None:
        self.provider = provider
        self.base_url = base_url.rstrip("/")
        self._headers = headers
        self._connect_s = connect_s
        self._read_s = read_s
        self._bytes_max = bytes_max

    def send(
        self,
        method: str,
        path: str,
        *,
        repeatable: bool | None = None,
        read_s: float | None = None,
        headers: Mapping[str, str] | None = None,
        **body: Any,
    ) -> Reply:
        """One exchange, whatever its status. `path` begins with a slash, or is a URL of its own.

        The key goes to the base URL's origin only. `body` is `json`, `data`, `files` or `params` as
        `requests` takes them. Only a GET is repeatable unless told. Raises `ProviderBusy`,
        `OutcomeUnknown`, `ProviderUnusable`, and `ProviderFailed` for an answer beyond `bytes_max`.
        """
        url = self.base_url + path if path.startswith("/") else path
        own = dict(self._headers()) if self.is_own(url) else {}
        can_repeat = method == "GET" if repeatable is None else repeatable
        sent = {"Accept-Encoding": "identity", "User-Agent": "Shoal", **(headers or {}), **own}
        timeout = (self._connect_s, read_s or self._read_s)
        # A connection of its own: one that idled in a frozen Lambda may be dead, and a submit that fails
        # on it could not be told from one whose answer was lost.
        with requests.Session() as session:
            session.trust_env = False
            for scheme in ("http://", "https://"):
                session.mount(scheme, _Adapter())
            request = self._prepare(session, requests.Request(method, url, sent, **body))
            try:
                # By the adapter: a session reads all of a redirect's body even where it does not follow it.
                with session.get_adapter(url).send(request, stream=True, timeout=timeout) as answer:
                    secrets = tuple(value.rpartition(" ")[2] for value in own.values())
                    fields = CaseInsensitiveDict({name: v.strip() for name, v in answer.headers.items()})
                    answered = body_for(fields)
                    fill(answered, _in_time(answer, timeout[1]), self._bytes_max)
                    return Reply(self.provider, answer.status_code, fields, answered, can_repeat, secrets)
            except (requests.RequestException, ValueError) as error:
                reason = f"{type(error).__name__} at {method} {urlsplit(url).path}"
                raise _loss(self.provider, reason, repeatable=can_repeat or _is_unsent(error)) from error

    def download(self, url: str, *, hops_max: int = 3, read_s: float | None = None) -> Reply | str:
        """GET a file with the provider's key, over redirects of its own origin.

        A redirect elsewhere is not followed: returns its address, for the fetcher of foreign addresses.
        """
        for _ in range(hops_max + 1):
            reply = self.send("GET", url, read_s=read_s)
            if reply.status not in REDIRECTS or "Location" not in reply.headers:
                return reply
            try:
                url = urljoin(self.base_url + url if url.startswith("/") else url, reply.headers["Location"])
            except ValueError:
                break
            if not self.is_own(url):
                return url
        raise ProviderFailed("The provider's output could not be fetched.")

    def is_own(self, url: str) -> bool:
        """Whether a URL has the base URL's scheme, host and port."""
        try:
            return _origin(url) == _origin(self.base_url)
        except ValueError:
            return False

    def _prepare(self, session: requests.Session, request: requests.Request) -> requests.PreparedRequest:
        """Raises `ProviderUnusable` for what cannot be sent: nothing was."""
        if request.json is not None:
            request.data, request.json = write_json(request.json), None
            request.headers["Content-Type"] = "application/json"
        try:
            prepared = session.prepare_request(request)
            session.get_adapter(str(prepared.url))
            for value in prepared.headers.values():
                value.encode("latin-1")
        except ValueError:  # its text may repeat the key
            raise ProviderUnusable(f"{self.provider}: the key or the address cannot be sent") from None
        return prepared


def body_for(headers: Mapping[str, str]) -> FileBody | JsonBody:
    """An empty body for an answer with these fields."""
    kind = _content_type(headers)
    return JsonBody() if kind == "application/json" or kind.endswith("+json") else FileBody()


def _content_type(headers: Mapping[str, str]) -> str:
    return headers.get("Content-Type", "").partition(";")[0].strip().lower()


def _in_time(answer: requests.Response, seconds_max: float) -> Iterator[bytes]:
    """Its chunks. Raises `requests.ReadTimeout` for an answer that drips."""
    ends_at = time.monotonic() + seconds_max
    for chunk in answer.iter_content(CHUNK_BYTES):
        yield chunk
        if time.monotonic() > ends_at:
            raise requests.ReadTimeout("the answer did not end in time")


class _Adapter(requests.adapters.HTTPAdapter):
    """As its base, but for the 1xx ahead of an answer: they are passed over."""

    def init_poolmanager(self, *how: Any, **more: Any) -> None:
        super().init_poolmanager(*how, **more)
        pools = self.poolmanager.pool_classes_by_scheme
        self.poolmanager.pool_classes_by_scheme = {scheme: _final(pool) for scheme, pool in pools.items()}


@cache
def _final(pool: Any) -> Any:
    """A kind of connection pool whose connections give final answers alone."""
    connection = type("Connection", (pool.ConnectionCls,), {"response_class": FinalResponse})
    return type(pool.__name__, (pool,), {"ConnectionCls": connection})


def tells_no_outcome(status: int, *, known: bool) -> bool:
    """Whether an error leaves open if the request was taken, and is being worked on and paid for.

    A gateway's always does, whatever its body says; a 503 says that nothing was taken; any other 5xx tells
    as much as its body does. `known`: that is an error in the provider's own words.
    """
    return status in GATEWAY or (status >= 500 and status != 503 and not known)


def retry_after_seconds(headers: Mapping[str, str]) -> int | None:
    """The wait a provider asks for, at least 1 s; None where it asks for none, or in words that are neither.

    `Retry-After` is seconds or a date (RFC 9110, 10.2.3); `Retry-After-Ms` is OpenAI's finer one.
    """
    for name, per_second in (("Retry-After-Ms", 1000), ("Retry-After", 1)):
        try:
            return _bounded(float(headers.get(name, "")) / per_second)
        except (ValueError, OverflowError):
            continue
    try:
        at = parsedate_to_datetime(headers.get("Retry-After", ""))
    except (ValueError, OverflowError):
        return None
    return _bounded((at.replace(tzinfo=at.tzinfo or UTC) - datetime.now(UTC)).total_seconds())


def _bounded(wait_s: float) -> int:
    """Raises `ValueError`, `OverflowError` for what is no number of seconds."""
    return min(max(1, math.ceil(wait_s)), RETRY_SECONDS_MAX)


def _origin(url: str) -> tuple[str, str | None, int | None]:
    """Raises `ValueError` for what is no URL."""
    parts = urlsplit(url)
    return parts.scheme, parts.hostname, parts.port or {"http": 80, "https": 443}.get(parts.scheme)


def _loss(provider: str, reason: str, *, repeatable: bool) -> ShoalError:
    logger.warning("provider did not answer", extra={"provider": provider, "detail": reason})
    said = f"{provider} did not answer: {reason}"
    return ProviderBusy(said, retry_after_seconds=RETRY_SECONDS) if repeatable else OutcomeUnknown(said)


def _is_unsent(error: Exception) -> bool:
    """Whether the connection itself was not made, so that nobody can have taken the request."""
    if isinstance(error, requests.ConnectTimeout):
        return True
    reason = getattr(error.args[0] if error.args else None, "reason", None)
    names = {type_.__name__ for type_ in type(reason).__mro__}
    return bool(names & {"NewConnectionError", "ConnectTimeoutError"}) or "CERTIFICATE_VERIFY" in str(reason)
