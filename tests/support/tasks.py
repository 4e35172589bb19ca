"""A client of the tasks API, written from its document: only the host is different."""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import Any

from tests.support.client import JOB_SECONDS_MAX, POLL_SECONDS, Client, Json

MODEL = "nanobanana"


@dataclass(frozen=True)
class TasksClient:
    """`generate` gives the raw answer; the others expect success and give the envelope's data."""

    client: Client

    def generate(self, prompt: str = "A matte green travel mug", **more: Any) -> Any:
        """POST /v1/generate with a model."""
        headers = more.pop("headers", None)
        body = {"model": MODEL, "prompt": prompt, **more}
        return self.client.request("POST", "/v1/generate", headers=headers, json=body)

    def submit(self, prompt: str = "A matte green travel mug", **more: Any) -> str:
        """The id of a task that was accepted."""
        answer = self.generate(prompt, **more)
        assert answer.status_code == 202, answer.text
        task_id: str = answer.json()["data"]["id"]
        return task_id

    def task(self, task_id: str) -> Json:
        """GET /v1/tasks/{id}"""
        task: Json = self.data("GET", f"/v1/tasks/{task_id}")
        return task

    def wait(self, task_id: str) -> Json:
        """Poll until the task is terminal."""
        deadline = time.monotonic() + JOB_SECONDS_MAX
        while (task := self.task(task_id))["status"] in ("pending", "processing"):
            assert time.monotonic() < deadline, task
            time.sleep(POLL_SECONDS)
        return task

    def data(self, method: str, path: str, **more: Any) -> Any:
        """What is in the envelope of a success."""
        answer = self.client.request(method, path, **more)
        assert answer.status_code == 200, answer.text
        body = answer.json()
        assert body["error"] is None
        return body["data"]
