"""CloudFormation: types it lacks, and a reference to a wrong thing."""

from __future__ import annotations

import json
from typing import Any

from ministack.services import eventbridge, stepfunctions  # type: ignore[import-untyped]
from ministack.services.cloudformation import provisioners  # type: ignore[import-untyped]

NAME_LENGTH_MAX = 48
Resource = tuple[str, dict[str, str]]  # physical id and attributes

_secret = dict(provisioners._RESOURCE_HANDLERS["AWS::SecretsManager::Secret"])


def _check(response: tuple[int, dict[str, str], bytes]) -> dict[str, Any]:
    status, _, body = response
    answer: dict[str, Any] = json.loads(body)
    if status >= 400:
        raise ValueError(answer)
    return answer


def _archive(name: str, properties: dict[str, Any]) -> dict[str, Any]:
    pattern = properties.get("EventPattern", "")
    return {
        "ArchiveName": name,
        "EventSourceArn": properties["SourceArn"],
        "Description": properties.get("Description", ""),
        "EventPattern": pattern if isinstance(pattern, str) else json.dumps(pattern),
        "RetentionDays": int(properties.get("RetentionDays", 0)),
    }


def _create_archive(logical_id: str, properties: dict[str, Any], stack: str) -> Resource:
    """AWS: `AWS::Events::Archive` creates the bus's archive. MiniStack fails the stack: unsupported type."""
    name = properties.get("ArchiveName") or provisioners._physical_name(
        stack, logical_id, max_len=NAME_LENGTH_MAX
    )
    created = _check(eventbridge._create_archive(_archive(name, properties)))
    return name, {"Arn": created["ArchiveArn"], "ArchiveName": name}


def _update_archive(name: str, _old: dict[str, Any], properties: dict[str, Any], _stack: str) -> Resource:
    updated = _check(eventbridge._update_archive(_archive(name, properties)))
    return name, {"Arn": updated["ArchiveArn"], "ArchiveName": name}


def _delete_archive(name: str, _properties: dict[str, Any]) -> None:
    _check(eventbridge._delete_archive({"ArchiveName": name}))


def _create_secret(logical_id: str, properties: dict[str, Any], stack: str) -> Resource:
    """AWS: `Ref` of a secret is its ARN. MiniStack's is the name, which matches no policy's `Resource`."""
    _, attributes = _secret["create"](logical_id, properties, stack)
    return attributes["Arn"], attributes


def _update_secret(
    arn: str, old: dict[str, Any], new: dict[str, Any], stack: str, logical_id: str
) -> Resource:
    _, attributes = _secret["update"](_secret_name(arn), old, new, stack, logical_id)
    return attributes["Arn"], attributes


def _delete_secret(arn: str, properties: dict[str, Any]) -> None:
    _secret["delete"](_secret_name(arn), properties)


def _secret_name(arn: str) -> str:
    """The name within `arn:aws:secretsmanager:<region>:<account>:secret:<name>-<random>`."""
    return arn.split(":", 6)[-1].rpartition("-")[0]


def _create_machine_version(_logical_id: str, properties: dict[str, Any], _stack: str) -> Resource:
    """AWS: `AWS::StepFunctions::StateMachineVersion` publishes one. MiniStack fails the stack."""
    published = _check(
        stepfunctions._publish_state_machine_version(
            {
                "stateMachineArn": properties["StateMachineArn"],
                "revisionId": properties.get("StateMachineRevisionId"),
                "description": properties.get("Description", ""),
            }
        )
    )
    arn = published["stateMachineVersionArn"]
    return arn, {"Arn": arn}


def _replace_machine_version(
    _arn: str, _old: dict[str, Any], properties: dict[str, Any], stack: str
) -> Resource:
    return _create_machine_version("", properties, stack)


def _delete_machine_version(arn: str, _properties: dict[str, Any]) -> None:
    _check(stepfunctions._delete_state_machine_version({"stateMachineVersionArn": arn}))


def apply() -> None:
    """Put the patches in place."""
    provisioners._RESOURCE_HANDLERS["AWS::StepFunctions::StateMachineVersion"] = {
        "create": _create_machine_version,
        "update": _replace_machine_version,
        "delete": _delete_machine_version,
    }
    provisioners._RESOURCE_HANDLERS["AWS::Events::Archive"] = {
        "create": _create_archive,
        "update": _update_archive,
        "delete": _delete_archive,
    }
    provisioners._RESOURCE_HANDLERS["AWS::SecretsManager::Secret"] = {
        **_secret,
        "create": _create_secret,
        "update": _update_secret,
        "delete": _delete_secret,
    }
