"""A fake Bedrock runtime: Stability's pictures, Luma Ray's clips, Converse and ApplyGuardrail."""

from __future__ import annotations

import base64
import json
import secrets
from collections.abc import Callable
from typing import Any
from urllib.parse import unquote

from tests.fakes.providers.aws import REGION, FakeAws, error
from tests.fakes.providers.checks import (
    anything,
    array,
    check_fields,
    encoded,
    integer,
    number,
    obj,
    one_of,
    text,
)
from tests.fakes.providers.media import MP4, png
from tests.fakes.providers.server import Asked, Malformed, Told, telling

PICTURE_MODEL = "stability.stable-image-core-v1:1"
CLIP_MODEL = "luma.ray-v2:0"
SCRIPT_MODEL = "us.amazon.nova-pro-v1:0"
GUARDRAIL, GUARDRAIL_VERSION = "gr1abc", "1"
FORBIDDEN_WORD = "forbidden"
_UNKNOWN_MODEL = "The provided model identifier is invalid."
_PICTURE_RATIOS = ("16:9", "1:1", "21:9", "2:3", "3:2", "4:5", "5:4", "9:16", "9:21")
_CLIP_RATIOS = ("1:1", "16:9", "9:16", "4:3", "3:4", "21:9", "9:21")
_FRAME = obj(
    {
        "type": one_of("image"),
        "source": obj(
            {"type": one_of("base64"), "media_type": one_of("image/png", "image/jpeg"), "data": encoded}
        ),
    }
)
_CLIP_INPUT = obj(
    {"prompt": text(5000)},
    {
        "aspect_ratio": one_of(*_CLIP_RATIOS),
        "loop": one_of(True, False),
        "duration": one_of("5s", "9s"),
        "resolution": one_of("540p", "720p"),
        "keyframes": obj({}, {"frame0": _FRAME, "frame1": _FRAME}),
    },
)
_PICTURE_INPUT = {
    "mode": one_of("text-to-image", "image-to-image"),
    "aspect_ratio": one_of(*_PICTURE_RATIOS),
    "output_format": one_of("png", "jpeg", "webp"),
    "seed": integer(0, 2**32 - 2),
    "negative_prompt": text(10_000),
    "image": encoded,
    "strength": number(0, 1),
}
_JSON_SCHEMA = obj({"name": text(), "schema": text()}, {"description": text()})
_TEXTS = array(obj({"text": text()}), 1)


class FakeBedrock(FakeAws):
    """`store` gets the address and the bytes of each clip that is done, as Bedrock writes to S3."""

    service = "bedrock"
    routes = (
        ("POST", "/model/(?P<model>[^/]+)/invoke", "invoke"),
        ("POST", "/model/(?P<model>[^/]+)/converse", "converse"),
        ("POST", "/async-invoke", "start"),
        ("GET", "/async-invoke", "list_all"),
        ("GET", "/async-invoke/(?P<arn>[^/]+)", "get"),
        ("POST", "/guardrail/(?P<id>[^/]+)/version/(?P<version>[^/]+)/apply", "apply"),
    )

    def __init__(self, *, store: Callable[[str, bytes], None] | None = None) -> None:
        super().__init__()
        self.finish_reason: str | None = None
        self.checks_until_done = 2
        self.failure: str | None = None
        self.stop_reason = "end_turn"
        self.script: Callable[[str], str] = written
        self.assessments: list[dict[str, Any]] = [found("VIOLENCE", "BLOCKED")]
        self.invocations: dict[str, dict[str, Any]] = {}
        self._by_token: dict[str, tuple[bytes, str]] = {}
        self._looks: dict[str, int] = {}
        self._store = store

    def invoke(self, asked: Asked) -> Told:
        assert asked.matched
        if unquote(asked.matched["model"]) != PICTURE_MODEL:
            return error(400, "ValidationException", _UNKNOWN_MODEL)
        sent = asked.json()
        check_fields(sent, {"prompt": text(10_000)}, _PICTURE_INPUT)
        if (sent.get("mode") == "image-to-image") != ("image" in sent and "strength" in sent):
            raise Malformed("mode", "and image must agree")
        seeds = [sent.get("seed", 2130420379)]
        if self.finish_reason:
            return telling({"seeds": seeds, "finish_reasons": [self.finish_reason]})
        picture = base64.b64encode(png(64, 64)).decode()
        return telling({"seeds": seeds, "finish_reasons": [None], "images": [picture]})

    def start(self, asked: Asked) -> Told:
        sent = asked.json()
        target = obj({"s3OutputDataConfig": obj({"s3Uri": lambda uri: str(uri).startswith("s3://")})})
        required = {"modelId": text(), "modelInput": anything, "outputDataConfig": target}
        check_fields(sent, required, {"clientRequestToken": text(256), "tags": array(anything)})
        if sent["modelId"] != CLIP_MODEL:
            return error(400, "ValidationException", _UNKNOWN_MODEL)
        check_fields(
            sent, required | {"modelInput": _CLIP_INPUT}, {"clientRequestToken": text(), "tags": anything}
        )
        token = sent.get("clientRequestToken", secrets.token_hex(8))
        if token not in self._by_token:
            self._by_token[token] = (asked.body, self._begin(token, sent))
        body, arn = self._by_token[token]
        if body != asked.body:
            return error(400, "ConflictException", "The token was used with another request.")
        return telling({"invocationArn": arn})

    def list_all(self, asked: Asked) -> Told:
        names = ("maxResults", "nextToken", "statusEquals", "sortBy", "sortOrder")
        check_fields(asked.query, {}, dict.fromkeys(names, text()))
        return telling({"asyncInvokeSummaries": list(self.invocations.values())})

    def get(self, asked: Asked) -> Told:
        assert asked.matched
        arn = unquote(asked.matched["arn"])
        if arn not in self.invocations:
            return error(400, "ValidationException", "Invalid invocation ARN")
        self._looks[arn] += 1
        if self._looks[arn] >= self.checks_until_done:
            self._end(self.invocations[arn])
        return telling(self.invocations[arn])

    def converse(self, asked: Asked) -> Told:
        assert asked.matched
        if unquote(asked.matched["model"]) != SCRIPT_MODEL:
            return error(400, "ValidationException", _UNKNOWN_MODEL)
        sent = asked.json()
        schema = obj({"type": one_of("json_schema"), "structure": obj({"jsonSchema": _JSON_SCHEMA})})
        check_fields(
            sent,
            {"messages": array(obj({"role": one_of("user", "assistant"), "content": _TEXTS}), 1)},
            {
                "system": _TEXTS,
                "inferenceConfig": obj({}, {"maxTokens": integer(1, 10_000), "temperature": number(0, 1)}),
                "outputConfig": obj({"textFormat": schema}),
                "guardrailConfig": anything,
            },
        )
        if "outputConfig" in sent:
            json.loads(sent["outputConfig"]["textFormat"]["structure"]["jsonSchema"]["schema"])
        said = self.script(sent["messages"][0]["content"][0]["text"])
        return telling(
            {
                "output": {"message": {"role": "assistant", "content": [{"text": said}]}},
                "stopReason": self.stop_reason,
                "usage": {"inputTokens": 1, "outputTokens": 1, "totalTokens": 2},
                "metrics": {"latencyMs": 5},
            }
        )

    def apply(self, asked: Asked) -> Told:
        assert asked.matched
        if (asked.matched["id"], asked.matched["version"]) != (GUARDRAIL, GUARDRAIL_VERSION):
            return error(404, "ResourceNotFoundException", "The guardrail does not exist.")
        sent = asked.json()
        content = array(obj({"text": obj({"text": text()})}), 1)
        check_fields(sent, {"source": one_of("INPUT", "OUTPUT"), "content": content}, {})
        usage = {"contentPolicyUnits": 1}
        if FORBIDDEN_WORD not in sent["content"][0]["text"]["text"]:
            return telling({"usage": usage, "action": "NONE", "outputs": [], "assessments": []})
        outputs = [{"text": "This cannot be asked."}]
        said = {"action": "GUARDRAIL_INTERVENED", "actionReason": "Guardrail blocked.", "outputs": outputs}
        return telling(said | {"assessments": self.assessments, "usage": usage})

    def _begin(self, token: str, sent: dict[str, Any]) -> str:
        id_ = secrets.token_hex(6)
        arn = f"arn:aws:bedrock:{REGION}:123456789012:async-invoke/{id_}"
        uri = f"{sent['outputDataConfig']['s3OutputDataConfig']['s3Uri']}/{id_}"
        self.invocations[arn] = {
            "invocationArn": arn,
            "modelArn": f"arn:aws:bedrock:{REGION}::foundation-model/{CLIP_MODEL}",
            "clientRequestToken": token,
            "status": "InProgress",
            "submitTime": "2026-11-22T00:00:00Z",
            "lastModifiedTime": "2026-11-22T00:00:00Z",
            "outputDataConfig": {"s3OutputDataConfig": {"s3Uri": uri}},
        }
        self._looks[arn] = 0
        return arn

    def _end(self, invocation: dict[str, Any]) -> None:
        invocation["endTime"] = "2026-11-22T00:01:00Z"
        if self.failure:
            invocation |= {"status": "Failed", "failureMessage": self.failure}
            return
        if invocation["status"] != "Completed" and self._store:
            self._store(f"{invocation['outputDataConfig']['s3OutputDataConfig']['s3Uri']}/output.mp4", MP4)
        invocation["status"] = "Completed"


def written(order: str) -> str:
    """A script of as many scenes as the order's `Exactly N scenes.` asks for."""
    count = int(order.partition("Exactly ")[2].partition(" ")[0] or 0)
    scenes = [{"prompt": f"A reef at dawn, {n}", "narration": f"Line {n} is spoken."} for n in range(count)]
    return json.dumps({"scenes": scenes})


def found(kind: str, action: str) -> dict[str, Any]:
    """An assessment with one finding of the content policy."""
    filter_ = {
        "type": kind,
        "confidence": "HIGH",
        "filterStrength": "HIGH",
        "action": action,
        "detected": True,
    }
    return {"contentPolicy": {"filters": [filter_]}}
