"""What moves money, each as one action on a bench; most need a job that was begun."""

from __future__ import annotations

from collections.abc import Callable

from shoal.domain.api_key import Caller
from shoal.domain.money import Asset
from shoal.domain.wallet import Wallet
from tests.integration.bench import PRICE, Bench
from tests.support.factories import DECISION

Action = Callable[[Bench, Caller], object]


def submit(bench: Bench, caller: Caller) -> object:
    return bench.submit(caller)


def top_up(bench: Bench, caller: Caller) -> object:
    return bench.accounts.grant(caller.account_id, Asset.USD, PRICE, DECISION, "invoice-1")


def settle(bench: Bench, caller: Caller) -> object:
    return bench.settle(bench.jobs.get(caller.account_id, only_job(bench, caller)))


def fail(bench: Bench, caller: Caller) -> object:
    return bench.fail(bench.jobs.get(caller.account_id, only_job(bench, caller)))


def cancel(bench: Bench, caller: Caller) -> object:
    return bench.cancel_job(caller, only_job(bench, caller))


def only_job(bench: Bench, caller: Caller) -> str:
    (job,) = bench.all_jobs(caller)
    job_id: str = job["id"]
    return job_id


ON_A_JOB = [settle, fail, cancel]
TRANSACTIONS: list[Action] = [submit, top_up, *ON_A_JOB]


def prepared(bench: Bench, caller: Caller, action: Action) -> Wallet:
    """The wallet, ready for the action."""
    if action in ON_A_JOB:
        bench.begin(bench.accept(caller))
    return bench.wallet(caller)
