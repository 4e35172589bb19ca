"""One job of a model with three routes, and all that asks providers for it, over fakes."""

from __future__ import annotations

from dataclasses import replace

from shoal.domain.breaker import Outcome
from shoal.domain.catalog import Catalog, load_catalog
from shoal.domain.errors import JobClosed
from shoal.domain.job import LOOK_AGAIN_MS, HoldState, Job, JobStatus
from shoal.domain.provider import ProviderRequest
from shoal.domain.routing import Route
from shoal.ports.routing import Pass, Provider
from shoal.use_cases.catalogs.read_catalogs import OneCatalog
from shoal.use_cases.providers.poll_provider import PollProvider
from shoal.use_cases.providers.receive_callback import ReceiveCallback
from shoal.use_cases.providers.resolve_answer import ResolveAnswer
from tests.fakes import (
    FakeCallbackUrls,
    FakeClock,
    FakeIds,
    FakeJobs,
    FakePollQueue,
    FakeProvider,
    FakeProviders,
    FakeStaging,
    FakeTaskTokens,
    Network,
    Tables,
    TaskAnswer,
)
from tests.fakes.routing import FakeBreakers, FakeFetcher, FakeMeter
from tests.fakes.videos import FakeScenes
from tests.support.asking import ask_provider
from tests.support.factories import REQUEST, a_job

DEADLINE_S = 180
FIRST = Route(provider="first", model="one/a", cost_micros=100)
SECOND = Route(provider="second", model="b", cost_micros=200)
THIRD = Route(provider="third")
ROUTES = (FIRST, SECOND, THIRD)


def catalog_with(*routes: Route) -> Catalog:
    """The catalog, in which the image dialect's model has these routes."""
    catalog = load_catalog()
    model = replace(catalog.models["shoal-image"], routes=tuple(routes))
    return catalog.model_copy(update={"models": {**catalog.models, "shoal-image": model}})


class Routing:
    """`providers` are not idempotent unless told. The job's execution waits at its token."""

    def __init__(
        self, *routes: Route, idempotent: bool = False, breakers: FakeBreakers | None = None
    ) -> None:
        self.routes = routes or ROUTES
        self.network, self.tables = Network(), Tables()
        self.clock, self.ids = FakeClock(), FakeIds()
        self.jobs = FakeJobs(self.network, self.tables)
        self.staging, self.tokens = FakeStaging(self.network), FakeTaskTokens(self.network)
        self.poll_queue = FakePollQueue(self.network)
        self.upstreams = {
            route.provider: FakeProvider(self.network, idempotent=idempotent, port=route.provider)
            for route in self.routes
        }
        providers: dict[str, Provider] = dict(self.upstreams)
        self.providers = FakeProviders(providers)
        self.breakers, self.meter = breakers or FakeBreakers(), FakeMeter()
        self.fetcher, self.urls = FakeFetcher(self.network), FakeCallbackUrls()
        self.ask = ask_provider(
            jobs=self.jobs,
            providers=self.providers,
            breakers=self.breakers,
            meter=self.meter,
            callback_urls=self.urls,
            staging=self.staging,
            scenes=FakeScenes(self.network, self.tables),
            fetcher=self.fetcher,
            catalogs=OneCatalog(catalog_with(*self.routes)),
            clock=self.clock,
            ids=self.ids,
        )
        self.resolve = ResolveAnswer(self.ask, self.tokens, self.poll_queue)
        self.poll = PollProvider(self.jobs, self.providers, self.resolve)
        self.receive = ReceiveCallback(self.jobs, self.providers, self.urls, self.poll_queue, self.clock)
        self._begin()

    def _begin(self) -> None:
        self.token, self.seen = self.tokens.issue(), 0
        self.until_ms = self.clock.ms + DEADLINE_S * 1000
        job = a_job(
            provider=self.routes[0].provider,
            status=JobStatus.PROCESSING,
            request=REQUEST | {"width_px": 64, "height_px": 64},
            task_tokens={0: self.token},
            created_at_ms=self.clock.ms,
            started_at_ms=self.clock.ms,
            deadline_at_ms=self.clock.ms + LOOK_AGAIN_MS,
        )
        self.tables.put(job)

    @property
    def job(self) -> Job:
        """As it is stored by now."""
        (job,) = self.tables.jobs.values()
        return job

    def run(self, looks: int = 0) -> str:
        """One run over the output, as of the state and of a poll; what came of it."""
        try:
            return self.resolve(self.job, 0, looks=looks)
        except JobClosed:
            return "closed"

    def run_all(self) -> str:
        """Runs until nobody looks again before the deadline; the last outcome."""
        outcome = self.run() if self.seen == len(self.poll_queue.messages) else "pending"
        while self.seen < len(self.poll_queue.messages):
            message = self.poll_queue.messages[self.seen]
            self.clock.pass_seconds(message.delay_seconds)
            self.seen += 1
            if self.clock.ms >= self.until_ms:
                return "timeout"
            outcome = self.run(message.look.looks)
        return outcome

    def open(self, route: Route, *, ago_s: int = 0) -> None:
        """Let a route's breaker open because its key is bad."""
        self.breakers.note(route, Outcome.UNUSABLE, Pass(), self.clock.ms - ago_s * 1000)

    @property
    def staged(self) -> str:
        """Where the output waits to be checked."""
        return f"{self.job.account_id}/{self.job.id}/0"

    def close(self) -> None:
        """Somebody cancels the job."""
        self.tables.put(
            replace(
                self.job,
                status=JobStatus.CANCELED,
                hold_state=HoldState.RELEASED,
                deadline_at_ms=None,
            )
        )

    def asked(self) -> list[str]:
        """Who was asked to begin, in order."""
        return [name.partition(".")[0] for name in self.network.calls if name.endswith(".start")]

    def requests(self) -> list[ProviderRequest]:
        """What they were asked for."""
        return [request for upstream in self.upstreams.values() for request in upstream.started]

    @property
    def answer(self) -> TaskAnswer | None:
        """What the execution was told."""
        return self.tokens.answers.get(self.token)
