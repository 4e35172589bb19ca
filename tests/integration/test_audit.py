"""The audit over a real table: in runs, and beside movements."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

from shoal.adapters.dynamodb.audit import DynamoDbAuditProgress
from shoal.adapters.dynamodb.items import wallet_key
from shoal.adapters.dynamodb.table import Update
from shoal.domain.money import Asset
from shoal.use_cases.money.audit_ledger import ACCOUNTS_AT_ONCE, Audited
from tests.integration.bench import PRICE, Bench

JOBS = 20


def test_runs_go_on_until_every_account_is_audited(bench: Bench) -> None:
    callers = sorted((bench.account(PRICE) for _ in range(ACCOUNTS_AT_ONCE + 1)), key=lambda c: c.account_id)
    wallet = wallet_key(callers[0].account_id, Asset.USD)
    bench.table.update(Update(wallet, "SET held = :held", values={":held": PRICE}))
    parts: list[Audited] = []

    assert not bench.audit_ledger.go_on(lambda: 0.0 if parts else 60.0, parts.append)
    progress = DynamoDbAuditProgress(bench.table)
    assert progress.cursor() == callers[1].account_id.partition("_")[2]
    assert bench.audit_ledger.go_on(lambda: 60.0, parts.append)

    assert [part.accounts for part in parts] == [ACCOUNTS_AT_ONCE, 1]
    assert {found.account_id for found in parts[1].found} == {callers[0].account_id}
    assert parts[0].found == []
    assert progress.cursor() is None


def test_an_audit_beside_movements_finds_nothing(bench: Bench) -> None:
    caller = bench.account(JOBS * PRICE)
    other = replace(caller, key_id="key_other")

    def use(number: int) -> None:
        job = bench.accept(other)
        bench.settle(bench.begin(job)) if number % 2 else bench.cancel_job(caller, job.id)

    with ThreadPoolExecutor(4) as threads:
        working = threads.map(use, range(JOBS))
        found = [bench.ledger.discrepancies(caller.account_id) for _ in range(5)]
        list(working)

    assert found == [[]] * 5
    assert bench.audit_ledger() == []
