"""State Narrate: speak the script."""

from __future__ import annotations

from typing import Any

from shoal.composition import videos
from shoal.handlers.workflow.task import Task
from shoal.use_cases.videos.narrate import Narrate


def narrate(event: dict[str, Any], speak: Narrate) -> dict[str, Any]:
    return {"narration": speak(event["account_id"], event["job_id"])}


handler = Task(videos.narrate, narrate)
