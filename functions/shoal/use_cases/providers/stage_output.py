"""Bring what a provider delivered to the staging place, where it waits to be stored."""

from __future__ import annotations

from dataclasses import dataclass

from shoal.domain.job import Job
from shoal.domain.provider import ProviderOutput
from shoal.ports.jobs import Staging
from shoal.ports.routing import CheckOutput, OutputFetcher


@dataclass(frozen=True, slots=True)
class Delivered:
    """An output, staged."""

    key: str


@dataclass(frozen=True, slots=True)
class StageOutput:
    check: CheckOutput
    staging: Staging
    fetcher: OutputFetcher

    def __call__(self, job: Job, index: int, output: ProviderOutput) -> Delivered:
        """Raises `OutputInvalid` for what is no output, `ExchangeError` for what is not there."""
        if output.data is None:
            return Delivered(self.fetcher.fetch(job, index, output.url or ""))
        self.check(job, output.data)
        return Delivered(self.staging.put(job, index, output.data))

    def staged(self, job: Job, index: int) -> Delivered | None:
        """What an earlier run has staged, which perhaps died or was cut off before it could say so."""
        key = self.staging.staged(job, index)
        return Delivered(key) if key else None
