"""State StitchVideo: join clips and narration to the one file that was asked for."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

from shoal.composition import videos as bootstrap_videos
from shoal.handlers.workflow.task import task


def stitch(event: dict[str, Any]) -> dict[str, Any]:
    output = bootstrap_videos.stitch_video()(event["account_id"], event["job_id"], event["narration"])
    return {"outputs": [asdict(output)]}


handler = task(stitch)
