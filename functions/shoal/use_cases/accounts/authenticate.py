"""Who is asking, and may they."""

from __future__ import annotations

from dataclasses import dataclass

from shoal.domain.api_key import Caller, Scope, digest_of
from shoal.domain.errors import Forbidden, Unauthorized
from shoal.ports.accounts import Keys
from shoal.ports.system import Clock


@dataclass(frozen=True, slots=True)
class Authenticate:
    keys: Keys
    clock: Clock

    def __call__(self, authorization: str | None) -> Caller:
        """The caller behind an `Authorization` header. Raises `Unauthorized`, `RateLimited`."""
        scheme, _, key = (authorization or "").strip().partition(" ")
        digest = digest_of(key.strip()) if scheme.lower() == "bearer" else None
        if digest is None:
            raise Unauthorized()
        return self.keys.admit(digest, self.clock.now_ms())


def require(caller: Caller, scope: Scope) -> None:
    """Raises `Forbidden` when the caller's key lacks the scope."""
    if scope not in caller.scopes:
        raise Forbidden(details={"scope": scope.value})
