"""State CallProvider: ask the provider; its answer comes through the task token."""

from __future__ import annotations

from typing import Any

from shoal.composition import jobs
from shoal.handlers.workflow.task import Task
from shoal.use_cases.providers.call_provider import CallProvider


def call(event: dict[str, Any], call_provider: CallProvider) -> dict[str, Any]:
    _, outcome = call_provider(event["account_id"], event["job_id"], event["index"], event["task_token"])
    return {"outcome": outcome}


handler = Task(jobs.call_provider, call)
