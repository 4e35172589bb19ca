"""OpenAI's own client against the fake: each understands what the other says."""

from __future__ import annotations

import base64
import io
from collections.abc import Iterator

import openai as sdk
import pytest
from openai import OpenAI

from tests.fakes.providers.openai import FakeOpenAi
from tests.fakes.providers.openai_fields import failing
from tests.fakes.providers.server import instead, lost
from tests.support.providers import NOW_S, PICTURE


@pytest.fixture
def client(openai: FakeOpenAi) -> Iterator[OpenAI]:
    with OpenAI(api_key=openai.key, base_url=openai.base_url, max_retries=0) as client:
        yield client


def test_pictures_are_drawn_and_edited(client: OpenAI) -> None:
    drawn = client.images.generate(
        model="gpt-image-2", prompt="a red fox", size="1536x864", quality="low", output_format="png", n=1
    )
    assert drawn.data
    assert base64.b64decode(drawn.data[0].b64_json or "").startswith(b"\x89PNG")
    assert drawn.usage
    assert drawn.usage.total_tokens == 127
    pictures = [("a.png", io.BytesIO(PICTURE), "image/png")] * 2
    edited = client.images.edit(model="gpt-image-2", prompt="bluer", image=pictures, size="1024x1024")
    assert edited.data
    assert edited.data[0].b64_json


def test_a_response_is_made_in_the_background_and_stopped(openai: FakeOpenAi, client: OpenAI) -> None:
    openai.polls_needed = 2
    begun = client.responses.create(
        model="gpt-6-luna",
        input="a red fox",
        background=True,
        tools=[{"type": "image_generation", "model": "gpt-image-2", "size": "1024x1536"}],
        tool_choice="required",
    )
    assert begun.status == "queued"
    assert client.responses.retrieve(begun.id).status == "in_progress"
    done = client.responses.retrieve(begun.id)
    calls = [item for item in done.output if item.type == "image_generation_call"]
    assert done.status == "completed"
    assert base64.b64decode(calls[0].result or "").startswith(b"\x89PNG")
    with pytest.raises(sdk.BadRequestError):
        client.responses.cancel(begun.id)
    other = client.responses.create(
        model="gpt-6-luna",
        input=[{"role": "user", "content": [{"type": "input_text", "text": "a fox"}]}],
        background=True,
        tools=[{"type": "image_generation", "model": "gpt-image-2"}],
        tool_choice="required",
    )
    assert client.responses.cancel(other.id).status == "cancelled"


def test_a_script_is_held_to_its_schema(client: OpenAI) -> None:
    schema: dict[str, object] = {
        "type": "object",
        "properties": {"scenes": {"type": "array", "items": {"type": "string"}}},
        "required": ["scenes"],
        "additionalProperties": False,
    }
    script = {"type": "json_schema", "name": "script", "schema": schema, "strict": True}
    written = client.responses.create(model="gpt-6-luna", input="a hill", text={"format": script})  # type: ignore[call-overload]
    assert written.output_text.startswith('{"scenes"')


def test_text_is_spoken_and_judged(client: OpenAI) -> None:
    spoken = client.audio.speech.create(
        model="gpt-4o-mini-tts", voice="coral", input="one two three", response_format="pcm", speed=1.5
    )
    assert len(spoken.read()) == int(3 / 2.75 / 1.5 * 24_000) * 2
    judged = client.moderations.create(model="omni-moderation-latest", input="forbidden things")
    assert judged.results[0].flagged
    assert judged.results[0].categories.violence
    assert not judged.results[0].categories.sexual_minors


def test_errors_are_of_the_clients_classes(openai: FakeOpenAi, client: OpenAI) -> None:
    with pytest.raises(sdk.AuthenticationError):
        client.with_options(api_key="sk-wrong").moderations.create(input="x")
    with pytest.raises(sdk.BadRequestError) as blocked:
        client.images.generate(model="gpt-image-2", prompt="forbidden things")
    assert blocked.value.code == "moderation_blocked"
    with pytest.raises(sdk.BadRequestError) as unknown:
        client.images.generate(model="dall-e-3", prompt="a fox")
    assert unknown.value.code == "model_not_found"
    openai.will(instead(failing("rate_limit_exceeded", "Slow down.", 429)))
    with pytest.raises(sdk.RateLimitError):
        client.moderations.create(input="x")
    with pytest.raises(sdk.NotFoundError):
        client.responses.retrieve("resp_none")
    openai.will(lost())
    with pytest.raises(sdk.APIConnectionError):
        client.moderations.create(input="x")
    assert any("not found" in problem for problem in openai.problems)
    openai.problems.clear()


def test_the_client_sends_no_idempotency_key(openai: FakeOpenAi, client: OpenAI) -> None:
    client.images.generate(model="gpt-image-2", prompt="a fox")
    assert "idempotency-key" not in openai.requests[0].headers


def test_what_the_contract_does_not_know_is_refused(openai: FakeOpenAi, client: OpenAI) -> None:
    with pytest.raises(sdk.BadRequestError):
        client.images.generate(model="gpt-image-2", prompt="a fox", response_format="url")
    with pytest.raises(sdk.BadRequestError):
        client.images.generate(model="gpt-image-2", prompt="a fox", size="1000x1000")
    assert len(openai.problems) == 2
    openai.problems.clear()


def test_the_client_believes_the_fakes_events(
    openai: FakeOpenAi, client: OpenAI, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("time.time", lambda: NOW_S)
    headers, body = openai.event("resp_1", at_s=NOW_S)
    event = client.webhooks.unwrap(body, headers, secret=openai.webhook_secret)
    assert event.type == "response.completed"
    assert event.data.id == "resp_1"
    with pytest.raises(sdk.InvalidWebhookSignatureError):
        client.webhooks.unwrap(body + b" ", headers, secret=openai.webhook_secret)
