"""Offer a quote that may be acted on, and act on it: at most once, at its price, for its request only."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any

from shoal.domain.api_key import Caller
from shoal.domain.errors import NotFound, ValidationFailed
from shoal.domain.idempotency import IdempotencyKey, fingerprint
from shoal.domain.ids import ulid_of
from shoal.domain.job import Job
from shoal.domain.quoted import LIFETIME_MS, QuotedRequest, Quotes
from shoal.domain.submission import Submission
from shoal.ports.system import Clock, Ids
from shoal.use_cases.jobs.submit_job import Answered, SubmitJob

ROUTE = "POST /mcp"
"""Where the idempotency keys of spent quotes count."""
PREFIX = "quo"
UNKNOWN = "There is no such quote, or it has expired: ask for a new one."


@dataclass(frozen=True, slots=True)
class OfferQuote:
    quotes: Quotes
    clock: Clock
    ids: Ids

    def __call__(
        self, caller: Caller, tool: str, body: Mapping[str, Any], submission: Submission
    ) -> QuotedRequest:
        """Nothing is held. Raises `MaxCostExceeded` where spending the quote would."""
        submission.check_max_cost()
        now_ms = self.clock.now_ms()
        quoted = QuotedRequest(
            id=self.ids.new(PREFIX, now_ms),
            account_id=caller.account_id,
            test=caller.test,
            tool=tool,
            fingerprint=fingerprint(body),
            terms=submission.terms,
            price_version=submission.price_version,
            expires_at_ms=now_ms + LIFETIME_MS,
        )
        self.quotes.add(quoted)
        return quoted


@dataclass(frozen=True, slots=True)
class SpendQuote:
    quotes: Quotes
    submit_job: SubmitJob
    clock: Clock

    def __call__(
        self,
        caller: Caller,
        tool: str,
        quote_id: str,
        body: Mapping[str, Any],
        read: Callable[[], Submission],
        render: Callable[[Job], Mapping[str, Any]],
    ) -> Answered:
        """Submit the quoted request at its quoted price. The same again gets the same answer for nothing.

        Raises `NotFound` for a quote that is unknown or has expired unused, `ValidationFailed` that names
        both for another request than the quoted one, and what `SubmitJob` raises.
        """
        if ulid_of(PREFIX, quote_id) is None:
            raise NotFound(UNKNOWN)
        now_ms = self.clock.now_ms()
        key = IdempotencyKey.of(caller.account_id, caller.counts_in(ROUTE), quote_id, body)
        quoted = self.quotes.get(caller.account_id, quote_id)
        alive = quoted is not None and now_ms < quoted.expires_at_ms
        if quoted and alive:
            _check_same(quoted, tool, key, caller)

        def frozen() -> Submission:
            """Only what was not spent yet is read, and may have expired."""
            if quoted is None or not alive:
                raise NotFound(UNKNOWN)
            return replace(read(), terms=quoted.terms, price_version=quoted.price_version)

        return self.submit_job(caller, frozen, key, render)


def _check_same(quoted: QuotedRequest, tool: str, key: IdempotencyKey, caller: Caller) -> None:
    """Raises `ValidationFailed`."""
    if (quoted.tool, quoted.test) == (tool, caller.test) and key.said(quoted.fingerprint):
        return
    raise ValidationFailed(
        "This is not the request that was quoted: ask for a quote of this one.",
        details={
            "quote_id": quoted.id,
            "quoted": _named(quoted.tool, quoted.fingerprint, quoted.test),
            "this": _named(tool, key.fingerprint, caller.test),
        },
    )


def _named(tool: str, fingerprint: str, test: bool) -> dict[str, Any]:
    return {"tool": tool, "request": fingerprint, "test": test}
