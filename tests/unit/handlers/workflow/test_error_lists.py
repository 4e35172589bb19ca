"""Which errors end a job and which are tried again: the lists of the machines, held against the classes."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from shoal.domain import errors, failures
from shoal.domain.errors import JobClosed, JobError, ShoalError
from tests.support.executions import BATCH, ONE, VIDEO
from tests.workflow.machine import Json, states_of

MACHINES = {"generate": ONE, "generate-batch": BATCH, "render-video": VIDEO}
TASKS = [
    pytest.param(state, id=f"{machine}.{name}")
    for machine, definition in MACHINES.items()
    for name, state in states_of(definition).items()
    if "FunctionName" in state.get("Arguments", {})
]
SETTLING = ("${SettleWalletFunction}", "${ReleaseHoldFunction}")
"""What moves the money: nothing but the job's own end keeps it from that."""


def classes(base: type[ShoalError]) -> Iterator[type[ShoalError]]:
    """Every error of a kind that there is."""
    for each in base.__subclasses__():
        yield each
        yield from classes(each)


def final_errors(state: Json) -> set[str]:
    """What the use case of a state may raise that no other try changes."""
    if state["Arguments"]["FunctionName"] in SETTLING:
        return {JobClosed.__name__}
    return {error.__name__ for error in classes(JobError)} | {JobClosed.__name__}


def named(rules: list[Json]) -> set[str]:
    return {error for rule in rules for error in rule["ErrorEquals"]}


def test_there_are_states_and_errors_to_look_at() -> None:
    assert len(TASKS) == 15
    assert {errors.ProviderRejected, failures.GenerationInterrupted} <= set(classes(JobError))


@pytest.mark.parametrize("state", TASKS)
def test_a_final_error_is_not_tried_again_and_every_other_one_is(state: Json) -> None:
    final, others = state["Retry"]

    assert (set(final["ErrorEquals"]), final["MaxAttempts"]) == (final_errors(state), 0)
    assert others["ErrorEquals"] == ["States.ALL"]
    assert others["MaxAttempts"] >= 4


@pytest.mark.parametrize("state", TASKS)
def test_only_a_final_error_gives_the_money_back(state: Json) -> None:
    to = {rule["Next"]: set(rule["ErrorEquals"]) for rule in state["Catch"]}
    left = to.pop("LeftToTheSweeper", {"States.ALL"})

    assert left == {"States.ALL"}, (
        "in a Map whatever is not caught ends the Map, which is left to the sweeper"
    )
    assert set.union(*to.values()) == final_errors(state)
    if "ReleaseHold" in to:
        assert state["Arguments"]["FunctionName"] not in SETTLING


@pytest.mark.parametrize("definition", MACHINES.values(), ids=MACHINES)
def test_a_map_that_failed_for_another_reason_is_left_to_the_sweeper(definition: Json) -> None:
    for state in definition["States"].values():
        if state["Type"] == "Map":
            assert state["Catch"][-1] == {"ErrorEquals": ["States.ALL"], "Next": "LeftToTheSweeper"}
            assert "States.ALL" not in named(state["Catch"][:-1])
