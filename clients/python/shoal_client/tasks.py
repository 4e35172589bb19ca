"""Tasks: outputs of a model of the catalog."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from shoal_client.resources import AcceptedTask, Task
from shoal_client.transport import Transport, part
from shoal_client.waiting import poll

ENDED = frozenset({"completed", "failed", "canceled"})
TaskPage = tuple[list[Task], str | None]
LONG_POLL = "wait=20"
"""The API itself waits this many seconds for the task to end before it answers."""


@dataclass(frozen=True)
class Tasks:
    transport: Transport

    def create(
        self, model: str, prompt: str, *, idempotency_key: str | None = None, **fields: Any
    ) -> AcceptedTask:
        """Submit a task. `fields` are what the model takes, such as num_outputs, and metadata, max_cost,
        ttl_seconds, webhook_url. Raises `PaymentRequired`, `InvalidRequest`, `NotFound` (the model).
        """
        body = {"model": model, "prompt": prompt, **fields}
        accepted: AcceptedTask = self.transport.spend("/v1/generate", body, idempotency_key)["data"]
        return accepted

    def get(self, task_id: str) -> Task:
        """Raises `NotFound`."""
        task: Task = self.transport.get(f"/v1/tasks/{part(task_id)}")["data"]
        return task

    def wait(
        self,
        task: AcceptedTask | Task | str,
        *,
        timeout_s: float = 200.0,
        pause_s: float = 0.5,
        on_poll: Callable[[Task], None] | None = None,
    ) -> Task:
        """The task once it is completed. Raises `JobFailed`, `WaitTimedOut`."""
        task_id = task if isinstance(task, str) else task["id"]

        def read() -> Task:
            found: Task = self.transport.get(f"/v1/tasks/{part(task_id)}", Prefer=LONG_POLL)["data"]
            return found

        return poll(
            self.transport,
            read,
            success="completed",
            ended=ENDED,
            timeout_s=timeout_s,
            pause_s=pause_s,
            on_poll=on_poll,
        )

    def list(self, *, cursor: str | None = None, limit: int | None = None, **query: Any) -> TaskPage:
        """One page, newest first, and the cursor of the next. `query`: status, model, from_, to."""
        page = self.transport.get("/v1/tasks", {"cursor": cursor, "limit": limit, **query})
        return page["data"], page["next_cursor"]

    def cancel(self, task_id: str, *, idempotency_key: str | None = None) -> Task:
        """Raises `Conflict` once it has ended."""
        task: Task = self.transport.spend(f"/v1/tasks/{part(task_id)}/cancel", None, idempotency_key)["data"]
        return task
