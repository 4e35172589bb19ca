"""The Lambda of the tools for agents: it may do what a submit and a read may, and keep quotes."""

from __future__ import annotations

from .function import Function
from .grants import QUOTES, RUNS, SCENES, SIGN_VIDEO_URL, on_table

MEMORY_MB = 1024
"""Comes with half a vCPU: the protocol's package takes 2 s of a whole one to import; a start has 10 s."""


def serve_mcp(submit_job: Function) -> Function:
    """`submit_job` is the function that submits over HTTP: an agent's submit takes the same way."""
    return Function(
        verb="serve_mcp",
        group="http",
        memory_mb=MEMORY_MB,
        mcp=True,
        timeout_seconds=submit_job.timeout_seconds,
        grants=(
            *submit_job.grants,
            on_table("GetItem", keys=(*QUOTES, *RUNS)),
            on_table("PutItem", keys=QUOTES),
            on_table("Query", keys=SCENES),
            SIGN_VIDEO_URL,
        ),
    )
