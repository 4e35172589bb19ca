"""HTTP to addresses callers chose, as the use cases need it."""

from __future__ import annotations

import io
from typing import TYPE_CHECKING

from shoal.adapters.http.vetted_http import WITH_CONTENT, VettedHttp, resolve
from shoal.adapters.outputs.picture_header import START_BYTES, check_picture_start
from shoal.domain.addresses import LOCAL_RULES, AddressRules, vet
from shoal.domain.errors import ResponseInvalid

if TYPE_CHECKING:
    from _typeshed import ReadableBuffer


class _Picture(io.BytesIO):
    """Takes bytes that begin as a picture does; `write` raises `OutputInvalid` for others."""

    def write(self, data: ReadableBuffer, /) -> int:
        checked = self.tell() >= START_BYTES
        size = super().write(data)
        if not checked and self.tell() >= START_BYTES:
            check_picture_start(self.getvalue())
        return size


class VettedCallerHttp:
    """Implements the `CallerHttp` port. `loopback_allowed`: the local stage's looser rules."""

    def __init__(self, *, loopback_allowed: bool) -> None:
        self._rules = LOCAL_RULES if loopback_allowed else AddressRules()
        self._http = VettedHttp(self._rules)

    def vet(self, url: str) -> None:
        vet(url, self._rules, resolve)

    def fetch(self, url: str, *, bytes_max: int, seconds_max: float) -> bytes:
        picture = _Picture()
        answer = self._http.download(url, picture, wall_clock_seconds=seconds_max, bytes_max=bytes_max)
        if answer.status not in WITH_CONTENT:
            raise ResponseInvalid(f"The URL answered with status {answer.status}, not 200.")
        return picture.getvalue()
