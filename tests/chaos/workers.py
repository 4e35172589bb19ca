"""The processes in which the local cloud runs functions: found by name, killed, paused."""

from __future__ import annotations

import fcntl
import json
import os
import signal
import termios
import time
from array import array
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

NAME = b"AWS_LAMBDA_FUNCTION_NAME=shoal-local-"
PROCESSES = Path("/proc")


@dataclass(frozen=True)
class Worker:
    """One execution environment; `function` is its verb with dashes."""

    pid: int
    function: str

    def send(self, number: signal.Signals) -> None:
        """Signal it; that it is gone already is no error."""
        with suppress(ProcessLookupError):
            os.kill(self.pid, number)

    @property
    def in_hand(self) -> bool:
        """Whether it was handed an invocation that it has not read: one that is stopped reads nothing."""
        waiting = array("i", [0])
        pipe = os.open(PROCESSES / str(self.pid) / "fd" / "0", os.O_RDONLY | os.O_NONBLOCK)
        try:
            fcntl.ioctl(pipe, termios.FIONREAD, waiting)
        finally:
            os.close(pipe)
        return waiting[0] > 0

    def kill(self) -> None:
        """As when AWS takes its machine away."""
        self.send(signal.SIGKILL)

    def pause(self, seconds: float) -> None:
        """As when its machine has no time for it."""
        self.send(signal.SIGSTOP)
        try:
            time.sleep(seconds)
        finally:
            self.send(signal.SIGCONT)


def workers(cloud_folder: Path) -> list[Worker]:
    """Those of the cloud whose files are in this folder, and of no other one."""
    server: int = json.loads((cloud_folder / "cloud.pid").read_text())["pid"]
    return sorted(_children(server), key=lambda worker: (worker.function, worker.pid))


def _children(server: int) -> Iterator[Worker]:
    for process in PROCESSES.iterdir():
        # One that ends meanwhile is no worker any more; those of other users are not readable.
        with suppress(OSError):
            if process.name.isdecimal() and _parent(process) == server:
                for variable in (process / "environ").read_bytes().split(b"\0"):
                    if variable.startswith(NAME):
                        yield Worker(int(process.name), variable.removeprefix(NAME).decode())


def _parent(process: Path) -> int:
    # The second field is the program's name in brackets and may itself hold some.
    return int((process / "stat").read_text().rpartition(")")[2].split()[1])
