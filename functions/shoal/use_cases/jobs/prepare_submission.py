"""Look at the addresses a submission names, and take the pictures it wants edited, before money is held."""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

from shoal.domain.api_key import Caller
from shoal.domain.errors import ExchangeError, ExchangeTimedOut, OutputInvalid, ValidationFailed
from shoal.domain.files.address import data_of, is_data_uri, is_file_id, is_on_web
from shoal.domain.files.kinds import PICTURE_BYTES_MAX
from shoal.domain.submission import Submission
from shoal.ports.jobs import CallerHttp, Staging
from shoal.ports.limits import Fetching
from shoal.ports.system import Clock, Ids
from shoal.use_cases.files.open_file import OpenFile

logger = logging.getLogger(__name__)

INPUT_BYTES_MAX = PICTURE_BYTES_MAX
INPUT_SECONDS_MAX = 5.0
INPUTS_SECONDS_MAX = 15.0
"""For all addresses of a submission together: its caller waits."""


@dataclass(frozen=True, slots=True)
class PrepareSubmission:
    """`check_picture` raises `OutputInvalid` for bytes that are no picture of a usable type and size."""

    http: CallerHttp
    staging: Staging
    fetching: Fetching
    open_file: OpenFile
    check_picture: Callable[[bytes], None]
    clock: Clock
    ids: Ids

    def __call__(self, caller: Caller, submission: Submission) -> Submission:
        """The submission with its inputs staged: copies, which nothing that becomes of a file changes.

        Raises `ValidationFailed` naming the address at fault, `RateLimited` when too much is fetched.
        Inputs are staged only when all of them are good, and are gone a day later like all that is staged.
        """
        until_ms = self.clock.now_ms() + round(INPUTS_SECONDS_MAX * 1000)
        if submission.webhook_url is not None:
            self._vet("webhook_url", submission.webhook_url)
        if not submission.input_urls:
            return submission
        pictures = self._take_all(caller, submission.input_urls, until_ms)
        folder = f"inputs/{self.ids.new('in', self.clock.now_ms())}"
        keys = tuple(self.staging.put_input(f"{folder}/{n}", data) for n, data in enumerate(pictures))
        return replace(submission, brief=replace(submission.brief, input_keys=keys))

    def discard(self, submission: Submission) -> None:
        """Delete what was staged for a refused submission; what is left behind is gone a day later."""
        try:
            for key in submission.brief.input_keys:
                self.staging.delete_input(key)
        except Exception:
            # Why it is refused matters more to its caller than what is left behind.
            logger.warning("inputs of a refused submission not deleted", exc_info=True)

    def _take_all(self, caller: Caller, addresses: Sequence[str], until_ms: int) -> list[bytes]:
        """What may come from the web is counted first: an address that fails counts as if all had come."""
        drawn, now_ms = INPUT_BYTES_MAX * sum(map(is_on_web, addresses)), self.clock.now_ms()
        if drawn:
            self.fetching.draw(caller.account_id, drawn, now_ms)
        pictures = [
            self._take(caller, f"input_image_urls.{n}", address, until_ms)
            for n, address in enumerate(addresses)
        ]
        if drawn:
            came = sum(len(data) for data, of in zip(pictures, addresses, strict=True) if is_on_web(of))
            self.fetching.give_back(caller.account_id, drawn - came, now_ms)
        return pictures

    def _vet(self, field: str, url: str) -> None:
        try:
            self.http.vet(url)
        except ExchangeError as error:
            raise _invalid(field, str(error)) from None

    def _take(self, caller: Caller, field: str, address: str, until_ms: int) -> bytes:
        try:
            data = self._bytes_of(caller, address, until_ms)
            self.check_picture(data)
        except (ExchangeError, OutputInvalid) as error:
            raise _invalid(field, str(error)) from None
        return data

    def _bytes_of(self, caller: Caller, address: str, until_ms: int) -> bytes:
        if is_data_uri(address):
            return data_of(address, INPUT_BYTES_MAX)
        if is_file_id(address):
            return self.open_file(caller, address, INPUT_BYTES_MAX)
        seconds_max = min(INPUT_SECONDS_MAX, (until_ms - self.clock.now_ms()) / 1000)
        if seconds_max <= 0:
            raise ExchangeTimedOut(INPUTS_SECONDS_MAX)
        return self.http.fetch(address, bytes_max=INPUT_BYTES_MAX, seconds_max=seconds_max)


def _invalid(field: str, message: str) -> ValidationFailed:
    return ValidationFailed(
        f"The request is not valid. {field}: {message}",
        details={"fields": [{"field": field, "message": message}]},
    )
