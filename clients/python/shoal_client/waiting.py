"""Polling until something has ended."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, TypeVar

from shoal_client.errors import JobFailed, WaitTimedOut
from shoal_client.transport import Transport

R = TypeVar("R", bound=Mapping[str, Any])


def poll(
    transport: Transport,
    read: Callable[[], R],
    *,
    success: str,
    ended: frozenset[str],
    timeout_s: float,
    pause_s: float,
    on_poll: Callable[[R], None] | None,
) -> R:
    """What `read` gives once its status is `success`. Raises `JobFailed`, `WaitTimedOut`."""
    deadline = transport.clock() + timeout_s
    while True:
        found = read()
        if on_poll:
            on_poll(found)
        status = found["status"]
        if status == success:
            return found
        if status in ended:
            raise JobFailed(_reason(found), found)
        if transport.clock() + pause_s > deadline:
            raise WaitTimedOut(f"It is still {status} after {timeout_s:g} s.", found)
        transport.sleep(pause_s)


def _reason(found: Mapping[str, Any]) -> str:
    error = found["error"]
    return str(error["message"] if isinstance(error, Mapping) else error or found["status"])
