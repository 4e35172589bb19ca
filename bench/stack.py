"""CPU of one image job through the whole local stack: the cloud, its Lambdas and the front.

Clients ask for a few pictures again and again, which were drawn before: what is counted is the stack, and not
the simulator's art. Beside that stands what as many jobs take whose pictures are new.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

from infra.local.cloud import LocalCloud
from infra.local.demo import Client
from infra.local.patches.functions import WORKERS_PER_FUNCTION_MAX
from infra.local.processes import LocalCloudError, Service

PROMPTS = 2
SERVICES = ("cloud", "front")
PROC = Path("/proc")
TICKS_PER_SECOND = os.sysconf("SC_CLK_TCK")


@dataclass(frozen=True)
class StackCpu:
    """CPU milliseconds (user and system) of a job, its polls among them: by its picture."""

    drawn_before_ms: float
    drawn_new_ms: float


def measure(cloud: LocalCloud, key: str, *, jobs: int) -> StackCpu | None:
    """The CPU of so many jobs of each kind; None on a system without /proc.

    As many clients as a function has workers submit, and poll every second as `make run` does. Each worker
    has drawn each picture when counting begins, and what earlier jobs leave to be done is counted for what
    the last ones leave. Raises `LocalCloudError` for a job that fails.
    """
    if not PROC.exists():
        return None
    client = Client(cloud.api_url, key)

    def run(number: int) -> None:
        job_id = client.submit({"mode": "1k", "prompt": f"Shark number {number}"})
        client.wait(job_id, lambda _: None)

    with ThreadPoolExecutor(WORKERS_PER_FUNCTION_MAX) as pool:

        def ms_of(numbers: list[int]) -> float:
            before_s = _cpu_s(cloud)
            list(pool.map(run, numbers))
            return (_cpu_s(cloud) - before_s) * 1000 / len(numbers)

        ms_of([number % PROMPTS for number in range(3 * PROMPTS * WORKERS_PER_FUNCTION_MAX)])
        again_ms = ms_of([number % PROMPTS for number in range(jobs)])
        return StackCpu(again_ms, ms_of(list(range(PROMPTS, PROMPTS + jobs))))


def _cpu_s(cloud: LocalCloud) -> float:
    """What the cloud's processes have used so far, with those of theirs that have ended."""
    services = [Service(name, cloud.folder).find_process() for name in SERVICES]
    if None in services:
        raise LocalCloudError("the local cloud has ended")
    return sum(ticks_of_trees([service["pid"] for service in services if service])) / TICKS_PER_SECOND


def ticks_of_trees(pids: Iterable[int]) -> Iterator[int]:
    """Ticks of each process, of all that it started, and of those it has waited for (proc(5), `stat`)."""
    parents, ticks = {}, {}
    for stat in PROC.glob("[0-9]*/stat"):
        try:
            fields = stat.read_text().rpartition(")")[2].split()
        except (FileNotFoundError, ProcessLookupError):
            continue  # it has ended meanwhile
        parents[int(stat.parent.name)] = int(fields[1])
        ticks[int(stat.parent.name)] = sum(map(int, fields[11:15]))
    wanted = list(pids)
    while wanted:
        pid = wanted.pop()
        wanted += [child for child, parent in parents.items() if parent == pid]
        yield ticks[pid]
