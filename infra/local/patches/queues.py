"""Queues: messages of rules have their groups, and schedules may call SQS itself."""

from __future__ import annotations

import inspect
import json
from typing import Any

from ministack.services import eventbridge, sqs  # type: ignore[import-untyped]

from infra.local.patches import PatchDoesNotFit

SEND_MESSAGE = ":scheduler:::aws-sdk:sqs:sendMessage"

# Part of how MiniStack puts an event into a queue, and what the patch makes of it.
_FIFO_ONLY = """    if queue.get("is_fifo"):
        group_id ="""
_ANY_QUEUE = """    if not queue.get("is_fifo") and (group := group_of(sqs_parameters, payload)):
        msg["group_id"] = group
    if queue.get("is_fifo"):
        group_id ="""

_invoke = eventbridge._invoke_target


def group_of(parameters: dict[str, str], payload: str) -> str:
    """AWS: `SqsParameters` name the group in standard queues too, as a text or as a path in the event.

    MiniStack has groups in FIFO queues alone.
    """
    group = parameters.get("MessageGroupId", "")
    if not group.startswith("$."):
        return group
    found: Any = json.loads(payload)
    for part in group.split(".")[1:]:
        found = found[part]
    return str(found)


def _invoke_target(target: dict[str, Any], *args: Any, **more: Any) -> None:
    """AWS: a schedule may call any operation of a service. MiniStack knows none; Shoal needs one."""
    if not target.get("Arn", "").endswith(SEND_MESSAGE):
        _invoke(target, *args, **more)
        return
    message = json.loads(target["Input"])
    sqs._act_send_message(message, message["QueueUrl"])


def apply() -> None:
    """Put the patches in place."""
    source = inspect.getsource(eventbridge._dispatch_to_sqs)
    if source.count(_FIFO_ONLY) != 1:
        raise PatchDoesNotFit("_dispatch_to_sqs of ministack.services.eventbridge")
    eventbridge.group_of = group_of
    exec(source.replace(_FIFO_ONLY, _ANY_QUEUE), vars(eventbridge))  # noqa: S102 - MiniStack's own source
    eventbridge._invoke_target = _invoke_target
