"""CPU of a cold start under AWS's own runtime interface client, against boto3 alone.

A runtime API of our own stands where Lambda's is: it sees when a function is ready for its first event, and
when it has answered it. The process is stopped at that moment and the operating system tells what it took.
"""

from __future__ import annotations

import json
import os
import statistics
import subprocess
import sys
import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

from bench import folders
from bench.cpu import BARE, ROUTES, SHOAL, record_requests
from bench.stub import Stub, stub
from infra.local.processes import LocalCloudError

BARE_HANDLER = "bare.handler"
RIVALS_FOLDER = Path(__file__).with_name("rivals")
START_S_MAX = 60.0
DEADLINE_MS = 60_000
ARN = "arn:aws:lambda:us-east-1:000000000000:function:bench"


@dataclass(frozen=True)
class Cold:
    """CPU milliseconds of each start, by arm: until it is ready, and until it has given its first answer."""

    init_ms: Mapping[str, list[float]]
    answer_ms: Mapping[str, list[float]]


def ratio(arms: Mapping[str, list[float]]) -> float:
    """How many times boto3's CPU Shoal takes: the median of the ratios of starts that took turns."""
    return statistics.median(ratios(arms))


def ratios(arms: Mapping[str, list[float]]) -> list[float]:
    """Of each pair of starts."""
    return [ours / theirs for ours, theirs in zip(arms[SHOAL], arms[BARE], strict=True)]


def measure(route: str, *, starts: int) -> Cold:
    """Let Shoal and bare boto3 clients start in turns. Raises `LocalCloudError` when one fails."""
    module, event = ROUTES[route]
    built = folders.build()
    ours = (f"{module}.handler", (built.functions, built.layer))
    bare = (BARE_HANDLER, (RIVALS_FOLDER, built.boto3))
    with stub() as aws:
        requests = json.dumps(record_requests(aws, module, event))
        cold = Cold({SHOAL: [], BARE: []}, {SHOAL: [], BARE: []})
        for number in range(starts + 1):  # the first fills the file cache
            for name, (handler, path) in ((SHOAL, ours), (BARE, bare)):
                env = _environment(aws, requests, (*path, built.runtime))
                init_ms = _start(handler, event, env, answers=0)
                answer_ms = _start(handler, event, env, answers=1)
                if number:
                    cold.init_ms[name].append(init_ms)
                    cold.answer_ms[name].append(answer_ms)
    return cold


def measure_init(module: str, *, starts: int) -> list[float]:
    """CPU milliseconds of a function's starts until it is ready. Raises `LocalCloudError` when one fails."""
    built = folders.build()
    with stub() as aws:
        env = _environment(aws, "[]", (built.functions, built.layer, built.runtime))
        return [_start(f"{module}.handler", {}, env, answers=0) for _ in range(starts + 1)][1:]


def _environment(aws: Stub, requests: str, path: tuple[Path, ...]) -> dict[str, str]:
    return {
        **aws.environment(),
        "PATH": os.environ["PATH"],
        "PYTHONPATH": os.pathsep.join(map(str, path)),
        "SHOAL_BENCH_REQUESTS": requests,
    }


def _start(handler: str, event: Mapping[str, Any], env: Mapping[str, str], *, answers: int) -> float:
    """CPU milliseconds of a start until it has given so many answers and asks for the next event."""
    with _runtime_api(event, answers) as api:
        process = subprocess.Popen(  # noqa: S603 the project's own code
            # Without site-packages: on Lambda there is nothing but the runtime, the layers and the function.
            [sys.executable, "-S", "-m", "awslambdaric", handler],
            env={**env, "AWS_LAMBDA_RUNTIME_API": api.address},
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
        )
        reached = api.reached.wait(START_S_MAX)
        process.kill()
        _, status, usage = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
        assert process.stderr  # noqa: S101 a pipe
        said = process.stderr.read().decode()
        process.stderr.close()
    if not reached or api.errors:
        raise LocalCloudError(f"{handler} did not start: {api.errors}\n{said}")
    return (usage.ru_utime + usage.ru_stime) * 1000


@dataclass
class _Api:
    address: str
    event: bytes
    answers_wanted: int
    answers: int = 0
    reached: threading.Event = field(default_factory=threading.Event)
    errors: list[str] = field(default_factory=list)


@contextmanager
def _runtime_api(event: Mapping[str, Any], answers: int) -> Iterator[_Api]:
    api = _Api("", json.dumps(event).encode(), answers)
    handler = type("RuntimeApi", (_RuntimeApi,), {"api": api})
    server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
    server.daemon_threads = True
    api.address = f"127.0.0.1:{server.server_address[1]}"
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    try:
        yield api
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


class _RuntimeApi(BaseHTTPRequestHandler):
    """AWS Lambda Developer Guide, "Using the Lambda runtime API for custom runtimes"."""

    api: _Api
    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        if self.api.answers == self.api.answers_wanted:
            self.api.reached.set()
            self.close_connection = True
            return
        self.send_response(200)
        self.send_header("Lambda-Runtime-Aws-Request-Id", "8476a536-e9f4-11e8-9739-2dfe598c3fcd")
        self.send_header("Lambda-Runtime-Deadline-Ms", str(int(time.time() * 1000) + DEADLINE_MS))
        self.send_header("Lambda-Runtime-Invoked-Function-Arn", ARN)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(self.api.event)))
        self.end_headers()
        self.wfile.write(self.api.event)

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        if not self.path.endswith("/response") or json.loads(body)["statusCode"] >= 300:
            self.api.errors.append(body.decode())
            self.api.reached.set()
        self.api.answers += 1
        self.send_response(202)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the base's signature
        """Nothing: a line per request would only disturb."""
