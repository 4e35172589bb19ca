"""State ReleaseHold: close the job without charge, once."""

from __future__ import annotations

from typing import Any

from shoal.composition import jobs as bootstrap
from shoal.handlers.workflow.task import task
from shoal.observability import count_closed


def release(event: dict[str, Any]) -> dict[str, Any]:
    job, events = bootstrap.release_hold()(
        event["account_id"], event["job_id"], event["error"], event["cause"]
    )
    count_closed(job)
    return {"events": [event.entry() for event in events]}


handler = task(release)
