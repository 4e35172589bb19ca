"""The composition root of providers: adapters by name, their keys, breakers and the board of routes."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache, partial
from typing import TYPE_CHECKING, Any

from shoal import settings as environment
from shoal.composition import parts
from shoal.composition import upstreams as ups
from shoal.composition.parts import HERE, Stage, clock, ids
from shoal.domain.provider import ALWAYS_THERE, EMBEDDED, SIMULATOR

if TYPE_CHECKING:
    from shoal.adapters.dynamodb.board import DynamoDbBoard
    from shoal.adapters.dynamodb.breakers import DynamoDbBreakers
    from shoal.adapters.providers.registry import ProviderRegistry, RouteRegistry
    from shoal.domain.script import Speaker
    from shoal.ports.moderation import Moderator
    from shoal.ports.routing import Provider, Statistics
    from shoal.ports.videos import ScriptWriter
    from shoal.use_cases.providers.ask_provider import AskProvider
    from shoal.use_cases.providers.manage_providers import ManageProviders
    from shoal.use_cases.providers.moderate import Moderate
    from shoal.use_cases.providers.resolve_answer import ResolveAnswer
    from shoal.use_cases.providers.try_routes import TryRoutes

GUARDRAIL_MICROS = 1_200
"""Of a prompt of 4,000 characters: four text units, judged as a whole and by field, at $0.15 a thousand,
https://aws.amazon.com/bedrock/pricing (content filters)."""

ASK_BOARD_MS = 10_000
SUBMIT_BOARD_MS = 30_000
"""How old the board may be where providers are asked, and where only availability is told of."""


def providers(
    settings: environment.UpstreamSettings, secret: Any, *, bucket: str = "", draws: bool = False
) -> ProviderRegistry:
    """`bucket` takes what providers write into S3 themselves.

    `draws` is on in the functions of simulated work alone: no others carry the media packages for it.
    """
    from shoal.adapters.providers.registry import ProviderRegistry

    up = ups.upstream(settings, bucket)
    makers: dict[str, Callable[[], Provider]] = {SIMULATOR: partial(ups.simulator, secret, draws=draws)}
    makers |= {name: partial(make, up) for name, make in ups.PROVIDERS.items()}
    return ProviderRegistry(ups.Makers(makers, up), up.has)


def script_writers(settings: environment.UpstreamSettings) -> RouteRegistry[ScriptWriter]:
    from shoal.adapters.providers.registry import RouteRegistry

    up = ups.upstream(settings)
    makers: dict[str, Callable[[str], ScriptWriter]] = {
        EMBEDDED: ups.embedded_writer,
        "openai": partial(ups.openai_writer, up),
        ups.BEDROCK: partial(ups.bedrock_writer, up),
    }
    return RouteRegistry(makers, up.has)


def speakers(settings: environment.NarrateSettings) -> RouteRegistry[Speaker]:
    from shoal.adapters.providers.registry import RouteRegistry

    up = ups.upstream(settings)
    makers: dict[str, Callable[[str], Speaker]] = {
        SIMULATOR: ups.tone_speaker,
        "openai": partial(ups.openai_speaker, up),
        ups.POLLY: partial(ups.polly, up),
    }
    if settings.espeak:
        makers[EMBEDDED] = ups.embedded_speaker
    return RouteRegistry(makers, up.has)


def moderate(settings: environment.SubmitJobSettings) -> Moderate:
    from shoal.use_cases.providers.moderate import Moderate

    cost_micros = GUARDRAIL_MICROS if settings.moderation == "bedrock" else 0
    return Moderate(_moderator(settings), settings.moderation, settings.moderation_fail_open, cost_micros)


def _moderator(settings: environment.SubmitJobSettings) -> Moderator | None:
    if settings.moderation == "keywords":
        from shoal.adapters.providers.keywords import KeywordModerator, listed_terms

        return KeywordModerator(listed_terms())
    if settings.moderation == "openai":
        return ups.openai_moderator(ups.upstream(settings))
    return (
        ups.guardrails(ups.upstream(settings), settings.guardrail)
        if settings.moderation == "bedrock"
        else None
    )


def resolve(settings: environment.AskProviderSettings, secret: Any, *, draws: bool) -> ResolveAnswer:
    from shoal.use_cases.providers.resolve_answer import ResolveAnswer

    return ResolveAnswer(
        ask=ask_provider(settings, secret, draws=draws),
        tokens=parts.task_tokens(),
        poll_queue=parts.poll_queue(settings),
        simulates=draws,
    )


def ask_provider(settings: environment.AskProviderSettings, secret: Any, *, draws: bool) -> AskProvider:
    from shoal.adapters.aws.s3 import S3Staging
    from shoal.adapters.http.vetted_http import VettedHttp
    from shoal.adapters.outputs.check import check_file
    from shoal.adapters.outputs.fetcher import VettedOutputFetcher
    from shoal.adapters.system import beside
    from shoal.domain.addresses import LOCAL_RULES, AddressRules
    from shoal.observability import RouteMeter
    from shoal.use_cases.providers.ask_provider import AskProvider
    from shoal.use_cases.providers.choose_route import ChooseRoute
    from shoal.use_cases.providers.place_call import PlaceCall
    from shoal.use_cases.providers.provider_request import MakeProviderRequest
    from shoal.use_cases.providers.stage_output import StageOutput

    staging = S3Staging(parts.client("s3"), settings.staging_bucket)
    http = VettedHttp(LOCAL_RULES if settings.loopback_allowed else AddressRules())
    fetcher = VettedOutputFetcher(http, parts.client("s3"), settings.staging_bucket)
    stage = StageOutput(check_file, staging, fetcher)
    upstreams = providers(settings, secret, bucket=settings.staging_bucket, draws=draws)
    urls, routes = parts.callback_urls(secret, settings.callbacks_url), breakers(settings)
    choose = ChooseRoute(upstreams, routes, parts.catalogs(settings))
    place = PlaceCall(upstreams, routes, RouteMeter(), urls, choose, stage, clock)
    request = MakeProviderRequest(staging, parts.scenes(settings.table))
    jobs = parts.jobs(settings.table)
    return AskProvider(jobs, upstreams, request, choose, place, stage, clock, ids, beside)


def manage_providers(
    settings: environment.OperatorSettings, statistics: Statistics, at: Stage
) -> ManageProviders:
    """For the operator's command, which reads the board each time."""
    from shoal.use_cases.providers.manage_providers import ManageProviders

    keys = ups.keys_of(settings.stage, at, settings.key_arn)
    return ManageProviders(
        keys=keys,
        board=board(settings, lifetime_ms=0, at=at),
        breakers=breakers(settings, lifetime_ms=0, at=at),
        statistics=statistics,
        routes=[
            route
            for route in parts.catalogs(settings, at).current().all_routes()
            if route.provider not in ALWAYS_THERE
        ],
        testable=ups.testable(ups.Reach(settings, keys, at.client)),
        keyed=ups.keyed(),
        keyless=frozenset(settings.keyless_providers),
        clock=clock,
    )


def try_routes(settings: environment.RouteSettings) -> TryRoutes:
    from shoal.observability import RouteMeter
    from shoal.use_cases.providers.try_routes import TryRoutes

    return TryRoutes(breakers(settings), RouteMeter(), clock)


def breakers(
    settings: environment.RouteSettings, *, lifetime_ms: int = ASK_BOARD_MS, at: Stage = HERE
) -> DynamoDbBreakers:
    from shoal.adapters.dynamodb.breakers import DynamoDbBreakers

    routes = board(settings, lifetime_ms=lifetime_ms, at=at)
    return DynamoDbBreakers(parts.named_table(settings.table, at), routes)


@cache
def board(
    settings: environment.RouteSettings, *, lifetime_ms: int = SUBMIT_BOARD_MS, at: Stage = HERE
) -> DynamoDbBoard:
    """One board for all that a process asks of it."""
    from shoal.adapters.dynamodb.board import DynamoDbBoard

    return DynamoDbBoard(
        parts.named_table(settings.table, at),
        parts.catalogs(settings, at).routes,
        ups.keyed(),
        clock,
        lifetime_ms=lifetime_ms,
        simulator_allowed=isinstance(settings, environment.BoardSettings) and settings.simulator_allowed,
        keyless=frozenset(settings.keyless_providers),
    )
