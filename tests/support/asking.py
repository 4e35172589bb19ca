"""All that asks providers for outputs, wired as the composition wires it, over what a test brings."""

from __future__ import annotations

from shoal.ports.catalogs import Catalogs
from shoal.ports.jobs import Jobs, Staging
from shoal.ports.routing import Breakers, CallbackUrls, Meter, OutputFetcher, Providers
from shoal.ports.system import Clock, Ids
from shoal.ports.videos import Scenes
from shoal.use_cases.providers.ask_provider import AskProvider
from shoal.use_cases.providers.choose_route import ChooseRoute
from shoal.use_cases.providers.place_call import PlaceCall
from shoal.use_cases.providers.provider_request import MakeProviderRequest
from shoal.use_cases.providers.stage_output import StageOutput
from tests.support.looks import look_at_any


def ask_provider(
    *,
    jobs: Jobs,
    providers: Providers,
    breakers: Breakers,
    meter: Meter,
    callback_urls: CallbackUrls,
    staging: Staging,
    scenes: Scenes,
    fetcher: OutputFetcher,
    catalogs: Catalogs,
    clock: Clock,
    ids: Ids,
) -> AskProvider:
    choose, stage = (
        ChooseRoute(providers, breakers, catalogs),
        StageOutput(look_at_any, staging, fetcher),
    )
    place = PlaceCall(providers, breakers, meter, callback_urls, choose, stage, clock)
    request = MakeProviderRequest(staging, scenes)
    return AskProvider(jobs, providers, request, choose, place, stage, clock, ids)
