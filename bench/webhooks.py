"""What healthy endpoints notice of others that are dead or slow: events sent to all webhooks of an account.

Boots a cloud of its own, whose retries come early. Times are from an event's own moment to its receipt,
noisy and this machine's own; the ratios to `GET /healthz` of the same run compare one version with another.
"""

from __future__ import annotations

import argparse
import json
import os
import socket
import statistics
import sys
import tempfile
import threading
import time
from collections import defaultdict
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from unittest.mock import patch

import requests
from rich.table import Table

from infra.local.cloud import LocalCloud, local_cloud
from infra.local.processes import LocalCloudError
from infra.local.run import console, progress
from shoal.adapters.dynamodb.table import Table as DynamoDbTable
from shoal.adapters.system import RandomIds, SystemClock
from shoal.composition.accounts import manage_accounts
from shoal.domain.api_key import KeyPrefix, Scope
from shoal.domain.rate_limit import REQUESTS_PER_MINUTE_MAX, RateLimit
from shoal.domain.webhook_samples import sample_event

EVENT_TYPE = "image.completed"
RETRIES_S = "2,5,10,20,3600,3600"
"""Early enough that the dead retry while it is measured, late enough that none is disabled meanwhile."""

HEALTHZ_REQUESTS = 100
WARMING_EVENTS = 3
SLOW_S = 3.0
DEAD_S = 3600.0
CALL_S_MAX = 30.0
SILENCE_S_MAX = 60.0
"""Nothing new for so long: what is missing by then never comes."""


@dataclass
class Receipts:
    """When each endpoint received each event first, in Unix seconds, by path and event id; and how often."""

    at_s: dict[str, dict[str, float]] = field(default_factory=lambda: defaultdict(dict))
    count: int = 0
    changed: threading.Condition = field(default_factory=threading.Condition)

    def note(self, path: str, event_id: str, at_s: float) -> None:
        with self.changed:
            self.at_s[path].setdefault(event_id, at_s)
            self.count += 1
            self.changed.notify_all()

    def count_missing(self, paths: list[str], events: int) -> int:
        """How many are still to come if so many were sent in all."""
        return sum(events - len(self.at_s[path]) for path in paths)


class Endpoint(BaseHTTPRequestHandler):
    """Paths tell how it answers: `/healthy…` at once, `/slow…` late, `/dead…` never."""

    receipts: Receipts
    over: threading.Event

    def do_POST(self) -> None:
        at_s = time.time()
        self.rfile.read(int(self.headers["Content-Length"]))
        self.receipts.note(self.path, self.headers["webhook-id"], at_s)
        pause_s = next((s for name, s in (("/slow", SLOW_S), ("/dead", DEAD_S)) if self.path[:5] == name), 0)
        if pause_s and self.over.wait(pause_s):
            return
        self.send_response(200)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the base's signature
        """Nothing: a line per request would be what is measured."""


class Server(ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 256

    def handle_error(self, *_: Any) -> None:
        """Callers hang up on endpoints that are dead on purpose."""


@dataclass(frozen=True)
class Bench:
    """A cloud with an account whose webhooks lead to `root`, and to a port where nobody listens."""

    cloud: LocalCloud
    receipts: Receipts
    root: str
    healthy: list[str]

    def subscribe(self, key: str, *, subscriptions: int) -> None:
        """One dead endpoint refuses, one never answers, one is slow; the others are healthy."""
        others = [f"http://127.0.0.1:{_closed_port()}/", f"{self.root}/dead", f"{self.root}/slow"]
        paths = [f"/healthy/{number}" for number in range(subscriptions - len(others))]
        for url in [*others, *(f"{self.root}{path}" for path in paths)]:
            requests.post(
                f"{self.cloud.api_url}/api/v1/webhooks",
                json={"name": "bench", "url": url, "events": [EVENT_TYPE]},
                headers={"Authorization": f"Bearer {key}"},
                timeout=CALL_S_MAX,
            ).raise_for_status()
        self.healthy.extend(paths)

    def send(self, account_id: str, *, events: int, per_second: float) -> dict[str, float]:
        """Put events on the bus at this pace. Returns their moments in Unix seconds, by id."""
        bus, ids, sent = self.cloud.client("events"), RandomIds(), {}
        started = time.monotonic()
        for number in range(events):
            time.sleep(max(0.0, started + number / per_second - time.monotonic()))
            now_ms = SystemClock().now_ms()
            event = sample_event(EVENT_TYPE, ids.new("evt", now_ms), account_id, now_ms)
            entry = {"Source": "shoal", "DetailType": event.type, "Detail": json.dumps(event.detail)}
            bus.put_events(Entries=[entry | {"EventBusName": self.cloud.outputs["EventBusName"]}])
            sent[event.detail["id"]] = now_ms / 1000
        return sent

    def wait(self, events: int) -> None:
        """Until every healthy endpoint has all events sent so far. Raises `LocalCloudError` for the lost."""
        with self.receipts.changed:
            while missing := self.receipts.count_missing(self.healthy, events):
                if not self.receipts.changed.wait(SILENCE_S_MAX):
                    raise LocalCloudError(f"{missing} events have not arrived at healthy endpoints")

    def healthz(self) -> list[float]:
        """Seconds of each of some requests that do nothing."""
        seconds = []
        for _ in range(HEALTHZ_REQUESTS):
            started = time.perf_counter()
            requests.get(f"{self.cloud.api_url}/healthz", timeout=CALL_S_MAX).raise_for_status()
            seconds.append(time.perf_counter() - started)
        return seconds


def main() -> None:
    """Send the events and print the table. Exits with 1 if a healthy endpoint misses one."""
    parser = argparse.ArgumentParser(prog="python -m bench.webhooks")
    parser.add_argument("--events", type=int, default=1000)
    parser.add_argument("--subscriptions", type=int, default=20)
    parser.add_argument("--per-second", type=float, default=2.5, help="events a second; each goes to all")
    options = parser.parse_args()
    try:
        with _bench() as bench:
            account_id, key = _account(bench.cloud)
            bench.subscribe(key, subscriptions=options.subscriptions)
            with progress() as shown:
                shown.add_task("Warming up", total=None)
                bench.send(account_id, events=WARMING_EVENTS, per_second=1)
                bench.wait(WARMING_EVENTS)
                shown.add_task(f"{options.events} events", total=None)
                healthz = bench.healthz()
                sent = bench.send(account_id, events=options.events, per_second=options.per_second)
                bench.wait(WARMING_EVENTS + len(sent))
            console.print(_table(bench, sent, healthz))
    except LocalCloudError as error:
        sys.exit(str(error))


@contextmanager
def _bench() -> Iterator[Bench]:
    receipts, over = Receipts(), threading.Event()
    handler = type("BenchEndpoint", (Endpoint,), {"receipts": receipts, "over": over})
    server = Server(("127.0.0.1", 0), handler)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        with (
            tempfile.TemporaryDirectory() as folder,
            patch.dict(os.environ, {"SHOAL_WEBHOOK_RETRY_S": RETRIES_S}),
            local_cloud(Path(folder)) as cloud,
        ):
            yield Bench(cloud, receipts, f"http://127.0.0.1:{server.server_address[1]}", [])
    finally:
        over.set()
        server.shutdown()
        server.server_close()
        thread.join()


def _account(cloud: LocalCloud) -> tuple[str, str]:
    """A new account and a key of it that the rate limit lets through."""
    accounts = manage_accounts(DynamoDbTable(cloud.client("dynamodb"), cloud.outputs["TableName"]))
    account, _ = accounts.open("bench@example.com", usd_micros=0)
    limit = RateLimit.of_rate(REQUESTS_PER_MINUTE_MAX)
    key = accounts.create_key(account.id, KeyPrefix.VIDEO, limit, frozenset(Scope))
    return account.id, key.secret


def _closed_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def _table(bench: Bench, sent: dict[str, float], healthz: list[float]) -> Table:
    receipts = bench.receipts.at_s
    waits = [receipts[path][event_id] - at_s for path in bench.healthy for event_id, at_s in sent.items()]
    took_s = max(sent.values()) + max(waits) - min(sent.values())
    others = {path: len(receipts[path].keys() & sent.keys()) for path in ("/slow", "/dead")}
    table = Table(
        caption=f"{len(sent)} events to {len(bench.healthy)} healthy endpoints in about {took_s:.0f} s; "
        f"beside them the slow one had received {others['/slow']}, the dead one {others['/dead']}"
    )
    for heading in ("from event to receipt", "p50 ms", "p99 ms", "p50 / healthz", "p99 / healthz"):
        table.add_column(heading, justify="right")
    yardstick = statistics.median(healthz)
    for name, values in (("GET /healthz", healthz), ("healthy endpoints", waits)):
        cuts = statistics.quantiles(values, n=100)
        p50, p99 = cuts[49], cuts[98]
        ratios = (f"{p50 / yardstick:.1f}", f"{p99 / yardstick:.1f}")
        table.add_row(name, f"{1000 * p50:.0f}", f"{1000 * p99:.0f}", *ratios)
    return table


if __name__ == "__main__":
    main()
