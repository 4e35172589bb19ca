"""The worker of examples/own-worker against the adapter, killed at every step, and its conformance test."""

from __future__ import annotations

import os
import queue
import re
import signal
import sqlite3
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import TypeVar

import pytest

from shoal.adapters.providers.worker import Worker
from shoal.adapters.system import SystemClock
from shoal.domain.errors import ProviderBusy
from shoal.domain.provider import Answer, Pending
from tests.fakes.providers.replicate import new_secret
from tests.support.providers import asking, delivered

FOLDER = Path(__file__).parents[3] / "examples" / "own-worker"
SECONDS_MAX = 30
SECRET = new_secret()
T = TypeVar("T")

MORTAL = """
import os, signal, sys
sys.path.insert(0, {folder!r})
import worker

def mortal(where, when, nth, marker):
    owner, _, name = where.rpartition(".")
    holder = getattr(worker, owner) if owner else worker
    alive, calls = getattr(holder, name), []
    def step(*given):
        calls.append(1)
        dies = len(calls) == nth and not os.path.exists(marker)
        if dies:
            open(marker, "w").close()
        if dies and when == "before":
            os.kill(os.getpid(), signal.SIGKILL)
        came = alive(*given)
        if dies:
            os.kill(os.getpid(), signal.SIGKILL)
        return came
    setattr(holder, name, step)

where, when, nth, marker = sys.argv[1:5]
mortal(where, when, int(nth), marker)
sys.argv = ["worker.py", *sys.argv[5:]]
worker.main()
"""
"""The worker as it is, except that it kills itself, once, at the n-th call of one of its functions."""


class Running:
    """The worker's process, started again whenever it was killed; `came` are the callbacks."""

    def __init__(
        self, folder: Path, dies: tuple[str, str, int] | None = None, code: Path = FOLDER / "worker.py"
    ) -> None:
        self._code = code
        self.store, self.marker = folder / "works.db", folder / "killed"
        self.came: queue.Queue[tuple[dict[str, str], bytes]] = queue.Queue()
        self._dies = dies
        self._listener = _listener(self.came)
        self.callback_url = f"http://127.0.0.1:{self._listener.server_port}/ended"
        self.start()

    def start(self) -> None:
        own = ["--port", "0", "--store", str(self.store)]
        how = [str(self._code), *own]
        if self._dies:
            where, when, nth = self._dies
            how = ["-c", MORTAL.format(folder=str(FOLDER)), where, when, str(nth), str(self.marker), *own]
        self.process = subprocess.Popen(  # noqa: S603
            [sys.executable, *how],
            env={**os.environ, "SHOAL_SECRET": SECRET},
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
        )
        assert self.process.stdout
        said = re.fullmatch(r"listening on port (\d+)\n", self.process.stdout.readline())
        assert said
        self.address = f"http://127.0.0.1:{said[1]}"

    def surviving(self, ask: Callable[[], T]) -> T:
        """What the engine does: ask again what was not answered."""
        with suppress(ProviderBusy):
            return ask()
        assert self.process.wait(SECONDS_MAX) == -signal.SIGKILL
        self._close()
        self.start()
        return ask()

    def next_callback(self) -> tuple[dict[str, str], bytes]:
        for _ in range(SECONDS_MAX * 10):
            with suppress(queue.Empty):
                return self.came.get(timeout=0.1)
            if self.process.poll() is not None:
                self._close()
                self.start()
        raise AssertionError("it did not call back")

    def end(self) -> None:
        self.process.kill()
        self.process.wait(SECONDS_MAX)
        self._close()
        self._listener.shutdown()
        self._listener.server_close()

    def _close(self) -> None:
        assert self.process.stdout
        self.process.stdout.close()


def _listener(came: queue.Queue[tuple[dict[str, str], bytes]]) -> ThreadingHTTPServer:
    class Listener(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            came.put(({name.lower(): value for name, value in self.headers.items()}, body))
            self.send_response(204)
            self.end_headers()

        def log_message(self, *_: object) -> None:
            """Nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Listener)
    threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True).start()
    return server


@pytest.fixture
def running(tmp_path: Path, request: pytest.FixtureRequest) -> Iterator[Running]:
    running = Running(tmp_path, getattr(request, "param", None))
    yield running
    running.end()


@pytest.mark.parametrize(
    "running",
    [
        pytest.param(("Works.accept", "before", 1), id="before it accepts"),
        pytest.param(("Works.accept", "after", 1), id="after it accepted"),
        pytest.param(("make", "before", 1), id="before it makes"),
        pytest.param(("make", "after", 1), id="after it made"),
        pytest.param(("Works.end", "after", 1), id="after it kept what it made"),
        pytest.param(("call_back", "before", 1), id="before it calls back"),
        pytest.param(("call_back", "after", 1), id="after it called back"),
        pytest.param(("Handler._say", "before", 2), id="before it answers a check"),
        pytest.param(("Handler._say", "after", 2), id="after it answered a check"),
    ],
    indirect=True,
)
def test_a_worker_that_is_killed_makes_one_work_of_one_start(running: Running) -> None:
    worker = Worker("http-gpu", lambda: running.address, lambda: SECRET, SystemClock())
    request = asking(provider_model="reef", callback_url=running.callback_url)

    started = running.surviving(lambda: worker.start(request))
    headers, body = running.next_callback()
    named = worker.parse_callback(headers, body, SystemClock().now_ms())
    assert isinstance(named, Pending)
    assert named.ref == "job_1-0"
    answers: list[Answer] = [
        running.surviving(lambda: worker.check("job_1-0", request)),
        running.surviving(lambda: worker.check("job_1-0", request)),
        running.surviving(lambda: worker.start(request)),
    ]

    assert isinstance(started, Pending) or delivered(started)
    assert running.marker.exists(), "it was killed"
    assert len({delivered(answer) for answer in answers}) == 1
    with sqlite3.connect(running.store) as store:
        assert store.execute("SELECT count(*) FROM work").fetchone() == (1,)
    store.close()


BREAKING = {
    "TOLERANCE_S = 300": "TOLERANCE_S = 3000",
    "return any(hmac.compare_digest(expected, each.encode()) for each in offered)": "return True",
    "INSERT OR IGNORE": "INSERT OR REPLACE",
    '{"status": "unknown"}': '{"status": "failed"}',
    """ AND json_extract(answer, '$.status') = 'working'""": "",
    '"type": "ended"': '"type": "end"',
}


def conforms(address: str) -> subprocess.CompletedProcess[str]:
    how = [str(FOLDER / "conformance.py"), address, "--model", "reef", "--patience-seconds", "5"]
    return subprocess.run(  # noqa: S603
        [sys.executable, *how],
        env={**os.environ, "SHOAL_SECRET": SECRET},
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )


def test_the_example_keeps_to_the_contract(running: Running) -> None:
    said = conforms(running.address)
    assert (said.returncode, said.stderr) == (0, ""), said.stdout
    assert "BROKEN" not in said.stdout


@pytest.mark.parametrize("right", BREAKING)
def test_a_worker_that_breaks_a_rule_is_told(right: str, tmp_path: Path) -> None:
    text = (FOLDER / "worker.py").read_text(encoding="utf-8")
    assert text.count(right) == 1
    code = tmp_path / "worker.py"
    code.write_text(text.replace(right, BREAKING[right]), encoding="utf-8")
    running = Running(tmp_path, code=code)
    try:
        said = conforms(running.address)
    finally:
        running.end()
    assert said.returncode == 1, said.stdout
    assert "BROKEN" in said.stdout
