"""Two deployments with versions, and back to the first: jobs go on with what theirs was deployed with."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import replace

import pytest
import requests

from infra.local.assembly import synthesize
from infra.local.cloud import local_cloud
from infra.rollback import RollbackRefused, deployments, roll_back, rolled_back
from tests.infra.stages import LOCAL
from tests.support.bus import BusLog
from tests.support.deployed import Deployed

STAGE = replace(LOCAL, versions=True)
STARTERS = ("submit-job", "serve-mcp", "show-dashboard", "sweep-jobs", "close-execution")
SETTINGS = {"SHOAL_VERSIONS": "true", "SHOAL_CLIP_DEADLINE_S": "120"}


@pytest.fixture(scope="module")
def deployed(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Deployed]:
    """A stage of this file's own, with versions."""
    folder = tmp_path_factory.mktemp("versions")
    with local_cloud(folder, versions=True) as cloud, requests.Session() as http:
        yield Deployed(cloud, http, BusLog(cloud))


def deploy_again(deployed: Deployed) -> None:
    """With other time-outs, by which the starters and the machines differ, and no other function."""
    settings = {**SETTINGS, "SHOAL_LOCAL_URL": deployed.cloud.api_url, "SHOAL_PROVIDER_DEADLINE_S": "31"}
    synthesize(deployed.cloud.folder / "second.out", settings).deploy(deployed.cloud.endpoint)


def machine_of(deployed: Deployed, starter: str) -> str:
    """The version of the machine `generate` that callers of a function start, by its number."""
    functions, name = deployed.cloud.client("lambda"), f"shoal-local-{starter}"
    live = functions.get_alias(FunctionName=name, Name="live")["FunctionVersion"]
    told = functions.get_function_configuration(FunctionName=name, Qualifier=live)["Environment"]["Variables"]
    (version,) = re.findall(r"generate:(\d+)", told["SHOAL_MACHINE_VERSIONS"])
    return str(version)


def check_all_is_well(deployed: Deployed) -> None:
    customer = deployed.customer()
    assert customer.client.wait(customer.client.submit())["status"] == "completed"


@pytest.mark.timeout(300)
def test_a_rollback_takes_functions_and_machines_back_together(deployed: Deployed) -> None:
    client, said = deployed.cloud.client, list[str]()
    check_all_is_well(deployed)
    with pytest.raises(RollbackRefused, match="there is nothing to go back to: 1 of "):
        roll_back(STAGE, client)

    deploy_again(deployed)
    check_all_is_well(deployed)
    first, second = deployments(STAGE, client)
    assert {machine_of(deployed, starter) for starter in STARTERS} == {"2"}
    moved = {name for name, version in second.versions.items() if first.versions[name] != version}
    assert {f"shoal-local-{starter}" for starter in STARTERS} <= moved < second.versions.keys()
    assert not rolled_back(STAGE, client)

    assert roll_back(STAGE, client, say=said.append) == len(moved)
    assert said[0].startswith("local: back to 1 of ")
    assert "  shoal-local-submit-job: 2 → 1" in said
    assert {machine_of(deployed, starter) for starter in STARTERS} == {"1"}
    assert rolled_back(STAGE, client)
    check_all_is_well(deployed)
    assert deployed.sweep() is not None

    assert roll_back(STAGE, client) == 0, "the second time it is there already"
    assert roll_back(STAGE, client, to=second.number) == len(moved)
    assert not rolled_back(STAGE, client)
