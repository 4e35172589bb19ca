"""State CallProvider: ask the provider; its answer comes through the task token."""

from __future__ import annotations

from typing import Any

from shoal.composition import jobs as bootstrap
from shoal.handlers.workflow.task import task


def call(event: dict[str, Any]) -> dict[str, Any]:
    _, outcome = bootstrap.call_provider()(
        event["account_id"], event["job_id"], event["index"], event["task_token"]
    )
    return {"outcome": outcome}


handler = task(call)
