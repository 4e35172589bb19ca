"""State RenderScene: ask the provider for a clip; its answer comes through the task token."""

from __future__ import annotations

import time
from typing import Any

from shoal import bootstrap_videos
from shoal.handlers.workflow.task import task
from shoal.observability import count_provider_call


def render(event: dict[str, Any]) -> dict[str, Any]:
    started = time.monotonic_ns()
    _, outcome = bootstrap_videos.render_scene()(
        event["account_id"], event["job_id"], event["index"], event["task_token"]
    )
    count_provider_call(outcome, (time.monotonic_ns() - started) // 1_000_000)
    return {"outcome": outcome}


handler = task(render)
