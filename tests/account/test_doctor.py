"""`shoal doctor` against a cloud in which each thing is wrong, and against one in which all is well.

The local cloud has most of the services that the doctor asks. What it has not is stubbed by botocore: Service
Quotas, Cost Explorer, wrong credentials, an identity of SES that is not verified, a certificate that is not
issued, a stack in the middle of an update.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path
from typing import Any
from uuid import uuid4

import boto3
import pytest
from botocore.stub import Stubber
from typer.testing import CliRunner, Result

from infra.local.aws import REGION, Endpoint
from infra.local.cloud import LocalCloud
from shoal.cli import app
from shoal.cli.doctor import account, examine, people, stacks
from shoal.cli.doctor.finding import Check, Finding, Level, Patient, look
from shoal.cli.doctor.plan import StagePlan
from shoal.cli.stage import LOCAL_FILE_VARIABLE, LocalStage
from shoal.composition.operator import clients_of
from shoal.domain.catalog import load_catalog

ROOT = Path(__file__).parents[2]
IDENTITY = f"arn:aws:ses:{REGION}:000000000000:identity/"
CATALOG = load_catalog()
Found = list[tuple[Level, str]]


@pytest.fixture
def patient(endpoint: Endpoint) -> Patient:
    """A stage of its own in the empty cloud."""
    return Patient(
        StagePlan(name=f"d{uuid4().hex[:8]}", kind="prod", api_rate_limit=500, account_concurrency=10),
        clients_of(session_of(endpoint), endpoint.url),
        REGION,
    )


def session_of(endpoint: Endpoint) -> boto3.Session:
    keys = endpoint.credentials
    return boto3.Session(keys.access_key_id, keys.secret_access_key, region_name=REGION)


def planned(patient: Patient, **settings: Any) -> Patient:
    return Patient(patient.plan.model_copy(update=settings), patient.client, patient.region)


def stubbed(patient: Patient, service: str, *answers: tuple[str, dict[str, Any]]) -> Patient:
    """With one service that gives these answers in turn."""
    client = boto3.client(service, REGION, aws_access_key_id="A", aws_secret_access_key="s")  # type: ignore[call-overload]
    stub = Stubber(client)
    for method, answer in answers:
        stub.add_response(method, answer)
    stub.activate()
    return Patient(
        patient.plan,
        lambda name, **at: client if name == service else patient.client(name, **at),
        patient.region,
    )


def found(check: Check, patient: Patient) -> Found:
    return [(each.level, each.found) for each in look("check", check, patient)]


def only(found: Found) -> tuple[Level, str]:
    (one,) = found
    return one


def test_credentials_that_open_nothing_are_all_that_is_said(patient: Patient) -> None:
    client = boto3.client("sts", REGION, aws_access_key_id="A", aws_secret_access_key="s")
    stub = Stubber(client)
    stub.add_client_error("get_caller_identity", "InvalidClientTokenId", "The security token is invalid.")
    stub.activate()

    (finding,) = examine(Patient(patient.plan, lambda _: client, REGION), CATALOG)

    assert (finding.check, finding.level) == ("credentials", Level.STOPS)
    assert "sso login" in finding.todo


def test_an_account_that_the_cdk_does_not_know_is_told(patient: Patient) -> None:
    ssm = patient.client("ssm")
    assert only(found(account.bootstrap, patient)) == (
        Level.STOPS,
        f"{REGION} has never been bootstrapped",
    )
    for version, level in (("5", Level.STOPS), ("30", Level.OK)):
        ssm.put_parameter(Name=account.BOOTSTRAP, Value=version, Type="String", Overwrite=True)
        assert only(found(account.bootstrap, patient))[0] is level
    ssm.delete_parameter(Name=account.BOOTSTRAP)


def test_concurrency_is_held_against_what_is_promised_and_reserved(patient: Patient) -> None:
    limit = patient.client("lambda").get_account_settings()["AccountLimit"]["ConcurrentExecutions"]
    assert only(found(account.concurrency, patient))[0] is Level.OK
    level, said = only(found(account.concurrency, planned(patient, account_concurrency=limit + 1)))
    assert level is Level.STOPS
    assert said.endswith(f"the stage promises {limit + 1}")
    greedy = planned(patient, simulated_reserved=True, simulated_concurrency_max=limit)
    level, said = only(found(account.concurrency, greedy))
    assert level is Level.STOPS
    assert f"{2 * limit} are reserved" in said


@pytest.mark.parametrize(
    ("quotas", "level"),
    [
        ([("StartExecution throttle token refill rate per second", 300.0)], Level.WARNING),
        ([("StartExecution throttle token refill rate per second", 800.0)], Level.OK),
        ([("StartExecution throttle token bucket size", 800.0)], Level.UNREAD),
    ],
)
def test_the_rate_of_executions_is_held_against_that_of_requests(
    patient: Patient, quotas: list[tuple[str, float]], level: Level
) -> None:
    answer = {"Quotas": [{"QuotaName": name, "Value": value} for name, value in quotas]}
    asked = stubbed(patient, "service-quotas", ("list_service_quotas", answer))
    assert only(found(account.executions, asked))[0] is level


def test_what_may_not_be_read_stops_nothing(patient: Patient) -> None:
    client = boto3.client("ce", REGION, aws_access_key_id="A", aws_secret_access_key="s")
    stub = Stubber(client)
    stub.add_client_error("get_cost_and_usage", "AccessDeniedException", "not you")
    stub.activate()
    level, said = only(found(account.spend, Patient(patient.plan, lambda _, **__: client, REGION)))
    assert level is Level.UNREAD
    assert "AccessDeniedException" in said


def test_spend_is_told_and_who_watches_it(patient: Patient) -> None:
    cost = {"Total": {"UnblendedCost": {"Amount": "12.345", "Unit": "USD"}}}
    asked = stubbed(patient, "ce", ("get_cost_and_usage", {"ResultsByTime": [cost]}))
    assert only(found(account.spend, asked))[1].startswith("$12.3")
    assert only(found(account.budget, patient))[0] is Level.WARNING
    number = patient.client("sts").get_caller_identity()["Account"]
    budget = {
        "BudgetName": "shoal",
        "BudgetLimit": {"Amount": "50", "Unit": "USD"},
        "TimeUnit": "MONTHLY",
        "BudgetType": "COST",
    }
    patient.client("budgets").create_budget(AccountId=number, Budget=budget)
    assert only(found(account.budget, patient)) == (Level.OK, "shoal 50")
    patient.client("budgets").delete_budget(AccountId=number, BudgetName="shoal")


def test_mails_need_an_identity_that_is_verified_and_no_sandbox(patient: Patient) -> None:
    ses = patient.client("sesv2")
    assert only(found(people.mail, patient))[0] is Level.WARNING
    there = planned(patient, mail_identity_arn=f"{IDENTITY}{patient.plan.name}.example.com")
    assert "has no identity" in only(found(people.mail, there))[1]
    ses.create_email_identity(EmailIdentity=f"{patient.plan.name}.example.com")
    details = {
        "MailType": "TRANSACTIONAL",
        "WebsiteURL": "https://example.com",
        "UseCaseDescription": "codes",
    }
    ses.put_account_details(**details, ProductionAccessEnabled=False)
    level, said = only(found(people.mail, there))
    assert (level, "sandbox" in said) == (Level.STOPS, True)
    assert only(found(people.mail, planned(there, kind="dev")))[0] is Level.WARNING
    ses.put_account_details(**details, ProductionAccessEnabled=True)
    assert only(found(people.mail, there))[0] is Level.OK


@pytest.mark.parametrize(
    ("verified", "sending", "says"), [(False, True, "not verified"), (True, False, "has stopped")]
)
def test_an_identity_that_sends_nothing_stops_the_stage(
    patient: Patient, verified: bool, sending: bool, says: str
) -> None:
    asked = stubbed(
        planned(patient, mail_identity_arn=f"{IDENTITY}example.com"),
        "sesv2",
        ("get_email_identity", {"VerifiedForSendingStatus": verified}),
        ("get_account", {"SendingEnabled": sending, "ProductionAccessEnabled": True}),
    )
    level, said = only(found(people.mail, asked))
    assert level is Level.STOPS
    assert says in said


def test_a_certificate_has_to_be_there_and_for_that_name(patient: Patient) -> None:
    assert only(found(people.domain, patient))[0] is Level.STOPS, "it is not deployed without one"
    assert only(found(people.domain, planned(patient, generated_addresses=True)))[0] is Level.WARNING
    acm = patient.client("acm")
    arn = acm.request_certificate(DomainName="*.example.com")["CertificateArn"]
    for name, given, level, says in (
        ("api.example.com", arn, Level.OK, "has its certificate"),
        ("api.example.org", arn, Level.STOPS, "not for api.example.org"),
        ("api.example.com", f"{arn}0", Level.STOPS, "there is no"),
        ("api.example.com", arn.replace(REGION, "eu-west-1"), Level.STOPS, f"is not in {REGION}"),
    ):
        named = planned(patient, domain=name, certificate_arn=given)
        got, said = only(found(people.domain, named))
        assert (got, says in said) == (level, True), said


@pytest.mark.parametrize(
    ("status", "days", "says"), [("PENDING_VALIDATION", 300, "pending_validation"), ("ISSUED", 5, "ends on")]
)
def test_a_certificate_that_is_not_issued_or_ends_soon_stops_the_stage(
    patient: Patient, status: str, days: int, says: str
) -> None:
    certificate = {
        "DomainName": "api.example.com",
        "Status": status,
        "NotAfter": datetime.now(UTC) + timedelta(days=days),
    }
    named = planned(
        patient, domain="api.example.com", certificate_arn=f"arn:aws:acm:{REGION}:000000000000:certificate/1"
    )
    asked = stubbed(named, "acm", ("describe_certificate", {"Certificate": certificate}))
    level, said = only(found(people.domain, asked))
    assert (level, says in said) == (Level.STOPS, True), said


def test_somebody_has_to_make_the_pictures(patient: Patient) -> None:
    def keys(patient: Patient) -> Iterator[Finding]:
        return people.keys_check(CATALOG, patient)

    def fresh(**settings: Any) -> Patient:
        """As another process sees it: one remembers for minutes that there is no key."""
        return Patient(patient.plan.model_copy(update=settings), partial(patient.client), REGION)

    assert only(found(keys, patient))[0] is Level.STOPS
    assert only(found(keys, fresh(simulator_allowed=True)))[0] is Level.WARNING
    secrets = patient.client("secretsmanager")
    secret = secrets.create_secret(
        Name=f"shoal/{patient.plan.name}/providers/openai", SecretString='{"key": "YOUR_API_KEY"}'
    )["ARN"]
    assert (Level.STOPS, "the key of openai is a placeholder") in found(keys, fresh())
    secrets.put_secret_value(SecretId=secret, SecretString='{"key": "sk-proj-4f9a"}')
    level, said = only(found(keys, fresh(moderation="openai")))
    assert (level, said.startswith("keys of openai")) == (Level.OK, True)


def test_alarms_have_to_reach_somebody_who_confirmed(patient: Patient) -> None:
    sns = patient.client("sns")
    assert only(found(people.alarms, patient)) == (Level.STOPS, "reach nobody")
    planned_mail = planned(patient, alarm_email="ops@example.com")
    assert only(found(people.alarms, planned_mail))[0] is Level.OK, "before the deployment"
    topic = sns.create_topic(Name=patient.plan.name)["TopicArn"]
    paged = planned(patient, alarm_topic_arn=topic)
    assert only(found(people.alarms, paged)) == (Level.STOPS, "reach nobody")
    # In the local cloud a mail is confirmed at once; an address of this machine that answers nothing is not.
    sns.subscribe(TopicArn=topic, Protocol="http", Endpoint="http://localhost:9/ops")
    assert only(found(people.alarms, paged)) == (Level.STOPS, "not confirmed: http://localhost:9/ops")
    sns.subscribe(TopicArn=topic, Protocol="sqs", Endpoint=f"arn:aws:sqs:{REGION}:000000000000:pager")
    assert (Level.OK, f"told to arn:aws:sqs:{REGION}:000000000000:pager") in found(people.alarms, paged)
    gone = planned(patient, alarm_topic_arn=f"{topic}-gone")
    assert "there is no topic" in found(people.alarms, gone)[0][1]


@pytest.fixture
def stack(patient: Patient) -> Iterator[Callable[[str], None]]:
    """Makes one of the stage's stacks, with a queue in it."""
    cloudformation, made = patient.client("cloudformation"), []

    def make(part: str) -> None:
        name = patient.plan.stack(part)
        queue = {"QueueName": name, "VisibilityTimeout": 30}
        resources = {"Queue": {"Type": "AWS::SQS::Queue", "Properties": queue}}
        cloudformation.create_stack(StackName=name, TemplateBody=json.dumps({"Resources": resources}))
        cloudformation.get_waiter("stack_create_complete").wait(StackName=name, WaiterConfig={"Delay": 1})
        made.append(name)

    yield make
    for name in made:
        cloudformation.delete_stack(StackName=name)


def test_stacks_are_there_as_a_whole(patient: Patient, stack: Callable[[str], None]) -> None:
    assert only(found(stacks.stacks, patient)) == (Level.OK, "not deployed yet")
    stack("state")
    levels = [level for level, _ in found(stacks.stacks, patient)]
    assert levels == [Level.OK, Level.STOPS], "two are missing"
    stack("service")
    stack("watch")
    assert [level for level, _ in found(stacks.stacks, patient)] == [Level.OK] * 3


@pytest.mark.parametrize(
    ("status", "level"),
    [
        ("UPDATE_ROLLBACK_COMPLETE", Level.WARNING),
        ("ROLLBACK_COMPLETE", Level.STOPS),
        ("UPDATE_IN_PROGRESS", Level.STOPS),
    ],
)
def test_a_stack_that_is_not_whole_is_told(patient: Patient, status: str, level: Level) -> None:
    described = {"Stacks": [{"StackName": "s", "CreationTime": datetime.now(UTC), "StackStatus": status}]}
    asked = stubbed(patient, "cloudformation", *[("describe_stacks", described)] * 3)
    assert {got for got, _ in found(stacks.stacks, asked)} == {level}


def test_what_was_changed_by_hand_is_drift(patient: Patient, stack: Callable[[str], None]) -> None:
    stack("state")
    assert only(found(stacks.drift, patient))[0] is Level.OK
    sqs = patient.client("sqs")
    url = sqs.get_queue_url(QueueName=patient.plan.stack("state"))["QueueUrl"]
    sqs.set_queue_attributes(QueueUrl=url, Attributes={"VisibilityTimeout": "90"})
    level, said = only(found(stacks.drift, patient))
    assert (level, said.endswith("DRIFTED, 1 resources")) == (Level.WARNING, True), said


def drifted(type_: str, *paths: str) -> dict[str, Any]:
    """A resource that differs from its template in these properties."""
    different = [
        {"PropertyPath": path, "ExpectedValue": "2", "ActualValue": "1", "DifferenceType": "NOT_EQUAL"}
        for path in paths
    ]
    return {
        "StackId": "arn:aws:cloudformation:us-east-1:123456789012:stack/s/1",
        "LogicalResourceId": f"R{len(paths)}",
        "ResourceType": type_,
        "PropertyDifferences": different,
        "StackResourceDriftStatus": "MODIFIED",
        "Timestamp": datetime(2026, 12, 1, tzinfo=UTC),
    }


@pytest.mark.parametrize(
    ("found_by_aws", "level"),
    [
        ([drifted("AWS::Lambda::Alias", "/FunctionVersion")] * 2, Level.OK),
        ([drifted("AWS::Lambda::Alias", "/FunctionVersion", "/Description")], Level.WARNING),
        (
            [drifted("AWS::Lambda::Alias", "/FunctionVersion"), drifted("AWS::SQS::Queue", "/DelaySeconds")],
            Level.WARNING,
        ),
    ],
    ids=["aliases that were rolled back", "an alias with another description", "a queue beside them"],
)
def test_a_rollback_is_no_drift(patient: Patient, found_by_aws: list[Any], level: Level) -> None:
    name = patient.plan.stack("service")
    status = {
        "StackId": "s",
        "StackDriftDetectionId": "1",
        "DetectionStatus": "DETECTION_COMPLETE",
        "Timestamp": datetime(2026, 12, 1, tzinfo=UTC),
        "StackDriftStatus": "DRIFTED",
        "DriftedStackResourceCount": len(found_by_aws),
    }
    asked = stubbed(
        patient,
        "cloudformation",
        ("detect_stack_drift", {"StackDriftDetectionId": "1"}),
        ("describe_stack_drift_detection_status", status),
        ("describe_stack_resource_drifts", {"StackResourceDrifts": found_by_aws}),
    )
    finding = stacks.drift_of(asked.client("cloudformation"), name)
    assert finding.level is level
    assert ("rollback" in finding.found) == (level is Level.OK)


@pytest.fixture
def shoal(endpoint: Endpoint, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., Result]:
    """The command on the empty cloud, as that of the local stage."""
    file = tmp_path / "shoal.json"
    text = dict.fromkeys(LocalStage.model_fields, "1")
    keys = endpoint.credentials
    stage = {
        "endpoint_url": endpoint.url,
        "region": REGION,
        "access_key_id": keys.access_key_id,
        "secret_access_key": keys.secret_access_key,
        "stage_kind": "local",
    }
    file.write_text(json.dumps(text | stage))
    monkeypatch.setenv(LOCAL_FILE_VARIABLE, str(file))
    monkeypatch.chdir(ROOT)
    return lambda *arguments: CliRunner().invoke(app, arguments)


def test_the_command_tells_all_and_fails_when_something_stops(shoal: Callable[..., Result]) -> None:
    result = shoal("doctor", "--json", "--drift")
    told = json.loads(result.stdout)
    by_check = {each["check"]: each for each in told["findings"]}
    assert (told["stage"], result.exit_code) == ("local", 1)
    assert by_check["bootstrap"]["level"] == "stops"
    assert set(by_check) >= {"credentials", "region", "concurrency", "mail", "providers", "alarms", "stacks"}
    assert all(each["todo"] for each in told["findings"] if each["level"] in ("stops", "warning"))
    table = shoal("doctor").stdout
    assert "never been bootstrapped" in table
    assert "cdk bootstrap" in table


def test_a_stage_without_a_file_is_an_error(shoal: Callable[..., Result], tmp_path: Path) -> None:
    result = shoal("--stage", "nowhere", "doctor")
    assert (result.exit_code, result.stderr.count("\n")) == (1, 1)
    assert "name the stage's file with --file" in result.stderr
    (tmp_path / "odd.toml").write_text('kind = "odd"\n')
    assert "does not describe a stage" in shoal("doctor", "--file", str(tmp_path / "odd.toml")).stderr


def test_the_whole_local_stage_is_well(at_local_stage: LocalCloud, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(ROOT)
    ssm = at_local_stage.client("ssm")
    ssm.put_parameter(Name=account.BOOTSTRAP, Value="30", Type="String", Overwrite=True)
    result = CliRunner().invoke(app, ["doctor", "--json"])
    told = json.loads(result.stdout)["findings"]
    levels = {each["check"]: each["level"] for each in told}
    assert result.exit_code == 0, result.stdout
    assert (levels["stacks"], levels["bootstrap"], levels["concurrency"]) == ("ok", "ok", "ok")
    assert [each["level"] for each in told if each["check"] == "answers"] == ["ok"] * 4
