"""Rates beside that of a key: of an account over all its keys, of a session, of who is not signed in."""

from __future__ import annotations

import hashlib
import logging
from collections import Counter
from dataclasses import dataclass, field

from shoal.domain.api_key import Caller
from shoal.domain.errors import RateLimited, Unavailable
from shoal.domain.rate_limit import OPEN_REQUESTS_PER_MINUTE, RateLimit
from shoal.ports.limits import Rates
from shoal.ports.system import Clock

logger = logging.getLogger(__name__)

BLOCK = 10
"""A process lets so many requests of a subject through before it counts them, all in one write: that many
pass beyond a limit in each process, and no more."""
SUBJECTS_MAX = 10_000
"""Of which a process keeps count."""
ACCOUNT = RateLimit(300, 100)
"""Over all keys of an account: five of the usual rate. A key with a higher rate has that."""
SESSION = RateLimit(300, 100)
SOURCE = RateLimit(120, 120)
SOURCE_FORMS = RateLimit(60, 40)
OPEN = RateLimit.of_rate(OPEN_REQUESTS_PER_MINUTE)
EMAIL_FORMS = RateLimit(10, 10)


@dataclass(slots=True)
class LimitRates:
    rates: Rates
    clock: Clock
    open_limit: RateLimit = OPEN
    _uncounted: Counter[str] = field(default_factory=Counter)
    _refused_until_ms: dict[str, int] = field(default_factory=dict)

    def of_account(self, caller: Caller, *, polls: bool) -> None:
        """Over all keys of an account, never below the limit of the one that asks. Raises `RateLimited`."""
        limit, of_key = ACCOUNT.of_polls if polls else ACCOUNT, caller.allowance.limit
        limit = RateLimit(
            max(limit.requests_per_minute, of_key.requests_per_minute),
            max(limit.burst, of_key.burst + BLOCK),  # what is counted late finds a bucket that refilled less
        )
        self._count(f"ACCOUNT#{caller.account_id}{'#polls' if polls else ''}", limit)

    def of_session(self, digest: str) -> None:
        """Raises `RateLimited`."""
        self._count(f"SESSION#{digest}", SESSION)

    def of_guest(self, source: str, email: str | None) -> None:
        """A page, or with `email` a form that names an address. Raises `RateLimited`."""
        if email is None:
            self._count(f"SOURCE#{source}", SOURCE)
            return
        now_ms = self.clock.now_ms()
        self.rates.count(f"SOURCE#{source}#forms", SOURCE_FORMS, now_ms)
        if email:
            digest = hashlib.sha256(email.strip().lower().encode()).hexdigest()
            self.rates.count(f"EMAIL#{digest}", EMAIL_FORMS, now_ms)

    def of_open(self, source: str) -> None:
        """A request to the API that no key stands for: to an open route, or with a key nobody has.

        Raises `RateLimited`.
        """
        try:
            self._count(f"SOURCE#{source}#api", self.open_limit)
        except Unavailable:
            # It costs next to nothing, and whether the API is there must be told when the table is not.
            logger.warning("not counted", exc_info=True)

    def check_open(self, source: str) -> None:
        """Raises `RateLimited` while the source is refused here. Asks nobody."""
        self._check(f"SOURCE#{source}#api", self.clock.now_ms())

    def _check(self, subject: str, now_ms: int) -> None:
        if (until_ms := self._refused_until_ms.get(subject, 0)) > now_ms:
            raise _refusal(subject, until_ms - now_ms)

    def _count(self, subject: str, limit: RateLimit) -> None:
        now_ms = self.clock.now_ms()
        self._check(subject, now_ms)
        self._uncounted[subject] += 1
        if self._uncounted[subject] < BLOCK:
            return
        block = self._uncounted.pop(subject)  # before the write, or a request beside it counts them again
        self._forget_others()
        try:
            self.rates.count(subject, limit, now_ms, block)
        except RateLimited as refused:
            self._uncounted[subject] = BLOCK - 1
            self._refused_until_ms[subject] = now_ms + 1000 * int(refused.headers["Retry-After"])
            raise

    def _forget_others(self) -> None:
        if len(self._uncounted) + len(self._refused_until_ms) > SUBJECTS_MAX:
            self._uncounted = Counter(dict(self._uncounted.most_common(BLOCK)))
            self._refused_until_ms.clear()


def _refusal(subject: str, wait_ms: int) -> RateLimited:
    return RateLimited(
        "Too many requests.",
        details={"limit": subject.partition("#")[0].lower()},
        retry_after_seconds=-(-wait_ms // 1000),
    )
