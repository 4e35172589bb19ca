"""Submits and quotes from pages, in the words of the API: the same parsers, the same use cases."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from shoal.composition.dashboard import ForMembers
from shoal.dialects.spoken import spoken
from shoal.domain import families
from shoal.domain.idempotency import IdempotencyKey
from shoal.domain.submission import Submission
from shoal.handlers.web.visit import Visit

ROUTE = "POST /dashboard/playground"
"""What the idempotency keys of forms count within."""


def parse(visit: Visit[ForMembers], body: Mapping[str, Any], dialect: families.Family) -> Submission:
    """Raises what the parser of the dialect raises."""
    return spoken(dialect.spelling).parse(body, visit.site.catalog())


def submit(visit: Visit[ForMembers], body: Mapping[str, Any], dialect: families.Family) -> str:
    """The id of the job; the same form sent twice is one job. Raises what a submit raises."""
    key = IdempotencyKey.of(visit.session.account_id, ROUTE, visit.once, body)
    accepted, trace = spoken(dialect.spelling).accepted, visit.request.traceparent
    asked = lambda: replace(parse(visit, body, dialect), traceparent=trace)  # noqa: E731
    return visit.use.submit_job()(visit.caller, asked, key, accepted).job_id
