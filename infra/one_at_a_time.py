"""A lock between processes: the first makes what several need, and the others wait and find it made.

`python infra/one_at_a_time.py FILE COMMAND...` runs a command under the lock. It needs nothing installed.
"""

from __future__ import annotations

import fcntl
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


@contextmanager
def one_at_a_time(lock: Path) -> Iterator[None]:
    """Wait for the lock of the file `lock`, and hold it. It ends with its process at the latest."""
    lock.parent.mkdir(parents=True, exist_ok=True)
    with lock.open("w") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            print(f"Waiting for another process, which holds {lock}", file=sys.stderr, flush=True)
            fcntl.flock(file, fcntl.LOCK_EX)
        yield


def main() -> int:
    """Returns the command's exit status."""
    _, lock, *command = sys.argv
    with one_at_a_time(Path(lock)):
        # The descriptors are make's: with them a make below this one keeps to the same number of jobs.
        return subprocess.run(command, check=False, close_fds=False).returncode  # noqa: S603 our Makefile's


if __name__ == "__main__":
    sys.exit(main())
