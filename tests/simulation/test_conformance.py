"""The simulated table answers as the local cloud's DynamoDB does, to hundreds of random operations.

What the local cloud cannot show (locks, throttling) is in `test_contention`.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator
from random import Random
from typing import Any
from uuid import uuid4

import pytest
from botocore.exceptions import ClientError

from infra.local.aws import Endpoint
from tests.simulation.lab import Json, Lab
from tests.simulation.table import INDEXES

OPERATIONS = 500
NUMBERS = {"deadline_at"}

CONDITIONS: tuple[tuple[str, tuple[str, ...]], ...] = (
    ("attribute_not_exists(pk)", ()),
    ("attribute_exists(pk)", ()),
    ("n >= :n", (":n",)),
    ("n < :n AND attribute_exists(m)", (":n",)),
    ("attribute_not_exists(n) OR n <= :n", (":n",)),
    ("NOT (n = :n) AND attribute_exists(s)", (":n",)),
    ("s <> :s", (":s",)),
    ("s = :s", (":s",)),
    ("begins_with(s, :start)", (":start",)),
    ("contains(tags, :s)", (":s",)),
    ("contains(l, :s)", (":s",)),
    ("n BETWEEN :low AND :high", (":low", ":high")),
    ("n IN (:low, :n)", (":low", ":n")),
    ("size(s) > :low", (":low",)),
    ("m.#a = :s", (":s",)),
    ("attribute_type(s, :type)", (":type",)),
    ("m = :m", (":m",)),
    ("l[0] = :s", (":s",)),
    ("flag = :flag", (":flag",)),
    ("n > :s", (":s",)),
)
UPDATES: tuple[tuple[str, tuple[str, ...]], ...] = (
    ("SET n = :n", (":n",)),
    ("SET n = n + :n", (":n",)),
    ("SET n = if_not_exists(n, :low) - :n", (":low", ":n")),
    ("SET s = :s, flag = :flag REMOVE n", (":s", ":flag")),
    ("SET m = :m", (":m",)),
    ("SET m.#a = :s", (":s",)),
    ("SET m.#a = :s, n = :n REMOVE m.b", (":s", ":n")),
    ("SET l = list_append(l, :l)", (":l",)),
    ("SET l = list_append(if_not_exists(l, :l), :l)", (":l",)),
    ("SET l[0] = :s", (":s",)),
    ("SET s = m.#a", ()),
    ("ADD n :n", (":n",)),
    ("ADD n :n, tags :tags", (":n", ":tags")),
    ("DELETE tags :tags", (":tags",)),
    ("REMOVE tags, m, flag", ()),
    ("ADD flag :n", (":n",)),
    ("SET open_shard = :shard, deadline_at = :n", (":shard", ":n")),
    ("REMOVE open_shard, deadline_at", ()),
    ("SET failed_shard = :shard", (":shard",)),
)
QUERIES: tuple[tuple[str | None, str, tuple[str, ...]], ...] = (
    (None, "pk = :pk", (":pk",)),
    (None, "pk = :pk AND begins_with(sk, :jobs)", (":pk", ":jobs")),
    (None, "pk = :pk AND sk BETWEEN :from AND :to", (":pk", ":from", ":to")),
    (None, "pk = :pk AND sk BETWEEN :to AND :from", (":pk", ":from", ":to")),
    (None, "pk = :pk AND sk > :from", (":pk", ":from")),
    ("open_jobs", "open_shard = :shard", (":shard",)),
    ("open_jobs", "open_shard = :shard AND deadline_at <= :n", (":shard", ":n")),
    ("failed_jobs", "failed_shard = :shard AND sk BETWEEN :from AND :to", (":shard", ":from", ":to")),
)


class Draw:
    """Random requests: small in what they name, so that they meet each other."""

    def __init__(self, seed: int) -> None:
        self.random = Random(seed)  # noqa: S311 - nothing here is secret

    def operation(self) -> tuple[str, Json]:
        """A method of the client, with its parameters but for the table."""
        kind = self.random.choice(
            ("put", "update", "update", "delete", "get", "get_several", "get_together", "query", "query")
        )
        if self.random.random() < 0.3:
            return "transact_write_items", {"TransactItems": self._parts()}
        match kind:
            case "put":
                return "put_item", {"Item": self._item()} | self._maybe_condition() | self._told("ALL_OLD")
            case "update":
                return "update_item", self._update() | self._told("ALL_NEW", "ALL_OLD")
            case "delete":
                return "delete_item", {"Key": self._key()} | self._maybe_condition() | self._told("ALL_OLD")
            case "get":
                return "get_item", {"Key": self._key(), "ConsistentRead": True} | self._projection()
            case "get_several":
                keys = {str(key): key for key in (self._key() for _ in range(5))}
                asked = {"Keys": [*keys.values()], "ConsistentRead": True}
                return "batch_get_item", {"RequestItems": {"t": asked}}
            case "get_together":
                parts = [{"Get": {"TableName": "t", "Key": self._key()}} for _ in range(3)]
                distinct = {str(part): part for part in parts}
                return "transact_get_items", {"TransactItems": [*distinct.values()]}
        return "query", self._query()

    def _parts(self) -> list[Json]:
        parts = [self._part() for _ in range(self.random.randint(1, 4))]
        # Mostly of different items: the same twice is refused as a whole.
        return (
            parts
            if self.random.random() < 0.1
            else list({str(_key_in(part)): part for part in parts}.values())
        )

    def _part(self) -> Json:
        told = {"ReturnValuesOnConditionCheckFailure": self.random.choice(("ALL_OLD", "NONE"))}
        table = {"TableName": "t"}
        match self.random.choice(("Put", "Update", "Update", "Delete", "ConditionCheck")):
            case "Put":
                return {"Put": table | {"Item": self._item()} | self._maybe_condition() | told}
            case "Update":
                return {"Update": table | self._update() | told}
            case "Delete":
                return {"Delete": table | {"Key": self._key()} | self._maybe_condition() | told}
        return {"ConditionCheck": table | {"Key": self._key()} | self._condition() | told}

    def _query(self) -> Json:
        index, text, placeholders = self.random.choice(QUERIES)
        request: Json = {"KeyConditionExpression": text}
        if index:
            request["IndexName"] = index
        if self.random.random() < 0.5:
            request["ScanIndexForward"] = False
        if self.random.random() < 0.7:
            request["Limit"] = self.random.randint(1, 4)
        if not index and self.random.random() < 0.5:
            filter_text, filtering = self.random.choice(CONDITIONS[2:])
            request["FilterExpression"] = filter_text
            placeholders = tuple({*placeholders, *filtering})
            request |= self._names(filter_text)
        return request | self._values(placeholders)

    def _update(self) -> Json:
        text, placeholders = self.random.choice(UPDATES)
        request: Json = {"Key": self._key(), "UpdateExpression": text}
        if self.random.random() < 0.5:
            condition, its = self.random.choice(CONDITIONS)
            request["ConditionExpression"] = condition
            text, placeholders = f"{text} {condition}", tuple({*placeholders, *its})
        return request | self._names(text) | self._values(placeholders)

    def _maybe_condition(self) -> Json:
        return self._condition() if self.random.random() < 0.6 else {}

    def _condition(self) -> Json:
        text, placeholders = self.random.choice(CONDITIONS)
        return {"ConditionExpression": text} | self._names(text) | self._values(placeholders)

    def _projection(self) -> Json:
        return {"ProjectionExpression": "n, s, sk"} if self.random.random() < 0.5 else {}

    def _told(self, *choices: str) -> Json:
        return {"ReturnValues": self.random.choice((*choices, "NONE"))}

    def _names(self, text: str) -> Json:
        return {"ExpressionAttributeNames": {"#a": "a"}} if "#a" in text else {}

    def _values(self, placeholders: tuple[str, ...]) -> Json:
        values = {name: self._value(name) for name in sorted(placeholders)}
        if values and self.random.random() < 0.03:
            values[":unused"] = {"N": "1"}
        return {"ExpressionAttributeValues": values} if values else {}

    def _value(self, placeholder: str) -> Json:
        chance = self.random
        draws: dict[str, Callable[[], Json]] = {
            ":n": lambda: {"N": str(chance.randint(-3, 12))},
            ":low": lambda: {"N": str(chance.randint(-3, 3))},
            ":high": lambda: {"N": str(chance.randint(3, 9))},
            ":s": self._text,
            ":start": lambda: {"S": chance.choice("abg")},
            ":type": lambda: {"S": chance.choice(("S", "N"))},
            ":flag": lambda: {"BOOL": chance.random() < 0.5},
            ":m": lambda: {"M": {"a": self._text(), "b": {"N": "1"}}},
            ":l": lambda: {"L": [self._text(), {"N": "7"}]},
            ":tags": lambda: {"SS": sorted({chance.choice("abc"), chance.choice("abc")})},
            ":shard": lambda: {"S": f"OPEN#{chance.randint(0, 1)}"},
            ":pk": lambda: {"S": f"P{chance.randint(0, 2)}"},
            ":jobs": lambda: {"S": chance.choice(("JOB#", "ENTRY#", "X"))},
            ":from": lambda: {"S": f"ENTRY#{chance.randint(0, 5)}"},
            ":to": lambda: {"S": f"JOB#{chance.randint(0, 5)}"},
        }
        return draws[placeholder]()

    def _text(self) -> Json:
        return {"S": self.random.choice(("", "a", "ab", "b", "größer", "c"))}

    def _item(self) -> Json:
        possible = {
            "n": ":n", "s": ":s", "flag": ":flag", "m": ":m", "l": ":l", "tags": ":tags",
            "open_shard": ":shard", "failed_shard": ":shard", "deadline_at": ":n",
        }  # fmt: skip
        chosen = [name for name in possible if self.random.random() < 0.5]
        return self._key() | {name: self._value(possible[name]) for name in chosen}

    def _key(self) -> Json:
        return {name: {"S": value} for name, value in self._key_values()}

    def _key_values(self) -> tuple[tuple[str, str], tuple[str, str]]:
        kind, number = self.random.choice(("JOB", "ENTRY")), self.random.randint(0, 5)
        return ("pk", f"P{self.random.randint(0, 2)}"), ("sk", f"{kind}#{number}")


class Both:
    """The simulated table and a real one of the local cloud, asked the same."""

    def __init__(self, endpoint: Endpoint, name: str) -> None:
        self.lab, self.name = Lab(), name
        self.client = endpoint.client("dynamodb")

    def ask(self, operation: str, request: Json) -> tuple[Json, Json]:
        """What the simulation answers, and what the local cloud does."""
        simulated = self.lab.call(operation, **request)
        try:
            real = getattr(self.client, operation)(**self._named(operation, request))
        except ClientError as error:
            real = error.response
        return comparable_answer(simulated), comparable_answer(real)

    def _named(self, operation: str, request: Json) -> Json:
        if operation == "batch_get_item":
            return {"RequestItems": {self.name: request["RequestItems"]["t"]}}
        if operation not in ("transact_write_items", "transact_get_items"):
            return {"TableName": self.name} | request
        parts = [
            {kind: inner | {"TableName": self.name}}
            for part in request["TransactItems"]
            for kind, inner in part.items()
        ]
        return {"TransactItems": parts}

    def items(self) -> tuple[list[str], list[str]]:
        """All items of each, read through its own scan, page by page."""
        simulated, real = [], []
        for page in self._simulated_pages():
            simulated += page["Items"]
        for page in self.client.get_paginator("scan").paginate(TableName=self.name, Limit=5):
            real += page["Items"]
        return sorted(str(plain(item)) for item in simulated), sorted(str(plain(item)) for item in real)

    def _simulated_pages(self) -> Iterator[Json]:
        page = self.lab.call("scan", Limit=5)
        yield page
        while "LastEvaluatedKey" in page:
            page = self.lab.call("scan", Limit=5, ExclusiveStartKey=page["LastEvaluatedKey"])
            yield page


@pytest.fixture
def both(endpoint: Endpoint) -> Iterator[Both]:
    pair = Both(endpoint, f"conformance-{uuid4().hex}")
    names = ["pk", "sk", *dict.fromkeys(i.hash_name for i in INDEXES), "deadline_at"]
    pair.client.create_table(
        TableName=pair.name,
        BillingMode="PAY_PER_REQUEST",
        KeySchema=_schema("pk", "sk"),
        AttributeDefinitions=[
            {"AttributeName": name, "AttributeType": "N" if name in NUMBERS else "S"} for name in names
        ],
        GlobalSecondaryIndexes=[
            {
                "IndexName": index.name,
                "KeySchema": _schema(index.hash_name, index.range_name),
                "Projection": {"ProjectionType": "KEYS_ONLY"},
            }
            for index in INDEXES
        ],
    )
    yield pair
    pair.client.delete_table(TableName=pair.name)


@pytest.mark.parametrize("seed", [1, 2])
def test_random_operations_are_answered_alike_and_leave_the_same_items(both: Both, seed: int) -> None:
    draw, seen = Draw(seed), Counter[tuple[str, str]]()
    for n in range(OPERATIONS):
        operation, request = draw.operation()
        simulated, real = both.ask(operation, request)
        assert simulated == real, f"operation {n}: {operation} {request}"
        seen[operation, str(simulated["code"])] += 1
        if "LastEvaluatedKey" in simulated:
            request["ExclusiveStartKey"] = simulated["LastEvaluatedKey"]
            assert_pages_alike(both, operation, request)
    simulated_items, real_items = both.items()
    assert simulated_items == real_items
    assert len(real_items) > 10
    # Both ways of each were seen, so neither side answered everything alike by refusing it.
    for operation in ("put_item", "update_item", "delete_item"):
        assert seen[operation, "ok"] > 3
        assert seen[operation, "ConditionalCheckFailedException"] > 3
    assert seen["update_item", "ValidationException"] > 3
    assert seen["transact_write_items", "ok"] > 10
    assert seen["transact_write_items", "TransactionCanceledException"] > 10
    assert seen["query", "ok"] > 50


def assert_pages_alike(both: Both, operation: str, request: Json) -> None:
    """Read on, page by page, to the end."""
    while True:
        simulated, real = both.ask(operation, request)
        assert simulated == real, f"next page: {request}"
        if "LastEvaluatedKey" not in simulated:
            return
        request["ExclusiveStartKey"] = simulated["LastEvaluatedKey"]


def comparable_answer(answer: Json) -> Json:
    """What is promised of an answer: its data, an error's code, and why a transaction was canceled."""
    told: Json = {}
    for name in ("Count", "ScannedCount"):
        if name in answer:
            told[name] = answer[name]
    for name in ("Item", "Attributes", "LastEvaluatedKey"):
        if name in answer:
            told[name] = plain(answer[name])
    if "Items" in answer:
        told["Items"] = [plain(item) for item in answer["Items"]]
    if "Responses" in answer:
        of_batch = isinstance(answer["Responses"], dict)
        (items,) = answer["Responses"].values() if of_batch else [answer["Responses"]]
        shown = [plain(item if of_batch else item.get("Item", {})) for item in items]
        told["Responses"] = sorted(map(str, shown)) if of_batch else shown
    if "CancellationReasons" in answer:
        told["reasons"] = [
            (reason.get("Code", "None"), plain(reason.get("Item", {})))
            for reason in answer["CancellationReasons"]
        ]
    return told | {"code": answer.get("Error", {}).get("Code", "ok")}


def plain(item: Json) -> Json:
    """An item with its names and sets in one order."""
    return {name: _ordered(attribute) for name, attribute in sorted(item.items())}


def _ordered(attribute: Json) -> Any:
    ((kind, value),) = attribute.items()
    if kind == "SS":
        return {kind: sorted(value)}
    return {kind: plain(value)} if kind == "M" else {kind: value}


def _key_in(part: Json) -> Json:
    ((_, request),) = part.items()
    source = request.get("Item") or request["Key"]
    return {name: source[name] for name in ("pk", "sk")}


def _schema(hash_name: str, range_name: str) -> list[Json]:
    return [
        {"AttributeName": hash_name, "KeyType": "HASH"},
        {"AttributeName": range_name, "KeyType": "RANGE"},
    ]
