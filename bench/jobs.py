"""How many jobs a second the local stack takes from submit to picture, and its answers beside `GET /healthz`.

The yardstick is the front, the API and a Lambda that does nothing.
"""

from __future__ import annotations

import statistics
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import requests

from infra.local.demo import Client

HEALTHZ_SECONDS_MAX = 60.0
POLL_S = 0.2


@dataclass(frozen=True)
class Throughput:
    """Seconds of each request: to do nothing, to accept a job, to finish it; `took_s` is for all jobs."""

    healthz_s: list[float]
    accepted_s: list[float]
    complete_s: list[float]
    took_s: float

    @property
    def jobs_per_second(self) -> float:
        return len(self.complete_s) / self.took_s

    def ratio_to_healthz(self, seconds: list[float]) -> float:
        """Of the medians."""
        return statistics.median(seconds) / statistics.median(self.healthz_s)


def measure(api_url: str, key: str, *, jobs: int, clients: int) -> Throughput:
    """So many clients submit and poll at once. Raises `LocalCloudError` for a job that fails."""
    client = Client(api_url, key)
    with ThreadPoolExecutor(clients) as pool:
        list(pool.map(lambda number: _one(client, number), range(clients)))  # warms the workers up
        list(pool.map(lambda _: _healthz(client), range(clients)))
        healthz_s = list(pool.map(lambda _: _healthz(client), range(jobs)))
        started = time.perf_counter()
        timings = list(pool.map(lambda number: _one(client, number), range(jobs)))
        took_s = time.perf_counter() - started
    accepted_s, complete_s = zip(*timings, strict=True)
    return Throughput(healthz_s, list(accepted_s), list(complete_s), took_s)


def _healthz(client: Client) -> float:
    started = time.perf_counter()
    requests.get(f"{client.api_url}/healthz", timeout=HEALTHZ_SECONDS_MAX).raise_for_status()
    return time.perf_counter() - started


def _one(client: Client, number: int) -> tuple[float, float]:
    started = time.perf_counter()
    job_id = client.submit({"mode": "1k", "prompt": f"Shark number {number}"})
    accepted_s = time.perf_counter() - started
    client.wait(job_id, lambda _: None, poll_seconds=POLL_S)
    return accepted_s, time.perf_counter() - started
