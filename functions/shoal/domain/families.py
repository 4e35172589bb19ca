"""Families of jobs: how the jobs of one spoken API are spelled, where they are stored and announced."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Family:
    """`spelling` stands in the table and in events; `completed` and `failed` are its two end events.

    `completes_late`: its documents know no canceled job with an output, so that one which delivers what its
    cancel had captured ends completed. `timed_from_acceptance`: they promise an end so long after a job was
    accepted, not after a provider was asked.
    """

    spelling: str
    id_prefix: str
    completed: str
    failed: str
    completes_late: bool = False
    timed_from_acceptance: bool = False


IMAGE = Family(
    "image", "job", "image.completed", "image.failed", completes_late=True, timed_from_acceptance=True
)
TASKS = Family("tasks", "gen", "task.completed", "task.failed")
VIDEO = Family("video", "vid", "video.ready", "video.failed")

FAMILIES = {family.spelling: family for family in (IMAGE, TASKS, VIDEO)}
"""By spelling."""
