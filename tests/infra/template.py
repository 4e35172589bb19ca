"""The synthesized templates of a stage made easy to ask, with references in them written as readable text."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from infra.build.packages import unbuilt_packages
from infra.stacks.shoal_stage import ShoalStage
from infra.stage import Stage
from infra.synthesis import new_app

Resource = dict[str, Any]
FOR_OTHER_STACKS = "PublishOutput"
"""How the CDK begins the names of outputs that are there for another stack of the same app."""
OF_THE_CDK = "CustomS3AutoDeleteObjects"
LOGICAL_ID_HASH = re.compile(
    r"((?<=Version)[0-9A-F]{8}[0-9a-f]{32}|[0-9a-f]{16}[0-9A-F]{8}|[0-9A-F]{8})(?=[.>])"
)


@dataclass(frozen=True, kw_only=True)
class Template:
    """What the stacks of one stage hold, as if it were one stack.

    `stacks` are the templates by name, `tags` theirs.
    """

    stage: Stage
    content: dict[str, Any]
    stacks: dict[str, dict[str, Any]]
    tags: dict[str, dict[str, str]]

    def of_type(self, resource_type: str) -> dict[str, Resource]:
        """Resources of a type by logical id."""
        return {id_: r for id_, r in self.content["Resources"].items() if r["Type"] == resource_type}

    def properties(self, resource_type: str) -> list[Resource]:
        """Properties of all resources of a type."""
        return [resource["Properties"] for resource in self.of_type(resource_type).values()]

    def one(self, resource_type: str) -> Resource:
        """Properties of the only resource of a type."""
        (properties,) = self.properties(resource_type)
        return properties

    def function(self, verb: str) -> Resource:
        """Properties of the Lambda of a verb."""
        name = f"{self.stage.prefix}-{verb.replace('_', '-')}"
        (found,) = [f for f in self.properties("AWS::Lambda::Function") if f.get("FunctionName") == name]
        return found

    def called(self, camel: str) -> str:
        """What leads to a function from outside: its alias where the stage has versions."""
        return f"<Functions{camel}Live>" if self.stage.versions else f"<Functions{camel}.Arn>"

    def function_behind(self, reference: Any) -> Resource:
        """Properties of the function that a reference leads to, over an alias where it names one."""
        named: Resource = self.content["Resources"][_first_reference(reference)]
        if named["Type"] == "AWS::Lambda::Alias":
            named = self.content["Resources"][named["Properties"]["FunctionName"]["Ref"]]
        properties: Resource = named["Properties"]
        return properties

    def machine(self, name: str) -> Resource:
        """Properties of the state machine of this name, such as `generate`."""
        full_name = f"{self.stage.prefix}-{name}"
        machines = self.properties("AWS::StepFunctions::StateMachine")
        (found,) = [m for m in machines if m["StateMachineName"] == full_name]
        return found

    def definition(self, name: str) -> Resource:
        """The definition of the state machine of this name, its substitutions not made."""
        definition: Resource = json.loads(self.machine(name)["DefinitionString"])
        return definition

    @property
    def own_roles(self) -> dict[str, Resource]:
        """The roles that the stage makes; the CDK brings one of its own for what empties buckets."""
        roles = self.of_type("AWS::IAM::Role")
        return {id_: role for id_, role in roles.items() if not id_.startswith(OF_THE_CDK)}

    def role_of(self, holder: Resource, key: str = "Role") -> Resource:
        """Properties of the role that a function or state machine acts in."""
        logical_id = holder[key]["Fn::GetAtt"][0]
        properties: Resource = self.content["Resources"][logical_id]["Properties"]
        return properties


def synthesized(stage: Stage, outdir: Path) -> Template:
    """The templates of a stage, its packages left unbuilt."""
    app = new_app(outdir=outdir)
    whole = ShoalStage(app, "Shoal", stage=stage, packages=unbuilt_packages(layers=stage.layers))
    folder = Path(app.synth().directory)
    stacks = {
        stack.stack_name: json.loads((folder / stack.template_file).read_text(encoding="utf-8"))
        for stack in whole.stacks
    }
    tags = {stack.stack_name: dict(stack.tags.tag_values()) for stack in whole.stacks}
    return Template(stage=stage, content=_merged(stacks), stacks=stacks, tags=tags)


def _merged(stacks: dict[str, dict[str, Any]]) -> dict[str, Any]:
    """All resources and outputs, with what one stack reads of another replaced by what that other tells."""
    content: dict[str, Any] = {"Resources": {}, "Outputs": {}}
    for template in stacks.values():
        assert not content["Resources"].keys() & template["Resources"].keys(), "an id belongs to one stack"
        content["Resources"] |= template["Resources"]
        content["Outputs"] |= {
            key: output
            for key, output in template.get("Outputs", {}).items()
            if not key.startswith(FOR_OTHER_STACKS)
        }
    told: dict[str, Any] = _told(content, stacks)
    return told


def _told(value: Any, stacks: dict[str, dict[str, Any]]) -> Any:
    if isinstance(value, list):
        return [_told(part, stacks) for part in value]
    if not isinstance(value, dict):
        return value
    if (read := value.get("Fn::GetStackOutput")) is not None:
        return _told(stacks[read["StackName"]]["Outputs"][read["OutputName"]]["Value"], stacks)
    return {key: _told(part, stacks) for key, part in value.items()}


def _first_reference(value: Any) -> str:
    """The logical id that a value refers to, however deep it is within."""
    while not (isinstance(value, dict) and "Ref" in value):
        value = next(part for part in (value.values() if isinstance(value, dict) else value) if _refers(part))
    return str(value["Ref"])


def _refers(value: Any) -> bool:
    parts = value.values() if isinstance(value, dict) else value if isinstance(value, list) else ()
    return (isinstance(value, dict) and "Ref" in value) or any(map(_refers, parts))


def all_states(definition: Resource) -> dict[str, Resource]:
    """The states of a machine by name, those within a Map too."""
    states: dict[str, Resource] = dict(definition["States"])
    for state in definition["States"].values():
        if "ItemProcessor" in state:
            states |= all_states(state["ItemProcessor"])
    return states


def text(value: Any) -> str:
    """A value with its intrinsic functions written out: `<StorageTable.Arn>/index/open_jobs`."""
    return LOGICAL_ID_HASH.sub("", _text(value))


def _text(value: Any) -> str:
    if not isinstance(value, dict):
        return str(value)
    ((function, argument),) = value.items()
    if function == "Fn::Join":
        separator, parts = argument
        return str(separator).join(map(_text, parts))
    return f"<{'.'.join(argument)}>" if function == "Fn::GetAtt" else f"<{argument}>"


def allowed(role: Resource) -> set[tuple[str, str]]:
    """Every (action, resource) that the policies of a role allow."""
    return {
        (action, text(resource))
        for statement in statements(role)
        for action in listed(statement["Action"])
        for resource in listed(statement["Resource"])
    }


def statements(role: Resource) -> Iterator[Resource]:
    """The statements of a role, which has inline policies and nothing else."""
    assert "ManagedPolicyArns" not in role
    for policy in role["Policies"]:
        yield from policy["PolicyDocument"]["Statement"]


def listed(value: Any) -> list[Any]:
    """CloudFormation writes a list of one as the one."""
    return value if isinstance(value, list) else [value]
