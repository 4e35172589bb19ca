"""Quote: what a request would cost and how long it would take, without running it."""

from __future__ import annotations

from dataclasses import dataclass

from shoal.domain.submission import Submission
from shoal.ports.catalogs import Catalogs
from shoal.ports.jobs import Runs
from shoal.ports.system import Clock


@dataclass(frozen=True, slots=True)
class Quote:
    """`submission` tells the price; `seconds_expected` is the mean of recent runs, or the catalog's guess."""

    submission: Submission
    seconds_expected: int


@dataclass(frozen=True, slots=True)
class QuoteJob:
    runs: Runs
    clock: Clock
    catalogs: Catalogs

    def __call__(self, submission: Submission) -> Quote:
        """Nothing is held or written. Raises `MaxCostExceeded` where a submit would."""
        submission.check_max_cost()
        recent = self.runs.seconds_expected(submission.model, self.clock.now_ms())
        catalog = self.catalogs.of(submission.catalog_version)
        return Quote(submission, recent or catalog.model(submission.model).seconds_expected)
