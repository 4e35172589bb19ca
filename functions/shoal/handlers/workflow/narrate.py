"""State Narrate: speak the script."""

from __future__ import annotations

from typing import Any

from shoal.composition import videos as bootstrap_videos
from shoal.handlers.workflow.task import task


def narrate(event: dict[str, Any]) -> dict[str, Any]:
    return {"narration": bootstrap_videos.narrate()(event["account_id"], event["job_id"])}


handler = task(narrate)
