"""What functions are answered while AWS fails is read by the SDK as the error it stands for."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path
from typing import Any

import pytest
from botocore.parsers import create_parser
from botocore.session import Session

from infra.local.aws import ACCOUNT
from tests.chaos.faults import KINDS, LOG, PLAN, Call, Faults

TRANSACTION = json.dumps({"TransactItems": [{}, {}]}).encode()
PARSED = [
    ("dynamodb", "TransactWriteItems", "throttle", "ProvisionedThroughputExceededException"),
    ("dynamodb", "TransactWriteItems", "conflict", "TransactionCanceledException"),
    ("dynamodb", "UpdateItem", "conflict", "TransactionConflictException"),
    ("sqs", "SendMessage", "throttle", "ThrottlingException"),
    ("stepfunctions", "StartExecution", "server error", "InternalServerError"),
    ("s3", "PutObject", "throttle", "SlowDown"),
    ("s3", "GetObject", "lost reply", "ServiceUnavailable"),
]


@pytest.mark.parametrize(("service", "operation", "kind", "code"), PARSED)
def test_the_sdk_reads_a_fault_as_what_it_stands_for(
    service: str, operation: str, kind: str, code: str
) -> None:
    model: Any = Session().get_service_model(service)
    call = Call(service, operation)
    answer = KINDS[kind](call, TRANSACTION)
    _, body = answer.render(call)

    parsed = create_parser(model.protocol).parse(
        {"body": body, "headers": {}, "status_code": answer.status},
        model.operation_model(operation).output_shape,
    )

    assert parsed["Error"]["Code"].rpartition("#")[2] == code
    if kind == "conflict" and operation == "TransactWriteItems":
        assert json.loads(body)["CancellationReasons"] == [{"Code": "TransactionConflict"}] * 2


async def done(scope: Any, receive: Any, send: Any) -> None:
    """The emulator: it does what it is asked."""
    await send({"type": "http.response.start", "status": 200, "headers": []})
    await send({"type": "http.response.body", "body": b"{}", "more_body": False})


def statuses(folder: Path, signed_by: str, calls: int, monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """How so many calls are answered."""
    monkeypatch.setenv("TMPDIR", str(folder / "tmp"))
    credential = f"AWS4-HMAC-SHA256 Credential={signed_by}/20261130/us-east-1/dynamodb/aws4_request"
    headers = [
        (b"authorization", credential.encode()),
        (b"x-amz-target", b"DynamoDB_20120810.TransactWriteItems"),
    ]
    scope: Any = {"type": "http", "method": "POST", "headers": headers}
    found: list[int] = []

    async def receive() -> Any:
        return {"type": "http.request", "body": TRANSACTION, "more_body": False}

    async def send(event: Any) -> None:
        if event["type"] == "http.response.start":
            found.append(event["status"])

    async def run() -> None:
        faults = Faults(done)
        for _ in range(calls):
            await faults(scope, receive, send)

    asyncio.run(run())
    return found


def test_functions_calls_fail_at_the_planned_rate_and_the_same_ones_for_a_seed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert statuses(tmp_path, ACCOUNT, 100, monkeypatch) == [200] * 100, "nothing is planned"
    (tmp_path / PLAN).write_text(json.dumps({"seed": 1, "rate": 0.1, "persists": 0.0}))

    first = statuses(tmp_path, ACCOUNT, 300, monkeypatch)

    assert 10 < sum(status != 200 for status in first) < 60
    assert statuses(tmp_path, ACCOUNT, 300, monkeypatch) == first
    assert len((tmp_path / LOG).read_text().splitlines()) == 2 * sum(status != 200 for status in first)
    assert statuses(tmp_path, "AKIAOFTHETESTS", 100, monkeypatch) == [200] * 100, "the tests' own calls"
