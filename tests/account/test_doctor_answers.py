"""`shoal doctor` asks a stage at its addresses: one that answers, and one with each thing wrong."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from typing import Any

import boto3
import pytest
from botocore.stub import Stubber

from infra.local.aws import REGION
from infra.local.cloud import LocalCloud
from shoal.cli.doctor.answers import answers
from shoal.cli.doctor.finding import Level, Patient
from shoal.cli.doctor.plan import StagePlan
from tests.support.receiver import AUTHORITY, Answer, Received, Receiver, hang, reply, write_authority

STAGE = "eu-prod"
DOCUMENT = json.dumps({"info": {"version": version("shoal")}})
WELL = {
    "/healthz": reply(200, json.dumps({"status": "ok", "stage": STAGE}).encode()),
    "/api/v1/openapi.json": reply(200, DOCUMENT.encode()),
    "/dashboard": reply(200, b"<html>"),
    "/": reply(403),
}


@pytest.fixture(autouse=True)
def trust(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """This machine takes the receivers' certificates for good ones, and reaches them without a proxy."""
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", write_authority(tmp_path))
    monkeypatch.setenv("NO_PROXY", "*")


def stage(**changed: Answer) -> Answer:
    """Answers as a stage does, but for these paths."""
    parts = {**WELL, **{f"/{name}": answer for name, answer in changed.items()}}

    def answer(received: Received) -> Any:
        return parts[received.path](received)

    return answer


def deployed(url: str, *, domain: str | None = None) -> Patient:
    """A stage of which CloudFormation tells that it is at this address."""
    client = boto3.client("cloudformation", REGION, aws_access_key_id="A", aws_secret_access_key="s")
    told = {"ApiUrl": url, "DashboardUrl": f"{url}/dashboard", "PublicUrl": url}
    listed = [{"OutputKey": key, "OutputValue": value} for key, value in told.items()]
    stack = {"StackName": "s", "CreationTime": datetime.now(UTC), "StackStatus": "CREATE_COMPLETE"}
    stub = Stubber(client)
    stub.add_response("describe_stacks", {"Stacks": [stack | {"Outputs": listed}]})
    stub.activate()
    plan = StagePlan(name=STAGE, kind="prod", api_rate_limit=500, domain=domain)
    return Patient(plan, lambda _, **__: client, REGION)


def found(patient: Patient, seconds_max: float = 30) -> list[tuple[Level, str]]:
    return [(each.level, each.found) for each in answers(patient, seconds_max)]


@pytest.fixture
def certified() -> Iterator[Receiver]:
    certificate = AUTHORITY.issue_cert("localhost")
    with Receiver(stage(), certificate=certificate) as receiver:
        yield receiver


def test_a_stage_that_answers_is_well(certified: Receiver) -> None:
    url = certified.url("", host="localhost")
    told = found(deployed(url, domain="localhost"))
    assert {level for level, _ in told} == {Level.OK}, told
    assert told[1][1] == f"version {version('shoal')} is deployed"
    assert [each.path for each in certified.requests] == [*WELL]


@pytest.mark.parametrize(
    ("answer", "says"),
    [
        (stage(healthz=reply(503)), "/healthz answers 503"),
        (stage(healthz=reply(404, b'{"message": "Not Found"}')), "/healthz answers 404"),
        (stage(healthz=reply(200, b"<h1>Parked</h1>")), "something that is not Shoal"),
        (stage(healthz=reply(200, b"[]")), "something that is not Shoal"),
        (stage(healthz=reply(200, b'{"status": "ok", "stage": "dev"}')), "by the stage dev, not eu-prod"),
        (stage(dashboard=reply(500)), "/dashboard answers 500"),
        (stage(**{"": reply(502)}), "/ answers 502"),
        (stage(**{"api/v1/openapi.json": reply(500)}), "openapi.json answers 500"),
    ],
)
def test_what_answers_wrongly_stops_the_stage(answer: Answer, says: str) -> None:
    with Receiver(answer) as receiver:
        told = found(deployed(receiver.url("")))
    assert [said.endswith(says) for level, said in told if level is Level.STOPS] == [True], told


@pytest.mark.parametrize("body", [b'{"info": {"version": "0.0.1"}}', b'{"info": 1}', b"{}"])
def test_another_version_than_the_commands_is_told(body: bytes) -> None:
    with Receiver(stage(**{"api/v1/openapi.json": reply(200, body)})) as receiver:
        told = found(deployed(receiver.url("")))
    (warned,) = [said for level, said in told if level is Level.WARNING]
    assert warned.endswith(f"is deployed, and this is {version('shoal')}")


def test_a_certificate_for_another_name_stops_the_stage() -> None:
    with Receiver(stage(), certificate=AUTHORITY.issue_cert("api.example.com")) as receiver:
        told = found(deployed(receiver.url("", host="localhost")))
        assert receiver.requests == []
    assert {level for level, _ in told} == {Level.STOPS}
    assert all("has a wrong certificate" in said and "localhost" in said for _, said in told), told


def test_a_certificate_that_has_ended_stops_the_stage() -> None:
    ended = AUTHORITY.issue_cert("localhost", not_after=datetime(2020, 1, 1, tzinfo=UTC))
    with Receiver(stage(), certificate=ended) as receiver:
        told = found(deployed(receiver.url("", host="localhost")))
    assert all(level is Level.STOPS and "has expired" in said for level, said in told), told


def test_what_cannot_be_reached_stops_the_stage() -> None:
    with Receiver(stage()) as receiver:
        url = receiver.url("")
    told = found(deployed(url))
    assert len(told) == 3, "the API is asked once"
    assert all(level is Level.STOPS and "can't be reached" in said for level, said in told), told


def test_what_never_answers_stops_the_stage_within_its_time() -> None:
    with Receiver(hang()) as receiver:
        told = found(deployed(receiver.url("")), seconds_max=0.1)
    assert all(level is Level.STOPS and "does not answer within" in said for level, said in told), told


def test_a_name_that_was_not_deployed_is_told() -> None:
    with Receiver(stage()) as receiver:
        level, said = found(deployed(receiver.url(""), domain="api.example.com"))[0]
    assert (level, said.endswith("the stage's file says api.example.com")) == (Level.STOPS, True)


def test_a_stage_that_is_not_deployed_is_asked_nothing(cloud: LocalCloud) -> None:
    plan = StagePlan(name="nowhere", kind="dev", api_rate_limit=50)
    assert found(Patient(plan, cloud.client, REGION)) == []
