"""What requests to OpenAI may carry, and the fixed parts of its answers."""

from __future__ import annotations

import base64
from typing import Any

from tests.fakes.providers.checks import (
    anything,
    array,
    check_fields,
    data_url,
    integer,
    number,
    obj,
    one_of,
    text,
)
from tests.fakes.providers.server import Malformed, Told, telling

IMAGE_MODELS = ("gpt-image-2", "gpt-image-2.6-flare")
TEXT_MODELS = ("gpt-6-luna",)
SPEECH_MODELS = ("gpt-4o-mini-tts", "tts-1")
VOICES = (
    "alloy",
    "ash",
    "ballad",
    "coral",
    "echo",
    "fable",
    "onyx",
    "nova",
    "sage",
    "shimmer",
    "verse",
    "marin",
    "cedar",
)
CATEGORIES = (
    "harassment",
    "harassment/threatening",
    "hate",
    "hate/threatening",
    "illicit",
    "illicit/violent",
    "self-harm",
    "self-harm/intent",
    "self-harm/instructions",
    "sexual",
    "sexual/minors",
    "violence",
    "violence/graphic",
)
BLOCKED = {
    "message": "Your request was rejected by the safety system. safety_violations=[violence].",
    "type": "image_generation_user_error",
    "param": None,
    "code": "moderation_blocked",
    "moderation_details": {"moderation_stage": "input", "categories": ["violence"]},
}
WEBHOOK_SECRET = "whsec_" + base64.b64encode(b"openai's own signing key").decode()

DRAWING = {
    "n": integer(1, 10),
    "size": text(20),
    "quality": one_of("auto", "low", "medium", "high"),
    "output_format": one_of("png", "webp", "jpeg"),
    "output_compression": integer(0, 100),
    "background": one_of("transparent", "opaque", "auto"),
    "moderation": one_of("low", "auto"),
}
FORMAT = obj({"type": one_of("json_schema"), "name": text(64), "schema": anything, "strict": one_of(True)})


def failing(code: str, message: str, status: int, **more: Any) -> Told:
    """An error in OpenAI's shape."""
    kind = {429: "requests", 500: "server_error", 503: "server_error"}.get(status, "invalid_request_error")
    error = {"message": message, "type": kind, "param": None, "code": code, **more}
    return telling({"error": error}, status)


REASONING = {"id": "rs_1", "type": "reasoning", "summary": []}


def _message_part(value: Any) -> bool:
    if isinstance(value, dict) and value.get("type") == "input_image":
        check_fields(
            value,
            {"type": anything, "image_url": data_url},
            {"detail": one_of("low", "high", "auto")},
        )
        return True
    return obj({"type": one_of("input_text"), "text": text()})(value)


MESSAGE = obj({"role": one_of("user"), "content": array(_message_part, 1)})


def size_of(size: str) -> tuple[int, int]:
    """The rules of gpt-image-2 and later."""
    width, _, height = size.partition("x")
    if not (width.isdigit() and height.isdigit()):
        raise Malformed("size", "is not WIDTHxHEIGHT")
    long, short = max(int(width), int(height)), min(int(width), int(height))
    if int(width) % 16 or int(height) % 16 or long > 3840 or short > 2160 or long > 3 * short:
        raise Malformed("size", f"{size} is not supported")
    return int(width), int(height)


def check_strict(schema: Any) -> None:
    """Strict schemas: every object closed, every key required."""
    if isinstance(schema, dict):
        if schema.get("type") == "object" and (
            schema.get("additionalProperties") is not False
            or sorted(schema.get("required", ())) != sorted(schema.get("properties", ()))
        ):
            raise Malformed("text.format.schema", "is not strict")
        for inner in schema.values():
            check_strict(inner)


SPEECH = {
    "instructions": text(),
    "response_format": one_of("mp3", "opus", "aac", "flac", "wav", "pcm"),
    "speed": number(0.25, 4.0),
}
