"""IAM, when the cloud is booted to enforce it."""

from __future__ import annotations

import json
from typing import Any

from ministack.core import iam_actions, iam_evaluator  # type: ignore[import-untyped]

from infra.local.patches.workflows import machine_of

SECURE_TRANSPORT = "aws:securetransport"

_resolve_key = iam_evaluator._resolve_condition_key
_action_of = iam_actions.extract_iam_action
_resource_of = iam_actions.extract_resource_arn


def _resolve(key: str, context: Any) -> Any:
    """AWS: requests of the SDKs come over TLS, so policies that deny everything else let them pass.

    MiniStack's plain HTTP on the loopback interface stands for that.
    """
    return "true" if key.lower() == SECURE_TRANSPORT else _resolve_key(key, context)


def _resource(service: str, method: str, path: str, headers: Any, body: bytes, *more: Any) -> str:
    """AWS: an answer to a task token is authorized on the token's state machine. MiniStack asks for `*`.

    AWS: a new schedule is authorized in the group that its body names. MiniStack asks for the default group.
    """
    if service == "states" and body and (token := json.loads(body).get("taskToken")):
        try:
            return machine_of(token)
        except ValueError:
            pass  # no token of a state machine: the service will say so
    resource: str = _resource_of(service, method, path, headers, body, *more)
    if service == "scheduler" and ":schedule/default/" in resource and body:
        group = json.loads(body).get("GroupName", "default")
        return resource.replace(":schedule/default/", f":schedule/{group}/")
    return resource


def _action(*request: Any) -> str | None:
    """AWS: a batch of SQS is authorized by the single call's action. MiniStack asks for one of its own."""
    action: str | None = _action_of(*request)
    return action.removesuffix("Batch") if action and action.startswith("sqs:") else action


def apply() -> None:
    """Put the patches in place."""
    iam_actions.extract_iam_action = _action
    iam_evaluator._resolve_condition_key = _resolve
    iam_actions.extract_resource_arn = _resource
