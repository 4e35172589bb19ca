"""An AWS that answers at once with the same bytes: what is left of a call is the caller's own work.

A real service, and the local cloud too, would add its own time, its state would grow from call to call, and
its answers would come through a scheduler shared with the process that is measured.
"""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from shoal.adapters.dynamodb.items import api_key_item, job_item, outputs_json
from shoal.adapters.dynamodb.values import marshal
from shoal.dialects import image
from shoal.domain.api_key import ApiKey, KeyPrefix, Scope, digest_of
from shoal.domain.catalog import load_catalog
from shoal.domain.job import Job, JobStatus, Output
from shoal.domain.rate_limit import RateLimit

KEY = "sk_live_0123456789abcdefghijABCDEFGHIJKL"
AT_MS = 1_780_000_000_000
ULID = "01KSPYD2R0ABCDEFGHJKMNPQRS"
STATES_ARN = "arn:aws:states:us-east-1:000000000000"
ENVIRONMENT = {
    "AWS_DEFAULT_REGION": "us-east-1",
    "AWS_REGION": "us-east-1",
    "AWS_ACCESS_KEY_ID": "bench",
    "AWS_SECRET_ACCESS_KEY": "bench",
    "AWS_LAMBDA_FUNCTION_NAME": "bench",
    "AWS_LAMBDA_FUNCTION_VERSION": "$LATEST",
    "AWS_LAMBDA_FUNCTION_MEMORY_SIZE": "512",
    "POWERTOOLS_SERVICE_NAME": "shoal-bench",
    "POWERTOOLS_METRICS_NAMESPACE": "Shoal",
    "POWERTOOLS_LOG_LEVEL": "INFO",
    "SHOAL_STAGE": "prod",
    "SHOAL_TABLE": "shoal-bench",
    "SHOAL_STATE_MACHINE_ARN": f"{STATES_ARN}:stateMachine:shoal-bench-generate",
    "SHOAL_MACHINE_VERSIONS": f"{STATES_ARN}:stateMachine:shoal-bench-generate:1",
    "SHOAL_PROVIDER_DEADLINE_S": "180",
    "SHOAL_CLIP_DEADLINE_S": "180",
    "SHOAL_CATALOG_BUCKET": "catalog",
    "SHOAL_STAGING_BUCKET": "staging",
    "SHOAL_VIDEOS_BUCKET": "videos",
    "SHOAL_SIGNED_URL_S": "3600",
    "SHOAL_LOOPBACK_ALLOWED": "false",
    "SHOAL_PUBLIC_URL": "https://cdn.example.com",
    "SHOAL_API_URL": "https://api.example.com",
    "SHOAL_KEYLESS_PROVIDERS": "simulator,embedded",
    "SHOAL_SIMULATOR_ALLOWED": "true",
    "SHOAL_PROVIDER_BASE_URLS": "{}",
    "SHOAL_MODERATION": "keywords",
    "SHOAL_MODERATION_FAIL_OPEN": "false",
    "SHOAL_GUARDRAIL": "",
    "SHOAL_FETCHED_MB_MAX": "300",
    "SHOAL_OPEN_JOBS_MAX": "200",
    "SHOAL_FAILURES_MULTIPLE": "1",
    "SHOAL_OPEN_REQUESTS_MAX": "600",
    "SHOAL_FRONT_TOKEN": "",
}
"""What the stack tells a function that submits or reads; the same names hold the same values everywhere."""


@dataclass
class Stub:
    """Where it listens, and the requests it got: operation and body."""

    url: str
    requests: list[tuple[str, dict[str, Any]]]

    def environment(self) -> dict[str, str]:
        """Environment variables of a function that speaks to this stub."""
        return {**ENVIRONMENT, "AWS_ENDPOINT_URL": self.url}


@contextmanager
def stub() -> Iterator[Stub]:
    """A stub that listens until the context ends."""
    answers = {operation: json.dumps(answer).encode() for operation, answer in _answers().items()}
    requests: list[tuple[str, dict[str, Any]]] = []
    handler = type("StubHandler", (_Handler,), {"answers": answers, "requests": requests})
    server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
    server.daemon_threads = True
    listening = Stub(f"http://127.0.0.1:{server.server_address[1]}", requests)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        yield listening
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


class _Handler(BaseHTTPRequestHandler):
    answers: Mapping[str, bytes]
    requests: list[tuple[str, dict[str, Any]]]
    protocol_version = "HTTP/1.1"
    wbufsize = -1  # headers and body in one packet: a second one waits for the first's acknowledgement

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        operation = self.headers["X-Amz-Target"].partition(".")[2]
        self.requests.append((operation, json.loads(body)))
        # No request with this Idempotency-Key came before.
        answer = b"{}" if operation == "GetItem" and b"IDEMPOTENCY#" in body else self.answers[operation]
        self.send_response(200)
        self.send_header("Content-Type", "application/x-amz-json-1.0")
        self.send_header("Content-Length", str(len(answer)))
        self.end_headers()
        self.wfile.write(answer)

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the base's signature
        """Nothing: a line per request would only disturb."""


def _answers() -> dict[str, Any]:
    """By operation: an idle key, whatever was asked of it; a finished image; and successes."""
    return {
        "UpdateItem": {"Attributes": marshal(api_key_item(_key()) | {"tat": AT_MS, "poll_tat": AT_MS})},
        "GetItem": {"Item": _finished_item()},
        "BatchGetItem": {"Responses": {ENVIRONMENT["SHOAL_TABLE"]: []}},
        "TransactWriteItems": {},
        "StartExecution": {"executionArn": f"{STATES_ARN}:execution:shoal-bench:x", "startDate": 1.0},
    }


def _key() -> ApiKey:
    return ApiKey(
        id=f"key_{ULID}",
        account_id=f"acc_{ULID}",
        digest=digest_of(KEY) or "",
        prefix=KeyPrefix.LIVE,
        last_four=KEY[-4:],
        scopes=frozenset(Scope),
        limit=RateLimit(),
        created_at_ms=AT_MS,
        revoked=False,
    )


def _finished_item() -> dict[str, Any]:
    job = Job(
        id=f"job_{ULID}",
        account_id=f"acc_{ULID}",
        key_id=f"key_{ULID}",
        submission=image.parse_submission({"prompt": "A shark in neon waters"}, load_catalog()),
        provider="simulator",
        provider_deadline_s=180,
        created_at_ms=AT_MS,
        deadline_at_ms=AT_MS,
    )
    job = replace(job, status=JobStatus.COMPLETED)
    outputs = (Output(f"images/{ULID}.png", "image/png", 2048, 2048, 1_000_000),)
    closing = {"outputs": outputs_json(outputs), "cost": 20_000, "closed_at_ms": AT_MS + 4_000}
    return marshal(job_item(job) | closing | {"started_at_ms": AT_MS + 500})
