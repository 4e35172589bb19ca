"""A client of the image API, written from its two documents: only the host is different."""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import requests

Json = dict[str, Any]

CALL_SECONDS_MAX = 20
JOB_SECONDS_MAX = 40
POLL_SECONDS = 0.05
"""The documents ask for two seconds; the local cloud is quicker."""


@dataclass(frozen=True)
class Client:
    """`generate`, `cancel`, `usage` give the raw answer; the others expect success and give what is in it."""

    http: requests.Session
    api_url: str
    key: str

    def request(
        self, method: str, path: str, *, headers: Mapping[str, str | bytes] | None = None, **more: Any
    ) -> Any:
        """The raw answer; `more` goes to requests. A header given as "" is left out."""
        sent = {"Authorization": f"Bearer {self.key}", **(headers or {})}
        present = {name: value for name, value in sent.items() if value}
        return self.http.request(
            method, f"{self.api_url}{path}", headers=present, timeout=CALL_SECONDS_MAX, **more
        )

    def generate(
        self,
        prompt: str = "A shark in neon waters",
        *,
        idempotency_key: str = "",
        mode: str = "1k",
        **more: Any,
    ) -> Any:
        """POST /v1/generate"""
        headers = {"Idempotency-Key": idempotency_key}
        body = {"mode": mode, "prompt": prompt, **more}
        return self.request("POST", "/v1/generate", headers=headers, json=body)

    def submit(self, prompt: str = "A shark in neon waters", **more: Any) -> str:
        """The id of a job that was accepted."""
        answer = self.generate(prompt, **more)
        assert answer.status_code == 202, answer.text
        job_id: str = answer.json()["job_id"]
        return job_id

    def job(self, job_id: str, prefix: str = "/api/v1") -> Json:
        """GET /api/v1/jobs/{id}"""
        answer = self.request("GET", f"{prefix}/jobs/{job_id}")
        assert answer.status_code == 200, answer.text
        body: Json = answer.json()
        return body

    def wait(self, job_id: str, prefix: str = "/api/v1") -> Json:
        """Poll until the job is terminal, as the documents tell."""
        deadline = time.monotonic() + JOB_SECONDS_MAX
        while (job := self.job(job_id, prefix))["status"] in ("queued", "processing"):
            assert time.monotonic() < deadline, job
            time.sleep(POLL_SECONDS)
        return job

    def cancel(self, job_id: str) -> Any:
        """POST /v1/jobs/{id}/cancel"""
        return self.request("POST", f"/v1/jobs/{job_id}/cancel")

    def wallet(self) -> Json:
        """GET /v1/wallet"""
        answer = self.request("GET", "/v1/wallet")
        assert answer.status_code == 200, answer.text
        body: Json = answer.json()
        return body

    def usage(self, **query: Any) -> Any:
        """GET /v1/usage"""
        return self.request("GET", "/v1/usage", params=query)
