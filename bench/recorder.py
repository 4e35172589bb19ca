"""What deployed functions ask of AWS: a proxy between them and the local cloud that takes notes."""

from __future__ import annotations

import http.client
import json
import math
import threading
import time
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import urlsplit

from botocore.auth import S3SigV4Auth, SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials

from infra.local.aws import REGION, Endpoint
from infra.local.cloud import LocalCloud

READ_UNIT_BYTES = 4096
"""What one strongly consistent read unit covers (DynamoDB Developer Guide, "Read and write operations")."""
CALL_S_MAX = 60.0
UNSIGNED = frozenset(
    {"authorization", "connection", "content-length", "host", "x-amz-date", "x-amz-security-token"}
)
"""Fields of a request that hold for it alone."""
READS = {"GetItem": "Item", "Query": "Items", "BatchGetItem": "Responses", "Scan": "Items"}


@dataclass(frozen=True)
class Call:
    """One request: which function made it of which service, when, and what it used up there."""

    function: str
    service: str
    operation: str
    entries: int = 1
    write_units: float = 0.0
    index_units: float = 0.0
    read_units: float = 0.0
    event_bytes: int = 0
    began_s: float = 0.0
    ended_s: float = 0.0


@dataclass
class Recorder:
    """All calls so far, in the order of their answers. `address` is where functions reach AWS."""

    address: str = ""
    calls: list[Call] = field(default_factory=list)
    lock: threading.Lock = field(default_factory=threading.Lock)

    def note(self, call: Call) -> None:
        with self.lock:
            self.calls.append(call)

    def take(self) -> list[Call]:
        """The calls since the last time, which are forgotten."""
        with self.lock:
            taken, self.calls = self.calls, []
        return taken


def one_after_the_other(calls: Iterable[Call]) -> int:
    """How many of one function's calls it waited for in turn: the most of which no two went on at once."""
    found, free_s = 0, 0.0
    for call in sorted(calls, key=lambda call: call.ended_s):
        if call.began_s >= free_s:
            found, free_s = found + 1, call.ended_s
    return found


@contextmanager
def recorder(cloud: LocalCloud, variables: Mapping[str, str] | None = None) -> Iterator[Recorder]:
    """Lead every call of every deployed function through a proxy of ours.

    `variables` are set in every function's environment, too.
    """
    recording = Recorder()
    handler = type("Proxy", (_Proxy,), {"recorder": recording, "cloud": cloud.endpoint})
    server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
    server.daemon_threads = True
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        recording.address = f"http://127.0.0.1:{server.server_address[1]}"
        _redirect(cloud, recording.address, variables or {})
        yield recording
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


def _redirect(cloud: LocalCloud, proxy_url: str, changed: Mapping[str, str]) -> None:
    client = cloud.client("lambda")
    for page in client.get_paginator("list_functions").paginate():
        for function in page["Functions"]:
            name = function["FunctionName"]
            variables = function["Environment"]["Variables"] | dict(changed)
            variables["AWS_ENDPOINT_URL"] = f"{proxy_url}/{name}"
            client.update_function_configuration(FunctionName=name, Environment={"Variables": variables})


class _Proxy(BaseHTTPRequestHandler):
    """The first part of a path is the function's name; the rest is AWS's."""

    recorder: Recorder
    cloud: Endpoint
    protocol_version = "HTTP/1.1"
    wbufsize = -1

    def _forward(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        address = urlsplit(self.path)
        function, _, path = address.path.lstrip("/").partition("/")
        path = f"/{path}?{address.query}" if address.query else f"/{path}"
        service, operation = _identify(dict(self.headers.items()), self.command)
        if service == "dynamodb":
            body = json.dumps({**json.loads(body), "ReturnConsumedCapacity": "TOTAL"}).encode()
        began_s = time.monotonic()
        connection = http.client.HTTPConnection(urlsplit(self.cloud.url).netloc, timeout=CALL_S_MAX)
        connection.request(self.command, path, body, self._signed_again(service, path, body))
        answer = connection.getresponse()
        content = answer.read()
        connection.close()
        call = _call(function, service, operation, body, content)
        self.recorder.note(replace(call, began_s=began_s, ended_s=time.monotonic()))
        self.send_response_only(answer.status)
        for name, value in answer.getheaders():
            if name.lower() not in ("content-length", "transfer-encoding", "connection"):
                self.send_header(name, value)
        length = answer.getheader("Content-Length") if self.command == "HEAD" else None
        self.send_header("Content-Length", length or str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    def _signed_again(self, service: str, path: str, body: bytes) -> dict[str, str]:
        """The fields for the cloud: the function signed another address, and another body."""
        passed = {name: value for name, value in self.headers.items() if name.lower() not in UNSIGNED}
        request = AWSRequest(self.command, f"{self.cloud.url}{path}", passed, body)
        keys = self.cloud.credentials
        sign = S3SigV4Auth if service == "s3" else SigV4Auth
        sign(Credentials(keys.access_key_id, keys.secret_access_key), service, REGION).add_auth(request)
        return {**dict(request.headers.items()), "Content-Length": str(len(body))}

    do_GET = do_POST = do_PUT = do_DELETE = do_HEAD = _forward  # noqa: N815 - the base's names

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the base's signature
        """Nothing: the calls are noted."""


def _identify(headers: Mapping[str, str], method: str) -> tuple[str, str]:
    """Service and operation; of services without named operations, the method."""
    scope = headers.get("Authorization", "").partition("Credential=")[2].split("/")
    service = scope[3] if len(scope) > 3 else "unsigned"
    return service, headers.get("X-Amz-Target", method).rpartition(".")[2]


def _call(function: str, service: str, operation: str, body: bytes, content: bytes) -> Call:
    if service == "events" and operation == "PutEvents":
        entries = json.loads(body)["Entries"]
        told = sum(len(json.dumps(entry).encode()) for entry in entries)
        return Call(function, service, operation, entries=len(entries), event_bytes=told)
    if service != "dynamodb":
        return Call(function, service, operation)
    answer = json.loads(content)
    if operation in READS:
        units = _read_units(json.loads(body), answer.get(READS[operation]))
        return Call(function, service, operation, read_units=units)
    consumed = answer.get("ConsumedCapacity", [])
    consumed = consumed if isinstance(consumed, list) else [consumed]
    # A write whose condition fails is paid for too; the local cloud does not say how much, it is small.
    units = sum(each["CapacityUnits"] for each in consumed) or 1.0
    written = _index_units(json.loads(body))
    return Call(function, service, operation, write_units=units, index_units=written)


def _index_units(request: Mapping[str, Any]) -> float:
    """Units of the index of open jobs, which the local cloud does not count.

    An entry is written with the job, moves with its deadline, which is a delete and a write, and goes at last
    (DynamoDB Developer Guide, "Provisioned throughput considerations for global secondary indexes").
    """
    parts = [part for item in request.get("TransactItems", ()) for part in item.values()] or [request]
    units = 0.0
    for part in parts:
        assigned, _, removed = part.get("UpdateExpression", "").partition("REMOVE")
        units += bool("open_shard" in part.get("Item", {}))
        units += 2.0 if "deadline_at" in assigned else bool("deadline_at" in removed)
    return units


def _read_units(request: Mapping[str, Any], found: Any) -> float:
    """Units of a read, computed: what the local cloud says of reads is not what AWS would."""
    if isinstance(found, dict) and "ConsistentRead" not in request and "RequestItems" in request:
        items = [item for table in found.values() for item in table]
        return float(sum(max(1, math.ceil(_size(item) / READ_UNIT_BYTES)) for item in items) or 1)
    size = sum(map(_size, found)) if isinstance(found, list) else _size(found or {})
    units = max(1, math.ceil(size / READ_UNIT_BYTES))
    return units if request.get("ConsistentRead") else units / 2


def _size(item: Mapping[str, Any]) -> int:
    """About what DynamoDB counts: names and values, without the notation around them."""
    return sum(len(name.encode()) + _value_size(value) for name, value in item.items())


def _value_size(attribute: Mapping[str, Any]) -> int:
    ((kind, value),) = attribute.items()
    if kind == "M":
        return 3 + sum(len(name.encode()) + 1 + _value_size(inner) for name, inner in value.items())
    if kind == "L":
        return 3 + sum(1 + _value_size(inner) for inner in value)
    if kind == "N":
        return len(value) // 2 + 1
    return len(str(value).encode())
