"""HTTP to addresses callers chose, as the use cases need it."""

from __future__ import annotations

from shoal.adapters.http.vetted_http import WITH_CONTENT, VettedHttp, resolve
from shoal.domain.addresses import LOCAL_RULES, AddressRules, vet
from shoal.domain.errors import ResponseInvalid


class VettedCallerHttp:
    """Implements the `CallerHttp` port. `loopback_allowed`: the local stage's looser rules."""

    def __init__(self, *, loopback_allowed: bool) -> None:
        self._rules = LOCAL_RULES if loopback_allowed else AddressRules()
        self._http = VettedHttp(self._rules)

    def vet(self, url: str) -> None:
        vet(url, self._rules, resolve)

    def fetch(self, url: str, *, bytes_max: int, seconds_max: float) -> bytes:
        answer = self._http.send(
            "GET", url, wall_clock_seconds=seconds_max, response_bytes_max=bytes_max, too_long="refuse"
        )
        if answer.status not in WITH_CONTENT:
            raise ResponseInvalid(f"The URL answered with status {answer.status}, not 200.")
        return answer.body
