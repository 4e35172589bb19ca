"""A provider that answers at once: Google's Gemini API as far as a picture needs it, with a real picture."""

from __future__ import annotations

import base64
import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from bench.usage import Customer
from infra.local.aws import STAGE
from shoal.adapters.aws.provider_keys import ProviderKeys
from shoal.adapters.dynamodb.board import DynamoDbBoard
from shoal.adapters.dynamodb.table import Table
from shoal.adapters.system import SystemClock
from shoal.composition.upstreams import keyed
from shoal.domain.catalog import load_catalog
from shoal.media.drawing import draw
from shoal.ports.routing import KEY

PROVIDER = "gemini"
SIDE_PX = 1024


@contextmanager
def upstream() -> Iterator[str]:
    """Its address, until the context ends."""
    picture = draw(prompt="A shark in neon waters", seed=1, width_px=SIDE_PX, height_px=SIDE_PX)
    data = {"mimeType": "image/png", "data": base64.b64encode(picture).decode()}
    part = {"content": {"parts": [{"inlineData": data}]}, "finishReason": "STOP"}
    handler = type("Upstream", (_Handler,), {"answer": json.dumps({"candidates": [part]}).encode()})
    server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
    server.daemon_threads = True
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_address[1]}/v1"
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


def set_key(customer: Customer) -> None:
    """Have the stage ask the provider from now on, as the operator's command does."""
    cloud, clock = customer.cloud, SystemClock()
    ProviderKeys(cloud.client("secretsmanager"), STAGE, clock).put(PROVIDER, KEY, "bench")
    table = Table(cloud.client("dynamodb"), cloud.outputs["TableName"])
    board = DynamoDbBoard(table, load_catalog().all_routes, keyed(), clock, lifetime_ms=0)
    board.note_key(PROVIDER, there=True)


class _Handler(BaseHTTPRequestHandler):
    answer: bytes

    def do_POST(self) -> None:
        self.rfile.read(int(self.headers["Content-Length"]))
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(self.answer)))
        self.end_headers()
        self.wfile.write(self.answer)

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the base's signature
        """Nothing: a line per request would only disturb."""
