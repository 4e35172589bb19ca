"""Play money's work runs apart from what customers pay for."""

from __future__ import annotations

from tests.support.deployed import Deployed
from tests.workflow.machine import Workshop, states_of

NOBODY = "def handler(event, context): raise ValueError('no real work was asked for')"


def test_a_simulated_job_calls_only_the_function_of_simulated_work(
    deployed: Deployed, workshop: Workshop
) -> None:
    customer = deployed.customer()
    job = deployed.accept(customer, "[poll] a shark")
    assert job.simulated
    nobody = workshop.lab.function(NOBODY)

    def without_the_others(definition: dict[str, object]) -> None:
        for state in states_of(definition).values():
            name = state.get("Arguments", {}).get("FunctionName", "")
            if " : '" in name:
                state["Arguments"]["FunctionName"] = f"{name.partition(' : ')[0]} : '{nobody}' %}}"

    machine = workshop.machine.copy(without_the_others)

    assert machine.run(job) == "SUCCEEDED"
    assert deployed.job(customer, job.id).outputs
