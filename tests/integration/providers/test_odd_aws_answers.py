"""Answers of AWS's model services whose parts are of other kinds than documented: errors of the ports."""

from __future__ import annotations

import base64
import json
from collections.abc import Callable
from contextlib import suppress
from io import BytesIO
from typing import Any

import pytest
from botocore.awsrequest import AWSResponse, HeadersDict
from urllib3.response import HTTPResponse

from shoal.adapters.providers.bedrock.guardrails import BedrockGuardrails
from shoal.adapters.providers.bedrock.images import BedrockImages
from shoal.adapters.providers.bedrock.script import BedrockScriptWriter
from shoal.adapters.providers.bedrock.video import BedrockVideos
from shoal.domain.errors import ShoalError
from tests.integration.providers.aws import opened, set_credentials
from tests.integration.providers.test_odd_answers import altered
from tests.support.providers import PICTURE, asking

REQUEST = asking(provider_model="m")
MADE = {"seeds": [1], "finish_reasons": [None], "images": [base64.b64encode(PICTURE).decode()]}
TALK = {
    "output": {"message": {"role": "assistant", "content": [{"text": "{}"}]}},
    "stopReason": "end_turn",
    "usage": {"inputTokens": 1},
}
WORK = {
    "invocationArn": "arn:1",
    "status": "Completed",
    "outputDataConfig": {"s3OutputDataConfig": {"s3Uri": "s3://bucket/prefix/1"}},
}
GUARDED = {
    "action": "GUARDRAIL_INTERVENED",
    "assessments": [{"contentPolicy": {"filters": [{"type": "SEXUAL", "action": "BLOCKED"}]}}],
}
ORDER: dict[str, Any] = {
    "idea": "i",
    "category": "story",
    "scene_count": 1,
    "style": None,
    "language": "en",
    "seed": None,
}
CALLS: dict[str, tuple[Callable[[Any], object], Any]] = {
    "bedrock": (lambda client: BedrockImages(client).start(REQUEST), MADE),
    "bedrock-test": (lambda client: BedrockImages(client).test(), {"asyncInvokeSummaries": [WORK]}),
    "bedrock-video": (lambda client: BedrockVideos(client, output_uri="s3://b/p").start(REQUEST), WORK),
    "bedrock-video-check": (
        lambda client: BedrockVideos(client, output_uri="s3://bucket/prefix").check("arn:1", REQUEST),
        WORK,
    ),
    "bedrock-script": (lambda client: BedrockScriptWriter(client, model="m").write(**ORDER), TALK),
    "guardrails": (
        lambda client: BedrockGuardrails(client, guardrail_id="g", version="1").check("x"),
        GUARDED,
    ),
}


@pytest.mark.parametrize("status", [200, 400, 503])
@pytest.mark.parametrize("name", CALLS)
def test_an_odd_answer_is_an_error_of_the_port(
    name: str, status: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    set_credentials(monkeypatch)
    ask, usual = CALLS[name]
    told: list[Any] = []

    def answer(**_: Any) -> AWSResponse:
        body = BytesIO(json.dumps(told[-1]).encode())
        raw = HTTPResponse(body, preload_content=False)
        headers: Any = HeadersDict({"Content-Type": "application/json"})
        return AWSResponse("https://aws.example", status, headers, raw)

    with opened("bedrock-runtime", "https://aws.example") as client:
        client.meta.events.register("before-send.bedrock-runtime", answer)
        for value in altered(usual if status == 200 else {"message": "m", "__type": "x", "code": "y"}):
            told.append(value)
            with suppress(ShoalError):
                ask(client)
    assert len(told) > 10
