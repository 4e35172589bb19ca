"""The stage's stacks: whether they are deployed, whole, and still what the templates say."""

from __future__ import annotations

import time
from collections.abc import Iterator
from typing import Any

from botocore.exceptions import ClientError

from shoal.cli.doctor.finding import Finding, Patient, code_of, ok, stops, warning

PARTS = ("state", "service", "watch")
WHOLE = frozenset({"CREATE_COMPLETE", "UPDATE_COMPLETE", "IMPORT_COMPLETE"})
DRIFT_SECONDS_MAX = 600
PAUSE_SECONDS = 2.0


def resources(patient: Patient, stack: str) -> list[tuple[str, str]]:
    """Type and physical id of each resource of a stack; none of one that is not there."""
    pages = patient.client("cloudformation").get_paginator("list_stack_resources")
    try:
        found = [each for page in pages.paginate(StackName=stack) for each in page["StackResourceSummaries"]]
    except ClientError as error:
        if code_of(error) != "ValidationError":
            raise
        return []
    return [(each["ResourceType"], each.get("PhysicalResourceId", "")) for each in found]


def outputs(patient: Patient, stack: str) -> dict[str, str]:
    """What a stack tells; nothing of one that is not there."""
    found = _described(patient, stack)
    return {each["OutputKey"]: each["OutputValue"] for each in (found or {}).get("Outputs", [])}


def stacks(patient: Patient) -> Iterator[Finding]:
    """How each stack is, and when it was last changed."""
    missing = []
    for part in PARTS:
        name = patient.plan.stack(part)
        found = _described(patient, name)
        if found is None:
            missing.append(name)
        elif found["StackStatus"] in WHOLE:
            changed = found.get("LastUpdatedTime") or found["CreationTime"]
            yield ok("stacks", f"{name}: {found['StackStatus']} since {changed:%Y-%m-%d %H:%M} UTC")
        elif found["StackStatus"] == "UPDATE_ROLLBACK_COMPLETE":
            yield warning(
                "stacks", f"{name}: its last update was rolled back", "Read its events, then deploy again."
            )
        else:
            yield stops(
                "stacks",
                f"{name}: {found['StackStatus']}",
                "Wait for it, or read its events in CloudFormation.",
            )
    if len(missing) == len(PARTS):
        yield ok("stacks", "not deployed yet")
    elif missing:
        deploy = f"`make deploy STAGE={patient.plan.name}`."
        yield stops("stacks", f"not there: {', '.join(missing)}", deploy)


def drift(patient: Patient) -> Iterator[Finding]:
    """Look at every resource for what was changed by hand: minutes on AWS, and slow on the way."""
    for part in PARTS:
        name = patient.plan.stack(part)
        if _described(patient, name) is None:
            continue
        yield drift_of(patient.client("cloudformation"), name)


def drift_of(cloudformation: Any, stack: str) -> Finding:
    """Whether a stack is still what its template says."""
    found = _drifted(cloudformation, stack)
    if found == "IN_SYNC":
        return ok("drift", f"{stack} is what its template says")
    if found.startswith("DRIFTED") and _only_rolled_back(cloudformation, stack):
        return ok("drift", f"{stack} is what its template says, but for aliases that a rollback has set")
    return warning(
        "drift",
        f"{stack}: {found}",
        f"`aws cloudformation describe-stack-resource-drifts --stack-name {stack}` names them; then"
        " deploy again.",
    )


def _drifted(cloudformation: Any, stack: str) -> str:
    id_ = cloudformation.detect_stack_drift(StackName=stack)["StackDriftDetectionId"]
    deadline = time.monotonic() + DRIFT_SECONDS_MAX
    while time.monotonic() < deadline:
        found = cloudformation.describe_stack_drift_detection_status(StackDriftDetectionId=id_)
        if found["DetectionStatus"] != "DETECTION_IN_PROGRESS":
            drifted = found.get("DriftedStackResourceCount", 0)
            status = found.get("StackDriftStatus", found["DetectionStatus"])
            return status if status == "IN_SYNC" else f"{status}, {drifted} resources"
        time.sleep(PAUSE_SECONDS)
    return f"no answer in {DRIFT_SECONDS_MAX} s"


def _only_rolled_back(cloudformation: Any, stack: str) -> bool:
    """Whether all that differs from the template is which versions aliases lead to."""
    asked: dict[str, Any] = {
        "StackName": stack,
        "StackResourceDriftStatusFilters": ["MODIFIED", "DELETED"],
    }
    differing: list[Any] = []
    while True:
        page = cloudformation.describe_stack_resource_drifts(**asked)
        differing += page["StackResourceDrifts"]
        if "NextToken" not in page:
            break
        asked["NextToken"] = page["NextToken"]
    return bool(differing) and all(
        drifted["ResourceType"] == "AWS::Lambda::Alias"
        and {each["PropertyPath"] for each in drifted["PropertyDifferences"]} == {"/FunctionVersion"}
        for drifted in differing
    )


def _described(patient: Patient, stack: str) -> Any:
    try:
        return patient.client("cloudformation").describe_stacks(StackName=stack)["Stacks"][0]
    except ClientError as error:
        if code_of(error) != "ValidationError":
            raise
        return None
