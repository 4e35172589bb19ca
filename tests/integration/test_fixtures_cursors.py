"""Cursors that earlier versions gave out: each list goes on where it stopped."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass

import pytest

from infra.local.aws import Endpoint
from shoal.adapters.dynamodb.deliveries import DynamoDbDeliveries
from shoal.adapters.dynamodb.directory import DynamoDbDirectory, DynamoDbEntries
from shoal.adapters.dynamodb.items import failed_shard
from shoal.adapters.dynamodb.jobs import DynamoDbJobs
from shoal.domain.ids import first_ulid_at
from shoal.domain.money import Asset
from shoal.ports.jobs import JobFilter
from shoal.ports.webhooks import DeliveryFilter
from tests.fixtures.files import load, versions
from tests.support.recorded import Recorded

JOB, DELIVERY, ENTRY, ACCOUNT = "job.image.failed", "delivery.failed", "entry.hold", "account.listed"


@dataclass(frozen=True)
class List:
    """What is listed: a recorded item, put at the places that a cursor stands between, and who reads it."""

    item: str
    prefix: str
    read: Callable[[Recorded, str], Iterable[str]]


def jobs(recorded: Recorded, cursor: str) -> list[str]:
    account_id = recorded.item(JOB)["account_id"]
    page = DynamoDbJobs(recorded.table).page(account_id, JobFilter(), limit=1, cursor=cursor)
    return [job.id for job in page.jobs]


def failed(recorded: Recorded, cursor: str) -> list[str]:
    page = DynamoDbDirectory(recorded.table).failed_jobs(limit=1, cursor=cursor)
    return [job.id for job in page.jobs]


def accounts(recorded: Recorded, cursor: str) -> list[str]:
    page = DynamoDbDirectory(recorded.table).page(limit=1, cursor=cursor)
    return [account.id for account in page.accounts]


def deliveries(recorded: Recorded, cursor: str) -> list[str]:
    item = recorded.item(DELIVERY)
    page = DynamoDbDeliveries(recorded.table).page(
        item["account_id"], item["webhook_id"], DeliveryFilter(), limit=1, cursor=cursor
    )
    return [delivery.id for delivery in page.deliveries]


def entries(recorded: Recorded, cursor: str) -> list[str]:
    account_id = recorded.item(ENTRY)["account_id"]
    page = DynamoDbEntries(recorded.table).page(account_id, Asset.USD, limit=1, cursor=cursor)
    return [entry.entry_id for entry in page.entries]


LISTS = {
    "GET /v1/usage": List(JOB, "JOB#", jobs),
    "GET /api/v1/usage": List(JOB, "JOB#", jobs),
    "GET /v1/tasks": List(JOB, "JOB#", jobs),
    "GET /api/v1/videos": List(JOB, "JOB#", jobs),
    "GET /api/v1/webhooks/{id}/deliveries": List(DELIVERY, "DELIVERY#", deliveries),
    "page /jobs": List(JOB, "JOB#", jobs),
    "page /videos": List(JOB, "JOB#", jobs),
    "page /webhooks/{id}/deliveries": List(DELIVERY, "DELIVERY#", deliveries),
    "page /wallet": List(ENTRY, "ENTRY#", entries),
    "page /operate": List(ACCOUNT, "ACCOUNT#", accounts),
    "page /operate/failed": List(JOB, "JOB#", failed),
    "page /operate/accounts/{id}": List(JOB, "JOB#", jobs),
}


@pytest.mark.parametrize("version", versions())
def test_every_recorded_cursor_is_of_a_known_list(version: str) -> None:
    assert set(load(version, "cursors")) == set(LISTS)


@pytest.mark.parametrize("version", versions())
@pytest.mark.parametrize("name", LISTS)
def test_a_list_goes_on_after_a_recorded_cursor(endpoint: Endpoint, version: str, name: str) -> None:
    listed, case = LISTS[name], load(version, "cursors")[name]
    recorded = Recorded(endpoint, version)
    for place in (case["last"], case["next"]):
        _put(recorded, listed, place)

    assert list(listed.read(recorded, case["cursor"])) == [case["next"]]


@pytest.mark.parametrize("version", versions())
def test_an_order_to_recover_goes_on_after_its_recorded_cursor(endpoint: Endpoint, version: str) -> None:
    order = load(version, "messages")["fan_out_event.recover_further"]["recover"]
    recorded, cursor = Recorded(endpoint, version), order["cursor"]
    older = first_ulid_at(order["since_ms"])
    for ulid in (cursor, older):
        _put(recorded, LISTS["GET /api/v1/webhooks/{id}/deliveries"], f"dlv_{ulid}")

    assert deliveries(recorded, cursor) == [f"dlv_{older}"]


def _put(recorded: Recorded, listed: List, place: str) -> None:
    """The recorded item as if it stood at this place of the list."""
    if listed.item == ENTRY:
        reference, kind = place.split("#")
        recorded.put_as(ENTRY, f"ENTRY#{place}", reference=reference, kind=kind)
        return
    ulid = place.partition("_")[2]
    shard = {"failed_shard": failed_shard(ulid)} if listed.item == JOB else {}
    recorded.put_as(listed.item, f"{listed.prefix}{ulid}", id=place, **shard)
