"""State RenderScene: ask the provider for a clip; its answer comes through the task token."""

from __future__ import annotations

from typing import Any

from shoal.composition import videos as bootstrap_videos
from shoal.handlers.workflow.task import task


def render(event: dict[str, Any]) -> dict[str, Any]:
    _, outcome = bootstrap_videos.render_scene()(
        event["account_id"], event["job_id"], event["index"], event["task_token"]
    )
    return {"outcome": outcome}


handler = task(render)
