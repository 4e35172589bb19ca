"""What the product calls in place of botocore's client of DynamoDB: the same requests, answers and errors.

Throttled calls are retried here, as botocore does below the product: after its own backoff, in virtual time.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import Any

from botocore.exceptions import ClientError
from botocore.retries.standard import ExponentialBackoff, RetryContext

from tests.simulation import assumptions, expressions
from tests.simulation.assumptions import (
    BATCH_GET_ITEMS_MAX,
    COORDINATOR,
    HOP,
    PAGE_BYTES_MAX,
    PAGE_S_PER_MB,
    TRANSACTION_ITEMS_MAX,
    Latency,
    index_partition_of,
    partition_of,
)
from tests.simulation.attributes import Invalid, Item, item_bytes
from tests.simulation.kernel import Kernel
from tests.simulation.table import (
    INDEXES,
    PRIMARY,
    Index,
    Refused,
    Request,
    SimulatedTable,
    Write,
    check_values,
    key_of,
)
from tests.simulation.transaction import Canceled, Transaction

Json = dict[str, Any]


THROTTLED = "ProvisionedThroughputExceededException"
"""What a hot partition answers, also on demand (Developer Guide, "Key range throughput exceeded")."""
_CODES = {
    "TransactionConflict": "TransactionConflictException",
    "ConditionalCheckFailed": "ConditionalCheckFailedException",
    "ValidationError": "ValidationException",
    "ThrottlingError": THROTTLED,
}


class SimulatedClient:
    """One process's client. `attempts_max` are those of a call, the first among them."""

    def __init__(self, kernel: Kernel, table: SimulatedTable, *, attempts_max: int) -> None:
        self._kernel, self._table = kernel, table
        self._attempts_max = attempts_max
        self._backoff = ExponentialBackoff(random=kernel.random.random)

    # Reads.

    def get_item(self, **request: Any) -> Json:
        return self._called("GetItem", lambda: self._get(request))

    def batch_get_item(self, **request: Any) -> Json:
        return self._called("BatchGetItem", lambda: self._get_several(request))

    def query(self, **request: Any) -> Json:
        return self._called("Query", lambda: self._query(request))

    def scan(self, **request: Any) -> Json:
        return self._called(
            "Scan", lambda: self._page(request, PRIMARY, self._table.scanned(_start(request)))
        )

    def transact_get_items(self, **request: Any) -> Json:
        return self._called("TransactGetItems", lambda: self._get_together(request["TransactItems"]))

    # Writes.

    def put_item(self, **request: Any) -> Json:
        return self._called("PutItem", lambda: self._write("Put", request))

    def update_item(self, **request: Any) -> Json:
        return self._called("UpdateItem", lambda: self._write("Update", request))

    def delete_item(self, **request: Any) -> Json:
        return self._called("DeleteItem", lambda: self._write("Delete", request))

    def transact_write_items(self, **request: Any) -> Json:
        return self._called("TransactWriteItems", lambda: self._transact(request["TransactItems"]))

    # How.

    def _called(self, operation: str, call: Callable[[], Json]) -> Json:
        self._table.measures.counts[operation] += 1
        for attempt in range(1, self._attempts_max + 1):
            try:
                return self._answered(operation, call)
            except ClientError as error:
                if error.response["Error"]["Code"] != THROTTLED or attempt == self._attempts_max:
                    raise
            self._table.measures.counts["retried by the client"] += 1
            self._kernel.sleep(self._backoff.delay_amount(RetryContext(attempt_number=attempt)))
        raise AssertionError("unreachable")

    def _answered(self, operation: str, call: Callable[[], Json]) -> Json:
        try:
            return call()
        except Invalid as invalid:
            raise _error(operation, "ValidationException", str(invalid)) from None
        except Refused as refused:
            self._sleep(HOP)
            raise _error(operation, _CODES[refused.reason], str(refused), item=refused.item) from None
        except Canceled as canceled:
            raise _error(
                operation,
                "TransactionCanceledException",
                f"Transaction cancelled, please refer cancellation reasons for specific reasons [{canceled}]",
                reasons=canceled.reasons,
            ) from None

    def _get(self, request: Request) -> Json:
        key = key_of(request["Key"])
        self._sleep(HOP, assumptions.READ)
        item = self._table.read(key, consistent=request.get("ConsistentRead", False))
        self._sleep(HOP)
        return {} if item is None else {"Item": _projected(request, item)}

    def _get_several(self, request: Request) -> Json:
        ((name, asked),) = request["RequestItems"].items()
        keys = [key_of(key) for key in asked["Keys"]]
        if not 1 <= len(keys) <= BATCH_GET_ITEMS_MAX or len(set(keys)) < len(keys):
            raise Invalid("Provided list of item keys has a wrong length or contains duplicates")
        self._sleep(HOP)
        self._kernel.sleep(max(assumptions.READ.draw_s(self._kernel.random) for _ in keys))
        found = [self._table.read(key, consistent=asked.get("ConsistentRead", False)) for key in keys]
        self._sleep(HOP)
        return {"Responses": {name: [item for item in found if item is not None]}, "UnprocessedKeys": {}}

    def _get_together(self, parts: Sequence[Request]) -> Json:
        """All of one moment, unless another transaction has one of them locked."""
        if not 1 <= len(parts) <= TRANSACTION_ITEMS_MAX:
            raise Invalid(f"Member must have length less than or equal to {TRANSACTION_ITEMS_MAX}")
        keys = [key_of(part["Get"]["Key"]) for part in parts]
        self._sleep(HOP, COORDINATOR)
        self._kernel.sleep(max(assumptions.READ.draw_s(self._kernel.random) for _ in keys))
        locked = [Refused("TransactionConflict") if key in self._table.locks else None for key in keys]
        found = [self._table.read(key) for key in keys]
        self._sleep(HOP)
        if any(locked):
            raise Canceled(locked)
        return {"Responses": [{} if item is None else {"Item": item} for item in found]}

    def _query(self, request: Request) -> Json:
        index = _index(request.get("IndexName"))
        if index is not PRIMARY and request.get("ConsistentRead"):
            raise Invalid("Consistent reads are not supported on global secondary indexes")
        names = _names(request)
        values = request.get("ExpressionAttributeValues", {})
        check_values(values, request["KeyConditionExpression"], request.get("FilterExpression"))
        wanted = expressions.condition(request["KeyConditionExpression"], names)
        hash_value = _hash_value(request, index, values)
        forward = request.get("ScanIndexForward", True)
        items = self._table.ordered(index, hash_value, _start(request), forward=forward)
        return self._page(request, index, _run_of(items, lambda item: wanted(item, values)))

    def _page(self, request: Request, index: Index, items: Iterable[Item]) -> Json:
        """A page: at most `Limit` items are read, and a megabyte; what the filter leaves is answered."""
        self._sleep(HOP, assumptions.QUERY)
        read, size_bytes, more = _taken(items, request.get("Limit"))
        if read:
            self._table.pay_read(
                _partition_read(index, read[0]), size_bytes, consistent=request.get("ConsistentRead", False)
            )
        self._kernel.sleep(size_bytes / PAGE_BYTES_MAX * PAGE_S_PER_MB)
        self._sleep(HOP)
        kept = read
        if text := request.get("FilterExpression"):
            holds = expressions.condition(text, _names(request))
            kept = [item for item in read if holds(item, request.get("ExpressionAttributeValues", {}))]
        shown = kept if index is PRIMARY else [index.projected(item) for item in kept]
        answer: Json = {
            "Items": [_projected(request, item) for item in shown],
            "Count": len(kept),
            "ScannedCount": len(read),
        }
        if more:
            answer["LastEvaluatedKey"] = index.projected(read[-1])
        return answer

    def _write(self, kind: str, request: Request) -> Json:
        write = Write.of(kind, request)
        self._sleep(HOP)
        new = self._table.evaluate(write)
        old = self._table.items.get(write.key)
        # The leader orders the write here; the caller gets its answer once a quorum has it.
        self._table.store(write.key, new)
        self._sleep(assumptions.WRITE, HOP)
        told = {"ALL_NEW": new, "ALL_OLD": old}.get(request.get("ReturnValues", "NONE"))
        return {"Attributes": told} if told is not None else {}

    def _transact(self, parts: Sequence[Request]) -> Json:
        if not 1 <= len(parts) <= TRANSACTION_ITEMS_MAX:
            raise Invalid(f"Member must have length less than or equal to {TRANSACTION_ITEMS_MAX}")
        writes = [Write.of(kind, request) for part in parts for kind, request in part.items()]
        if len({write.key for write in writes}) < len(writes):
            raise Invalid("Transaction request cannot include multiple operations on one item")
        Transaction(self._kernel, self._table, writes).run()
        return {}

    def _sleep(self, *latencies: Latency) -> None:
        self._kernel.sleep(sum(latency.draw_s(self._kernel.random) for latency in latencies))


def _error(
    operation: str,
    code: str,
    message: str,
    *,
    item: Item | None = None,
    reasons: Sequence[Refused | None] = (),
) -> ClientError:
    response: Any = {"Error": {"Code": code, "Message": message}}
    if item is not None:
        response["Item"] = item
    if reasons:
        response["CancellationReasons"] = [_reason(refused) for refused in reasons]
    return ClientError(response, operation)


def _reason(refused: Refused | None) -> Json:
    if refused is None:
        return {"Code": "None"}
    reason = {"Code": refused.reason, "Message": str(refused)}
    return reason | ({"Item": refused.item} if refused.item is not None else {})


def _names(request: Request) -> expressions.Names:
    return tuple(sorted(request.get("ExpressionAttributeNames", {}).items()))


def _start(request: Request) -> Item | None:
    start: Item | None = request.get("ExclusiveStartKey")
    return start


def _projected(request: Request, item: Item) -> Item:
    text = request.get("ProjectionExpression")
    return expressions.projection(text, _names(request))(item) if text else item


def _index(name: str | None) -> Index:
    """Raises `Invalid` if there is no such index."""
    if name is None:
        return PRIMARY
    for index in INDEXES:
        if index.name == name:
            return index
    raise Invalid(f"The table does not have the specified index: {name}")


def _hash_value(request: Request, index: Index, values: expressions.Values) -> str:
    """What the key condition, whose first part it must be, asks the partition key to equal."""
    first = str(request["KeyConditionExpression"]).split()
    if first[:2] != [index.hash_name, "="] or first[2] not in values:
        raise Invalid(f"Query condition missed key schema element: {index.hash_name}")
    value: str = values[first[2]]["S"]
    return value


def _run_of(items: Iterable[Item], wanted: Callable[[Item], bool]) -> Iterable[Item]:
    """Key conditions are ranges: those wanted stand together, and nothing behind them is looked at."""
    within = False
    for item in items:
        if wanted(item):
            within = True
            yield item
        elif within:
            return


def _taken(items: Iterable[Item], limit: int | None) -> tuple[list[Item], int, bool]:
    """The items of a page, their bytes, and whether the page ended before the items may have."""
    read: list[Item] = []
    size_bytes = 0
    for item in items:
        read.append(item)
        size_bytes += item_bytes(item)
        if len(read) == limit or size_bytes >= PAGE_BYTES_MAX:
            return read, size_bytes, True
    return read, size_bytes, False


def _partition_read(index: Index, item: Item) -> str:
    if index is PRIMARY:
        return partition_of(item["pk"]["S"], item["sk"]["S"])
    return index_partition_of(index.name, item[index.hash_name]["S"])
