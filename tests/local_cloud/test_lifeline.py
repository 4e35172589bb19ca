"""A cloud's processes end with the one that started them, however that one ends."""

from __future__ import annotations

import fcntl
import json
import os
import signal
import subprocess
import sys
from pathlib import Path

from infra.local.cloud import bare_cloud
from infra.local.processes import ROOT, Service
from tests.local_cloud.lab import Lab, eventually

HANGS = """
import fcntl, time
def handler(event, context):
    mine = open(event, "w")
    fcntl.flock(mine, fcntl.LOCK_EX)
    mine.write("here")
    mine.flush()
    time.sleep(600)
"""
RUN_OF_TESTS = """
import signal, sys
from pathlib import Path
from infra.local.cloud import bare_cloud
with bare_cloud(Path(sys.argv[1])):
    print("booted", flush=True)
    signal.pause()
"""


def held(path: Path) -> bool:
    """Whether the process lives that locked the file; where one has gone, its number tells nothing."""
    with path.open() as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return True
    return False


def hang(lab: Lab, path: Path) -> None:
    """Have a worker lock the file and never come back from its handler."""
    function = lab.function(HANGS, timeout_seconds=600)
    lab.endpoint.client("lambda").invoke(
        FunctionName=function, InvocationType="Event", Payload=json.dumps(str(path))
    )
    eventually(lambda: (path.exists() and path.read_text() == "here") or None)
    assert held(path)


def test_workers_end_with_a_server_that_is_killed(tmp_path: Path) -> None:
    with bare_cloud(tmp_path) as endpoint:
        hang(Lab(endpoint), tmp_path / "worker")
        server = Service("cloud", tmp_path).find_process()
        assert server is not None

        os.kill(server["pid"], signal.SIGKILL)

        eventually(lambda: not held(tmp_path / "worker") or None)


def test_a_cloud_ends_with_a_run_of_tests_that_is_killed(tmp_path: Path) -> None:
    command = [sys.executable, "-c", RUN_OF_TESTS, str(tmp_path)]
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE) as run:  # noqa: S603 - our own script
        assert run.stdout is not None
        assert run.stdout.readline() == b"booted\n"
        assert Service("cloud", tmp_path).find_process() is not None

        run.kill()

    eventually(lambda: Service("cloud", tmp_path).find_process() is None or None)
