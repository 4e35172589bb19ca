"""OpenAI's API as far as Shoal speaks to it, after https://platform.openai.com/docs/api-reference.

A prompt with "forbidden" in it is blocked. Background Responses need `polls_needed` looks, and end as
`ending` says. There are no idempotency keys: what is sent twice is done twice, which `images_made` shows.
"""

from __future__ import annotations

import base64
import json
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from standardwebhooks import Webhook

from tests.fakes.providers.checks import (
    array,
    check_fields,
    integer,
    obj,
    one_of,
    pictures,
    plain,
    text,
)
from tests.fakes.providers.media import pcm, png
from tests.fakes.providers.openai_fields import (
    BLOCKED,
    CATEGORIES,
    DRAWING,
    FORMAT,
    IMAGE_MODELS,
    MESSAGE,
    REASONING,
    SPEECH,
    SPEECH_MODELS,
    TEXT_MODELS,
    VOICES,
    WEBHOOK_SECRET,
    check_strict,
    failing,
    size_of,
)
from tests.fakes.providers.server import Asked, FakeProvider, Malformed, Told, telling


class FakeOpenAi(FakeProvider):
    routes = (
        ("POST", "/v1/images/generations", "generate"),
        ("POST", "/v1/images/edits", "edit"),
        ("POST", "/v1/responses", "respond"),
        ("GET", "/v1/responses/([^/]+)", "look"),
        ("POST", "/v1/responses/([^/]+)/cancel", "cancel"),
        ("POST", "/v1/audio/speech", "speak"),
        ("POST", "/v1/moderations", "moderate"),
        ("GET", "/v1/models", "models"),
    )

    def __init__(self, *, key: str = "sk-openai") -> None:
        super().__init__(key=key)
        self.webhook_secret = WEBHOOK_SECRET
        self.polls_needed = 1
        self.ending: dict[str, Any] = {"status": "completed"}
        self.script: Any = None
        self.images_made = 0
        self.responses: dict[str, dict[str, Any]] = {}

    @property
    def base_url(self) -> str:
        return f"{self.url}/v1"

    def allow(self, asked: Asked) -> Told | None:
        given = asked.headers.get("authorization", "")
        if given == f"Bearer {self.key}":
            return None
        return failing("invalid_api_key", f"Incorrect API key provided: {given[7:]}.", 401)

    def refuse(self, problem: Malformed) -> Told:
        code = {404: "unknown_url", 405: "method_not_supported"}.get(problem.status, "invalid_value")
        return failing(code, str(problem), problem.status, param=problem.what)

    # Pictures

    def generate(self, asked: Asked) -> Told:
        fields = asked.json()
        check_fields(fields, {"prompt": text(32_000), "model": text()}, DRAWING)
        return self._drawn(fields)

    def edit(self, asked: Asked) -> Told:
        parts = asked.form()
        masks = [part for part in parts if part.name == "mask"]
        if len(masks) > 1 or any(mask.content_type != "image/png" for mask in masks):
            raise Malformed("mask", "is not one PNG")
        fields: dict[str, Any] = plain(parts)
        if not pictures([part for part in parts if part not in masks], "image[]", 16):
            raise Malformed("image", "is required")
        fields |= {name: int(fields[name]) for name in ("n", "output_compression") if name in fields}
        check_fields(fields, {"prompt": text(32_000), "model": text()}, DRAWING)
        return self._drawn(fields)

    def _drawn(self, fields: Mapping[str, Any]) -> Told:
        if refused := self._model(fields["model"], IMAGE_MODELS):
            return refused
        width, height = size_of(fields.get("size", "1024x1024"))
        if "forbidden" in fields["prompt"]:
            return telling({"error": BLOCKED}, 400)
        self.images_made += 1
        drawn = base64.b64encode(png(width, height, self.images_made)).decode()
        tokens = {"input_tokens": 7, "output_tokens": 120, "total_tokens": 127}
        return telling(
            {
                "created": 1786572410,
                "background": "opaque",
                "data": [{"b64_json": drawn}],
                "output_format": fields.get("output_format", "png"),
                "quality": "low",
                "size": f"{width}x{height}",
                "usage": {**tokens, "input_tokens_details": {"image_tokens": 0, "text_tokens": 7}},
            },
            headers={"x-request-id": "req_1", "openai-version": "2020-10-01"},
        )

    # Responses

    def respond(self, asked: Asked) -> Told:
        fields = asked.json()
        if fields.get("background"):
            return self._in_background(fields)
        check_fields(
            fields,
            {"model": text(), "input": text(), "text": obj({"format": FORMAT})},
            {"instructions": text(), "max_output_tokens": integer(16, 128_000), "store": one_of(False)},
        )
        if refused := self._model(fields["model"], TEXT_MODELS):
            return refused
        check_strict(fields["text"]["format"]["schema"])
        return telling(self._response("resp_script", {**self._said(fields["input"]), **self.ending}))

    def _in_background(self, fields: Mapping[str, Any]) -> Told:
        tool = obj(
            {"type": one_of("image_generation")},
            {"model": text(), **{name: check for name, check in DRAWING.items() if name != "n"}},
        )
        check_fields(
            fields,
            {
                "model": text(),
                "input": lambda value: text()(value) or array(MESSAGE, 1)(value),
                "background": one_of(True),
                "tools": array(tool, 1, 1),
                "tool_choice": one_of("required"),
            },
            {"store": one_of(True), "instructions": text()},
        )
        (drawing,) = fields["tools"]
        refused = self._model(fields["model"], TEXT_MODELS) or self._model(drawing["model"], IMAGE_MODELS)
        if refused:
            return refused
        ref = f"resp_{len(self.responses) + 1:04x}"
        self.responses[ref] = {"looks": 0, "size": drawing.get("size", "1024x1024"), "input": fields["input"]}
        return telling(self._response(ref, {"status": "queued", "background": True, "output": []}))

    def look(self, asked: Asked) -> Told:
        ref, made = self._made(asked)
        made["looks"] += 1
        if made.get("canceled"):
            return telling(self._response(ref, {"status": "cancelled", "output": []}))
        if made["looks"] < self.polls_needed:
            return telling(self._response(ref, {"status": "in_progress", "output": []}))
        return telling(self._response(ref, {"output": [REASONING, self._call(made)], **self.ending}))

    def cancel(self, asked: Asked) -> Told:
        ref, made = self._made(asked)
        if made["looks"] >= self.polls_needed:
            return failing("invalid_request", "Cannot cancel a completed response.", 400)
        made["canceled"] = True
        return telling(self._response(ref, {"status": "cancelled", "output": []}))

    def _made(self, asked: Asked) -> tuple[str, dict[str, Any]]:
        assert asked.matched
        ref = asked.matched[1]
        if ref not in self.responses:
            raise Malformed("id", f"Response with id '{ref}' not found.", status=404)
        return ref, self.responses[ref]

    def _call(self, made: Mapping[str, Any]) -> dict[str, Any]:
        call = {"id": "ig_1", "type": "image_generation_call", "action": "generate", "output_format": "png"}
        if "forbidden" in str(made["input"]):
            return {**call, "status": "failed", "result": None, "error": BLOCKED}
        self.images_made += 1
        width, height = size_of(made["size"])
        drawn = base64.b64encode(png(width, height)).decode()
        return {**call, "status": "completed", "size": made["size"], "result": drawn, "revised_prompt": "x"}

    def _said(self, asked: str) -> dict[str, Any]:
        """The script, or what `script` says instead; `forbidden` is refused in words, in a 200."""
        if "forbidden" in asked:
            part: dict[str, Any] = {"type": "refusal", "refusal": "I cannot help with that."}
        else:
            scenes = [{"prompt": f"A hill, {at}", "narration": f"Line {at}."} for at in range(3)]
            said = self.script if self.script is not None else {"scenes": scenes}
            words = said if isinstance(said, str) else json.dumps(said)
            part = {"type": "output_text", "text": words, "annotations": [], "logprobs": []}
        message = {"id": "msg_1", "type": "message", "role": "assistant", "status": "completed"}
        return {"output": [REASONING, {**message, "content": [part]}]}

    def _response(self, ref: str, more: Mapping[str, Any]) -> dict[str, Any]:
        fixed = {"id": ref, "object": "response", "created_at": 1_760_000_000, "model": TEXT_MODELS[0]}
        rest = {"parallel_tool_calls": True, "tool_choice": "auto", "tools": []}
        return {**fixed, **rest, "error": None, "incomplete_details": None, "status": "completed", **more}

    # Speech and moderation

    def speak(self, asked: Asked) -> Told:
        fields = asked.json()
        check_fields(
            fields,
            {"model": text(), "input": text(4096), "voice": one_of(*VOICES)},
            SPEECH,
        )
        if refused := self._model(fields["model"], SPEECH_MODELS):
            return refused
        if fields["model"].startswith("tts-1") and "instructions" in fields:
            raise Malformed("instructions", "is not supported by this model")
        kind = {"mp3": "mpeg"}.get(spoken := fields.get("response_format", "mp3"), spoken)
        seconds = len(fields["input"].split()) / 2.75 / fields.get("speed", 1.0)
        return Told(200, pcm(seconds), {"Content-Type": f"audio/{kind}"})

    def moderate(self, asked: Asked) -> Told:
        fields = asked.json()
        check_fields(fields, {"input": text()}, {"model": one_of("omni-moderation-latest")})
        flagged = "forbidden" in fields["input"]
        categories = {name: flagged and name in ("violence", "hate") for name in CATEGORIES}
        scores = {name: 0.9 if found else 0.0004 for name, found in categories.items()}
        kinds = {name: ["text"] for name in CATEGORIES}
        result = {"flagged": flagged, "categories": categories, "category_scores": scores}
        return telling(
            {
                "id": "modr-1",
                "model": "omni-moderation-latest",
                "results": [{**result, "category_applied_input_types": kinds}],
            }
        )

    def _model(self, named: str, known: tuple[str, ...]) -> Told | None:
        if named in known:
            return None
        message = f"The requested model '{named}' does not exist."
        return failing("model_not_found", message, 400, param="model")

    def models(self, _: Asked) -> Told:
        known = (*IMAGE_MODELS, *TEXT_MODELS, *SPEECH_MODELS)
        listed = [{"id": name, "object": "model", "created": 1, "owned_by": "openai"} for name in known]
        return telling({"object": "list", "data": listed})

    # Webhooks

    def event(
        self, ref: str, *, at_s: int, kind: str = "response.completed", secret: str | None = None
    ) -> tuple[dict[str, str], bytes]:
        """Headers and body of an event, signed by the standard's own library."""
        told = {"object": "event", "id": "evt_1", "type": kind, "created_at": at_s, "data": {"id": ref}}
        body = json.dumps(told)
        signature = Webhook(secret or self.webhook_secret).sign(
            "evt_1", datetime.fromtimestamp(at_s, UTC), body
        )
        headers = {"webhook-id": "evt_1", "webhook-timestamp": str(at_s), "webhook-signature": signature}
        return headers, body.encode()
