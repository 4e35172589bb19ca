"""State CallProvider: ask the provider; its answer comes through the task token."""

from __future__ import annotations

import time
from typing import Any

from shoal import bootstrap
from shoal.handlers.workflow.task import task
from shoal.observability import count_provider_call


def call(event: dict[str, Any]) -> dict[str, Any]:
    started = time.monotonic_ns()
    _, outcome = bootstrap.call_provider()(
        event["account_id"], event["job_id"], event["index"], event["task_token"]
    )
    count_provider_call(outcome, (time.monotonic_ns() - started) // 1_000_000)
    return {"outcome": outcome}


handler = task(call)
