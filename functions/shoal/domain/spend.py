"""Spend that comes to nothing: what a caller's cancels and refused prompts cost at the providers' prices.

What Shoal or a provider did wrong does not count, parameters that a provider does not take among it, nor does
play money.
"""

from __future__ import annotations

from dataclasses import dataclass

from shoal.domain.brief import Kind
from shoal.domain.catalog import Catalog
from shoal.domain.errors import REFUSED_BY_MODERATION, JobCanceled
from shoal.domain.job import Job, Step
from shoal.domain.money import MICROS_PER_USD, Asset
from shoal.domain.provider import ALWAYS_THERE
from shoal.domain.routing import Phase, ProviderCall, find_route

FREE_MICROS = MICROS_PER_USD
"""What may come to nothing on any day, whatever was captured: $1."""


@dataclass(frozen=True, slots=True)
class Spend:
    """Of an account's jobs that closed on a UTC day, in micro-dollars.

    `lifted`: an operator lets the account submit on this day, whatever it cost.
    """

    for_nothing: int = 0
    captured: int = 0
    lifted: bool = False

    def exceeds(self, multiple: int) -> bool:
        """Whether it costs more than a multiple of what was captured, and than $1."""
        return not self.lifted and self.for_nothing > max(FREE_MICROS, multiple * self.captured)


def spend_of(job: Job, catalog: Catalog) -> Spend:
    """What a closed job adds to its account's day."""
    if job.test:
        return Spend()
    micros = catalog.top_up.credit_micros_min if job.asset is Asset.CREDIT else 1
    return Spend(_for_nothing(job, micros, catalog), job.cost * micros)


def _for_nothing(job: Job, micros: int, catalog: Catalog) -> int:
    """Of the outputs whose provider was asked, those that were not paid for; of a video, its words too."""
    why = job.failure
    if why is None or (why.code != JobCanceled.code and why.message != REFUSED_BY_MODERATION):
        return 0
    asked = [call for call in job.calls.values() if call.phase is Phase.ASKED and not call.free]
    paid = len(job.captured or job.outputs) if job.cost else 0
    unpaid = max(0, len(asked) - paid)
    costs = sum(_cost_micros(call, job, micros, catalog) for call in asked)
    return costs * unpaid // max(1, len(asked)) + _words_micros(job, catalog) * (job.output_count - paid)


def _words_micros(job: Job, catalog: Catalog) -> int:
    """Of one scene of a video: its script from when the video began, its narration once there is a script.

    Whether they were done, and by which route, is not known of a job that was canceled meanwhile: the dearest
    of each counts.
    """
    if job.kind is not Kind.VIDEO or job.simulated or job.started_at_ms is None:
        return 0
    asked = [catalog.video.script_routes]
    if Step.SCRIPT in job.steps:
        asked.append(catalog.video.speech_routes)
    return sum(max(route.cost_micros or 0 for route in routes) for routes in asked)


def _cost_micros(call: ProviderCall, job: Job, micros: int, catalog: Catalog) -> int:
    """Of one output: where the catalog does not know it, as much as the caller would have paid."""
    route = find_route(catalog.routes(job.brief.model), call.route)
    if route.provider in ALWAYS_THERE:
        return 0
    return job.submission.unit_price * micros if route.cost_micros is None else route.cost_micros
