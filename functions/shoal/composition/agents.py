"""Builders of the tools for agents."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING

from shoal.composition import jobs, money, parts, providers
from shoal.settings import ServeMcpSettings

if TYPE_CHECKING:
    from shoal.dialects.spoken import View
    from shoal.domain.catalog import Catalog
    from shoal.ports.routing import LookAtBoard
    from shoal.use_cases.jobs.read_job import ReadJob, ReadWallet
    from shoal.use_cases.jobs.spend_quote import OfferQuote, SpendQuote


@dataclass(frozen=True, slots=True)
class Serving:
    """What the tools do. `origins`: web pages that may call; `view` is how a job is shown by now."""

    origins: tuple[str, ...]
    catalog: Callable[[], Catalog]
    offer_quote: Callable[[], OfferQuote]
    spend_quote: Callable[[], SpendQuote]
    read_job: Callable[[], ReadJob]
    read_wallet: Callable[[], ReadWallet]
    board: LookAtBoard
    view: Callable[[], View]
    now_ms: Callable[[], int]


@cache
def serving() -> Serving:
    settings = parts.settings_of(ServeMcpSettings)
    return Serving(
        origins=settings.cors_origins,
        catalog=parts.catalogs(settings).current,
        offer_quote=offer_quote,
        spend_quote=spend_quote,
        read_job=jobs.read_job,
        read_wallet=money.read_wallet,
        board=providers.board(settings),
        view=parts.view(parts.output_urls(settings), settings.table),
        now_ms=parts.clock.now_ms,
    )


@cache
def offer_quote() -> OfferQuote:
    from shoal.adapters.dynamodb.quotes import DynamoDbQuotes
    from shoal.use_cases.jobs.spend_quote import OfferQuote

    table = parts.named_table(parts.settings_of(ServeMcpSettings).table)
    return OfferQuote(DynamoDbQuotes(table), parts.clock, parts.ids)


@cache
def spend_quote() -> SpendQuote:
    from shoal.adapters.dynamodb.quotes import DynamoDbQuotes
    from shoal.use_cases.jobs.spend_quote import SpendQuote

    table = parts.named_table(parts.settings_of(ServeMcpSettings).table)
    return SpendQuote(
        quotes=DynamoDbQuotes(table),
        submit_job=jobs.submit_job(),
        clock=parts.clock,
    )
