"""Buses: accounts that a bus's policy names have rules on it, whose targets are their own."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from fnmatch import fnmatchcase
from functools import partial
from typing import Any

from ministack.core import responses  # type: ignore[import-untyped]
from ministack.services import eventbridge  # type: ignore[import-untyped]

Json = dict[str, Any]
Act = Callable[[Json], Any]

ACTIONS = {
    "PutRule": "_put_rule",
    "DeleteRule": "_delete_rule",
    "PutTargets": "_put_targets",
    "RemoveTargets": "_remove_targets",
}
"""Of a rule's life: the operation, and MiniStack's function for it."""

_put_permission = eventbridge._put_permission


def put_permission(data: Json) -> Any:
    """AWS: `Policy` is a whole policy. MiniStack takes single permissions alone."""
    if "Policy" not in data:
        return _put_permission(data)
    eventbridge._event_bus_policies[data.get("EventBusName", "default")] = json.loads(data["Policy"])
    return eventbridge.json_response({})


def on_bus(operation: str, act: Act, data: Json) -> Any:
    """AWS: a bus may be named by its ARN, that of another account where its policy admits who asks.

    Who made a rule is noted on it. To MiniStack buses of other accounts are not there.
    """
    creator, (_, _, _, _, owner, bus) = responses.get_account_id(), _parts(data.get("EventBusName", ""))
    if not owner or owner == creator:
        return act(data)
    name, rule = bus.partition("/")[2], data.get("Name") or data.get("Rule") or ""
    with _as_account(owner):
        if not _admits(name, creator, operation, eventbridge._rule_arn(rule, name)):
            refusal = f"{creator} is not authorized to perform: events:{operation}"
            return eventbridge.error_response_json("AccessDeniedException", refusal, 400)
        answer = act(data | {"EventBusName": name})
        if made := eventbridge._rules.get(eventbridge._rule_key(rule, name)):
            made["CreatedBy"] = creator
        return answer


def at_creators(invoke: Callable[..., None], target: Json, event: Json, rule: Json, *more: Any) -> None:
    """AWS: the target of another account's rule is that account's."""
    creator = rule.get("CreatedBy", "")
    if not creator or _parts(target.get("Arn", ""))[4] != creator or creator == responses.get_account_id():
        invoke(target, event, rule, *more)
        return
    view = more[0] if more else eventbridge._pattern_event_view(event)
    with _as_account(creator):
        invoke(target, event, rule, view)


def _parts(arn: str) -> tuple[str, ...]:
    """The six parts of an ARN, empty ones of what is none."""
    parts = tuple(arn.split(":", 5))
    return parts if len(parts) == 6 else ("",) * 6


def _admits(bus: str, creator: str, operation: str, rule_arn: str) -> bool:
    """Whether a statement of the bus's policy names the account, the operation and the rule."""
    statements = eventbridge._event_bus_policies.get(bus, {}).get("Statement", [])
    return any(
        creator in statement["Principal"]["AWS"]
        and f"events:{operation}" in statement["Action"]
        and fnmatchcase(rule_arn, statement["Resource"])
        for statement in statements
    )


@contextmanager
def _as_account(account: str) -> Iterator[None]:
    before = responses.get_account_id()
    responses.set_request_account_id(account)
    try:
        yield
    finally:
        responses.set_request_account_id(before)


def apply() -> None:
    """Put the patches in place, around those of queues."""
    eventbridge._put_permission = put_permission
    for operation, name in ACTIONS.items():
        setattr(eventbridge, name, partial(on_bus, operation, getattr(eventbridge, name)))
    eventbridge._invoke_target = partial(at_creators, eventbridge._invoke_target)
