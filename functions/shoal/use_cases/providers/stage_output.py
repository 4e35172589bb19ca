"""Bring what a provider delivered to the staging place, where it waits to be stored.

done ─┬─ staged ───────────► delivered
      ├─ not there ────────► AT WORK: asked for again in 5 s, three times in all; then as failed
      ├─ no output ────────► choose_route.py: next route
      └─ our store is away ► AT WORK; without a reference DUE, for the output is lost
"""

from __future__ import annotations

import logging
from dataclasses import dataclass, replace

from shoal.domain.errors import ExchangeError, OutputInvalid, ProviderFailed, Unavailable
from shoal.domain.job import Job
from shoal.domain.provider import Done, Pending, ProviderOutput
from shoal.domain.routing import Phase
from shoal.ports.jobs import Staging
from shoal.ports.routing import CheckOutput, OutputFetcher
from shoal.use_cases.providers.output_call import OutputCall

logger = logging.getLogger(__name__)

FETCH_AGAIN_S = 5
FETCH_TRIES_MAX = 3
EXTRAS_MAX = 4
"""How many files beside an output are kept."""


@dataclass(frozen=True, slots=True)
class Delivered:
    """An output, staged."""

    key: str


Progress = Delivered | Pending


@dataclass(frozen=True, slots=True)
class StageOutput:
    check: CheckOutput
    staging: Staging
    fetcher: OutputFetcher

    def __call__(self, output: OutputCall, done: Done) -> Progress:
        """Raises `ProviderFailed` for what cannot be had, `OutputInvalid` for what is no output."""
        try:
            return Delivered(self._stage(output.job, output.index, done.output))
        except Unavailable:
            if not _can_be_had_again(output, done):
                # The output is lost, and that is known: asking for it again is not blind.
                output.write(replace(output.call, phase=Phase.DUE))
            raise
        except ExchangeError as error:
            logger.warning("output not fetched", extra={"job_id": output.job.id, "reason": str(error)})
            tries = output.call.tries + 1
            if not _can_be_had_again(output, done) or tries >= FETCH_TRIES_MAX:
                raise ProviderFailed("The provider's output could not be fetched.") from error
            output.write(replace(output.call, tries=tries))
            return Pending(output.ref, FETCH_AGAIN_S)

    def find_staged(self, job: Job, index: int) -> Delivered | None:
        """What an earlier run has staged, which perhaps died or was cut off before it could say so."""
        key = self.staging.find_staged(job, index)
        return Delivered(key) if key else None

    def _stage(self, job: Job, index: int, output: ProviderOutput) -> str:
        """What came beside it is staged before it: a run that finds an output finds those, too."""
        extras = 0
        for each in output.extras[:EXTRAS_MAX]:
            extras += self._stage_extra(job, index, each, extras + 1)
        if output.file is None:
            return self.fetcher.fetch(job, index, output.url or "", extras=extras)
        with output.file as file:
            self.check(job, file)
            return self.staging.put(job, index, file, extras=extras)

    def _stage_extra(self, job: Job, index: int, output: ProviderOutput, number: int) -> bool:
        """Whether it could be had: nobody pays for it, and nobody waits for it."""
        try:
            if output.file is None:
                self.fetcher.fetch(job, index, output.url or "", extra=number)
                return True
            with output.file as file:
                self.staging.put(job, index, file, extra=number)
            return True
        except (ExchangeError, OutputInvalid) as error:
            logger.warning("extra not fetched", extra={"job_id": job.id, "reason": str(error)})
            return False


def _can_be_had_again(output: OutputCall, done: Done) -> bool:
    """Whether there is a reference to ask by. That of work which ended at once is noted first."""
    if not output.ref:
        output.note_ref(done.ref)
    return bool(output.ref)
