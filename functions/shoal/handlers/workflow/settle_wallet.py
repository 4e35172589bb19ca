"""State SettleWallet: capture the hold, complete the job, once."""

from __future__ import annotations

from typing import Any

from shoal.composition import jobs as bootstrap
from shoal.domain.job import Output
from shoal.handlers.workflow.task import task
from shoal.observability import count_closed


def settle(event: dict[str, Any]) -> dict[str, Any]:
    outputs = [Output(**output) for output in event["outputs"]]
    job, events = bootstrap.settle_wallet()(event["account_id"], event["job_id"], outputs)
    count_closed(job)
    return {"events": [event.entry() for event in events]}


handler = task(settle)
