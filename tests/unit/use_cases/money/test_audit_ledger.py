"""The audit goes on where the last one ended, within its time, and says what it covered."""

from __future__ import annotations

from dataclasses import dataclass, field, replace

import pytest

from shoal.domain.errors import Unavailable
from shoal.domain.money import Asset
from shoal.ports.money import Discrepancy, NotAudited
from shoal.ports.system import TimeLeft, unlimited
from shoal.use_cases.money.audit_ledger import ACCOUNTS_AT_ONCE, Audited
from tests.fakes import FakeLedger
from tests.worlds.world import World

ACCOUNTS = 3 * ACCOUNTS_AT_ONCE
ENOUGH_S = 60.0


@dataclass
class Time:
    """It passes with every account that is audited."""

    left_s: float
    account_s: float

    def __call__(self) -> float:
        return self.left_s


@pytest.fixture
def accounts(world: World) -> list[str]:
    """The oldest first: that one is audited last."""
    return sorted(world.customer().account_id for _ in range(ACCOUNTS))


def run(world: World, time: TimeLeft = lambda: ENOUGH_S) -> tuple[list[Audited], bool]:
    """What one run of the function told, and whether it came to the end."""
    parts: list[Audited] = []
    ended = world.audit_ledger.go_on(time, parts.append)
    return parts, ended


def tamper(world: World, account_id: str) -> None:
    wallet = world.tables.wallets[account_id, Asset.USD]
    world.tables.wallets[account_id, Asset.USD] = replace(wallet, owed=5)


@dataclass
class SlowLedger(FakeLedger):
    """Every account takes its time."""

    time: Time = field(default_factory=lambda: Time(ENOUGH_S, 0.0))

    def discrepancies(self, account_id: str, time_left: TimeLeft = unlimited) -> list[Discrepancy]:
        self.time.left_s -= self.time.account_s
        return super().discrepancies(account_id, time_left)


def slowly(world: World, time: Time) -> tuple[list[Audited], bool]:
    """A run for which every account takes its time."""
    audit_ledger, parts = world.audit_ledger, list[Audited]()
    ledger = SlowLedger(world.network, world.tables, time=time)
    ended = replace(audit_ledger, ledger=ledger).go_on(time, parts.append)
    return parts, ended


def test_a_run_with_time_audits_every_account(world: World, accounts: list[str]) -> None:
    tamper(world, accounts[0])
    tamper(world, accounts[-1])

    parts, ended = run(world)

    assert ended
    assert [part.accounts for part in parts] == [ACCOUNTS_AT_ONCE] * 3
    assert {found.account_id for part in parts for found in part.found} == {accounts[0], accounts[-1]}
    assert world.audit_progress.cursor() is None


def test_the_next_run_goes_on_where_the_time_ran_out(world: World, accounts: list[str]) -> None:
    tamper(world, accounts[0])

    parts, ended = slowly(world, Time(15.0 + 1.5 * ACCOUNTS_AT_ONCE, 1.0))
    assert (ended, [part.accounts for part in parts]) == (False, [ACCOUNTS_AT_ONCE])

    parts, ended = run(world)
    assert (ended, [part.accounts for part in parts]) == (True, [ACCOUNTS_AT_ONCE] * 2)
    assert {found.account_id for part in parts for found in part.found} == {accounts[0]}


def test_an_account_that_takes_a_whole_run_is_told_of_and_left(world: World, accounts: list[str]) -> None:
    world.network.fail("ledger.discrepancies", NotAudited("acc_1"))

    parts, ended = slowly(world, Time(15.5, 1.0))

    assert not ended
    (part,) = parts
    assert (part.accounts, sorted(part.not_audited)) == (0, accounts[-ACCOUNTS_AT_ONCE:])
    world.network.heal()
    assert sum(part.accounts for part in run(world)[0]) == 2 * ACCOUNTS_AT_ONCE


@pytest.mark.parametrize("error", [NotAudited("acc_1"), Unavailable()])
def test_an_operator_is_told_when_some_account_could_not_be_audited(
    world: World, accounts: list[str], error: Exception
) -> None:
    assert world.audit_ledger() == []
    world.network.fail("ledger.discrepancies", error)

    with pytest.raises(Unavailable, match=r"acc_1|briefly"):
        world.audit_ledger()


def test_without_time_nothing_is_begun(world: World, accounts: list[str]) -> None:
    assert accounts
    assert run(world, lambda: 15.0) == ([], False)
