"""What each part may do, written out here a second time: a grant that slips in fails a test."""

from __future__ import annotations

import json
import re
from collections import defaultdict
from collections.abc import Iterator
from itertools import chain

import pytest

from infra.lambdas import registry
from shoal.adapters.dynamodb.items import api_key_item
from shoal.domain.api_key import ApiKey, KeyPrefix
from shoal.domain.rate_limit import RateLimit
from tests.infra.expected_grants import (
    BUS,
    CLIPS,
    DOCUMENTS,
    EXECUTIONS,
    EXPECTED,
    FILES,
    IMAGES,
    LEADING_KEYS,
    MACHINES,
    PROVIDER_SECRETS,
    SCHEDULES,
    SPEAK,
    STAGING,
    TABLE,
)
from tests.infra.template import Resource, Template, all_states, allowed, listed, statements, text

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
TRUSTED = {
    "codedeploy.amazonaws.com",
    "lambda.amazonaws.com",
    "states.amazonaws.com",
    "scheduler.amazonaws.com",
}
WRITES = {
    f"dynamodb:{verb}"
    for verb in (
        "*",
        "PutItem",
        "UpdateItem",
        "DeleteItem",
        "BatchWriteItem",
        "PartiQLInsert",
        "PartiQLUpdate",
        "PartiQLDelete",
    )
}
OF_KEYS = {"KEY#*", "*"}
MAKE_A_KEY = {"id", "account_id", "prefix", "last_four", "scopes", "created_at_ms", "name"}
"""What makes an item an API key of somebody, for something."""
POLICY_LENGTH_MAX = 10_240
SEND = {"sqs:SendMessage", "sqs:GetQueueAttributes", "sqs:GetQueueUrl", "sns:Publish"}


def test_every_function_is_listed_here() -> None:
    assert {function.verb for function in registry.functions()} == EXPECTED.keys()


@pytest.mark.parametrize("verb", EXPECTED)
def test_a_function_may_do_what_its_code_calls_and_no_more(dev: Template, verb: str) -> None:
    camel = "".join(word.capitalize() for word in verb.split("_"))
    own_log = f"<Functions{camel}Log.Arn>"
    logs = {("logs:CreateLogStream", own_log), ("logs:PutLogEvents", own_log)}
    assert allowed(dev.role_of(dev.function(verb))) == EXPECTED[verb] | logs | TRACES


def test_a_function_that_moves_no_money_reaches_no_wallet(dev: Template) -> None:
    keys = {verb: leading_keys_of(dev.role_of(dev.function(verb))) for verb in EXPECTED}
    assert {verb: found for verb, found in keys.items() if found} == LEADING_KEYS
    for name in MACHINES:
        role = dev.role_of(dev.machine(name), "RoleArn")
        assert leading_keys_of(role) == {"dynamodb:UpdateItem": ["ACCOUNT#*"]}


def test_what_calls_customers_endpoints_reaches_neither_wallets_nor_accounts_nor_keys(dev: Template) -> None:
    for verb in ("deliver_webhook", "retry_webhook"):
        role = dev.role_of(dev.function(verb))
        on_items = [s for s in statements(role) if text(listed(s["Resource"])[0]) == TABLE]
        assert all("Condition" in statement for statement in on_items)
        assert set(chain(*leading_keys_of(role).values())) == {"WEBHOOK#*", "WEBHOOKS#*"}


def leading_keys_of(role: Resource) -> dict[str, list[str]]:
    """The partition keys to which each action is limited, sorted."""
    found: dict[str, set[str]] = defaultdict(set)
    for statement in statements(role):
        if keys := keys_of(statement):
            for action in listed(statement["Action"]):
                found[action].update(keys)
    return {action: sorted(keys) for action, keys in found.items()}


def keys_of(statement: Resource) -> list[str]:
    """The patterns of the partition keys that a statement is limited to, none if it is not."""
    found = statement.get("Condition", {}).get("ForAllValues:StringLike", {})
    return list(listed(found.get("dynamodb:LeadingKeys", [])))


def writes(template: Template) -> Iterator[tuple[str, Resource]]:
    """Every statement of a role that lets it write items of the table, with the role's logical id."""
    for id_, role in template.own_roles.items():
        for statement in statements(role["Properties"]):
            if WRITES.intersection(listed(statement["Action"])) and TABLE in map(
                text, listed(statement["Resource"])
            ):
                yield id_, statement


def test_no_role_writes_to_the_whole_table(template: Template) -> None:
    found = list(writes(template))

    assert len(found) > len(EXPECTED) / 2
    for id_, statement in found:
        assert keys_of(statement), f"{id_} writes any item"
        bounded = r"[A-Z]+#\*|ACCOUNTS|AUDIT|GRANTS|OUTBOX"
        assert all(re.fullmatch(bounded, key) for key in keys_of(statement)), id_


def test_only_the_pages_where_people_make_keys_make_one(template: Template) -> None:
    """Any other write to keys names what it needs, and that is nothing a key is made of."""
    for id_, statement in writes(template):
        if set(keys_of(statement)).isdisjoint(OF_KEYS):
            continue
        assert set(keys_of(statement)) <= {"KEY#*", "LIMITS#*"}, id_
        (action,) = WRITES.intersection(listed(statement["Action"]))
        if action == "dynamodb:PutItem":
            assert id_.startswith("FunctionsShowDashboardRole")
            continue
        assert action == "dynamodb:UpdateItem", id_
        named = set(statement["Condition"]["ForAllValues:StringLike"]["dynamodb:Attributes"])
        assert named.isdisjoint(MAKE_A_KEY), id_
        assert statement["Condition"]["Null"] == {"dynamodb:Attributes": "false"}, id_


def test_a_key_is_made_of_what_no_counter_names() -> None:
    """Every attribute of a key's item is one that only its makers write, or one listed here as changing."""
    key = ApiKey(
        "key_1", "acc_1", "0" * 64, KeyPrefix.LIVE, "abcd", frozenset(), RateLimit(), created_at_ms=0
    )
    changing = {"revoked", "requests_per_minute", "burst"}

    assert api_key_item(key).keys() == {"pk", "sk"} | MAKE_A_KEY | changing


def test_a_policy_fits_its_role(template: Template) -> None:
    """IAM takes at most 10,240 characters of inline policies in a role, white space aside."""
    for role in (each["Properties"] for each in template.own_roles.values()):
        written = sum(len(text_of_policy(policy)) for policy in role["Policies"])
        assert written < POLICY_LENGTH_MAX


def text_of_policy(policy: Resource) -> str:
    """About what CloudFormation writes: names take the place of references."""
    return json.dumps(policy["PolicyDocument"], separators=(",", ":"))


def test_nobody_scans(dev: Template) -> None:
    roles = dev.own_roles
    scanning = {id_ for id_, role in roles.items() if ("dynamodb:Scan", TABLE) in allowed(role["Properties"])}
    assert scanning == set()


@pytest.mark.parametrize("name", MACHINES)
def test_a_state_machine_may_do_what_its_states_do_and_no_more(dev: Template, name: str) -> None:
    machine, states = dev.machine(name), all_states(dev.definition(name))
    needed = set()
    for state in (state for state in states.values() if state["Type"] == "Task"):
        action = (
            state["Resource"].removeprefix("arn:${Partition}:states:::").removesuffix(".waitForTaskToken")
        )
        if action == "lambda:invoke":
            for function in re.findall(r"\$\{(\w+)\}", state["Arguments"]["FunctionName"]):
                arn = f"<Functions{function.removesuffix('Function')}.Arn>"
                needed |= {("lambda:InvokeFunction", arn), ("lambda:InvokeFunction", f"{arn}:*")}
        else:
            needed.add(STATE_ACTIONS[action])
    assert allowed(dev.role_of(machine, "RoleArn")) == needed | LOG_DELIVERIES | SAMPLED_TRACES


def test_wildcards_are_those_reviewed(dev: Template) -> None:
    reviewed = {
        *(name for _, name in TRACES),
        *EXECUTIONS,
        DOCUMENTS,
        f"{STAGING}/*",
        FILES,
        IMAGES,
        CLIPS,
        SCHEDULES,
        PROVIDER_SECRETS,
    }
    for role in (each["Properties"] for each in dev.own_roles.values()):
        for action, resource in allowed(role):
            assert "*" not in action
            of_a_version = action == "lambda:InvokeFunction" and resource.endswith(".Arn>:*")
            assert "*" not in resource or resource in reviewed or of_a_version
            assert resource != "*" or (action, resource) in {*SAMPLED_TRACES, *LOG_DELIVERIES, SPEAK}


def test_roles_are_all_there_is(template: Template) -> None:
    """Nothing is granted past the roles' own policies, and nobody but an AWS service takes a role."""
    assert not template.of_type("AWS::IAM::Policy")
    assert not template.of_type("AWS::IAM::ManagedPolicy")
    for role in (each["Properties"] for each in template.own_roles.values()):
        (trust,) = role["AssumeRolePolicyDocument"]["Statement"]
        service = trust["Principal"]["Service"]
        assert service in TRUSTED
        of_this_account = {"StringEquals": {"aws:SourceAccount": {"Ref": "AWS::AccountId"}}}
        assert trust.get("Condition") == (None if service == "lambda.amazonaws.com" else of_this_account)
        assert {statement["Effect"] for statement in statements(role)} == {"Allow"}


def test_only_a_stage_that_may_go_has_a_role_that_it_did_not_make(template: Template) -> None:
    """It empties buckets, as their policies let it; of its own it may write its log."""
    others = {
        id_: r for id_, r in template.of_type("AWS::IAM::Role").items() if id_ not in template.own_roles
    }
    assert len(others) == template.stage.emptied
    for role in others.values():
        assert "Policies" not in role["Properties"]
        (managed,) = role["Properties"]["ManagedPolicyArns"]
        assert managed["Fn::Sub"].endswith(":policy/service-role/AWSLambdaBasicExecutionRole")


def test_a_role_is_handed_to_the_one_service_it_is_for(template: Template) -> None:
    passed = [
        statement
        for role in template.own_roles.values()
        for statement in statements(role["Properties"])
        if "iam:PassRole" in listed(statement["Action"])
    ]
    assert len(passed) == 2
    for statement in passed:
        assert statement["Condition"] == {"StringEquals": {"iam:PassedToService": "scheduler.amazonaws.com"}}


def test_only_the_api_the_schedules_and_the_user_pool_invoke_functions(template: Template) -> None:
    for permission in template.properties("AWS::Lambda::Permission"):
        assert permission["Action"] == "lambda:InvokeFunction"
        assert permission["Principal"].partition(".")[0] in {"apigateway", "events", "cognito-idp"}
        source = text(permission["SourceArn"])
        known = r"arn:<AWS::Partition>:execute-api:.*:<ApiHttpApi>/|<Schedules\w+\.Arn>$|<IdentityPool\.Arn>$"
        assert re.match(known, source), source


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


@pytest.mark.parametrize("verb", ["call_provider", "render_scene", "poll_provider", "store_output"])
def test_what_brings_outputs_reaches_no_wallet(verb: str) -> None:
    reached = set(chain.from_iterable(LEADING_KEYS[verb].values()))
    assert reached
    assert not {pattern for pattern in reached if pattern.startswith(("WALLET", "*"))}
