"""IAM, when the cloud is booted to enforce it."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import Any

from ministack.core import iam_actions, iam_evaluator  # type: ignore[import-untyped]

from infra.local.patches.workflows import machine_of

SECURE_TRANSPORT = "aws:securetransport"

_resolve_key = iam_evaluator._resolve_condition_key
_action_of = iam_actions.extract_iam_action
_resource_of = iam_actions.extract_resource_arn
_context_of = iam_actions.dynamodb_service_context
_parts_of = iam_actions.dynamodb_transaction_checks
_enforce = iam_evaluator.enforce

PARTITION_KEY = "pk"
"""Of the only table there is."""
NAME = re.compile(r"(?<![:.\w#])#?[A-Za-z_]\w*(?!\w*\()")
"""A name in an expression: no value, no function, no part of a document."""
FIRST_EQUALITY = re.compile(r"\S+ = (:\w+)")
KEYWORDS = frozenset({"SET", "REMOVE", "ADD", "DELETE", "AND", "OR", "NOT", "BETWEEN", "IN"})


class Part(str):
    """The action that a part of a transaction is authorized by, with the condition keys of that part."""

    __slots__ = ("context",)
    context: dict[str, Any]


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


def _conditions(body: bytes) -> dict[str, Any]:
    """The condition keys of a request for items.

    AWS: `dynamodb:LeadingKeys` are the partition keys asked for, `dynamodb:Attributes` all names in the
    request, those of its items, keys and expressions too. MiniStack knows a projection's names only.
    """
    context: dict[str, Any] = _context_of(body)
    request = json.loads(body or b"{}")
    parts = list(_of_batch(request)) or [request]
    keys = [each for part in parts for each in _leading_keys(part)]
    names = sorted({name for part in parts for name in _names(part)})
    return context | {"dynamodb:LeadingKeys": keys or None, "dynamodb:Attributes": names or None}


def _of_batch(request: dict[str, Any]) -> Iterator[dict[str, Any]]:
    for batch in request.get("RequestItems", {}).values():
        if isinstance(batch, list):
            yield from (part for write in batch for part in write.values())
        else:
            yield from ({"Key": key} for key in batch["Keys"])


def _leading_keys(request: dict[str, Any]) -> Iterator[str]:
    item = request.get("Key") or request.get("Item") or {}
    if PARTITION_KEY in item:
        yield item[PARTITION_KEY]["S"]
    elif found := FIRST_EQUALITY.search(request.get("KeyConditionExpression", "")):
        yield request["ExpressionAttributeValues"][found[1]]["S"]


def _names(request: dict[str, Any]) -> Iterator[str]:
    yield from request.get("Key", {})
    yield from request.get("Item", {})
    named = request.get("ExpressionAttributeNames", {})
    for expression in (text for field, text in request.items() if field.endswith("Expression")):
        for name in NAME.findall(expression):
            if name not in KEYWORDS:
                yield named.get(name, name)


def _parts(action: str, body: bytes, *more: Any) -> list[tuple[str, str]]:
    """AWS: each part of a transaction is authorized with condition keys of its own."""
    writes = [write for item in json.loads(body or b"{}").get("TransactItems", []) for write in item.values()]
    checks: list[tuple[str, str]] = []
    for (verb, resource), write in zip(_parts_of(action, body, *more), writes, strict=False):
        part = Part(verb)
        part.context = _conditions(json.dumps(write).encode())
        checks.append((part, resource))
    return checks


def _enforced(access_key: str, action: str, *more: Any, service_context: Any = None, **named: Any) -> Any:
    if isinstance(action, Part):
        service_context = {**(service_context or {}), **action.context}
    return _enforce(access_key, action, *more, service_context=service_context, **named)


def apply() -> None:
    """Put the patches in place."""
    iam_actions.dynamodb_service_context = _conditions
    iam_actions.dynamodb_transaction_checks = _parts
    iam_evaluator.enforce = _enforced
    iam_actions.extract_iam_action = _action
    iam_evaluator._resolve_condition_key = _resolve
    iam_actions.extract_resource_arn = _resource
