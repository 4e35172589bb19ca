"""The rules of docs/how-to/subscribe.md, in three languages: each is of the bus and names types of events."""

from __future__ import annotations

import re

from aws_cdk import App, Stack, assertions
from aws_cdk import aws_sqs as sqs

from infra.documents.bus_resources import bus_schemas
from infra.paths import ROOT

HOW_TO = (ROOT / "docs/how-to/subscribe.md").read_text(encoding="utf-8")
ENDED = ["job.completed", "job.failed"]


def block(language: str) -> str:
    """The first code of the how-to in a language."""
    found = re.search(rf"^```{language}\n(.*?)^```$", HOW_TO, flags=re.MULTILINE | re.DOTALL)
    assert found
    return found[1]


def test_the_rule_of_the_cdk_is_one_of_the_bus() -> None:
    stack = Stack(App(), "Mine")
    given = {"stack": stack, "queue": sqs.Queue(stack, "Queue"), "dead_letters": sqs.Queue(stack, "Dead")}
    exec(block("python"), given)  # noqa: S102 the how-to's own code

    assertions.Template.from_stack(stack).has_resource_properties(
        "AWS::Events::Rule",
        {
            "EventBusName": "shoal-dev",
            "EventPattern": {"source": ["shoal"], "detail-type": ENDED},
            "Targets": [assertions.Match.object_like({"DeadLetterConfig": assertions.Match.any_value()})],
        },
    )


def test_the_rules_of_sam_and_terraform_say_the_same() -> None:
    assert set(ENDED) <= set(bus_schemas())
    sam, terraform = block("yaml"), block("hcl")

    assert "EventBusName: shoal-dev" in sam
    assert "source: [shoal]\n" in sam
    assert f"detail-type: [{', '.join(ENDED)}]\n" in sam
    assert terraform.count('event_bus_name = "shoal-dev"') == 2
    assert '"source"      = ["shoal"]' in terraform
    assert '"detail-type" = ["job.completed", "job.failed"]' in terraform
    assert "dead_letter_config" in terraform
    assert "DeadLetterConfig" in sam
