"""Google's Gemini API as far as Shoal speaks to it, after https://ai.google.dev/api.

A prompt with "forbidden" in it is blocked before, one with "unsafe" after it was drawn: both are 200s. A clip
needs `polls_needed` looks and ends as `ending` says; its file lies behind a redirect.
"""

from __future__ import annotations

import base64
import json
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from standardwebhooks import Webhook

from tests.fakes.providers.checks import anything, array, check_fields, encoded, obj, one_of, text
from tests.fakes.providers.google_keys import PUBLIC_KEYS, token
from tests.fakes.providers.media import MP4, png
from tests.fakes.providers.server import Asked, FakeProvider, Malformed, Told, telling

IMAGE_MODELS = ("gemini-3.1-flash-image", "gemini-3.1-flash-lite-image")
VIDEO_MODELS = ("gemini-omni-1.2-flash",)
WEBHOOK_SECRET = "whsec_" + base64.b64encode(b"google's signing key for us").decode()
STATUSES = {400: "INVALID_ARGUMENT", 403: "PERMISSION_DENIED", 404: "NOT_FOUND", 429: "RESOURCE_EXHAUSTED"}

_PICTURES = one_of("image/png", "image/jpeg", "image/webp")
_INLINE = {"mimeType": _PICTURES, "data": encoded}


def _inline(value: Any) -> bool:
    """Google's JSON takes a field's name in both spellings (protobuf's JSON mapping)."""
    spelled = {"mimeType" if name == "mime_type" else name: given for name, given in value.items()}
    return obj(_INLINE)(spelled)


_PART = {"text": text(), "inlineData": _inline}
_IMAGE_CONFIG = {
    "aspectRatio": one_of("1:1", "2:3", "3:2", "3:4", "4:3", "9:16", "16:9", "21:9"),
    "imageSize": one_of("1K", "2K", "4K"),
}
_VIDEO = {
    "aspect_ratio": one_of("16:9", "9:16"),
    "resolution": one_of("360p", "720p", "1080p", "4k"),
    "duration": one_of(*(f"{seconds}s" for seconds in range(3, 16))),
    "delivery": one_of("inline", "uri"),
}
_TASKS = one_of("text_to_video", "image_to_video")
_INTERACTION = {
    "background": one_of(True),
    "store": one_of(True),
    "response_format": obj({"type": one_of("video")}, _VIDEO),
    "generation_config": obj({"video_config": obj({"task": _TASKS})}),
    "webhook_config": obj(
        {"uris": array(text(), 1)}, {"user_metadata": lambda value: isinstance(value, dict)}
    ),
}


def failing(status: int, message: str, *details: Mapping[str, Any], name: str = "") -> Told:
    """An error in Google's shape."""
    error = {"code": status, "message": message, "status": name or STATUSES.get(status, "UNAVAILABLE")}
    return telling({"error": {**error, "details": list(details)}}, status)


def quota(delay: str, quota_id: str = "PerMinute") -> Told:
    """A used-up quota, with the hint where it has one."""
    failure = {"@type": "type.googleapis.com/google.rpc.QuotaFailure", "violations": [{"quotaId": quota_id}]}
    hint = {"@type": "type.googleapis.com/google.rpc.RetryInfo", "retryDelay": delay}
    return failing(429, "Resource has been exhausted (e.g. check quota).", failure, hint)


class FakeGemini(FakeProvider):
    routes = (
        ("POST", r"/v1(?:beta)?/models/([^/:]+):generateContent", "generate"),
        ("GET", r"/v1(?:beta)?/models", "models"),
        ("POST", r"/v1(?:beta)?/interactions", "interact"),
        ("GET", r"/v1(?:beta)?/interactions/([^/]+)", "look"),
        ("POST", r"/v1(?:beta)?/interactions/([^/]+)/cancel", "cancel"),
        ("GET", r"/v1(?:beta)?/files/([a-z0-9]+)", "file"),
        ("GET", r"/v1(?:beta)?/files/([a-z0-9]+):download", "redirect"),
        ("GET", r"/download/v1(?:beta)?/files/([a-z0-9]+):download", "download"),
        ("GET", r"/\.well-known/jwks\.json", "keys"),
    )

    def __init__(self, *, key: str = "AIza-gemini") -> None:
        super().__init__(key=key)
        self.webhook_secret = WEBHOOK_SECRET
        self.polls_needed = 1
        self.ending: dict[str, Any] = {"status": "completed"}
        self.finish_reason = "STOP"
        self.inline = False
        self.file_states: list[str] = []
        self.expired = False
        self.images_made = 0
        self.interactions: dict[str, dict[str, Any]] = {}

    @property
    def base_url(self) -> str:
        return f"{self.url}/v1"

    def allow(self, asked: Asked) -> Told | None:
        if asked.headers.get("x-goog-api-key") == self.key or asked.path.startswith("/.well-known"):
            return None
        reason = {"@type": "type.googleapis.com/google.rpc.ErrorInfo", "reason": "API_KEY_INVALID"}
        return failing(400, "API key not valid. Please pass a valid API key.", reason)

    def refuse(self, problem: Malformed) -> Told:
        return failing(problem.status, str(problem))

    # Pictures

    def generate(self, asked: Asked) -> Told:
        fields = asked.json()
        contents = array(obj({"parts": array(obj({}, _PART), 1)}, {"role": one_of("user")}), 1)
        config = obj(
            {"responseModalities": array(one_of("IMAGE"), 1)}, {"imageConfig": obj({}, _IMAGE_CONFIG)}
        )
        check_fields(fields, {"contents": contents, "generationConfig": config}, {"safetySettings": anything})
        assert asked.matched
        if asked.matched[1] in VIDEO_MODELS:
            return failing(400, "This model only supports Interactions API.")
        if asked.matched[1] not in IMAGE_MODELS:
            return failing(404, f"models/{asked.matched[1]} is not found for API version v1.")
        usage = {"promptTokenCount": 7, "totalTokenCount": 1127}
        if "forbidden" in str(fields["contents"]):
            blocked = {"blockReason": "PROHIBITED_CONTENT"}
            return telling({"promptFeedback": blocked, "usageMetadata": usage})
        rest = {"usageMetadata": usage, "modelVersion": asked.matched[1], "responseId": "r1"}
        return telling({"candidates": [self._candidate(str(fields["contents"]))], **rest})

    def _candidate(self, prompt: str) -> dict[str, Any]:
        reason = "IMAGE_SAFETY" if "unsafe" in prompt else self.finish_reason
        if reason != "STOP":
            return {"content": {}, "finishReason": reason, "index": 0}
        self.images_made += 1
        parts: list[dict[str, Any]] = [
            {"text": "A sketch first.", "thought": True},
            {"inlineData": {"mimeType": "image/png", "data": _encoded(png(8, 8))}, "thought": True},
            {"text": "Here it is."},
            {"inlineData": {"mimeType": "image/png", "data": _encoded(png(64, 64, self.images_made))}},
        ]
        return {"content": {"parts": parts, "role": "model"}, "finishReason": "STOP", "index": 0}

    def models(self, _: Asked) -> Told:
        return telling({"models": [{"name": f"models/{name}"} for name in (*IMAGE_MODELS, *VIDEO_MODELS)]})

    # Clips

    def interact(self, asked: Asked) -> Told:
        fields = asked.json()
        check_fields(fields, {"model": text(), "input": _input}, _INTERACTION)
        if fields["model"] not in VIDEO_MODELS:
            return failing(404, f"models/{fields['model']} is not found for API version v1.")
        ref = f"v1_{len(self.interactions) + 1:04x}"
        self.interactions[ref] = {"looks": 0, "model": fields["model"], "input": fields["input"]}
        return telling(self._interaction(ref, {"status": "in_progress"}))

    def look(self, asked: Asked) -> Told:
        ref, made = self._made(asked)
        made["looks"] += 1
        if made.get("canceled"):
            return telling(self._interaction(ref, {"status": "cancelled"}))
        if made["looks"] < self.polls_needed:
            return telling(self._interaction(ref, {"status": "in_progress"}))
        return telling(self._interaction(ref, {"steps": self._steps(made), **self.ending}))

    def cancel(self, asked: Asked) -> Told:
        ref, made = self._made(asked)
        if made["looks"] >= self.polls_needed:
            return failing(400, "The interaction has ended.", name="FAILED_PRECONDITION")
        made["canceled"] = True
        return telling(self._interaction(ref, {"status": "cancelled"}))

    def _made(self, asked: Asked) -> tuple[str, dict[str, Any]]:
        assert asked.matched
        ref = asked.matched[1]
        if ref not in self.interactions:
            raise Malformed("id", "interaction not found", status=404)
        return ref, self.interactions[ref]

    def _steps(self, made: Mapping[str, Any]) -> list[dict[str, Any]]:
        place = {"uri": f"{self.url}/v1beta/files/clip1:download?alt=media"}
        content = {"type": "video", "mime_type": "video/mp4"}
        content |= {"data": _encoded(MP4)} if self.inline else place
        asked = (
            made["input"] if isinstance(made["input"], list) else [{"type": "text", "text": made["input"]}]
        )
        return [
            {"type": "user_input", "content": asked if isinstance(asked, list) else []},
            {"type": "thought", "signature": "c2ln"},
            {"type": "model_output", "content": [content]},
        ]

    def _interaction(self, ref: str, more: Mapping[str, Any]) -> dict[str, Any]:
        fixed = {"id": ref, "object": "interaction", "model": VIDEO_MODELS[0]}
        at = {"created": "2026-11-22T00:00:00Z", "updated": "2026-11-22T00:00:00Z"}
        return {**fixed, **at, "status": "completed", **more}

    # Files

    def file(self, asked: Asked) -> Told:
        assert asked.matched
        state = self.file_states.pop(0) if self.file_states else "ACTIVE"
        named = {"name": f"files/{asked.matched[1]}", "mimeType": "video/mp4", "state": state}
        return self._gone() or telling(named)

    def redirect(self, asked: Asked) -> Told:
        return self._gone() or Told(302, headers={"Location": f"/download{asked.path}?alt=media"})

    def download(self, asked: Asked) -> Told:
        if asked.query != {"alt": "media"}:
            raise Malformed("alt", "must be media")
        return self._gone() or Told(200, MP4, {"Content-Type": "video/mp4"})

    def _gone(self) -> Told | None:
        """A file that is gone is answered like one that never was."""
        message = "You do not have permission to access the File clip1 or it may not exist."
        return failing(403, message) if self.expired else None

    # Webhooks

    def keys(self, _: Asked) -> Told:
        return telling(PUBLIC_KEYS)

    def event(
        self, ref: str, *, at_s: int, kind: str = "interaction.completed", secret: str | None = None
    ) -> tuple[dict[str, str], bytes]:
        """Headers and body of a project's webhook, signed by the standard's own library."""
        body = json.dumps({"type": kind, "version": "v1", "timestamp": "x", "data": {"id": ref}})
        at = datetime.fromtimestamp(at_s, UTC)
        signature = Webhook(secret or self.webhook_secret).sign("msg_1", at, body)
        headers = {"webhook-id": "msg_1", "webhook-timestamp": str(at_s), "webhook-signature": signature}
        return headers, body.encode()

    def token_event(self, ref: str, *, at_s: int, **claims: Any) -> tuple[dict[str, str], bytes]:
        """Headers and body of a webhook that a request named: a token of Google's signs it."""
        body = self.event(ref, at_s=at_s)[1]
        told = {"iss": "https://generativelanguage.googleapis.com", "iat": at_s, "exp": at_s + 300, **claims}
        headers = {"webhook-id": "msg_1", "webhook-timestamp": str(at_s), "webhook-signature": token(told)}
        return headers, body


def _encoded(data: bytes) -> str:
    return base64.b64encode(data).decode()


def _content(value: Any) -> bool:
    if isinstance(value, dict) and value.get("type") == "image":
        check_fields(value, {"type": anything, "data": encoded, "mime_type": text()}, {})
        return True
    return obj({"type": one_of("text"), "text": text()})(value)


def _input(value: Any) -> bool:
    """Words, contents, or contents as a step, as Google's own client sends them."""
    if isinstance(value, list) and len(value) == 1 and value[0].get("type") == "user_input":
        return obj({"type": one_of("user_input"), "content": array(_content, 1)})(value[0])
    return text()(value) or array(_content, 1)(value)
