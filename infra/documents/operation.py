"""What an operation of the API is, as data."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from shoal.dialects.spoken import Shape, spoken
from shoal.domain.api_key import Scope
from shoal.domain.errors import (
    ApiError,
    Forbidden,
    IdempotencyInFlight,
    IdempotencyKeyReused,
    InternalError,
    InvalidJson,
    MethodNotAllowed,
    NotFound,
    PayloadTooLarge,
    RateLimited,
    Unauthorized,
    Unavailable,
    UnsupportedMediaType,
    ValidationFailed,
)
from shoal.handlers.http.routes import ROUTES, Route

BODY_ERRORS = (InvalidJson, PayloadTooLarge, UnsupportedMediaType, ValidationFailed)
UNREADABLE = {*BODY_ERRORS} - {ValidationFailed}
"""What `POST /v1/generate` refuses because it cannot see which dialect the body speaks."""
UNDECIDED = {Unauthorized, Forbidden, RateLimited, ValidationFailed, InternalError, Unavailable}
"""What it may refuse in the words of the body, or in neutral ones if the body says neither."""


@dataclass(frozen=True, kw_only=True)
class Operation:
    """One public route.

    `answers` are what a success may be, by status; None is an answer without a body. `body` and `query` name
    components. `raises` are errors beside those that follow from the rest. The route's row tells `shapes`,
    the dialects whose words its errors have, and `scope`, None where no key is needed. `traced`: its job
    has the trace of the request. `cached`: the answer has an ETag. `media_type` is what a success without a
    schema is. `links`: what may follow, by operation: where in the exchange each of its parameters is.
    `takes_file`: the body may also be a form with a file, or the file.
    """

    id: str
    tag: str
    summary: str
    text: str = ""
    shapes: tuple[Shape, ...] = ()
    scope: Scope | None = None
    body: str | None = None
    body_required: bool = True
    query: tuple[str, ...] = ()
    answers: Mapping[int, tuple[type[Any], ...]] = field(default_factory=dict)
    raises: tuple[type[ApiError], ...] = ()
    idempotent: bool = False
    waits: bool = False
    traced: bool = False
    csv: bool = False
    cached: bool = False
    media_type: str = "application/json"
    takes_file: bool = False
    links: Mapping[str, Mapping[str, str]] = field(default_factory=dict)

    def errors(self, path: str) -> Iterator[type[ApiError]]:
        """All that it may answer instead of a success."""
        yield from self.raises
        yield from (InternalError, MethodNotAllowed, RateLimited)
        if self.scope is not None:
            yield from (Unauthorized, Forbidden, Unavailable)
        if self.body is not None:
            yield from BODY_ERRORS
        if self.query or self.idempotent:
            yield ValidationFailed
        if self.idempotent:
            yield from (IdempotencyInFlight, IdempotencyKeyReused)
        if "{" in path:
            yield NotFound

    def shapes_of(self, error: type[ApiError]) -> tuple[Shape, ...]:
        """Those in which it says this error."""
        if error is MethodNotAllowed and self.shapes != ("video",):
            return ("neutral",)
        if "neutral" not in self.shapes:
            return self.shapes
        if error in UNREADABLE:
            return ("neutral",)
        if error in UNDECIDED:
            return self.shapes
        return tuple(shape for shape in self.shapes if shape != "neutral")


def routed(operations: Mapping[str, Operation]) -> dict[str, Operation]:
    """The operations by route, with what the rows of their routes tell.

    OpenAPI has no `{id+}`: there an `{id}` with slashes is one whose slashes are encoded.
    """
    rows = {name.replace("+}", "}"): row for name, row in ROUTES.items()}
    return {
        name: replace(operation, shapes=_shapes(rows[name]), scope=rows[name].scope)
        for name, operation in operations.items()
    }


def _shapes(row: Route) -> tuple[Shape, ...]:
    return spoken(row.dialect).shapes if row.dialect else ("neutral",)
