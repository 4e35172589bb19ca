"""Usage in the table: rollups that settlements add to, and how long recent jobs took."""

from __future__ import annotations

from collections.abc import Iterable

from shoal.adapters.dynamodb.items import account_key
from shoal.adapters.dynamodb.table import Item, Table, Update
from shoal.adapters.dynamodb.values import read
from shoal.domain.events import utc_day
from shoal.domain.job import Job
from shoal.domain.models.tariff import Unit
from shoal.domain.models.usage import Used
from shoal.domain.money import Asset
from shoal.ports.money import Rollup

DAY_MS = 24 * 3_600_000
RUNS_KEPT_MS = 3 * DAY_MS
UNIT_PREFIX = "of_"
"""What the name of an attribute begins with that counts a unit: `of_second`."""


def usage_update(job: Job, used: Used) -> Update:
    """The rollup's part of a settlement: counted in its transaction, so never twice and never missed."""
    day = utc_day(job.closed_at_ms or job.created_at_ms)
    return Update(
        key=(account_key(job.account_id)[0], f"USAGE#{day}#{job.asset}#{job.model}"),
        expression=(
            "SET #day = :day, model = :model, asset = :asset ADD units :units, cost :cost, requests :requests"
            + "".join(f", {UNIT_PREFIX}{unit} :{unit}" for unit in used.units)
        ),
        values={
            ":day": day,
            ":model": job.model,
            ":asset": str(job.asset),
            ":units": used.outputs,
            ":cost": used.cost,
            ":requests": used.requests,
            **{f":{unit}": quantity for unit, quantity in used.units.items()},
        },
        names={"#day": "day"},
    )


def _by_unit(item: Item) -> dict[Unit, int]:
    return {unit: quantity for unit in Unit if (quantity := item.get(f"{UNIT_PREFIX}{unit}"))}


class DynamoDbUsage:
    """Implements the `UsageRollups` port."""

    def __init__(self, table: Table) -> None:
        self._table = table

    def between(self, account_id: str, from_day: str | None, to_day: str | None) -> Iterable[Rollup]:
        pages = self._table.query(
            KeyConditionExpression="pk = :pk AND sk BETWEEN :from AND :to",
            ConsistentRead=True,
            values={
                ":pk": account_key(account_id)[0],
                ":from": f"USAGE#{from_day or ''}",
                ":to": f"USAGE#{to_day or ''}~",  # "~" sorts after "#" and every digit
            },
        )
        for item in (item for items, _ in pages for item in items):
            yield read(Rollup, item, asset=Asset(item["asset"]), by_unit=_by_unit(item))


class DynamoDbRuns:
    """Implements the `Runs` port: one item a model and day, gone after three days."""

    def __init__(self, table: Table) -> None:
        self._table = table

    def note(self, job: Job) -> None:
        closed_at_ms = job.closed_at_ms or job.created_at_ms
        self._table.update(
            Update(
                key=_runs_key(job.model, closed_at_ms),
                expression="SET expires_at = :expires ADD runs :one, elapsed_ms :elapsed",
                values={
                    ":expires": (closed_at_ms + RUNS_KEPT_MS) // 1000,
                    ":one": 1,
                    ":elapsed": closed_at_ms - job.created_at_ms,
                },
            )
        )

    def seconds_expected(self, model: str, now_ms: int) -> int | None:
        days = [self._table.get(*_runs_key(model, at_ms)) for at_ms in (now_ms, now_ms - DAY_MS)]
        runs = sum(int(item["runs"]) for item in days if item)
        elapsed_ms = sum(int(item["elapsed_ms"]) for item in days if item)
        return max(1, round(elapsed_ms / runs / 1000)) if runs else None


def _runs_key(model: str, at_ms: int) -> tuple[str, str]:
    return f"MODEL#{model}", f"RUNS#{utc_day(at_ms)}"
