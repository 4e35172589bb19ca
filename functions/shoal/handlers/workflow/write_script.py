"""State WriteScript: begin the video, make scenes of its idea."""

from __future__ import annotations

from typing import Any

from shoal.composition import videos
from shoal.handlers.workflow.task import Task
from shoal.use_cases.videos.write_script import WriteScript


def write(event: dict[str, Any], write_script: WriteScript) -> dict[str, Any]:
    job = write_script(event["account_id"], event["job_id"])
    return {"scenes": job.output_count}


handler = Task(videos.write_script, write)
