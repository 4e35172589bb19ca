"""Who is asking, and may they."""

from __future__ import annotations

from dataclasses import dataclass

from shoal.domain.api_key import Caller, Scope, digest_of
from shoal.domain.errors import Forbidden, Unauthorized
from shoal.domain.rate_limit import ONE_REQUEST, Ask
from shoal.ports.accounts import Keys
from shoal.ports.system import Clock
from shoal.use_cases.accounts.limit_rates import LimitRates


@dataclass(frozen=True, slots=True)
class Authenticate:
    keys: Keys
    clock: Clock
    limit_rates: LimitRates

    def __call__(self, authorization: str | None, ask: Ask = ONE_REQUEST) -> Caller:
        """The caller behind an `Authorization` header. Raises `Unauthorized`, `RateLimited`."""
        scheme, _, key = (authorization or "").strip().partition(" ")
        digest = digest_of(key.strip()) if scheme.lower() == "bearer" else None
        if digest is None:
            raise Unauthorized()
        caller = self.keys.admit(digest, self.clock.now_ms(), ask)
        self.limit_rates.of_account(caller, polls=ask.polls)
        return caller


def require(caller: Caller, scope: Scope) -> None:
    """Raises `Forbidden` when the caller's key lacks the scope."""
    if scope not in caller.scopes:
        raise Forbidden(details={"scope": scope.value})
