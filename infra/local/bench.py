"""`make bench`: what a submit and a whole job cost, as ratios to the cheapest request in the same run.

The yardstick is `GET /healthz`: the front, the API and a Lambda that does nothing. Times are noisy and this
machine's own; the ratios compare one version of the code with another.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import requests
from rich.table import Table

from infra.local.demo import Client
from infra.local.processes import LocalCloudError, run
from infra.local.run import FOLDER, SHOAL, console, progress

CONFIG = FOLDER / "shoal.json"
REQUESTS_PER_MINUTE = 60_000  # the rate limit is not what is measured
USD = "100.00"
HEALTHZ_SECONDS_MAX = 10.0


@dataclass(frozen=True)
class Timing:
    """Seconds from the request to its answer, and to the finished picture."""

    accepted: float
    complete: float


def main() -> None:
    """Run the jobs and print the table. Exits with 1 when one fails."""
    parser = argparse.ArgumentParser(prog="python -m infra.local.bench")
    parser.add_argument("--jobs", type=int, default=60)
    parser.add_argument("--clients", type=int, default=6)
    options = parser.parse_args()
    try:
        client = _client()
        _measure(client, jobs=options.clients, clients=options.clients)  # warms the workers up
        healthz = _measure_healthz(client, requests_sent=options.jobs, clients=options.clients)
        started = time.perf_counter()
        timings = _measure(client, jobs=options.jobs, clients=options.clients)
    except LocalCloudError as error:
        sys.exit(str(error))
    console.print(_table(healthz, timings, seconds=time.perf_counter() - started))


def _client() -> Client:
    if not CONFIG.exists():
        raise LocalCloudError("nothing runs here: `make run` first")
    account = _shoal("accounts", "create", "--email", "bench@example.com", "--usd", USD)
    key = _shoal("keys", "create", account["account_id"], "--rpm", str(REQUESTS_PER_MINUTE))
    return Client(json.loads(CONFIG.read_text())["api_url"], key["api_key"])


def _shoal(*arguments: str) -> dict[str, str]:
    env = {**os.environ, "SHOAL_CONFIG": str(CONFIG)}
    document: dict[str, str] = json.loads(
        run([str(SHOAL), *arguments, "--json"], env=env, log=FOLDER / "shoal.log")
    )
    return document


def _measure(client: Client, *, jobs: int, clients: int) -> list[Timing]:
    with progress() as shown, ThreadPoolExecutor(clients) as pool:
        task = shown.add_task(f"{jobs} jobs by {clients} clients", total=jobs)
        timings = []
        for timing in pool.map(lambda number: _one(client, number), range(jobs)):
            timings.append(timing)
            shown.advance(task)
    return timings


def _measure_healthz(client: Client, *, requests_sent: int, clients: int) -> list[float]:
    """Seconds of each request, by as many clients at once as the jobs have."""

    def one(_: int) -> float:
        started = time.perf_counter()
        requests.get(f"{client.api_url}/healthz", timeout=HEALTHZ_SECONDS_MAX).raise_for_status()
        return time.perf_counter() - started

    with ThreadPoolExecutor(clients) as pool:
        list(pool.map(one, range(clients)))  # warms the worker up
        return list(pool.map(one, range(requests_sent)))


def _one(client: Client, number: int) -> Timing:
    started = time.perf_counter()
    job_id = client.submit({"mode": "1k", "prompt": f"Shark number {number}"})
    accepted = time.perf_counter() - started
    client.wait(job_id, lambda _: None, poll_seconds=0.2)
    return Timing(accepted, time.perf_counter() - started)


def _table(healthz: list[float], timings: list[Timing], *, seconds: float) -> Table:
    table = Table(caption=f"{len(timings) / seconds:.1f} jobs a second")
    for heading in (f"{len(timings)} jobs", "p50 ms", "p95 ms", "p50 / healthz"):
        table.add_column(heading, justify="right")
    yardstick = statistics.median(healthz)
    for name, values in (
        ("GET /healthz", healthz),
        ("submit accepted", [timing.accepted for timing in timings]),
        ("job complete", [timing.complete for timing in timings]),
    ):
        cuts = statistics.quantiles(values, n=20)
        ratio = statistics.median(values) / yardstick
        table.add_row(name, f"{1000 * cuts[9]:.0f}", f"{1000 * cuts[18]:.0f}", f"{ratio:.1f}")
    return table


if __name__ == "__main__":
    main()
