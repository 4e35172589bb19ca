"""State StoreClip: check the delivered clip, make it fit for joining, keep it."""

from __future__ import annotations

from typing import Any

from shoal.composition import videos
from shoal.handlers.workflow.task import Task
from shoal.use_cases.videos.store_clip import StoreClip


def store(event: dict[str, Any], store_clip: StoreClip) -> dict[str, Any]:
    ready = store_clip(event["account_id"], event["job_id"], event["index"], event["output"])
    return {"events": [ready.entry()]}


handler = Task(videos.store_clip, store)
