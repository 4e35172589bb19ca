"""No condition is there for nothing: take a clause of it away, and a scenario that needs it fails."""

from __future__ import annotations

import pytest
from botocore.exceptions import ClientError

from shoal.adapters.dynamodb.ledger import NEW
from tests.integration.bench import Bench
from tests.integration.conditions.conditions import (
    ConditionedClient,
    Guard,
    Mutant,
    conditions_in_the_source,
    mutants_of,
    over,
)
from tests.integration.conditions.guards import GUARDS, UNGUARDED, WITHOUT_EFFECT, Scenario
from tests.integration.conditions.scenarios_keys import an_account_is_opened_once
from tests.support.deployed import Deployed

SCENARIOS = dict.fromkeys(scenario for scenarios in GUARDS.values() for scenario in scenarios)
MUTANTS = [mutant for guard in GUARDS for mutant in mutants_of(guard)]


@pytest.fixture
def client(deployed: Deployed) -> ConditionedClient:
    """The client of the local cloud's DynamoDB, every condition in place."""
    return ConditionedClient(deployed.cloud.client("dynamodb"))


def bench_over(deployed: Deployed, client: ConditionedClient) -> Bench:
    """A bench over an empty table, reached through the client."""
    return Bench(over(deployed.fresh_table(), client))


def survives(deployed: Deployed, scenario: Scenario, *mutants: Mutant) -> bool:
    """Whether the scenario still passes with these conditions weakened."""
    client = ConditionedClient(deployed.cloud.client("dynamodb"), *mutants)
    try:
        scenario(bench_over(deployed, client))
    except ClientError:
        raise  # the mutant itself is malformed
    except (Exception, pytest.fail.Exception):  # noqa: BLE001 however it fails, it fails
        return False
    return True


@pytest.mark.parametrize("scenario", SCENARIOS, ids=lambda scenario: scenario.__name__)
def test_a_scenario_holds_with_every_condition_in_place(
    deployed: Deployed, client: ConditionedClient, scenario: Scenario
) -> None:
    scenario(bench_over(deployed, client))


@pytest.mark.parametrize("mutant", [m for m in MUTANTS if m not in WITHOUT_EFFECT], ids=str)
def test_a_scenario_fails_without_a_clause(deployed: Deployed, mutant: Mutant) -> None:
    assert not all(survives(deployed, scenario, mutant) for scenario in GUARDS[mutant.guard])


@pytest.mark.parametrize("mutant", WITHOUT_EFFECT, ids=str)
def test_what_is_said_to_be_without_effect_is(deployed: Deployed, mutant: Mutant) -> None:
    assert mutant in MUTANTS
    assert all(survives(deployed, scenario, mutant) for scenario in GUARDS[mutant.guard])


def test_an_account_is_opened_once_thanks_to_its_wallets_or_itself(deployed: Deployed) -> None:
    everything = [
        Mutant(Guard(kind, NEW), NEW, holds=True)
        for kind in ("account", "wallet", "entry", "key", "key of account", "listed account")
    ]

    assert not survives(deployed, an_account_is_opened_once, *everything)


def test_every_condition_has_a_scenario(deployed: Deployed, client: ConditionedClient) -> None:
    for scenario in SCENARIOS:
        scenario(bench_over(deployed, client))

    assert client.met == GUARDS.keys()
    assert client.unguarded == UNGUARDED.keys()
    assert {guard.condition for guard in GUARDS} == conditions_in_the_source()
