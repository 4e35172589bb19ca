"""Background processes that outlive the command which starts them, or end with it.

A process holds a lock on its own pid file for as long as it lives, so a stale file, or a pid that went to
another program, is never taken for a running process.
"""

from __future__ import annotations

import fcntl
import json
import os
import signal
import socket
import subprocess
import time
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import IO

LOG_TAIL_LINES = 30
STOP_SECONDS_MAX = 15.0
PAUSE_SECONDS = 0.05
OWNER_ONLY = 0o700
ROOT = Path(__file__).parents[2]

_started: dict[int, subprocess.Popen[bytes]] = {}  # this process's children, to be waited for


class LocalCloudError(Exception):
    """A step of the local cloud failed; the message is for the person at the terminal."""


@dataclass(frozen=True)
class Service:
    """A background process: `name`.pid holds its pid and port, `name`.log what it prints.

    One that is `tied` has a pipe for its standard input, and ends when this process does, killed or not, if
    it calls `end_with_parent`.
    """

    name: str
    folder: Path
    tied: bool = False

    @property
    def log(self) -> Path:
        return self.folder / f"{self.name}.log"

    @property
    def pid_file(self) -> Path:
        return self.folder / f"{self.name}.pid"

    def find_process(self) -> dict[str, int] | None:
        """`pid` and `port` of the process, or None when it doesn't run."""
        try:
            with self.pid_file.open() as file:
                if _lock(file):
                    return None
                record: dict[str, int] = json.load(file)
                return record
        except FileNotFoundError:
            return None

    def start(self, command: Sequence[str], *, port: int, env: Mapping[str, str]) -> None:
        """Start it detached from this terminal. Raises `LocalCloudError` when its port is taken."""
        require_free(port, self.name)
        self.folder.mkdir(parents=True, exist_ok=True)
        self.folder.chmod(OWNER_ONLY)  # what a run leaves there opens its cloud
        with self.pid_file.open("a+") as file, self.log.open("w") as log:
            if not _lock(file):
                raise LocalCloudError(f"the {self.name} is already running")
            process = subprocess.Popen(  # noqa: S603 the callers' own programs
                command,
                cwd=ROOT,
                env=dict(env),
                stdin=subprocess.PIPE if self.tied else subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                start_new_session=True,
                pass_fds=[file.fileno()],  # the lock lives on in the process
            )
            _started[process.pid] = process
            file.truncate(0)
            json.dump({"pid": process.pid, "port": port}, file)

    def wait_until(self, ready: Callable[[], bool], *, seconds_max: float) -> None:
        """Wait until it is ready. Raises `LocalCloudError` with the end of its log when it isn't in time."""
        deadline = time.monotonic() + seconds_max
        while not ready():
            if self.find_process() is None:
                raise LocalCloudError(f"the {self.name} stopped while starting\n{self.log_tail()}")
            if time.monotonic() > deadline:
                raise LocalCloudError(
                    f"the {self.name} was not ready in {seconds_max:.0f} s\n{self.log_tail()}"
                )
            time.sleep(PAUSE_SECONDS)

    def stop(self) -> int | None:
        """Stop it and wait for its end, killing it when it takes too long. Returns its pid if it ran."""
        record = self.find_process()
        if record is None:
            return None
        os.kill(record["pid"], signal.SIGTERM)
        deadline = time.monotonic() + STOP_SECONDS_MAX
        while self.find_process() is not None:
            if time.monotonic() > deadline:
                os.kill(record["pid"], signal.SIGKILL)
            time.sleep(PAUSE_SECONDS)
        self.pid_file.unlink()
        if process := _started.pop(record["pid"], None):
            process.communicate()  # which closes a pipe to it as well
        return record["pid"]

    def log_tail(self) -> str:
        """The last lines of its log, below the log's path."""
        return _tail(self.log)


def run(command: Sequence[str], *, env: Mapping[str, str], log: Path, cwd: Path = ROOT) -> str:
    """Run a program to its end and keep what it said in `log`; returns its standard output.

    Raises `LocalCloudError` with the end of what it said when it fails.
    """
    result = subprocess.run(  # noqa: S603 the callers' own programs
        command,
        check=False,
        cwd=cwd,
        env=dict(env),
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
    )
    log.write_text(result.stdout + result.stderr)
    if result.returncode:
        raise LocalCloudError(f"`{' '.join(command)}` failed\n{_tail(log)}")
    return result.stdout


def require_free(port: int, owner: str) -> None:
    """Raise `LocalCloudError` when another program listens on `port`."""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError as error:
            raise LocalCloudError(
                f"port {port}, wanted for the {owner}, is taken: {error.strerror}"
            ) from error


def free_port() -> int:
    """A port of this machine that nothing listens on now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def _tail(path: Path) -> str:
    with path.open(errors="replace") as log:
        return f"{path}:\n{''.join(deque(log, maxlen=LOG_TAIL_LINES))}"


def _lock(file: IO[str]) -> bool:
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True
