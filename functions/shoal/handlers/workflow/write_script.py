"""State WriteScript: begin the video, make scenes of its idea."""

from __future__ import annotations

from typing import Any

from shoal.composition import videos as bootstrap_videos
from shoal.handlers.workflow.task import task


def write(event: dict[str, Any]) -> dict[str, Any]:
    job = bootstrap_videos.write_script()(event["account_id"], event["job_id"])
    return {"scenes": job.output_count}


handler = task(write)
