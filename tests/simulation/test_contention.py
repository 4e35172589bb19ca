"""What a real table does under load and the local cloud never does: it conflicts, throttles and refuses."""

from __future__ import annotations

from collections import Counter

import pytest

from tests.simulation.assumptions import ITEM_BYTES_MAX, PAGE_BYTES_MAX, Limits
from tests.simulation.lab import ATTEMPTS_MAX, Lab, code_of, key, put, reasons_of

BIG = {"S": "x" * 1_100}
"""With its key and name an item of two write units."""
THROTTLED = "ProvisionedThroughputExceededException"


def test_of_transactions_on_one_item_at_once_those_that_come_second_conflict() -> None:
    lab = Lab()
    for n in range(20):
        lab.begin("transact_write_items", TransactItems=[put(f"A{n}"), put("shared")])
    lab.kernel.run()
    codes = Counter(map(code_of, lab.outcomes))
    assert set(codes) == {"ok", "TransactionCanceledException"}
    assert len(lab.table.items) == codes["ok"] + 1
    refused = [outcome for outcome in lab.outcomes if outcome]
    assert all(reasons_of(outcome) == ["None", "TransactionConflict"] for outcome in refused)
    assert lab.table.locks == {}


def test_the_same_two_one_after_the_other_are_both_written() -> None:
    lab = Lab()
    for name in ("A", "B"):
        assert lab.call("transact_write_items", TransactItems=[put(name), put("shared")]) == {}
    assert len(lab.table.items) == 3


def test_a_plain_write_is_refused_while_a_transaction_holds_the_item_and_a_read_is_not() -> None:
    lab = Lab()
    lab.call("put_item", Item=key() | {"n": {"N": "1"}})
    lab.begin("transact_write_items", TransactItems=[put(n={"N": "2"}), put("B")])
    while ("A", "ITEM") not in lab.table.locks:
        lab.kernel.step()
    write = {"UpdateExpression": "SET n = :n", "ExpressionAttributeValues": {":n": {"N": "3"}}}
    lab.table.locks["held", "ITEM"] = 0  # by a transaction that takes long
    assert code_of(lab.call("update_item", Key=key("held"), **write)) == "TransactionConflictException"
    assert code_of(lab.call("delete_item", Key=key("held"))) == "TransactionConflictException"
    assert lab.call("get_item", Key=key("held")) == {}
    together = [{"Get": {"TableName": "t", "Key": each}} for each in (key(), key("held"))]
    assert "TransactionConflict" in reasons_of(lab.call("transact_get_items", TransactItems=together))
    lab.kernel.run()
    assert lab.call("get_item", Key=key())["Item"]["n"] == {"N": "2"}


def test_a_condition_that_fails_cancels_the_transaction_and_frees_its_items() -> None:
    lab = Lab()
    refused = put("A") | {}
    refused["Put"] |= {"ConditionExpression": "attribute_exists(pk)"}
    outcome = lab.call("transact_write_items", TransactItems=[put("B"), refused])
    assert reasons_of(outcome) == ["None", "ConditionalCheckFailed"]
    assert lab.table.items == {}
    assert lab.table.locks == {}


@pytest.mark.parametrize(
    ("items", "code"), [(100, "ok"), (101, "ValidationException"), (0, "ValidationException")]
)
def test_a_transaction_takes_a_hundred_items(items: int, code: str) -> None:
    lab = Lab()
    outcome = lab.call("transact_write_items", TransactItems=[put(f"A{n}") for n in range(items)])
    assert code_of(outcome) == code
    assert len(lab.table.items) == (items if code == "ok" else 0)


def test_a_partition_writes_its_units_a_second_and_throttles_what_is_over() -> None:
    lab = Lab(Limits(write_units_per_s=100))
    for n in range(300):
        lab.begin("put_item", Item=key("A", f"JOB#{n:03}") | {"text": BIG})
    lab.kernel.run(until_s=0.1)
    assert len(lab.table.items) == pytest.approx(50, abs=5)
    lab.kernel.run()
    codes = Counter(map(code_of, lab.outcomes))
    assert set(codes) == {"ok", THROTTLED}
    assert codes["ok"] == len(lab.table.items)
    # Throttled ones were tried again, each a few times, before the caller was told.
    assert lab.table.measures.counts["throttled by a partition"] > codes[THROTTLED] * ATTEMPTS_MAX


def test_other_partitions_are_not_throttled_with_it() -> None:
    lab = Lab(Limits(write_units_per_s=100))
    for n in range(300):
        lab.begin("put_item", Item=key(f"A{n}") | {"text": BIG})
    lab.kernel.run()
    assert Counter(map(code_of, lab.outcomes)) == {"ok": 300}


def test_a_throttled_part_is_a_reason_to_cancel_which_the_client_does_not_retry() -> None:
    lab = Lab(Limits(write_units_per_s=1))
    assert code_of(lab.call("put_item", Item=key("A") | {"text": BIG})) == "ok"
    outcome = lab.call("transact_write_items", TransactItems=[put("A"), put("B")])
    assert reasons_of(outcome) == ["ThrottlingError", "None"]
    assert lab.table.measures.counts["transactions"] == 1
    assert lab.table.locks == {}


def test_a_transactional_write_costs_twice_a_plain_one() -> None:
    written = {}
    for operation in ("put_item", "transact_write_items"):
        lab = Lab(Limits(write_units_per_s=100))
        for n in range(200):
            part = put("A", f"JOB#{n}")
            request = {"TransactItems": [part]} if "transact" in operation else {"Item": part["Put"]["Item"]}
            lab.begin(operation, after_s=n * 0.002, **request)
        lab.kernel.run(until_s=0.4)
        written[operation] = len(lab.table.items)
    assert written["put_item"] == pytest.approx(140, rel=0.1)
    assert written["transact_write_items"] == pytest.approx(70, rel=0.1)


def test_a_partition_reads_its_units_a_second() -> None:
    lab = Lab(Limits(read_units_per_s=50))
    for _ in range(200):
        lab.begin("get_item", Key=key(), ConsistentRead=True)
    lab.kernel.run(until_s=0.1)
    assert len(lab.outcomes) == pytest.approx(52, abs=4)
    lab.kernel.run()
    assert THROTTLED in map(code_of, lab.outcomes)


def test_an_index_that_is_full_holds_the_writes_of_the_table_back() -> None:
    outcomes = {}
    for shards in (1, 200):
        lab = Lab(Limits(write_units_per_s=20))
        for n in range(200):
            indexed = {"open_shard": {"S": f"OPEN#{n % shards}"}, "deadline_at": {"N": str(n)}}
            lab.begin("put_item", Item=key(f"A{n}") | indexed)
        lab.kernel.run()
        outcomes[shards] = (
            Counter(map(code_of, lab.outcomes)),
            lab.table.measures.counts["throttled by an index"],
        )
    assert outcomes[200] == ({"ok": 200}, 0)
    assert outcomes[1][0][THROTTLED] > 0
    assert outcomes[1][1] > 0


def test_an_item_has_at_most_400_kilobytes() -> None:
    lab = Lab()
    at_most = {"text": {"S": "x" * (ITEM_BYTES_MAX - len("pkAskITEMtext"))}}
    assert code_of(lab.call("put_item", Item=key() | at_most)) == "ok"
    outcome = lab.call("put_item", Item=key() | at_most | {"n": {"N": "1"}})
    assert code_of(outcome) == "ValidationException"


def test_a_page_ends_after_a_megabyte() -> None:
    lab = Lab(Limits(write_units_per_s=1e6))
    for n in range(30):
        lab.call("put_item", Item=key("A", f"JOB#{n:02}") | {"text": {"S": "x" * 100_000}})
    asked = {"KeyConditionExpression": "pk = :pk", "ExpressionAttributeValues": {":pk": {"S": "A"}}}
    first = lab.call("query", **asked)
    assert first["Count"] == PAGE_BYTES_MAX // 100_000 + 1
    second = lab.call("query", **asked, ExclusiveStartKey=first["LastEvaluatedKey"])
    assert second["Items"][0]["sk"] == {"S": f"JOB#{first['Count']:02}"}
