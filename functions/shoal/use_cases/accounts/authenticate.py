"""Who is asking, and may they."""

from __future__ import annotations

from dataclasses import dataclass, field

from shoal.domain.api_key import Caller, Scope, digest_of
from shoal.domain.errors import Forbidden, Unauthorized
from shoal.domain.rate_limit import ONE_REQUEST, Ask
from shoal.ports.accounts import Keys
from shoal.ports.system import Clock
from shoal.use_cases.accounts.limit_rates import LimitRates

KNOWN_MAX = 10_000
"""Keys of which a process remembers that they are somebody's."""


@dataclass(frozen=True, slots=True)
class Authenticate:
    keys: Keys
    clock: Clock
    limit_rates: LimitRates
    _known: set[str | None] = field(default_factory=set)

    def __call__(self, authorization: str | None, ask: Ask = ONE_REQUEST, source: str = "") -> Caller:
        """The caller behind an `Authorization` header. Raises `Unauthorized`, `RateLimited`.

        Keys that nobody has count for their `source`. Once it is refused, only keys that were good here
        before are looked up: guessing costs the one who guesses, and not those who share its address.
        """
        scheme, _, key = (authorization or "").strip().partition(" ")
        digest = digest_of(key.strip()) if scheme.lower() == "bearer" else None
        if digest not in self._known:
            self.limit_rates.check_open(source)
        try:
            caller = self._admit(digest, ask)
        except Unauthorized:
            self._known.discard(digest)
            self.limit_rates.of_open(source)
            raise
        self.limit_rates.of_account(caller, polls=ask.polls)
        return caller

    def _admit(self, digest: str | None, ask: Ask) -> Caller:
        """Raises `Unauthorized`, `RateLimited`."""
        if digest is None:
            raise Unauthorized()
        caller = self.keys.admit(digest, self.clock.now_ms(), ask)
        if len(self._known) < KNOWN_MAX:
            self._known.add(digest)
        return caller


def require(caller: Caller, scope: Scope) -> None:
    """Raises `Forbidden` when the caller's key lacks the scope."""
    if scope not in caller.scopes:
        raise Forbidden(details={"scope": scope.value})
