"""State RenderScene: ask the provider for a clip; its answer comes through the task token."""

from __future__ import annotations

from typing import Any

from shoal.composition import videos
from shoal.handlers.workflow.task import Task
from shoal.use_cases.videos.render_scene import RenderScene


def render(event: dict[str, Any], render_scene: RenderScene) -> dict[str, Any]:
    _, outcome = render_scene(event["account_id"], event["job_id"], event["index"], event["task_token"])
    return {"outcome": outcome}


handler = Task(videos.render_scene, render)
