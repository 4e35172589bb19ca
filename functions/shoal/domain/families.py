"""Families of jobs: how the jobs of one spoken API are spelled, where they are stored and announced."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Family:
    """`spelling` stands in the table and in events; `completed` and `failed` are its two end events."""

    spelling: str
    id_prefix: str
    completed: str
    failed: str


IMAGE = Family("image", "job", "image.completed", "image.failed")
TASKS = Family("tasks", "gen", "task.completed", "task.failed")
VIDEO = Family("video", "vid", "video.ready", "video.failed")

FAMILIES = {family.spelling: family for family in (IMAGE, TASKS, VIDEO)}
"""By spelling."""
