"""The documented client, played against the local address: submit, poll, download."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import requests

from infra.local.processes import LocalCloudError

REQUEST = {"mode": "2k", "prompt": "A shark swimming in neon-lit deep ocean"}
POLL_SECONDS = 1.0
JOB_SECONDS_MAX = 200.0  # the provider's deadline and some more
CALL_SECONDS_MAX = 30.0


@dataclass(frozen=True)
class Client:
    """A client of the image API, as its quick start tells one to write it."""

    api_url: str
    api_key: str

    def submit(self, request: dict[str, str]) -> str:
        """Submit a job; returns its id."""
        answer: str = self.call("POST", "/v1/generate", request)["job_id"]
        return answer

    def wait(
        self, job_id: str, on_status: Callable[[str], None], *, poll_seconds: float = POLL_SECONDS
    ) -> dict[str, Any]:
        """The job once it is complete. Raises `LocalCloudError` when it fails."""
        deadline = time.monotonic() + JOB_SECONDS_MAX
        while True:
            job = self.call("GET", f"/v1/jobs/{job_id}")
            on_status(job["status"])
            if job["status"] == "complete":
                return job
            if job["status"] == "failed" or time.monotonic() > deadline:
                raise LocalCloudError(f"job {job_id} is {job['status']}: {job['error']}")
            time.sleep(poll_seconds)

    def download(self, image_url: str, folder: Path) -> Path:
        """Save the picture in the folder; returns its path. Raises `LocalCloudError`."""
        answer = requests.get(image_url, timeout=CALL_SECONDS_MAX)
        if answer.status_code != requests.codes.ok:
            raise LocalCloudError(f"GET {image_url} answers {answer.status_code}: {answer.text}")
        folder.mkdir(parents=True, exist_ok=True)
        path = folder / "-".join(image_url.split("/")[-2:])
        path.write_bytes(answer.content)
        return path

    def wallet(self) -> dict[str, Any]:
        """The wallet: dollar amounts as text."""
        return self.call("GET", "/v1/wallet")

    def call(self, method: str, path: str, body: dict[str, Any] | None = None) -> dict[str, Any]:
        """The answer to a request. Raises `LocalCloudError` for one that is no success."""
        answer = requests.request(
            method,
            f"{self.api_url}{path}",
            json=body,
            headers={"Authorization": f"Bearer {self.api_key}"},
            timeout=CALL_SECONDS_MAX,
        )
        if not answer.ok:
            raise LocalCloudError(f"{method} {path} answers {answer.status_code}: {answer.text}")
        document: dict[str, Any] = answer.json()
        return document
