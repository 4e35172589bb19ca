"""State StoreClip: check the delivered clip, make it fit for joining, keep it."""

from __future__ import annotations

from typing import Any

from shoal.composition import videos as bootstrap_videos
from shoal.handlers.workflow.task import task


def store(event: dict[str, Any]) -> dict[str, Any]:
    ready = bootstrap_videos.store_clip()(
        event["account_id"], event["job_id"], event["index"], event["output"]
    )
    return {"events": [ready.entry()]}


handler = task(store)
