"""Find the loops of a stage: functions that can cause their own invocation, over whatever else.

Lambda stops a chain that comes through the same function about 16 times, unless the function says that it
may (AWS Lambda Developer Guide, "Use Lambda recursive loop detection"). Such a chain is our way to look again
at a provider, or to put a delivery off. A function in a loop therefore has to say so, after somebody has made
sure that something of ours ends it; and no function outside of every loop may.
"""

from __future__ import annotations

from collections import defaultdict, deque
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from fnmatch import fnmatchcase
from typing import Any

FUNCTION = "AWS::Lambda::Function"
SENDING: Mapping[str, str] = {
    FUNCTION: "lambda:InvokeFunction",
    "AWS::SQS::Queue": "sqs:SendMessage",
    "AWS::SNS::Topic": "sns:Publish",
    "AWS::Events::EventBus": "events:PutEvents",
    "AWS::StepFunctions::StateMachine": "states:StartExecution",
}
"""What a chain can go through, and the action that hands it on to such a resource."""
NAMES = ("FunctionName", "QueueName", "TopicName", "StateMachineName", "Name")
"""Properties by which a resource can be meant without a reference to it."""
STANDS_FOR_A_FUNCTION = ("AWS::Lambda::Alias", "AWS::Lambda::Version")
DIRECTED: Mapping[str, tuple[tuple[str, ...], tuple[str, ...]]] = {
    "AWS::Lambda::EventSourceMapping": (("EventSourceArn",), ("FunctionName",)),
    "AWS::Lambda::EventInvokeConfig": (("FunctionName",), ("DestinationConfig",)),
    "AWS::Events::Rule": (("EventBusName", "EventPattern"), ("Targets",)),
    "AWS::SNS::Subscription": (("TopicArn",), ("Endpoint",)),
}
"""Resources that lead from what some of their properties mention to what others do."""

Resource = Mapping[str, Any]


def wrong_loops(templates: Mapping[str, Mapping[str, Any]]) -> list[str]:
    """Functions whose setting and place differ: in a loop without leave, or outside with it.

    `templates`: those of all stacks of a stage, by the stack's name.
    """
    stage, findings = _Stage.of(templates), []
    for id_, resource in stage.of_type(FUNCTION):
        allowed = resource["Properties"].get("RecursiveLoop") == "Allow"
        loop = stage.loop_of(id_)
        if loop and not allowed:
            findings.append(f"{' → '.join(loop)}: {id_} needs leave to call itself")
        if allowed and not loop:
            findings.append(f"{id_} may call itself, and cannot")
    return findings


@dataclass(frozen=True)
class _Stage:
    """All resources of a stage by logical id, and the outputs by which stacks refer to each other."""

    resources: Mapping[str, Resource]
    outputs: Mapping[tuple[str, str], Any]

    @classmethod
    def of(cls, templates: Mapping[str, Mapping[str, Any]]) -> _Stage:
        resources: dict[str, Resource] = {}
        for template in templates.values():
            if twice := resources.keys() & template["Resources"].keys():
                raise ValueError(f"two stacks have {sorted(twice)}")
            resources |= template["Resources"]
        outputs = {
            (stack, name): output["Value"]
            for stack, template in templates.items()
            for name, output in template.get("Outputs", {}).items()
        }
        return cls(resources, outputs)

    def of_type(self, *types: str) -> Iterator[tuple[str, Resource]]:
        return ((id_, found) for id_, found in self.resources.items() if found["Type"] in types)

    def loop_of(self, start: str) -> list[str]:
        """The shortest way from a resource back to itself; empty if there is none."""
        edges, came_from, waiting = self._edges(), dict[str, str](), deque([start])
        while waiting:
            here = waiting.popleft()
            for there in sorted(edges[here] - came_from.keys()):
                came_from[there] = here
                waiting.append(there)
        if start not in came_from:
            return []
        way = [start, came_from[start]]
        while way[-1] != start:
            way.append(came_from[way[-1]])
        return way[::-1]

    def _edges(self) -> Mapping[str, set[str]]:
        """To which resources each one can hand a chain on."""
        edges: dict[str, set[str]] = defaultdict(set)
        for _, resource in self.of_type(*DIRECTED):
            properties = resource["Properties"]
            sources, targets = DIRECTED[resource["Type"]]
            for source in self._mentioned({name: properties.get(name) for name in sources}):
                edges[source] |= self._mentioned({name: properties.get(name) for name in targets})
        for id_, resource in self.of_type(*SENDING):
            properties = resource["Properties"]
            for role in self._referred(properties.get("Role") or properties.get("RoleArn")):
                edges[id_] |= self._reach(role)
        return edges

    def _reach(self, role: str) -> set[str]:
        """What a role lets its holder send to, by itself or by passing another role on."""
        found: set[str] = set()
        for statement in self._statements(role):
            actions = _listed(statement["Action"])
            for resource in _listed(statement["Resource"]):
                found |= {
                    id_
                    for id_ in (set(self.resources) if resource == "*" else self._mentioned(resource))
                    if any(fnmatchcase(SENDING.get(self._type(id_), ""), action) for action in actions)
                }
                if any(fnmatchcase("iam:PassRole", action) for action in actions) and resource != "*":
                    for passed in self._referred(resource):
                        found |= self._reach(passed)
        return found

    def _statements(self, role: str) -> Iterator[Mapping[str, Any]]:
        policies = list(self.resources[role]["Properties"].get("Policies", []))
        for _, policy in self.of_type("AWS::IAM::Policy", "AWS::IAM::ManagedPolicy"):
            if role in self._referred(policy["Properties"].get("Roles", [])):
                policies.append(policy["Properties"])
        for policy in policies:
            yield from (each for each in policy["PolicyDocument"]["Statement"] if each["Effect"] == "Allow")

    def _mentioned(self, value: Any) -> set[str]:
        """What of a chain's resources a value refers to or names."""
        named = {id_ for id_, resource in self.of_type(*SENDING) if _ends_in_name(value, resource)}
        referred = self._referred(value)
        for id_ in list(referred):
            if self._type(id_) in STANDS_FOR_A_FUNCTION:
                referred |= self._referred(self.resources[id_]["Properties"]["FunctionName"])
        return named | {id_ for id_ in referred if self._type(id_) in SENDING}

    def _referred(self, value: Any) -> set[str]:
        """The logical ids that a value refers to, also over another stack's outputs."""
        if isinstance(value, list):
            return {id_ for part in value for id_ in self._referred(part)}
        if not isinstance(value, dict):
            return set()
        if (output := value.get("Fn::GetStackOutput")) is not None:
            return self._referred(self.outputs[output["StackName"], output["OutputName"]])
        if (attribute := value.get("Fn::GetAtt")) is not None:
            return {attribute[0]}
        if (reference := value.get("Ref")) is not None:
            return {reference} & self.resources.keys()
        return self._referred(list(value.values()))

    def _type(self, id_: str) -> str:
        found: str = self.resources[id_]["Type"]
        return found


def _ends_in_name(value: Any, resource: Resource) -> bool:
    """Whether an ARN within the value, or a text of it, ends in the resource's own name."""
    if isinstance(value, dict):
        value = list(value.values())
    if isinstance(value, list):
        return any(_ends_in_name(part, resource) for part in value)
    names = (resource["Properties"].get(name) for name in NAMES)
    return isinstance(value, str) and any(
        isinstance(name, str) and (value == name or value.endswith((f":{name}", f"/{name}")))
        for name in names
    )


def _listed(value: Any) -> list[Any]:
    """CloudFormation writes a list of one as the one."""
    return value if isinstance(value, list) else [value]
