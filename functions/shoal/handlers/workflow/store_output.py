"""State StoreOutput: check the delivered outputs and store them."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

from shoal.composition import jobs as bootstrap
from shoal.handlers.workflow.task import task


def store(event: dict[str, Any]) -> dict[str, Any]:
    outputs = bootstrap.store_output()(event["account_id"], event["job_id"], event["outputs"])
    return {"outputs": [asdict(output) for output in outputs]}


handler = task(store)
