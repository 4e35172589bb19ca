"""What each part may do, written out here a second time: a grant that slips in fails a test."""

from __future__ import annotations

import re

import pytest

from infra import registry
from tests.infra.template import Resource, Template, all_states, allowed, listed, statements, text

ACCOUNT = "<AWS::Region>:<AWS::AccountId>"
TABLE = "<StorageTable.Arn>"
OPEN_JOBS = f"{TABLE}/index/open_jobs"
MACHINES = ("generate", "generate-batch")
MACHINE_ARNS = [f"arn:<AWS::Partition>:states:{ACCOUNT}:stateMachine:shoal-dev-{name}" for name in MACHINES]
EXECUTIONS = [f"arn:<AWS::Partition>:states:{ACCOUNT}:execution:shoal-dev-{name}:*" for name in MACHINES]
BUS = "<Bus.Arn>"
STAGING = "<StorageStaging.Arn>"
IMAGES = "<StorageOutputs.Arn>/images/*"
POLL = "<QueuesPoll.Arn>"
CLOSED = "<QueuesClosedExecutions.Arn>"
ASYNC_FAILURES = "<QueuesAsyncFailures.Arn>"
SECRET = "<CallbackSecret>"


def on_each(arns: list[str], *actions: str) -> set[tuple[str, str]]:
    return {(action, arn) for action in actions for arn in arns}


READ_AND_COUNT = {("dynamodb:GetItem", TABLE), ("dynamodb:UpdateItem", TABLE)}
CLOSE_JOBS = {*READ_AND_COUNT, ("dynamodb:PutItem", TABLE)}
QUERY_AND_COUNT = {("dynamodb:Query", TABLE), ("dynamodb:UpdateItem", TABLE)}
START = on_each(MACHINE_ARNS, "states:StartExecution")
STOP = on_each(EXECUTIONS, "states:StopExecution")
RESOLVE_TASK = on_each(MACHINE_ARNS, "states:SendTaskSuccess", "states:SendTaskFailure")
READ_STAGED = {("s3:GetObject", f"{STAGING}/*"), ("s3:ListBucket", STAGING)}
STAGE = {*READ_STAGED, ("s3:PutObject", f"{STAGING}/*")}
CALL_BACK = {("secretsmanager:GetSecretValue", SECRET), ("sqs:SendMessage", POLL)}

EXPECTED: dict[str, set[tuple[str, str]]] = {
    "submit_job": {
        *CLOSE_JOBS,
        *START,
        ("s3:PutObject", f"{STAGING}/*"),
    },
    "read_task": READ_AND_COUNT,
    "list_tasks": QUERY_AND_COUNT,
    "read_models": {("dynamodb:UpdateItem", TABLE)},
    "quote_job": READ_AND_COUNT,
    "summarize_usage": QUERY_AND_COUNT,
    "read_job": READ_AND_COUNT,
    "cancel_job": {*CLOSE_JOBS, *STOP, ("events:PutEvents", BUS)},
    "read_wallet": READ_AND_COUNT,
    "list_jobs": QUERY_AND_COUNT,
    "receive_callback": {*READ_AND_COUNT, *CALL_BACK},
    "read_health": set(),
    "reject_route": set(),
    "call_provider": {
        *READ_AND_COUNT,
        *CALL_BACK,
        *RESOLVE_TASK,
        *STAGE,
        ("events:PutEvents", BUS),
    },
    "store_output": {
        *READ_STAGED,
        ("dynamodb:GetItem", TABLE),
        ("s3:PutObject", IMAGES),
    },
    "settle_wallet": CLOSE_JOBS,
    "release_hold": CLOSE_JOBS,
    "poll_provider": {
        *READ_AND_COUNT,
        *CALL_BACK,
        *RESOLVE_TASK,
        *STAGE,
        ("sqs:ReceiveMessage", POLL),
        ("sqs:DeleteMessage", POLL),
        ("sqs:GetQueueAttributes", POLL),
    },
    "sweep_jobs": {
        *CLOSE_JOBS,
        ("dynamodb:Query", OPEN_JOBS),
        ("events:PutEvents", BUS),
        *START,
        *STOP,
        *on_each(EXECUTIONS, "states:DescribeExecution"),
        ("s3:DeleteObject", IMAGES),
        ("sqs:SendMessage", ASYNC_FAILURES),
    },
    "close_execution": {
        *CLOSE_JOBS,
        *STOP,
        ("events:PutEvents", BUS),
        ("sqs:ReceiveMessage", CLOSED),
        ("sqs:DeleteMessage", CLOSED),
        ("sqs:GetQueueAttributes", CLOSED),
    },
    "audit_ledger": {
        ("dynamodb:GetItem", TABLE),
        ("dynamodb:Query", TABLE),
        ("dynamodb:Scan", TABLE),
        ("sqs:SendMessage", ASYNC_FAILURES),
    },
}

TRACES = {("xray:PutTraceSegments", "*"), ("xray:PutTelemetryRecords", "*")}
SAMPLED_TRACES = TRACES | {("xray:GetSamplingRules", "*"), ("xray:GetSamplingTargets", "*")}
LOG_DELIVERIES = {
    (f"logs:{operation}", "*")
    for operation in (
        "CreateLogDelivery",
        "GetLogDelivery",
        "UpdateLogDelivery",
        "DeleteLogDelivery",
        "ListLogDeliveries",
        "PutResourcePolicy",
        "DescribeResourcePolicies",
        "DescribeLogGroups",
    )
}
STATE_ACTIONS = {
    "events:putEvents": ("events:PutEvents", BUS),
    "dynamodb:updateItem": ("dynamodb:UpdateItem", TABLE),
}
SEND = {"sqs:SendMessage", "sqs:GetQueueAttributes", "sqs:GetQueueUrl", "sns:Publish"}


def test_every_function_is_listed_here() -> None:
    assert {function.verb for function in registry.functions()} == EXPECTED.keys()


@pytest.mark.parametrize("verb", EXPECTED)
def test_a_function_may_do_what_its_code_calls_and_no_more(dev: Template, verb: str) -> None:
    camel = "".join(word.capitalize() for word in verb.split("_"))
    own_log = f"<Functions{camel}Log.Arn>"
    logs = {("logs:CreateLogStream", own_log), ("logs:PutLogEvents", own_log)}
    assert allowed(dev.role_of(dev.function(verb))) == EXPECTED[verb] | logs | TRACES


def test_a_function_that_moves_no_money_is_let_to_no_wallet(dev: Template) -> None:
    keys = {verb: leading_keys_of(dev.role_of(dev.function(verb))) for verb in EXPECTED}
    one_job = {"dynamodb:GetItem": ["ACCOUNT#*"], "dynamodb:UpdateItem": ["ACCOUNT#*"]}
    count_request = {"dynamodb:UpdateItem": ["KEY#*"]}
    assert {verb: found for verb, found in keys.items() if found} == {
        "read_job": {"dynamodb:GetItem": ["ACCOUNT#*"], **count_request},
        "read_task": {"dynamodb:GetItem": ["ACCOUNT#*"], **count_request},
        "list_tasks": {"dynamodb:Query": ["ACCOUNT#*"], **count_request},
        "read_models": count_request,
        "quote_job": {"dynamodb:GetItem": ["MODEL#*"], **count_request},
        "summarize_usage": {"dynamodb:Query": ["ACCOUNT#*"], **count_request},
        "read_wallet": {"dynamodb:GetItem": ["WALLET#*"], **count_request},
        "list_jobs": {"dynamodb:Query": ["ACCOUNT#*"], **count_request},
        "receive_callback": one_job,
        "call_provider": one_job,
        "store_output": {"dynamodb:GetItem": ["ACCOUNT#*"]},
        "poll_provider": one_job,
    }
    for name in MACHINES:
        role = dev.role_of(dev.machine(name), "RoleArn")
        assert leading_keys_of(role) == {"dynamodb:UpdateItem": ["ACCOUNT#*"]}


def leading_keys_of(role: Resource) -> dict[str, list[str]]:
    """The partition keys to which each action is limited."""
    return {
        action: statement["Condition"]["ForAllValues:StringLike"]["dynamodb:LeadingKeys"]
        for statement in statements(role)
        if "Condition" in statement
        for action in listed(statement["Action"])
    }


def test_only_the_audit_scans(dev: Template) -> None:
    roles = dev.of_type("AWS::IAM::Role")
    scanning = {id_ for id_, role in roles.items() if ("dynamodb:Scan", TABLE) in allowed(role["Properties"])}
    assert [id_.startswith("FunctionsAuditLedger") for id_ in scanning] == [True]


@pytest.mark.parametrize("name", MACHINES)
def test_a_state_machine_may_do_what_its_states_do_and_no_more(dev: Template, name: str) -> None:
    machine, states = dev.machine(name), all_states(dev.definition(name))
    needed = set()
    for state in (state for state in states.values() if state["Type"] == "Task"):
        action = state["Resource"].removeprefix("arn:aws:states:::").removesuffix(".waitForTaskToken")
        if action == "lambda:invoke":
            function = state["Arguments"]["FunctionName"].strip("${}")
            needed.add(("lambda:InvokeFunction", text(machine["DefinitionSubstitutions"][function])))
        else:
            needed.add(STATE_ACTIONS[action])
    assert allowed(dev.role_of(machine, "RoleArn")) == needed | LOG_DELIVERIES | SAMPLED_TRACES


def test_wildcards_are_those_reviewed(dev: Template) -> None:
    reviewed = {*(name for _, name in TRACES), *EXECUTIONS, f"{STAGING}/*", IMAGES}
    for role in dev.properties("AWS::IAM::Role"):
        for action, resource in allowed(role):
            assert "*" not in action
            assert "*" not in resource or resource in reviewed
            assert resource != "*" or (action, resource) in SAMPLED_TRACES | LOG_DELIVERIES


def test_roles_are_all_there_is(template: Template) -> None:
    """Nothing is granted past the roles' own policies, and nobody but an AWS service takes a role."""
    assert not template.of_type("AWS::IAM::Policy")
    assert not template.of_type("AWS::IAM::ManagedPolicy")
    for role in template.properties("AWS::IAM::Role"):
        (trust,) = role["AssumeRolePolicyDocument"]["Statement"]
        assert trust["Principal"]["Service"] in {"lambda.amazonaws.com", "states.amazonaws.com"}
        assert {statement["Effect"] for statement in statements(role)} == {"Allow"}


def test_only_the_api_and_the_schedules_invoke_functions(template: Template) -> None:
    for permission in template.properties("AWS::Lambda::Permission"):
        assert permission["Action"] == "lambda:InvokeFunction"
        assert permission["Principal"] in {"apigateway.amazonaws.com", "events.amazonaws.com"}
        source = text(permission["SourceArn"])
        assert re.match(r"arn:<AWS::Partition>:execute-api:.*:<ApiHttpApi>/|<Schedules\w+\.Arn>$", source), (
            source
        )


def test_queues_buckets_and_topics_refuse_plain_http(template: Template) -> None:
    policies = [
        *template.properties("AWS::SQS::QueuePolicy"),
        *template.properties("AWS::S3::BucketPolicy"),
        *template.properties("AWS::SNS::TopicPolicy"),
    ]
    assert len(policies) == len(
        [
            *template.of_type("AWS::SQS::Queue"),
            *template.of_type("AWS::S3::Bucket"),
            *template.of_type("AWS::SNS::Topic"),
        ]
    )
    for policy in policies:
        denials = [s for s in policy["PolicyDocument"]["Statement"] if s["Effect"] == "Deny"]
        assert [s["Condition"] for s in denials] == [{"Bool": {"aws:SecureTransport": "false"}}]


def test_queues_and_topics_take_from_aws_services_with_a_known_source_only(template: Template) -> None:
    policies = [*template.properties("AWS::SQS::QueuePolicy"), *template.properties("AWS::SNS::TopicPolicy")]
    for policy in policies:
        for statement in policy["PolicyDocument"]["Statement"]:
            if statement["Effect"] == "Allow":
                assert list(statement["Principal"]) == ["Service"]
                (condition,) = statement["Condition"].values()
                assert condition.keys() <= {"aws:SourceArn", "aws:SourceAccount"}
                assert set(listed(statement["Action"])) <= SEND
