"""Bring what a provider delivered to the staging place, where it waits to be stored."""

from __future__ import annotations

from dataclasses import dataclass

from shoal.domain.job import Job
from shoal.domain.ports import Staging
from shoal.domain.provider import ProviderOutput
from shoal.domain.routing_ports import CheckOutput, OutputFetcher


@dataclass(frozen=True, slots=True)
class StageOutput:
    check: CheckOutput
    staging: Staging
    fetcher: OutputFetcher

    def __call__(self, job: Job, index: int, output: ProviderOutput) -> str:
        """The key. Raises `OutputInvalid` for what is no output, `ExchangeError` for what is not there."""
        if output.data is None:
            return self.fetcher.fetch(job, index, output.url or "")
        self.check(job, output.data)
        return self.staging.put(job, index, output.data)

    def staged(self, job: Job, index: int) -> str | None:
        """The key, if an earlier run has staged the output."""
        return self.staging.staged(job, index)
