"""All states of simulated work that make or check something: play money holds up none of the real work."""

from __future__ import annotations

from dataclasses import replace
from functools import partial
from typing import Any

from shoal.composition import jobs, videos
from shoal.handlers.workflow import (
    call_provider,
    narrate,
    render_scene,
    stitch_video,
    store_clip,
    store_output,
    write_script,
)
from shoal.handlers.workflow.task import Task

STEPS: dict[str, Task[Any]] = {
    "call_provider": replace(call_provider.handler, build=partial(jobs.call_provider, draws=True)),
    "store_output": store_output.handler,
    "write_script": write_script.handler,
    "narrate": narrate.handler,
    "render_scene": replace(render_scene.handler, build=partial(videos.render_scene, draws=True)),
    "store_clip": store_clip.handler,
    "stitch_video": stitch_video.handler,
}


def handler(event: dict[str, Any], context: Any) -> Any:
    """What the state's own function does with real work."""
    return STEPS[event["step"]](event, context)
