"""Builders of the tools for agents."""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING

from shoal.composition import jobs as bootstrap
from shoal.composition import parts
from shoal.composition import videos as bootstrap_videos
from shoal.settings import ServeMcpSettings

if TYPE_CHECKING:
    from shoal.use_cases.jobs.spend_quote import OfferQuote, SpendQuote
    from shoal.use_cases.videos.read_video import ReadVideo


@cache
def offer_quote() -> OfferQuote:
    from shoal.adapters.dynamodb.quotes import DynamoDbQuotes
    from shoal.use_cases.jobs.spend_quote import OfferQuote

    table = parts.table_named(parts.settings_of(ServeMcpSettings).table)
    return OfferQuote(DynamoDbQuotes(table), parts.clock, parts.ids)


@cache
def spend_quote() -> SpendQuote:
    from shoal.adapters.dynamodb.idempotency import DynamoDbIdempotencyRecords
    from shoal.adapters.dynamodb.quotes import DynamoDbQuotes
    from shoal.use_cases.jobs.spend_quote import SpendQuote

    table = parts.table_named(parts.settings_of(ServeMcpSettings).table)
    return SpendQuote(
        quotes=DynamoDbQuotes(table),
        records=DynamoDbIdempotencyRecords(table),
        submit_job=bootstrap.submit_job(),
        clock=parts.clock,
    )


def read_video() -> ReadVideo:
    return bootstrap_videos.read_video()
