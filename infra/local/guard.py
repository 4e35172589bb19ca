"""Who gets in to the emulator: programs that hold this run's credentials.

The emulator takes any request, and so any page that a browser of this machine has open could create
functions and run them. In front of it stands what AWS has: a signature by known credentials, except where
AWS asks for none either.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from urllib.parse import parse_qs

from botocore.session import Session
from hypercorn.typing import (
    ASGIFramework,
    ASGIReceiveCallable,
    ASGIReceiveEvent,
    ASGISendCallable,
    HTTPScope,
    Scope,
)
from ministack import app as emulator  # type: ignore[import-untyped]
from ministack.core import iam_evaluator, sigv4  # type: ignore[import-untyped]
from ministack.services import cloudfront  # type: ignore[import-untyped]

from infra.local.pages import READS, headers_of, of_own_page, of_this_machine, refuse

HEALTH_PATH = "/_ministack/health"
KEYS_PATH = "/.well-known/jwks.json"
USER_POOLS = "AWSCognitoIdentityProviderService."

Headers = Mapping[str, str]
Query = Mapping[str, list[str]]


class Guard:
    """An ASGI application that hands the emulator only what AWS would serve. WebSockets are not used here."""

    def __init__(self, cloud: ASGIFramework) -> None:
        self._cloud = cloud

    async def __call__(self, scope: Scope, receive: ASGIReceiveCallable, send: ASGISendCallable) -> None:
        if scope["type"] == "lifespan":
            await self._cloud(scope, receive, send)
        elif scope["type"] == "http":
            await self._serve(scope, receive, send)

    async def _serve(self, scope: HTTPScope, receive: ASGIReceiveCallable, send: ASGISendCallable) -> None:
        received = [await receive()]
        while received[-1]["type"] == "http.request" and received[-1]["more_body"]:
            received.append(await receive())
        body = b"".join(each["body"] for each in received if each["type"] == "http.request")
        if problem := _problem(scope, body):
            await refuse(send, problem)
        else:
            await self._cloud(scope, _again(received, receive), send)


def _problem(scope: HTTPScope, body: bytes) -> str | None:
    """Why the request is refused, or None."""
    method, headers = scope["method"], headers_of(scope)
    query = parse_qs(scope["query_string"].decode("latin-1"), keep_blank_values=True)
    signed_address = "X-Amz-Signature" in query
    if not of_this_machine(headers):
        return "This address answers to names of this machine alone."
    # A player on the stage's page fetches signed addresses from here, which is another origin than its own.
    if not of_own_page(method, headers) and not (signed_address and method in READS):
        return "Pages of other sites may not call this address."
    if not signed_address and _public(scope, headers):
        return None
    return _flaw(scope, headers, query, body, presigned=signed_address)


def _public(scope: HTTPScope, headers: Headers) -> bool:
    """Whether AWS asks for no signature either: the HTTP API, the CDN, and what anybody may ask of a pool."""
    path, target = scope["path"], headers.get("x-amz-target")
    if target is not None:
        return target.startswith(USER_POOLS) and target.removeprefix(USER_POOLS) in _public_operations()
    if emulator._parse_execute_api_url(headers["host"], path) is not None:
        return True
    known = path == HEALTH_PATH or path.endswith(KEYS_PATH) or _of_a_distribution(headers["host"])
    return scope["method"] in READS and known


def _of_a_distribution(host: str) -> bool:
    label = emulator._parse_cloudfront_dataplane_host(host)
    return label is not None and cloudfront.find_distribution_for_label(label) is not None


@cache
def _public_operations() -> frozenset[str]:
    """The operations of user pools that take no signature, by AWS's own model."""
    model = Session().get_service_model("cognito-idp")
    return frozenset(
        name for name in model.operation_names if model.operation_model(name).auth_type == "none"
    )


def _flaw(scope: HTTPScope, headers: Headers, query: Query, body: bytes, *, presigned: bool) -> str | None:
    """What is wrong with the request's signature; None when it is that of credentials known here."""
    signature = sigv4.parse_query_signature(query) if presigned else sigv4.parse_header_signature(headers)
    if not isinstance(signature, sigv4.HeaderSignature):
        return "Sign the request with the credentials of this run."
    key_id = signature.access_key_id
    # A function's key is its account's number, where roles are not enforced.
    credential = iam_evaluator.resolve_credential(key_id, key_id if key_id.isdecimal() else None)
    if not isinstance(credential, iam_evaluator.ResolvedCredential):
        return "These are not credentials of this run."
    failure = sigv4.header_signature_failure(
        signature,
        credential.secret_access_key,
        scope["method"],
        scope["raw_path"].decode("latin-1"),
        query,
        headers,
        body,
        presigned=presigned,
    )
    return failure and str(failure[1])


def _again(received: list[ASGIReceiveEvent], receive: ASGIReceiveCallable) -> ASGIReceiveCallable:
    """What was received, and then what comes."""
    events = iter(received)

    async def replay() -> ASGIReceiveEvent:
        return next(events, None) or await receive()

    return replay
