"""Google's own client against the fake: each understands what the other says."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from google import genai
from google.genai import errors, types
from google.genai.interactions import Interaction

from tests.fakes.providers.gemini import FakeGemini, quota
from tests.fakes.providers.media import MP4
from tests.fakes.providers.server import instead
from tests.support.providers import PICTURE

MODEL = "gemini-3.1-flash-image"
VIDEO_MODEL = "gemini-omni-1.2-flash"


@pytest.fixture
def client(gemini: FakeGemini) -> Iterator[genai.Client]:
    client = genai.Client(api_key=gemini.key, http_options=types.HttpOptions(base_url=gemini.url))
    yield client
    client.close()


def test_pictures_are_drawn_and_edited(gemini: FakeGemini, client: genai.Client) -> None:
    config = types.GenerateContentConfig(
        response_modalities=["IMAGE"],
        image_config=types.ImageConfig(aspect_ratio="9:16", image_size="1K"),
    )
    picture = types.Part.from_bytes(data=PICTURE, mime_type="image/png")
    asked = types.Content(role="user", parts=[types.Part.from_text(text="a red fox"), picture])
    answer = client.models.generate_content(model=MODEL, contents=asked, config=config)
    assert answer.candidates
    content = answer.candidates[0].content
    assert content
    drawn = [part.inline_data for part in content.parts or () if part.inline_data and not part.thought]
    assert drawn[0].mime_type == "image/png"
    assert (drawn[0].data or b"").startswith(b"\x89PNG")
    blocked = client.models.generate_content(model=MODEL, contents="forbidden things", config=config)
    assert blocked.prompt_feedback
    assert blocked.prompt_feedback.block_reason == types.BlockedReason.PROHIBITED_CONTENT
    unsafe = client.models.generate_content(model=MODEL, contents="unsafe things", config=config)
    assert unsafe.candidates
    assert unsafe.candidates[0].finish_reason == types.FinishReason.IMAGE_SAFETY


def test_a_clip_is_filmed_stopped_and_fetched(gemini: FakeGemini, client: genai.Client) -> None:
    gemini.polls_needed = 2
    begun = client.interactions.create(
        model=VIDEO_MODEL,
        input=[{"type": "text", "text": "slow pan"}],
        background=True,
        store=True,
        response_format={
            "type": "video",
            "aspect_ratio": "9:16",
            "resolution": "720p",
            "duration": "8s",
            "delivery": "uri",
        },
        generation_config={"video_config": {"task": "text_to_video"}},
        webhook_config={"uris": ["https://shoal.example/hook"], "user_metadata": {"job": "1"}},
    )
    assert isinstance(begun, Interaction)
    assert begun.status == "in_progress"
    assert begun.id
    assert client.interactions.get(begun.id).status == "in_progress"
    done = client.interactions.get(begun.id)
    assert done.status == "completed"
    assert done.output_video
    assert (done.output_video.uri or "").endswith("/files/clip1:download?alt=media")
    assert client.files.get(name="files/clip1").state == types.FileState.ACTIVE
    assert client.files.download(file="files/clip1") == MP4
    other = client.interactions.create(model=VIDEO_MODEL, input="slow pan", background=True)
    assert isinstance(other, Interaction)
    assert other.id
    assert client.interactions.cancel(other.id).status == "cancelled"


def test_errors_are_of_the_clients_classes(gemini: FakeGemini, client: genai.Client) -> None:
    config = types.GenerateContentConfig(response_modalities=["IMAGE"])
    with pytest.raises(errors.ClientError) as unknown:
        client.models.generate_content(model="gemini-2.5-flash-image", contents="x", config=config)
    assert (unknown.value.code, unknown.value.status) == (404, "NOT_FOUND")
    gemini.will(instead(quota("23s")))
    with pytest.raises(errors.ClientError) as busy:
        client.models.generate_content(model=MODEL, contents="x", config=config)
    assert (busy.value.code, busy.value.status) == (429, "RESOURCE_EXHAUSTED")
    denied = genai.Client(api_key="wrong", http_options=types.HttpOptions(base_url=gemini.url))
    with pytest.raises(errors.ClientError, match="API key not valid"):
        denied.models.generate_content(model=MODEL, contents="x", config=config)
    denied.close()


def test_what_the_contract_does_not_know_is_refused(gemini: FakeGemini, client: genai.Client) -> None:
    config = types.GenerateContentConfig(response_modalities=["IMAGE"], seed=7)
    with pytest.raises(errors.ClientError):
        client.models.generate_content(model=MODEL, contents="x", config=config)
    assert len(gemini.problems) == 1
    gemini.problems.clear()
