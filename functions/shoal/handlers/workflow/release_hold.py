"""State ReleaseHold: close the job without charge, once."""

from __future__ import annotations

from typing import Any

from shoal.composition import jobs
from shoal.handlers.workflow.task import Task
from shoal.observability import count_closed
from shoal.use_cases.jobs.release_hold import ReleaseHold


def release(event: dict[str, Any], release_hold: ReleaseHold) -> dict[str, Any]:
    job, events = release_hold(event["account_id"], event["job_id"], event["error"], event["cause"])
    count_closed(job)
    return {"events": [event.entry() for event in events]}


handler = Task(jobs.release_hold, release)
