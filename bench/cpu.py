"""CPU of one request in its handler, against rivals that make the same AWS calls."""

from __future__ import annotations

import json
import os
import statistics
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from typing import Any

from bench.events import poll_event, submit_event
from bench.stub import Stub, stub
from infra.local.processes import ROOT, LocalCloudError

SHOAL, BARE, WEB = "Shoal", "bare boto3", "FastAPI + Mangum"
RIVALS = {BARE: "bench.rivals.bare", WEB: "bench.rivals.web"}
ROUTES: Mapping[str, tuple[str, dict[str, Any]]] = {
    "submit": ("shoal.handlers.http.submit_job", submit_event()),
    "poll": ("shoal.handlers.http.read_job", poll_event()),
}
WARMING_CALLS = 40
WINDOW_CALLS = 40


@dataclass(frozen=True)
class Cpu:
    """CPU milliseconds of one request: of each window, by arm. Windows of one index ran side by side."""

    windows_ms: Mapping[str, list[float]]

    def ms(self, arm: str) -> float:
        """The median over the windows."""
        return statistics.median(self.windows_ms[arm])

    def ratio_to(self, rival: str) -> float:
        """How many times the rival's CPU Shoal takes: the median of the windows' ratios."""
        return statistics.median(self.ratios_to(rival))

    def ratios_to(self, rival: str) -> list[float]:
        """Of each window."""
        pairs = zip(self.windows_ms[SHOAL], self.windows_ms[rival], strict=True)
        return [ours / theirs for ours, theirs in pairs]


def measure(route: str, *, windows: int) -> Cpu:
    """Let Shoal and its rivals take turns. Raises `LocalCloudError` when one fails."""
    module, event = ROUTES[route]
    with stub() as aws, ExitStack() as stack:
        calls = record_requests(aws, module, event)
        modules = {SHOAL: module, **RIVALS}
        arms = {
            name: stack.enter_context(_worker(of, event, aws, json.dumps(calls)))
            for name, of in modules.items()
        }
        for arm in arms.values():
            _run(arm, WARMING_CALLS)
        windows_ms: dict[str, list[float]] = {name: [] for name in arms}
        for _ in range(windows):
            for name, arm in arms.items():
                windows_ms[name].append(_run(arm, WINDOW_CALLS) * 1000 / WINDOW_CALLS)
    return Cpu(windows_ms)


def record_requests(aws: Stub, module: str, event: Mapping[str, Any]) -> list[tuple[str, dict[str, Any]]]:
    """The requests Shoal's handler makes for one event, once it is warm."""
    with _worker(module, event, aws, "[]") as worker:
        _run(worker, 1)
        aws.requests.clear()
        _run(worker, 1)
    return list(aws.requests)


@contextmanager
def _worker(
    module: str, event: Mapping[str, Any], aws: Stub, requests: str
) -> Iterator[subprocess.Popen[str]]:
    env = {
        **os.environ,
        **aws.environment(),
        "SHOAL_BENCH_EVENT": json.dumps(event),
        "SHOAL_BENCH_REQUESTS": requests,
    }
    with subprocess.Popen(  # noqa: S603 the project's own code
        [sys.executable, "-m", "bench.worker", module],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        cwd=ROOT,
        env=env,
        text=True,
    ) as process:
        yield process


def _run(worker: subprocess.Popen[str], calls: int) -> float:
    """CPU seconds of so many calls."""
    assert worker.stdin  # noqa: S101 both are pipes
    assert worker.stdout  # noqa: S101
    worker.stdin.write(f"{calls}\n")
    worker.stdin.flush()
    answer = worker.stdout.readline()
    if not answer:
        raise LocalCloudError(f"`{worker.args!r}` failed; what it said is above")
    return float(answer)
