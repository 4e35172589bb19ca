"""State StoreOutput: check the delivered outputs and store them."""

from __future__ import annotations

from typing import Any

from shoal.composition import jobs
from shoal.handlers.workflow.task import Task
from shoal.use_cases.jobs.store_output import StoreOutput


def store(event: dict[str, Any], store_output: StoreOutput) -> dict[str, Any]:
    outputs = store_output(event["account_id"], event["job_id"], event["outputs"])
    return {"outputs": [output.told() for output in outputs]}


handler = Task(jobs.store_output, store)
