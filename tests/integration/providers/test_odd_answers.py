"""Answers whose parts are of other kinds than documented: an adapter makes one of the port's errors of each.

Whatever else it raised would end the handler again at every look at the same answer.
"""

from __future__ import annotations

import base64
import json
from collections.abc import Callable, Iterator
from contextlib import suppress
from copy import deepcopy
from typing import Any

import pytest

from shoal.adapters.providers.fal.images import Fal
from shoal.adapters.providers.gemini.http import gemini_http
from shoal.adapters.providers.gemini.images import GeminiImages
from shoal.adapters.providers.gemini.video import GeminiVideos
from shoal.adapters.providers.kit.http import ProviderHttp, Reply
from shoal.adapters.providers.kit.script_prompt import read
from shoal.adapters.providers.openai.http import OpenAiHttp
from shoal.adapters.providers.openai.images import OpenAiBackground, OpenAiImages
from shoal.adapters.providers.openai.moderation import OpenAiModerator
from shoal.adapters.providers.openai.script import OpenAiScriptWriter
from shoal.adapters.providers.replicate import Replicate
from shoal.adapters.providers.stability import Stability
from shoal.domain.errors import OutcomeUnknown, ProviderUnusable, ShoalError
from tests.support.providers import PICTURE, answered, asking

JUNK: tuple[Any, ...] = (None, True, 7, "", "http://[", "\ud800", [], [7], [[]], {}, {"x": 7})
DATA = base64.b64encode(PICTURE).decode()
STATUSES = (400, 403, 422, 429, 503)


def key() -> str:
    return "sk-1"


OPENAI, GEMINI = OpenAiHttp(key), gemini_http(key)
IMAGES, BACKGROUND = (
    OpenAiImages(OPENAI),
    OpenAiBackground(OPENAI, writer_model="gpt", webhook_secret=key),
)
PICTURES, CLIPS = GeminiImages(GEMINI), GeminiVideos(GEMINI, webhook_secret=key)
STABILITY, REPLICATE, FAL = Stability(key), Replicate(key), Fal(key)
REQUEST = asking(provider_model="owner/name")
RESPONSE = {
    "id": "resp_1",
    "status": "completed",
    "error": None,
    "incomplete_details": None,
    "output": [
        {"type": "reasoning", "summary": []},
        {"type": "message", "content": [{"type": "output_text", "text": "{}"}]},
        {"type": "image_generation_call", "status": "completed", "result": DATA},
    ],
}
PREDICTION = {"id": "p1", "status": "succeeded", "output": ["https://files.example/1.png"], "error": None}
CANDIDATES = {
    "promptFeedback": {},
    "candidates": [
        {
            "content": {"parts": [{"text": "x"}, {"inlineData": {"mimeType": "image/png", "data": DATA}}]},
            "finishReason": "STOP",
            "safetyRatings": [{"category": "x", "blocked": False}],
        }
    ],
}
BLOCKED = {"candidates": [{"content": {}, "finishReason": "SAFETY", "safetyRatings": [{"blocked": True}]}]}
CLIP = {
    "id": "v1_1",
    "status": "completed",
    "steps": [
        {"type": "thought"},
        {"type": "model_output", "content": [{"type": "video", "uri": "https://files.example/1.mp4"}]},
    ],
}
QUEUED = {"status": "IN_QUEUE", "request_id": "r1", "response_url": "https://queue.fal.run/a/b/requests/r1"}
FILES = {
    "status": "COMPLETED",
    "images": [{"url": "https://files.example/1.png"}],
    "has_nsfw_concepts": [False],
}
MODERATED = {"results": [{"flagged": True, "categories": {"hate": True}}]}


def script() -> None:
    OpenAiScriptWriter(OPENAI, model="gpt").write(
        idea="i", category="story", scene_count=1, style=None, language="en", seed=None
    )


CALLS: dict[str, tuple[Callable[[], object], Any]] = {
    "openai": (lambda: IMAGES.start(REQUEST), {"data": [{"b64_json": DATA}]}),
    "openai-test": (OPENAI.test, {"data": [{"id": "x"}]}),
    "openai-background": (lambda: BACKGROUND.start(REQUEST), RESPONSE),
    "openai-background-check": (lambda: BACKGROUND.check("resp_1", REQUEST), RESPONSE),
    "openai-script": (script, RESPONSE),
    "openai-moderation": (lambda: OpenAiModerator(OPENAI, model="m").check("x"), MODERATED),
    "gemini": (lambda: PICTURES.start(REQUEST), CANDIDATES),
    "gemini-blocked": (lambda: PICTURES.start(REQUEST), BLOCKED),
    "gemini-test": (PICTURES.test, {"models": [{"name": "x"}]}),
    "gemini-video": (lambda: CLIPS.start(REQUEST), CLIP),
    "gemini-video-check": (lambda: CLIPS.check("v1_1", REQUEST), CLIP),
    "gemini-video-failed": (
        lambda: CLIPS.check("v1_1", REQUEST),
        {"id": "v1_1", "status": "failed", "errors": [{"code": "x", "message": "y"}]},
    ),
    "stability": (lambda: STABILITY.start(REQUEST), {"id": "0" * 64}),
    "replicate": (lambda: REPLICATE.start(REQUEST), PREDICTION),
    "replicate-check": (lambda: REPLICATE.check("p1", REQUEST), PREDICTION),
    "fal": (lambda: FAL.start(REQUEST), QUEUED),
    "fal-check": (lambda: FAL.check("r1", REQUEST), FILES),
}
ERRORS = (
    {"error": {"message": "m", "type": "t", "param": "p", "code": "c"}},
    {
        "error": {
            "code": 429,
            "message": "m",
            "status": "s",
            "details": [{"violations": [{}], "retryDelay": "3s"}],
        }
    },
    {"id": "a", "name": "bad_request", "errors": ["e"]},
    {"title": "t", "detail": "d", "status": 4},
    {"detail": [{"loc": ["body"], "msg": "m", "type": "t"}], "error_type": "t"},
)


def altered(value: Any) -> Iterator[Any]:
    """The value with each of its parts, itself among them, replaced by each piece of junk."""
    yield from JUNK
    parts = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for name, part in parts:
        for other in altered(part):
            changed = deepcopy(value)
            changed[name] = other
            yield changed


def answering(monkeypatch: pytest.MonkeyPatch, status: int, value: Any) -> None:
    body, kind = json.dumps(value).encode(), {"Content-Type": "application/json"}

    def send(self: ProviderHttp, method: str, path: str, **how: Any) -> Reply:
        self.is_own(path)
        return Reply(self.provider, status, kind, answered(kind, body), method == "GET")

    monkeypatch.setattr(ProviderHttp, "send", send)


@pytest.mark.parametrize("name", CALLS)
def test_an_odd_answer_is_an_error_of_the_port(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    ask, usual = CALLS[name]
    for value in altered(usual):
        answering(monkeypatch, 200, value)
        with suppress(ShoalError):
            ask()


@pytest.mark.parametrize("name", CALLS)
def test_an_odd_refusal_is_an_error_of_the_port(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    ask, _ = CALLS[name]
    for error in ERRORS:
        for value in altered(error):
            for status in STATUSES:
                answering(monkeypatch, status, value)
                with pytest.raises(ShoalError):
                    ask()


def test_an_odd_script_has_failed() -> None:
    usual = {"scenes": [{"prompt": "p", "narration": "n"}]}
    for value in altered(usual):
        with suppress(ShoalError):
            (scene,) = read(json.dumps(value), 1)
            (scene.prompt + scene.narration).encode()


@pytest.mark.parametrize(
    "place",
    [
        "https://queue.fal.run/a/b/requests/\ud800",
        "https://queue.fal.run/?x",
        f"https://queue.fal.run/{'a' * 999}",
    ],
    ids=["no text", "a query", "too long"],
)
def test_an_odd_reference_is_not_kept(place: str, monkeypatch: pytest.MonkeyPatch) -> None:
    answering(monkeypatch, 200, QUEUED | {"response_url": place})
    with pytest.raises(OutcomeUnknown):
        FAL.start(REQUEST)


def test_what_a_provider_says_can_be_stored(monkeypatch: pytest.MonkeyPatch) -> None:
    answering(monkeypatch, 401, {"error": {"message": "\ud800"}})
    with pytest.raises(ProviderUnusable) as found:
        IMAGES.start(REQUEST)
    assert str(found.value).encode()
