"""The rules of docs/how-to/subscribe.md, in three languages: what the CDK's says, the other two say as well.

cfn-lint reads the SAM template, and the rule that comes of it, by AWS's schemas. There is no Terraform here:
its text is parsed, and its resources and their arguments are held against what the AWS provider's
documentation lists.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from typing import Any

import hcl2
import pytest
from aws_cdk import App, Stack, assertions
from aws_cdk import aws_sqs as sqs
from cfnlint import decode  # type: ignore[import-untyped]
from cfnlint.api import lint_all  # type: ignore[import-untyped]

from infra.documents.bus_resources import bus_schemas
from infra.paths import ROOT

HOW_TO = (ROOT / "docs/how-to/subscribe.md").read_text(encoding="utf-8")
ENDED = ["job.completed", "job.failed"]
QUEUE_ARGUMENTS = {"name", "message_retention_seconds"}
ARGUMENTS: Mapping[str, set[str]] = {
    "aws_sqs_queue": QUEUE_ARGUMENTS,
    "aws_sqs_queue_policy": {"for_each", "queue_url", "policy"},
    "aws_cloudwatch_event_rule": {"name", "event_bus_name", "event_pattern"},
    "aws_cloudwatch_event_target": {
        *("rule", "event_bus_name", "arn", "dead_letter_config.arn"),
        *("retry_policy.maximum_event_age_in_seconds", "retry_policy.maximum_retry_attempts"),
    },
}
"""Of what is used here, what the documentation of hashicorp/aws 6 has (registry, "Argument Reference")."""
Json = dict[str, Any]


def block(language: str) -> str:
    """The first code of the how-to in a language."""
    found = re.search(rf"^```{language}\n(.*?)^```$", HOW_TO, flags=re.MULTILINE | re.DOTALL)
    assert found
    return found[1]


@pytest.fixture(scope="module")
def of_the_cdk() -> Json:
    """The rule that the CDK's code makes."""
    stack = Stack(App(), "Mine")
    given = {"stack": stack, "queue": sqs.Queue(stack, "Queue"), "dead_letters": sqs.Queue(stack, "Dead")}
    exec(block("python"), given)  # noqa: S102 the how-to's own code
    (rule,) = assertions.Template.from_stack(stack).find_resources("AWS::Events::Rule").values()
    properties: Json = rule["Properties"]
    return properties


@pytest.fixture(scope="module")
def terraform() -> dict[str, dict[str, Json]]:
    """Its resources by type and name, without the quotes that the parser keeps."""
    found: dict[str, dict[str, Json]] = {}
    for resource in plain(hcl2.loads(block("hcl")))["resource"]:
        for type_, named in resource.items():
            found.setdefault(type_, {}).update(named)
    return found


def plain(part: Any) -> Any:
    if isinstance(part, dict):
        return {plain(name): plain(each) for name, each in part.items() if name != "__is_block__"}
    if isinstance(part, list):
        return [plain(each) for each in part]
    return part.strip('"') if isinstance(part, str) else part


def encoded(text: str) -> Any:
    """What `jsonencode` is given."""
    inside = text.removeprefix("${jsonencode(").removesuffix(")}")
    assert inside != text
    return plain(hcl2.loads(f"it = {inside}\n")["it"])


def test_the_rule_of_the_cdk_is_one_of_the_bus(of_the_cdk: Json) -> None:
    assert set(ENDED) <= set(bus_schemas())
    assert of_the_cdk["EventBusName"] == "shoal-dev"
    assert of_the_cdk["EventPattern"] == {"source": ["shoal"], "detail-type": ENDED}
    (target,) = of_the_cdk["Targets"]
    assert target["DeadLetterConfig"]["Arn"]["Fn::GetAtt"][0].startswith("Dead")


def test_the_template_of_sam_is_one_and_says_the_same(of_the_cdk: Json) -> None:
    text = block("yaml")
    assert wrong(text) == []
    assert wrong(text.replace("Handler:", "Handlr:")), "or the line above shows nothing"

    template, _ = decode.decode_str(text)
    event = template["Resources"]["Subscriber"]["Properties"]["Events"]["Ended"]
    rule = event["Properties"]
    assert event["Type"] == "EventBridgeRule"
    assert wrong(expanded(rule)) == []
    for mistake in ({"Bus": "x"}, {"RetryPolicy": {"MaximumRetryAttempts": 186}}):
        assert wrong(expanded(rule | mistake)), "or the line above shows nothing"
    (target,) = of_the_cdk["Targets"]
    assert (rule["EventBusName"], rule["Pattern"]) == (of_the_cdk["EventBusName"], of_the_cdk["EventPattern"])
    assert rule["RetryPolicy"] == target["RetryPolicy"]
    assert rule["DeadLetterConfig"] == {"Arn": {"Fn::GetAtt": ["DeadLetters", "Arn"]}}
    (statement,) = [template["Resources"]["MaySend"]["Properties"]["PolicyDocument"]["Statement"]]
    # SAM names a rule after its function and its event.
    assert statement["Condition"]["ArnEquals"] == {
        "aws:SourceArn": {"Fn::GetAtt": ["SubscriberEnded", "Arn"]}
    }


def expanded(rule: Json) -> str:
    """The rule that SAM makes of an event's properties, which cfn-lint does not look into by itself."""
    of_the_target = ("DeadLetterConfig", "RetryPolicy")
    function = {"Id": "Target", "Arn": {"Fn::GetAtt": ["DeadLetters", "Arn"]}}
    properties = {name: value for name, value in rule.items() if name not in (*of_the_target, "Pattern")}
    properties["EventPattern"] = rule["Pattern"]
    properties["Targets"] = [function | {name: rule[name] for name in of_the_target}]
    resources = {
        "DeadLetters": {"Type": "AWS::SQS::Queue"},
        "Rule": {"Type": "AWS::Events::Rule", "Properties": properties},
    }
    return json.dumps({"Resources": resources})


def wrong(template: str) -> list[str]:
    """Errors and warnings of cfn-lint: that a queue of an example goes with it is neither."""
    return [str(match) for match in lint_all(template) if not match.rule.id.startswith("I")]


def test_terraform_says_the_same(of_the_cdk: Json, terraform: dict[str, dict[str, Json]]) -> None:
    (rule,), (target,) = (terraform[f"aws_cloudwatch_event_{kind}"].values() for kind in ("rule", "target"))
    (expected,) = of_the_cdk["Targets"]
    assert rule["event_bus_name"] == target["event_bus_name"] == of_the_cdk["EventBusName"]
    assert encoded(rule["event_pattern"]) == of_the_cdk["EventPattern"]
    assert target["dead_letter_config"] == [{"arn": "${aws_sqs_queue.dead_letters.arn}"}]
    assert target["retry_policy"] == [
        {
            "maximum_event_age_in_seconds": expected["RetryPolicy"]["MaximumEventAgeInSeconds"],
            "maximum_retry_attempts": expected["RetryPolicy"]["MaximumRetryAttempts"],
        }
    ]
    (policy,) = terraform["aws_sqs_queue_policy"].values()
    (statement,) = encoded(policy["policy"])["Statement"]
    assert statement["Principal"] == {"Service": "events.amazonaws.com"}
    assert "aws_cloudwatch_event_rule.ended.arn" in str(statement["Condition"])


def test_terraform_names_what_there_is(terraform: dict[str, dict[str, Json]]) -> None:
    for type_, named in terraform.items():
        for name, arguments in named.items():
            given = {
                f"{argument}.{inner}" if inner else argument
                for argument, value in arguments.items()
                for inner in (value[0] if isinstance(value, list) else [""])
            }
            assert given <= ARGUMENTS[type_], name
    for type_, name in re.findall(r"(aws_\w+)\.(\w+)\.", block("hcl")):
        assert name in terraform[type_]
