"""Every condition under which the table is written: where it stands, and the table without it."""

from __future__ import annotations

import ast
import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from typing import Any

import shoal.adapters.dynamodb
from shoal.adapters.dynamodb.table import Table

Json = dict[str, Any]

ALWAYS = "attribute_exists(pk) OR attribute_not_exists(pk)"
NEVER = "attribute_exists(pk) AND attribute_not_exists(pk)"
CLAUSE = re.compile(
    r"attribute_(?:not_)?exists\([\w.#]+\)|(?:NOT )?contains\(\w+, :\w+\)|size\(\w+\) < :\w+"
    r"|[\w.#]+ (?:=|<>|<=|>=|<|>) :\w+"
)
CONDITION = re.compile(rf"\(?(?:{CLAUSE.pattern})\)?(?: (?:AND|OR) \(?(?:{CLAUSE.pattern})\)?)*")
KINDS = {
    ("ACCOUNT", "ACCOUNT"): "account",
    ("ACCOUNT", "JOB"): "job",
    ("ACCOUNT", "KEY"): "key of account",
    ("ACCOUNT", "USAGE"): "usage rollup",
    ("MODEL", "RUNS"): "runs of a model",
    ("JOB", "SCENE"): "scene",
    ("KEY", "KEY"): "key",
    ("WALLET", "WALLET"): "wallet",
    ("WALLET", "ENTRY"): "entry",
    ("WALLET", "PAYMENT"): "payment",
    ("GRANT", "GRANT"): "grant",
    ("GRANTS", "PENDING"): "pending grant",
    ("IDEMPOTENCY", "IDEMPOTENCY"): "idempotency record",
    ("CATALOG", "CURRENT"): "current catalog",
    ("CATALOG", "PUBLISHED"): "publication",
    ("FILES", "FILE"): "file",
    ("FILES", "KEPT"): "kept files",
    ("ROUTE", "BREAKER"): "breaker",
    ("PROVIDER", "KEY"): "provider key",
    ("ACCOUNTS", "ACCOUNT"): "listed account",
    ("PERSON", "PERSON"): "person",
    ("PERSON", "SESSION"): "session of person",
    ("SESSION", "SESSION"): "session",
    ("LIMITS", "OPEN_JOBS"): "open jobs",
    ("LIMITS", "RATE"): "rate",
    ("LIMITS", "FETCHED"): "bytes fetched",
    ("OUTBOX", "EVENT"): "outbox",
    ("WEBHOOKS", "COUNT"): "count of subscriptions",
    ("WEBHOOKS", "SECRET"): "account secret",
    ("WEBHOOKS", "WEBHOOK"): "subscription",
    ("WEBHOOK", "DELIVERY"): "delivery",
    ("WEBHOOK", "SLOTS"): "slots",
    ("WEBHOOK", "MINUTE"): "sends to a host",
}
"""What an item is, by the first parts of its keys."""


@dataclass(frozen=True)
class Guard:
    """A condition on writing an item of this kind. `alone`: not as a part of a transaction."""

    kind: str
    condition: str
    alone: bool = False


@dataclass(frozen=True)
class Unguarded:
    """A write to an item of this kind under no condition. `alone`: not as a part of a transaction."""

    kind: str
    alone: bool = False


@dataclass(frozen=True)
class Mutant:
    """A guard of which one clause is taken to hold always, or never."""

    guard: Guard
    clause: str
    holds: bool

    @property
    def condition(self) -> str:
        """The condition that is left."""
        changed = f"({self.clause} OR {ALWAYS})" if self.holds else f"({self.clause} AND {NEVER})"
        return self.guard.condition.replace(self.clause, changed)

    def __str__(self) -> str:
        effect = "always" if self.holds else "never"
        return f"{self.guard.kind}: {self.clause} {effect} of {self.guard.condition}"


def mutants_of(guard: Guard) -> Iterator[Mutant]:
    """Each clause without effect; of alternatives, also each as if it were not there."""
    for found in CLAUSE.finditer(guard.condition):
        clause, rest = found.group(), guard.condition[found.end() :]
        yield Mutant(guard, clause, holds=True)
        if rest.startswith(" OR ") or guard.condition[: found.start()].endswith(" OR "):
            yield Mutant(guard, clause, holds=False)


class ConditionedClient:
    """A DynamoDB client that notes the guards it meets and the writes without, and weakens `mutants`."""

    def __init__(self, client: Any, *mutants: Mutant) -> None:
        self.client, self.met, self.unguarded = client, set[Guard](), set[Unguarded]()
        self._conditions: Mapping[Guard, str] = {mutant.guard: mutant.condition for mutant in mutants}

    def __getattr__(self, name: str) -> Any:
        return getattr(self.client, name)

    def update_item(self, **arguments: Any) -> Any:
        return self.client.update_item(**self._changed(arguments, alone=True))

    def transact_write_items(self, **arguments: Any) -> Any:
        parts = [
            {verb: self._changed(write, alone=False) for verb, write in part.items()}
            for part in arguments["TransactItems"]
        ]
        return self.client.transact_write_items(**arguments | {"TransactItems": parts})

    def _changed(self, write: Json, *, alone: bool) -> Json:
        kind = _kind(write.get("Key") or write["Item"])
        if "ConditionExpression" not in write:
            self.unguarded.add(Unguarded(kind, alone))
            return write
        guard = Guard(kind, write["ConditionExpression"], alone)
        self.met.add(guard)
        return write | {"ConditionExpression": self._conditions.get(guard, guard.condition)}


class Meanwhile:
    """A DynamoDB client that lets something else happen just before one of its updates or transactions."""

    def __init__(
        self, client: Any, happen: Callable[[], object], *, update: int = 2, transaction: int = 0
    ) -> None:
        self._client, self._happen, self._update, self._updates = client, happen, update, 0
        self._transaction, self._transactions = transaction, 0

    def __getattr__(self, name: str) -> Any:
        return getattr(self._client, name)

    def update_item(self, **arguments: Any) -> Any:
        self._updates += 1
        if self._updates == self._update:
            self._happen()
        return self._client.update_item(**arguments)

    def transact_write_items(self, **arguments: Any) -> Any:
        self._transactions += 1
        if self._transactions == self._transaction:
            self._happen()
        return self._client.transact_write_items(**arguments)


def conditions_in_the_source() -> set[str]:
    """Every condition written down in the adapters."""
    files = sorted(Path(shoal.adapters.dynamodb.__file__).parent.glob("*.py"))
    assert len(files) > 15, "the adapters of the table are elsewhere"
    return {
        condition
        for file in files
        for condition in (*_constants(file.stem), *_literals(file.read_text(encoding="utf-8")))
        if CONDITION.fullmatch(condition)
    }


def _constants(module: str) -> Iterator[str]:
    """The public constants of a module, put together."""
    for name, value in vars(import_module(f"shoal.adapters.dynamodb.{module}")).items():
        if name.isupper() and not name.startswith("_") and isinstance(value, str):
            yield value


def _literals(source: str) -> Iterator[str]:
    """Every text in the source but the conditions and filters of queries, and parts of other texts."""
    tree = ast.parse(source)
    others = {id(part) for node in ast.walk(tree) for part in _no_conditions(node)}
    for node in ast.walk(tree):
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and id(node) not in others:
            yield node.value


def _no_conditions(node: ast.AST) -> list[ast.expr]:
    if isinstance(node, ast.keyword) and node.arg in ("KeyConditionExpression", "FilterExpression"):
        return [node.value]
    if isinstance(node, ast.Assign) and isinstance(node.targets[0], ast.Name):
        return [node.value] if node.targets[0].id.startswith("_") else []
    return list(node.values) if isinstance(node, ast.JoinedStr) else []


def _kind(key: Json) -> str:
    pk, sk = (key[name]["S"].partition("#")[0] for name in ("pk", "sk"))
    return KINDS[pk, sk]


def client_of(table: Table) -> Any:
    """The client a table works with."""
    return table._client


def over(table: Table, client: Any) -> Table:
    """The same table, reached through another client."""
    return Table(client, table._name)


def write(table: Table, key: tuple[str, str], attribute: str, value: bool | int) -> None:
    """Change one attribute of an item from outside, under no condition."""
    client_of(table).client.update_item(
        TableName=table._name,
        Key={"pk": {"S": key[0]}, "sk": {"S": key[1]}},
        UpdateExpression="SET #attribute = :value",
        ExpressionAttributeNames={"#attribute": attribute},
        ExpressionAttributeValues={":value": {"BOOL": value} if value is True else {"N": str(value)}},
    )
