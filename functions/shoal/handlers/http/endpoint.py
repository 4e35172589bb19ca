"""What every Lambda behind the HTTP API does around its use case: decode, answer, render errors, log, count.

API Gateway finds the function of a path, so there is no second router here. It sends a path's every method to
it, so the method is checked here, before anything else is done. Who may ask, and in whose words errors are
told, stands in the route's row.
"""

from __future__ import annotations

import base64
import json
import re
import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, Generic, TypeVar

from aws_lambda_powertools.metrics import MetricUnit

from shoal.composition.accounts import GATE, Gate
from shoal.dialects.errors import neutral_error
from shoal.dialects.spoken import ApiUrl, SpokenApi, spoken
from shoal.domain import errors
from shoal.domain.api_key import Caller, Scope
from shoal.domain.events import traceparent_of
from shoal.domain.idempotency import IdempotencyKey
from shoal.domain.rate_limit import Ask
from shoal.handlers.http.json_body import json_object
from shoal.handlers.http.routes import BODY_BYTES_MAX, ROUTES, Route, dialect_around, methods_of
from shoal.observability import flush_metrics, logger, metrics
from shoal.use_cases.accounts.authenticate import require
from shoal.use_cases.jobs.await_job import WAIT_SECONDS_MAX

FRONT_HEADER = "x-shoal-front"
DATA_URI = re.compile(rb'"data:[^"\\]*"')
"""A `data:` URI in a body of JSON."""
HOLDING = frozenset({"submit_job", "read_job"})
"""Functions that hold a request until its job has ended, where the request prefers that."""

SIGNED = frozenset({"receive_callback", "receive_payment"})
"""Functions whose callers sign what they send: only what is refused counts for its source. What a provider
sends once must not be lost to a limit."""

_HEADERS = {
    "Content-Type": "application/json",
    "Cache-Control": "no-store",
    "X-Content-Type-Options": "nosniff",
    "Strict-Transport-Security": "max-age=63072000; includeSubDomains",
    "Content-Security-Policy": "default-src 'none'; frame-ancestors 'none'",
    "Referrer-Policy": "no-referrer",
}

Proxied = dict[str, Any]
"""What a Lambda returns to the HTTP API: an answer of payload format 2.0."""
UseCases = TypeVar("UseCases")
Handler = Callable[[dict[str, Any], Any], Proxied]


@dataclass(frozen=True, slots=True)
class Answer:
    """What the caller gets: JSON, or text whose type the headers tell, or nothing."""

    status: int
    body: Mapping[str, Any] | str | None
    headers: Mapping[str, str] = field(default_factory=dict)


class Request:
    """One HTTP request, an event of payload format 2.0, read lazily.

    `remaining_ms` tells what the Lambda has left of its time.
    """

    def __init__(self, event: Mapping[str, Any], remaining_ms: Callable[[], int]) -> None:
        self._event = event
        self._remaining_ms = remaining_ms
        self._caller: Caller | None = None
        self._chosen: SpokenApi | None = None
        self.headers_out: dict[str, str] = {"X-Request-Id": event["requestContext"]["requestId"]}

    @property
    def seconds_left(self) -> int:
        """What the Lambda has left of its time by now."""
        return self._remaining_ms() // 1000

    @property
    def route(self) -> str:
        """The API's own name of the route, such as `POST /v1/generate`, or `$default`."""
        return f"{self.method} {self.pattern}" if self.pattern else str(self._event["routeKey"])

    @property
    def pattern(self) -> str:
        """The path of the route, such as `/v1/jobs/{id}`: however the address was written that led to it.

        Empty for an address that no route has.
        """
        return str(self._event["routeKey"]).partition(" ")[2]

    @property
    def method(self) -> str:
        """`GET` for a `HEAD` too, which is answered alike."""
        return "GET" if self.bodiless else self._sent_method

    @property
    def wrong_method(self) -> bool:
        """Whether the path has routes, but none for the method."""
        methods = methods_of(self.pattern)
        return bool(methods) and self.method not in methods

    @property
    def bodiless(self) -> bool:
        """Whether only the head of the answer is asked for."""
        return self._sent_method == "HEAD"

    @property
    def _sent_method(self) -> str:
        return str(self._event["requestContext"]["http"]["method"])

    @property
    def path(self) -> str:
        return str(self._event["rawPath"])

    @property
    def without_slash(self) -> str:
        """The address without the slash at its end, relative to it, with its query."""
        query = str(self._event.get("rawQueryString") or "")
        last = self.path.rstrip("/").rpartition("/")[2]
        return f"../{last}" + (f"?{query}" if query else "")

    @property
    def query(self) -> Mapping[str, str]:
        return self._event.get("queryStringParameters") or {}

    @cached_property
    def headers(self) -> Mapping[str, str]:
        """Header fields with lower-case names, as the HTTP API hands them over."""
        return {name.lower(): value for name, value in (self._event.get("headers") or {}).items()}

    @property
    def traceparent(self) -> str | None:
        """The trace that the request is a part of, by W3C Trace Context; None without one that is valid."""
        return traceparent_of(self.headers.get("traceparent"))

    def source(self, front_token: str) -> str:
        """The viewer's address; an IPv6 network of 64 bits is one source.

        Before it may be the firewall, which says so with a token and adds the viewer's to `X-Forwarded-For`,
        to which API Gateway adds the firewall's own. Nobody else is believed about that header.
        """
        address = str(self._event["requestContext"]["http"]["sourceIp"])
        passed = self.headers.get("x-forwarded-for", "").split(",")
        if front_token and self.headers.get(FRONT_HEADER) == front_token and len(passed) > 1:
            address = passed[-2].strip()
        return ":".join(address.split(":")[:4]) if ":" in address else address

    @property
    def cookies(self) -> list[str]:
        """`name=value`, each."""
        return self._event.get("cookies") or []

    def path_parameter(self, name: str) -> str:
        """A part of the path, decoded: API Gateway has decoded every escape but that of `%` itself."""
        return str((self._event.get("pathParameters") or {}).get(name, "")).replace("%25", "%")

    @property
    def row(self) -> Route:
        """The route's; that of `$default` where the path does not take the method."""
        return ROUTES.get(self.route, ROUTES["$default"])

    @property
    def dialect(self) -> SpokenApi:
        """The API that is spoken here. Raises `LookupError` on a route without one."""
        return self._chosen or spoken(self.row.dialect or "")

    def dialect_of(self, body: Mapping[str, Any]) -> SpokenApi:
        """The API that the body speaks, in whose words errors are told from here on.

        Raises `ValidationFailed` for a body that speaks none.
        """
        self._chosen = self.dialect.of(body)
        return self._chosen

    def error_body(self, error: errors.ApiError, api_url: ApiUrl) -> Mapping[str, Any]:
        """An error in the words of the route, or in those that all callers of such an address can read."""
        if self.row.path:
            self._look_who_speaks()
            return self.dialect.render_error(error, api_url) if self.row.dialect else neutral_error(error)
        around = dialect_around(self.pattern or self.path)
        if around is None or spoken(around).reads_neutral:
            return neutral_error(error)
        return spoken(around).render_error(error, api_url)

    def _look_who_speaks(self) -> None:
        """Who speaks reads one shape, whatever fails: an error looks into a body that nobody has read yet."""
        if self.row.dialect and self._chosen is None and self.dialect.choose:
            with suppress(
                errors.ApiError
            ):  # it cannot be read, or says neither: then in words that all can read
                self.dialect_of(self.json_object())

    @property
    def caller(self) -> Caller:
        """Who is asking. Raises `LookupError` on a route whose row has no scope."""
        if self._caller is None:
            raise LookupError(f"{self.route} asks for no key")
        return self._caller

    @property
    def ask(self) -> Ask:
        """What it asks of its key's limits."""
        hold_s = 0
        if "prefer" in self.headers and self.row.verb in HOLDING:
            from shoal.dialects.fields import parse_wait_s

            hold_s = min(parse_wait_s(self.headers["prefer"]), WAIT_SECONDS_MAX)
        return Ask(self.row.polls, hold_s)

    def admit(self, gate: Gate, scope: Scope) -> None:
        """Find the caller. Raises `Unauthorized`, `RateLimited`, `Forbidden`."""
        source = self.source(gate.front_token())
        self._caller = caller = gate.authenticate(self.headers.get("authorization"), self.ask, source)
        self.headers_out |= caller.allowance.headers()
        logger.append_keys(account_id=caller.account_id, key_id=caller.key_id)
        require(caller, scope)

    @cached_property
    def body(self) -> bytes:
        """The raw body. Raises `PayloadTooLarge`."""
        raw: str = self._event.get("body") or ""
        try:
            data = (
                base64.b64decode(raw, validate=True) if self._event.get("isBase64Encoded") else raw.encode()
            )
        except ValueError:
            raise errors.InvalidJson() from None
        if len(data) > self.row.body_bytes_max:
            raise errors.PayloadTooLarge.of(self.row.body_bytes_max)
        return data

    @property
    def media_type(self) -> str:
        """What the body is said to be, without parameters; JSON if nothing is said."""
        return self.headers.get("content-type", "application/json").partition(";")[0].strip().lower()

    def json_object(self) -> dict[str, Any]:
        """The body as a JSON object.

        Raises `PayloadTooLarge`, `UnsupportedMediaType` also for what is compressed, `InvalidJson`, and
        `ValidationFailed` for JSON that is no object.
        """
        data = self.body
        if self.headers.get("content-encoding", "identity").strip().lower() not in ("", "identity"):
            raise errors.UnsupportedMediaType(
                "Send the body as it is: no Content-Encoding but identity is taken.",
                headers={"Accept-Encoding": "identity"},
            )
        if self.media_type != "application/json":
            raise errors.UnsupportedMediaType()
        if len(data) > BODY_BYTES_MAX:
            _check_beside_data(data)
        if self.lost_bytes:
            raise errors.InvalidJson()
        return json_object(data)

    @property
    def lost_bytes(self) -> bool:
        """Whether API Gateway may have put U+FFFD for bytes that are no UTF-8: it hands text over as text.

        The bytes are gone then, and a character that was cut after its third byte leaves the length as it
        was: nothing tells it from a U+FFFD that was sent as such. Who means that one escapes it.
        """
        return not self._event.get("isBase64Encoded") and "\ufffd" in (self._event.get("body") or "")

    def optional_json_object(self) -> dict[str, Any]:
        """The body as a JSON object, empty if there is no body. Raises as `json_object` does."""
        return self.json_object() if self.body else {}

    def idempotency_key(self, caller: Caller, route: str, body: Mapping[str, Any]) -> IdempotencyKey | None:
        """The caller's `Idempotency-Key`, counting within `route`. Raises `ValidationFailed`."""
        key = self.headers.get("idempotency-key")
        return None if key is None else IdempotencyKey.of(caller.account_id, route, key, body)


def _check_beside_data(data: bytes) -> None:
    """Raises `PayloadTooLarge`: what is built of JSON takes many times its bytes, but of a `data:` URI."""
    beside = DATA_URI.sub(b"", data)
    if len(beside) > BODY_BYTES_MAX:
        said = " beside its data: URIs" if len(beside) < len(data) else ""
        raise errors.PayloadTooLarge(f"The request body is larger than 1 MB{said}.")


@dataclass(frozen=True, slots=True)
class Endpoint(Generic[UseCases]):
    """A Lambda handler around `handle`, which gets what `build` makes when a request first needs it.

    `ahead` may refuse a request, or begin to read something, before the caller's key is looked up.
    """

    build: Callable[[], UseCases]
    handle: Callable[[Request, UseCases], Answer]
    ahead: Callable[[Request, UseCases], None] | None = None
    gate: Gate = GATE

    def __call__(self, event: dict[str, Any], context: Any) -> Proxied:
        return frame(self._respond, self.gate)(event, context)

    def _respond(self, request: Request) -> Proxied:
        return _to_proxy(request, _answer(self._admitted, request, self.gate))

    def _admitted(self, request: Request) -> Answer:
        if self.ahead:
            self.ahead(request, self.build())
        if request.row.scope:
            request.admit(self.gate, request.row.scope)
        elif request.row.verb not in SIGNED:
            self.gate.limit_open(request.source(self.gate.front_token()))
        try:
            return self.handle(request, self.build())
        except errors.ApiError:
            if request.row.verb in SIGNED:
                self.gate.limit_open(request.source(self.gate.front_token()))
            raise


def frame(respond: Callable[[Request], Proxied], gate: Gate = GATE) -> Handler:
    """A Lambda handler around `respond`, which is only asked by methods that the path has."""

    def handler(event: dict[str, Any], context: Any) -> Proxied:
        started = time.monotonic_ns()
        request = Request(event, context.get_remaining_time_in_millis)
        logger.append_keys(request_id=request.headers_out["X-Request-Id"])
        try:
            if request.wrong_method:
                answer = _to_proxy(request, _answer(_refuse, request, gate))
            else:
                answer = respond(request)
            _report(request, answer["statusCode"], (time.monotonic_ns() - started) // 1_000_000)
        finally:
            flush_metrics()
            logger.clear_state()
        return answer | {"body": "", "isBase64Encoded": False} if request.bodiless else answer

    return handler


def _refuse(request: Request) -> Answer:
    """204 with `Allow` for `OPTIONS`. Raises `MethodNotAllowed` for any other method.

    On a stage with CORS, API Gateway answers a browser's preflight by itself. AWS says that a route for every
    method also catches `OPTIONS`; then the gateway puts its CORS headers onto this answer, and drops any that
    were set here. A preflight has no key and needs a 2xx, so this answer is right in both cases.
    """
    allow = {"Allow": ", ".join(methods_of(request.pattern))}
    if request.method == "OPTIONS":
        return Answer(204, None, allow)
    raise errors.MethodNotAllowed(headers=allow)


def _to_proxy(request: Request, answer: Answer) -> Proxied:
    return {
        "statusCode": answer.status,
        "headers": _HEADERS | request.headers_out | dict(answer.headers),
        "body": _text(answer.body),
    }


def _text(body: Mapping[str, Any] | str | None) -> str:
    if body is None or isinstance(body, str):
        return body or ""
    return json.dumps(body, ensure_ascii=False)


def _answer(handle: Callable[[Request], Answer], request: Request, gate: Gate) -> Answer:
    try:
        return handle(request)
    except errors.ApiError as error:
        refused = error
    except Exception:  # noqa: BLE001 - the last line of defence: logged whole, shown as internal_error
        logger.exception("unexpected error")
        refused = errors.InternalError()
    return Answer(refused.status, request.error_body(refused, gate.api_url), refused.headers)


def _report(request: Request, status: int, duration_ms: int) -> None:
    """One line of the log for a request, and a count of what went wrong."""
    logger.info("request", extra={"route": request.route, "status": status, "duration_ms": duration_ms})
    if status >= 400:
        kind = "ApiErrors5xx" if status >= 500 else "ApiErrors4xx"
        metrics.add_metric(name=kind, unit=MetricUnit.Count, value=1)
