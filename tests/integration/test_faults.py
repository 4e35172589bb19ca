"""Conflicts and throttling: everything is tried again, then refused with nothing written."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from botocore.exceptions import ClientError

from shoal.adapters.dynamodb.table import CONFLICT_ATTEMPTS_MAX, CONFLICT_BACKOFF_S, Table
from shoal.domain.api_key import Caller
from shoal.domain.errors import (
    IdempotencyInFlight,
    InsufficientBalance,
    Unavailable,
)
from shoal.domain.job import JobStatus
from shoal.domain.money import Asset
from tests.integration.actions import (
    TRANSACTIONS,
    Action,
    prepared,
)
from tests.integration.bench import PRICE, Bench
from tests.integration.faults import (
    MakeError,
    Pauses,
    canceled,
    canceled_by,
    faulty,
    service_error,
    timed_out,
)

ALWAYS = 99
MONEY = 10 * PRICE


@pytest.fixture
def caller(bench: Bench) -> Caller:
    """A caller with money for ten jobs."""
    return bench.account(MONEY)


@pytest.mark.parametrize("action", TRANSACTIONS)
@pytest.mark.parametrize(
    "error",
    [canceled("TransactionConflict", 1), canceled("ThrottlingError", 0, 1)],
    ids=["conflict", "throttle"],
)
def test_a_transaction_in_conflict_is_tried_again(
    bench: Bench, caller: Caller, action: Action, error: MakeError
) -> None:
    before, pauses = prepared(bench, caller, action), Pauses()
    strikes = CONFLICT_ATTEMPTS_MAX - 1

    action(
        bench.over(faulty(bench.table, "transact_write_items", error, times=strikes, pauses=pauses)), caller
    )

    assert bench.wallet(caller) != before
    assert pauses.made_s == [CONFLICT_BACKOFF_S * 2**attempt for attempt in range(strikes)]
    assert bench.audit_ledger() == []


@pytest.mark.parametrize("action", TRANSACTIONS)
@pytest.mark.parametrize(
    "error",
    [
        canceled("TransactionConflict", 1),
        canceled("ProvisionedThroughputExceeded", 1),
        service_error("ProvisionedThroughputExceededException"),
        service_error("ThrottlingException"),
        service_error("RequestLimitExceeded"),
        service_error("InternalServerError"),
        service_error("TransactionInProgressException"),
        timed_out,
    ],
    ids=["conflict", "reason", "throughput", "throttling", "limit", "internal", "in progress", "time-out"],
)
def test_a_transaction_that_does_not_get_through_says_so_and_writes_nothing(
    bench: Bench, caller: Caller, action: Action, error: MakeError
) -> None:
    before, entries = prepared(bench, caller, action), len(bench.entries(caller))

    with pytest.raises(Unavailable) as refused:
        action(bench.over(faulty(bench.table, "transact_write_items", error, times=ALWAYS)), caller)

    assert refused.value.headers["Retry-After"] == "1"
    assert (bench.wallet(caller), len(bench.entries(caller))) == (before, entries)
    action(bench, caller)
    assert bench.wallet(caller) != before


def test_a_conflict_over_an_idempotency_key_is_a_request_in_flight(bench: Bench, caller: Caller) -> None:
    conflict = canceled("TransactionConflict", -1)
    contended = bench.over(faulty(bench.table, "transact_write_items", conflict, times=ALWAYS))

    with pytest.raises(IdempotencyInFlight) as refused:
        contended.submit(caller, "key-1")

    assert refused.value.headers["Retry-After"] == "1"
    assert bench.all_jobs(caller) == []
    assert not bench.submit(caller, "key-1").replayed


def test_a_conflict_over_the_wallet_alone_is_no_request_in_flight(bench: Bench, caller: Caller) -> None:
    conflict = canceled("TransactionConflict", 1)
    contended = bench.over(faulty(bench.table, "transact_write_items", conflict, times=ALWAYS))

    with pytest.raises(Unavailable):
        contended.submit(caller, "key-1")


def test_a_session_that_others_keep_from_being_ended_is_not_taken_for_ended(bench: Bench) -> None:
    conflict = canceled("TransactionConflict", 0)
    contended = bench.over(faulty(bench.table, "transact_write_items", conflict, times=ALWAYS))

    with pytest.raises(Unavailable):
        contended.sessions.end("0" * 64)


def test_a_condition_that_fails_beside_a_conflict_is_not_tried_again(bench: Bench, caller: Caller) -> None:
    both, pauses = canceled_by({0: "TransactionConflict", 1: "ConditionalCheckFailed"}), Pauses()
    broken = faulty(bench.table, "transact_write_items", both, times=2, pauses=pauses)

    with pytest.raises(InsufficientBalance):
        bench.over(broken).submit(caller)

    assert pauses.made_s == []


@pytest.mark.parametrize(
    "code", ["ValidationException", "AccessDeniedException", "ResourceNotFoundException"]
)
@pytest.mark.parametrize("action", TRANSACTIONS)
def test_what_trying_again_cannot_help_is_not_hidden(
    bench: Bench, caller: Caller, action: Action, code: str
) -> None:
    prepared(bench, caller, action)
    broken = faulty(bench.table, "transact_write_items", service_error(code), times=ALWAYS)

    with pytest.raises(ClientError, match=code):
        action(bench.over(broken), caller)


def test_a_transaction_that_is_malformed_is_not_taken_for_a_conflict(bench: Bench, caller: Caller) -> None:
    malformed = canceled("ValidationError", 0)

    with pytest.raises(ClientError):
        bench.over(faulty(bench.table, "transact_write_items", malformed, times=ALWAYS)).submit(caller)


@pytest.mark.parametrize("error", [service_error("TransactionConflictException", "UpdateItem"), timed_out])
def test_a_single_write_in_conflict_is_tried_again_then_said_to_be_unavailable(
    bench: Bench, caller: Caller, error: MakeError
) -> None:
    job, conflict = bench.accept(caller), service_error("TransactionConflictException", "UpdateItem")

    bench.over(faulty(bench.table, "update_item", conflict, times=CONFLICT_ATTEMPTS_MAX - 1)).begin(job)
    assert bench.job(job).status is JobStatus.PROCESSING

    with pytest.raises(Unavailable):
        bench.over(faulty(bench.table, "update_item", error, times=ALWAYS)).begin(job)


@pytest.mark.parametrize("operation", ["get_item", "query", "transact_get_items"])
def test_a_read_that_does_not_get_through_says_so(bench: Bench, caller: Caller, operation: str) -> None:
    reads: dict[str, Callable[[Table], object]] = {
        "get_item": lambda table: Bench(table).wallet(caller),
        "query": lambda table: Bench(table).ledger.entries_sum(caller.account_id, Asset.USD),
        "transact_get_items": lambda table: Bench(table).audit_ledger(),
    }

    with pytest.raises(Unavailable):
        reads[operation](faulty(bench.table, operation, timed_out, times=ALWAYS))
