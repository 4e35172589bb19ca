"""State StitchVideo: join clips and narration to the one file that was asked for."""

from __future__ import annotations

from typing import Any

from shoal.composition import videos
from shoal.handlers.workflow.task import Task
from shoal.use_cases.videos.stitch_video import StitchVideo


def stitch(event: dict[str, Any], stitch_video: StitchVideo) -> dict[str, Any]:
    output = stitch_video(event["account_id"], event["job_id"], event["narration"])
    return {"outputs": [output.told()]}


handler = Task(videos.stitch_video, stitch)
