"""State SettleWallet: capture the hold, complete the job, once."""

from __future__ import annotations

from typing import Any

from shoal.composition import jobs
from shoal.domain.job import Output
from shoal.handlers.workflow.task import Task
from shoal.observability import count_closed
from shoal.use_cases.jobs.settle_wallet import SettleWallet


def settle(event: dict[str, Any], settle_wallet: SettleWallet) -> dict[str, Any]:
    outputs = [Output.of(output) for output in event["outputs"]]
    job, events = settle_wallet(event["account_id"], event["job_id"], outputs)
    count_closed(job)
    return {"events": [event.entry() for event in events]}


handler = Task(jobs.settle_wallet, settle)
