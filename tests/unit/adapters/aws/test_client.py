"""The clients of AWS: what one call meets does not slow another."""

from __future__ import annotations

import json
import time
from pathlib import Path
from typing import Any, cast

from botocore.awsrequest import AWSPreparedRequest, AWSResponse
from botocore.compat import HTTPHeaders
from botocore.session import Session

from infra.local.aws import CLIENT_CONFIG as LOCAL
from shoal.adapters.aws.client import CLIENT, config_of
from shoal.adapters.providers.kit.aws_calls import CALL

ROOT = Path(__file__).parents[4]
CALLS = 40
SLOWED_S = 1.0
"""Undisturbed they take a tenth of this; a client that limits its own rate makes one call in two seconds."""


class Answer(AWSResponse):
    """What came back, read already."""

    def __init__(self, request: AWSPreparedRequest, status: int, body: bytes) -> None:
        super().__init__(request.url, status, HTTPHeaders(), None)
        self._content = body


class ThrottlesOnce:
    """DynamoDB as a busy account meets it, for one call; the items of others are not throttled."""

    throttled = 0

    def __call__(self, request: AWSPreparedRequest, **_: Any) -> Answer:
        if b"busy" in cast("bytes", request.body) and not self.throttled:
            self.throttled += 1
            error = {"__type": "com.amazonaws.dynamodb.v20120810#ThrottlingException"}
            return Answer(request, 400, json.dumps(error).encode())
        return Answer(request, 200, b"{}")


def test_a_throttled_call_does_not_delay_another() -> None:
    session, service = Session(), ThrottlesOnce()
    session.set_credentials("key", "secret")
    client: Any = session.create_client("dynamodb", "us-east-1", config=CLIENT)
    client.meta.events.register("before-send.dynamodb", service)

    def get(item: str) -> None:
        client.get_item(TableName="shoal", Key={"pk": {"S": item}})

    get("busy")
    began_s = time.monotonic()
    for _ in range(CALLS):
        get("calm")
    took_s = time.monotonic() - began_s

    assert service.throttled == 1
    assert took_s < SLOWED_S


def test_all_clients_count_their_tries_in_one_way() -> None:
    services = ("cognito-idp", "dynamodb", "events", "s3", "secretsmanager", "sqs", "stepfunctions")

    retries = [vars(config)["retries"] for config in (*map(config_of, services), CALL, LOCAL)]

    assert {each["mode"] for each in retries} == {"standard"}
    assert {each["total_max_attempts"] for each in retries[: len(services)]} == {4}


def test_nobody_else_chooses_how_calls_are_repeated() -> None:
    sources = [path for folder in ("functions", "infra") for path in (ROOT / folder).rglob("*.py")]

    choosing = {str(path.relative_to(ROOT)) for path in sources if "retries={" in path.read_text()}

    assert choosing == {
        "functions/shoal/adapters/aws/client.py",
        "functions/shoal/adapters/providers/kit/aws_calls.py",
        "infra/local/aws.py",
        "infra/rollback.py",
    }
