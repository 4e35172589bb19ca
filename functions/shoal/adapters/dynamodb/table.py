"""The one table: plain Python values in and out, conditions answered, transactions retried."""

from __future__ import annotations

import random
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from botocore.exceptions import ClientError

from shoal.adapters.aws.client import error_code, unavailable_when_unreachable
from shoal.adapters.dynamodb.values import Item as Item
from shoal.adapters.dynamodb.values import marshal, unmarshal
from shoal.domain.errors import Unavailable

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient


CONFLICT_ATTEMPTS_MAX = 6
CONFLICT_BACKOFF_S = 0.04
PAGE_ITEMS_MAX = 500
TOGETHER_MAX = 100
"""Items of one transaction."""


class ConditionFailed(Exception):
    """A condition did not hold. `item` is what stood there instead, None if nothing did."""

    def __init__(self, item: Item | None) -> None:
        self.item = item
        super().__init__("condition failed")


@dataclass(frozen=True, slots=True)
class Reason:
    """Why one part of a transaction did not pass: DynamoDB's code (`None` if it would have), and the item."""

    code: str
    item: Item | None


class TransactionRefused(Exception):
    """A transaction wrote nothing; `reasons` stand in the order of its parts."""

    def __init__(self, reasons: Sequence[Reason]) -> None:
        self.reasons = list(reasons)
        super().__init__(", ".join(reason.code for reason in reasons))

    def failed(self, index: int) -> bool:
        """Whether the condition of the part at `index` did not hold."""
        return index < len(self.reasons) and self.reasons[index].code == "ConditionalCheckFailed"


class TransactionContended(Unavailable):
    """Other writers held the items through every retry; `reasons` stand in the order of the parts."""

    def __init__(self, reasons: Sequence[Reason]) -> None:
        self.reasons = list(reasons)
        super().__init__(retry_after_seconds=1)

    @property
    def by_the_last(self) -> bool:
        """Whether the last part was among what they held."""
        return self.reasons[-1].code == "TransactionConflict"


@dataclass(frozen=True, slots=True)
class Put:
    """Write an item whole under a condition; `values` are the condition's."""

    item: Item
    condition: str = "attribute_not_exists(pk)"
    values: Mapping[str, Any] | None = None

    def request(self, table: str) -> dict[str, Any]:
        request = {
            "TableName": table,
            "Item": marshal(self.item),
            "ConditionExpression": self.condition,
            "ReturnValuesOnConditionCheckFailure": "ALL_OLD",
        }
        if self.values:
            request["ExpressionAttributeValues"] = marshal(self.values)
        return {"Put": request}


@dataclass(frozen=True, slots=True)
class Update:
    """Change an item, under a condition or whatever stands there. Reserved words go into `names`."""

    key: tuple[str, str]
    expression: str
    condition: str | None = None
    values: Mapping[str, Any] | None = None
    names: Mapping[str, str] | None = None

    def arguments(self, table: str) -> dict[str, Any]:
        arguments = {
            "TableName": table,
            "Key": marshal({"pk": self.key[0], "sk": self.key[1]}),
            "UpdateExpression": self.expression,
        }
        if self.condition:
            arguments["ConditionExpression"] = self.condition
            arguments["ReturnValuesOnConditionCheckFailure"] = "ALL_OLD"
        if self.values:
            arguments["ExpressionAttributeValues"] = marshal(self.values)
        if self.names:
            arguments["ExpressionAttributeNames"] = dict(self.names)
        return arguments

    def request(self, table: str) -> dict[str, Any]:
        return {"Update": self.arguments(table)}


@dataclass(frozen=True, slots=True)
class Delete:
    """Remove an item under a condition; `values` are the condition's."""

    key: tuple[str, str]
    condition: str = "attribute_exists(pk)"
    values: Mapping[str, Any] | None = None

    def request(self, table: str) -> dict[str, Any]:
        request = {
            "TableName": table,
            "Key": marshal({"pk": self.key[0], "sk": self.key[1]}),
            "ConditionExpression": self.condition,
        }
        if self.values:
            request["ExpressionAttributeValues"] = marshal(self.values)
        return {"Delete": request}


class Table:
    """Single-table access. `sleep` and `jitter` (seconds, and a number from 0 to 1) are for tests to own."""

    def __init__(
        self,
        client: DynamoDBClient,
        name: str,
        *,
        sleep: Callable[[float], None] = time.sleep,
        jitter: Callable[[], float] = random.random,
    ) -> None:
        self._client = client
        self._name = name
        self._sleep = sleep
        self._jitter = jitter

    def get(self, pk: str, sk: str) -> Item | None:
        """The item, read consistently, or None."""
        with unavailable_when_unreachable():
            answer = self._client.get_item(
                TableName=self._name,
                Key=marshal({"pk": pk, "sk": sk}),
                ConsistentRead=True,
            )
        return unmarshal(answer["Item"]) if "Item" in answer else None

    def get_several(self, keys: Sequence[tuple[str, str]]) -> dict[tuple[str, str], Item]:
        """Those of the items that are there, at most 100, read consistently, by their keys."""
        wanted: Any = {
            self._name: {"Keys": [marshal({"pk": pk, "sk": sk}) for pk, sk in keys], "ConsistentRead": True}
        }
        found: list[Item] = []
        for attempt in range(CONFLICT_ATTEMPTS_MAX):
            with unavailable_when_unreachable():
                answer = self._client.batch_get_item(RequestItems=wanted)
            found += map(unmarshal, answer["Responses"].get(self._name, []))
            wanted = answer.get("UnprocessedKeys")
            if not wanted:
                return {(item["pk"], item["sk"]): item for item in found}
            self.wait_for_others(attempt)
        raise Unavailable(retry_after_seconds=1)

    def get_together(self, keys: Sequence[tuple[str, str]]) -> list[Item | None]:
        """The items of one moment at which no transaction was writing to any of them, at most 100.

        Raises `TransactionContended`, `Unavailable`.
        """
        items: Any = [
            {"Get": {"TableName": self._name, "Key": marshal({"pk": pk, "sk": sk})}} for pk, sk in keys
        ]
        for attempt in range(CONFLICT_ATTEMPTS_MAX):
            try:
                with unavailable_when_unreachable():
                    answer = self._client.transact_get_items(TransactItems=items)
            except ClientError as error:
                reasons = _reasons(error)
                self.wait_for_others(attempt)
            else:
                return [unmarshal(each["Item"]) if each.get("Item") else None for each in answer["Responses"]]
        raise TransactionContended(reasons)

    def update(self, update: Update) -> Item:
        """The item after the change. Raises `ConditionFailed`, and `Unavailable` under contention."""
        arguments = update.arguments(self._name)
        for attempt in range(CONFLICT_ATTEMPTS_MAX):
            try:
                with unavailable_when_unreachable():
                    answer = self._client.update_item(**arguments, ReturnValues="ALL_NEW")
                return unmarshal(answer["Attributes"])
            except ClientError as error:
                self._raise_or_wait(error, attempt)
        raise Unavailable(retry_after_seconds=1)

    def transact(self, parts: Sequence[Put | Update | Delete], *, find: bool = False) -> None:
        """Write all parts or none. Raises `TransactionRefused`, `Unavailable`.

        `find`: if no answer came, look whether it was written. What it puts is then its own: where just this
        stands, nothing but the same transaction can have put it there.
        """
        requests = [part.request(self._name) for part in parts]
        for attempt in range(CONFLICT_ATTEMPTS_MAX):
            try:
                with unavailable_when_unreachable():
                    self._client.transact_write_items(TransactItems=requests)  # type: ignore[arg-type]
                return
            except Unavailable:
                if find and self._stand([part.item for part in parts if isinstance(part, Put)]):
                    return
                raise
            except ClientError as error:
                reasons = _reasons(error)
                if any(reason.code == "ConditionalCheckFailed" for reason in reasons):
                    raise TransactionRefused(reasons) from error
                self.wait_for_others(attempt)
        raise TransactionContended(reasons)

    def _stand(self, items: Sequence[Item]) -> bool:
        """Whether all of these are in the table, as they are. Raises `Unavailable`."""
        return bool(items) and all(
            self.get(item["pk"], item["sk"]) == unmarshal(marshal(item)) for item in items
        )

    def query(self, **arguments: Any) -> Iterator[tuple[list[Item], Item | None]]:
        """Pages of items with the key to go on from. Values are given unmarshalled as `values`.

        Each page has at most twice the `Limit` of the one before: what is rare is found in few calls.
        """
        arguments["ExpressionAttributeValues"] = marshal(arguments.pop("values"))
        yield from self._pages(arguments)

    def _pages(self, arguments: dict[str, Any]) -> Iterator[tuple[list[Item], Item | None]]:
        while True:
            with unavailable_when_unreachable():
                answer = self._client.query(TableName=self._name, **arguments)
            last = answer.get("LastEvaluatedKey")
            yield (
                [unmarshal(item) for item in answer["Items"]],
                unmarshal(last) if last else None,
            )
            if not last:
                return
            arguments["ExclusiveStartKey"] = last
            if "Limit" in arguments:
                arguments["Limit"] = min(2 * arguments["Limit"], PAGE_ITEMS_MAX)

    def _raise_or_wait(self, error: ClientError, attempt: int) -> None:
        code = error_code(error)
        if code == "ConditionalCheckFailedException":
            item: Any = error.response.get("Item")
            raise ConditionFailed(unmarshal(item) if item else None) from error
        if code != "TransactionConflictException":
            raise error
        self.wait_for_others(attempt)

    def wait_for_others(self, attempt: int) -> None:
        """Pause for as long as the items that others write to may be locked, longer with each attempt."""
        # Full jitter (AWS Architecture Blog, "Exponential Backoff And Jitter").
        self._sleep(self._jitter() * CONFLICT_BACKOFF_S * 2**attempt)


def _reasons(error: ClientError) -> list[Reason]:
    if error_code(error) != "TransactionCanceledException":
        raise error
    reasons = [
        Reason(
            reason.get("Code", "None"),
            unmarshal(reason["Item"]) if reason.get("Item") else None,
        )
        for reason in error.response.get("CancellationReasons", [])
    ]
    retryable = {
        "TransactionConflict",
        "ThrottlingError",
        "ProvisionedThroughputExceeded",
    }
    if not any(reason.code in retryable | {"ConditionalCheckFailed"} for reason in reasons):
        raise error
    return reasons
