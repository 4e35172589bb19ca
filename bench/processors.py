"""CPU time of the local cloud's functions, which unlike the clock's does not hang on what else runs here.

Each warm function is a process of its own; its environment tells which, and by the recorder's address whose.
"""

from __future__ import annotations

import os
from collections import defaultdict
from collections.abc import Mapping
from pathlib import Path

TICKS_PER_S = os.sysconf("SC_CLK_TCK")
_USER, _SYSTEM = 11, 12
"""Of the fields behind the name in /proc/<pid>/stat (proc_pid_stat(5))."""


def cpu_s(address: str) -> Mapping[str, float]:
    """Seconds so far by function: of all processes that reach AWS by `<address>/<function>`."""
    found: defaultdict[str, float] = defaultdict(float)
    for process in Path("/proc").glob("[0-9]*"):
        try:
            environment = (process / "environ").read_bytes().split(b"\0")
            stat = (process / "stat").read_text().rpartition(")")[2].split()
        except OSError:  # it ended, or is another user's
            continue
        for variable in environment:
            name, _, value = variable.decode("utf-8", "replace").partition("=")
            if name == "AWS_ENDPOINT_URL" and value.startswith(f"{address}/"):
                ticks = int(stat[_USER]) + int(stat[_SYSTEM])
                found[value.rpartition("/")[2]] += ticks / TICKS_PER_S
    return found
