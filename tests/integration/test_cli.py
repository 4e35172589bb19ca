"""The operator's command against the deployed stack."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
from typer.testing import CliRunner, Result

from infra.local.processes import free_port
from shoal.adapters.dynamodb.items import wallet_key
from shoal.cli import app
from shoal.cli.stage import LOCAL_FILE_VARIABLE, OUTPUTS
from shoal.domain.money import Asset
from tests.support.deployed import Customer, Deployed

SHOAL = Path(sys.executable).with_name("shoal")
COMMAND_SECONDS_MAX = 60

Shoal = Callable[..., Result]

WHY = ("--reason", "late refund")


@pytest.fixture
def shoal(deployed: Deployed, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Shoal:
    """Run the command on the local stage, as its file describes it."""
    file = tmp_path / "shoal.json"
    file.write_text(json.dumps(deployed.cloud.config()))
    monkeypatch.setenv(LOCAL_FILE_VARIABLE, str(file))
    return lambda *arguments: CliRunner().invoke(app, arguments)


@pytest.fixture
def stage(deployed: Deployed) -> Iterator[str]:
    """Another stage: a stack with the outputs of the real one and one resource that costs nothing."""
    cloudformation, name = deployed.cloud.client("cloudformation"), f"s{uuid4().hex[:8]}"
    template = {
        "Resources": {"Nothing": {"Type": "AWS::CloudFormation::WaitConditionHandle"}},
        "Outputs": {key: {"Value": deployed.cloud.outputs[key]} for key in OUTPUTS.values()},
    }
    stack = f"shoal-{name}-service"
    cloudformation.create_stack(StackName=stack, TemplateBody=json.dumps(template))
    cloudformation.get_waiter("stack_create_complete").wait(StackName=stack, WaiterConfig={"Delay": 1})
    yield name
    cloudformation.delete_stack(StackName=stack)


def printed(result: Result) -> Any:
    assert (result.exit_code, result.stderr) == (0, ""), result.output
    return json.loads(result.stdout)


def about(event: dict[str, Any], customer: Customer) -> bool:
    """Whether the bus told of a discrepancy of the customer's."""
    named = event["detail-type"], event["detail"].get("account_id")
    return named == ("audit.discrepancy", customer.account_id)


def refused(result: Result, message: str) -> None:
    assert (result.exit_code, result.stdout, result.stderr.count("\n")) == (1, "", 1), result.output
    assert message in result.stderr


def test_a_new_account_makes_an_image_and_its_wallet_shows_it(shoal: Shoal, deployed: Deployed) -> None:
    created = printed(
        shoal("accounts", "create", "--email", "new@example.com", "--usd", "10.00", *WHY, "--json")
    )
    account, client = created["account_id"], deployed.client(created["api_key"])
    job_id = client.submit("A shark", mode="2k")
    _, unhurried = deployed.key_of(account)
    assert unhurried.wait(job_id)["status"] == "completed"
    assert printed(shoal("wallet", "show", account, "--json")) == {
        "usd": {"balance": "9.98", "held": "0.00", "owed": "0.00", "available": "9.98", "ledger_sum": "9.98"},
        "credit": {"balance": "0", "held": "0", "owed": "0", "available": "0", "ledger_sum": "0"},
    }
    listed = printed(shoal("jobs", "list", account, "--status", "completed", "--json"))
    assert [job["job_id"] for job in listed["jobs"]] == [job_id]
    shown = printed(shoal("jobs", "show", account, job_id, "--json"))
    assert (shown["hold"], shown["cost"], shown["closed_by"]) == ("captured", "0.02", "workflow")


def test_a_credit_with_the_same_reference_counts_once(shoal: Shoal, customer: Customer) -> None:
    credit = (
        "wallet",
        "credit",
        customer.account_id,
        "--reason",
        "late refund",
        "--usd",
        "2.50",
        "--reference",
        "INV-7",
        "--json",
    )
    assert [printed(shoal(*credit))["credited"] for _ in range(2)] == [True, False]
    assert printed(shoal("wallet", "credit", customer.account_id, *WHY, "--credits", "20", "--json"))[
        "credited"
    ]
    amounts = printed(shoal("wallet", "show", customer.account_id, "--json"))
    assert amounts["usd"]["balance"] == amounts["usd"]["ledger_sum"] == "12.50"
    assert amounts["credit"]["available"] == "20"


def test_a_key_works_until_it_is_revoked(shoal: Shoal, deployed: Deployed, customer: Customer) -> None:
    made = printed(shoal("keys", "create", customer.account_id, "--prefix", "vsk_live_", "--json"))
    client = deployed.client(made["api_key"])
    assert client.wallet()["available"] == "$10.00"
    assert shoal("keys", "revoke", customer.account_id, made["key_id"]).exit_code == 0
    assert client.usage().status_code == 401
    keys = printed(shoal("keys", "list", customer.account_id, "--json"))["keys"]
    assert {key["key_id"]: key["revoked"] for key in keys}[made["key_id"]]


def test_an_unknown_account_is_an_error(shoal: Shoal) -> None:
    refused(shoal("wallet", "show", "acc_nobody"), "No such account.")
    refused(shoal("wallet", "credit", "acc_nobody", *WHY, "--usd", "1"), "No such account.")
    refused(shoal("keys", "create", "acc_nobody"), "No such account.")


def test_a_job_that_never_started_is_started(shoal: Shoal, deployed: Deployed, customer: Customer) -> None:
    job = deployed.accept(customer)
    deployed.make_due(job)
    assert printed(shoal("jobs", "retry-stuck", "--json"))["started"] >= 1
    assert customer.client.wait(job.id)["status"] == "completed"


def test_the_audit_names_the_wallet_that_was_tampered_with(
    shoal: Shoal, deployed: Deployed, customer: Customer
) -> None:
    def found() -> list[Any]:
        discrepancies = json.loads(shoal("audit", "--json").stdout)["discrepancies"]
        return [found for found in discrepancies if found["account_id"] == customer.account_id]

    def add_to_balance(micros: int) -> None:
        pk, sk = wallet_key(customer.account_id, Asset.USD)
        deployed.cloud.client("dynamodb").update_item(
            TableName=deployed.cloud.outputs["TableName"],
            Key={"pk": {"S": pk}, "sk": {"S": sk}},
            UpdateExpression="SET balance = balance + :micros, available = available + :micros",
            ExpressionAttributeValues={":micros": {"N": str(micros)}},
        )

    assert found() == []
    add_to_balance(1_000_000)
    result = shoal("audit")
    add_to_balance(-1_000_000)
    assert result.exit_code == 1
    off = next(line.split() for line in result.stdout.splitlines() if customer.account_id in line)
    assert (off[1], off[-2:]) == ("usd", ["10000000", "11000000"])
    shoal("jobs", "retry-stuck")
    told = [event["detail"]["data"] for event in deployed.bus.everything() if about(event, customer)]
    assert {(data["expected"], data["found"]) for data in told} == {("10.00", "11.00")}
    assert found() == []


def test_a_deployed_stage_is_found_by_its_stack(
    shoal: Shoal, deployed: Deployed, customer: Customer, stage: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, value in deployed.cloud.environment().items():
        monkeypatch.setenv(name, value)
    monkeypatch.setenv(LOCAL_FILE_VARIABLE, "/nowhere")
    shown = printed(shoal("--stage", stage, "wallet", "show", customer.account_id, "--json"))
    assert shown["usd"]["balance"] == "10.00"
    refused(shoal("audit", "--stage", "nowhere"), "There is no stack shoal-nowhere-service in us-east-1.")


def test_the_installed_command_says_in_one_line_that_nothing_answers(
    deployed: Deployed, tmp_path: Path
) -> None:
    url = f"http://localhost:{free_port()}"
    file = tmp_path / "shoal.json"
    file.write_text(json.dumps(deployed.cloud.config() | {"endpoint_url": url}))
    result = subprocess.run(  # noqa: S603 our own program
        [SHOAL, "wallet", "show", "acc_x"],
        check=False,
        env={LOCAL_FILE_VARIABLE: str(file)},
        capture_output=True,
        text=True,
        timeout=COMMAND_SECONDS_MAX,
    )
    assert (result.returncode, result.stdout) == (1, "")
    assert result.stderr == f'Error: Could not connect to the endpoint URL: "{url}/"\n'
