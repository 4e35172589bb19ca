"""What a route says of a model goes to each provider as its documents spell it, against the fakes."""

from __future__ import annotations

import base64
from typing import Any

import pytest

from shoal.adapters.providers.bedrock.images import BedrockImages
from shoal.adapters.providers.bedrock.video import BedrockVideos
from shoal.adapters.providers.gemini.http import gemini_http
from shoal.adapters.providers.gemini.images import GeminiImages
from shoal.adapters.providers.gemini.video import GeminiVideos
from shoal.adapters.providers.openai.http import OpenAiHttp
from shoal.adapters.providers.openai.images import OpenAiBackground, OpenAiImages
from shoal.adapters.providers.openai.speech import OpenAiSpeech
from shoal.adapters.providers.polly.speech import PollySpeech
from shoal.adapters.providers.stability import Stability
from shoal.domain.errors import OutcomeUnknown, ProviderRejected
from shoal.domain.provider import Done, Pending, StagedInput
from tests.fakes.providers.bedrock import CLIP_MODEL, PICTURE_MODEL, FakeBedrock
from tests.fakes.providers.checks import plain
from tests.fakes.providers.gemini import FakeGemini
from tests.fakes.providers.media import png
from tests.fakes.providers.openai import FakeOpenAi
from tests.fakes.providers.openai_fields import IMAGE_MODELS, TEXT_MODELS
from tests.fakes.providers.polly import FakePolly
from tests.fakes.providers.server import broken_off, lost
from tests.fakes.providers.stability import FakeStability
from tests.integration.providers.aws import opened, set_credentials
from tests.support.providers import asking, delivered

PICTURE, OTHER = png(16, 16), png(17, 17)
IMAGE, OTHER_IMAGE = StagedInput(PICTURE, "image/png"), StagedInput(OTHER, "image/png")
DATA = base64.b64encode(PICTURE).decode()


def openai_http(fake: FakeOpenAi) -> OpenAiHttp:
    return OpenAiHttp(lambda: fake.key, fake.base_url)


def files(fake: FakeOpenAi | FakeStability) -> list[tuple[str, bytes]]:
    """The files of the last form, by the names of its parts."""
    return [(part.name, part.data) for part in fake.requests[-1].form() if part.filename is not None]


def test_openai_draws_with_a_quality_a_background_and_a_format(openai: FakeOpenAi) -> None:
    given = {"prompt": "a fox", "size": "1536x1024", "quality": "low", "background": "transparent"}
    given |= {"output_format": "webp", "moderation": "low"}
    more = {"output_compression": 80}
    done = OpenAiImages(openai_http(openai)).start(
        asking(provider_model=IMAGE_MODELS[0], input=given | more, seed=7, negative_prompt="fog")
    )
    assert openai.requests[-1].json() == {"model": IMAGE_MODELS[0], "n": 1, **given, **more}
    assert isinstance(done, Done)
    assert done.output.content_type == "image/webp"


@pytest.mark.parametrize("pictures", [IMAGE, [IMAGE, OTHER_IMAGE]])
def test_openai_edits_under_a_mask(openai: FakeOpenAi, pictures: Any) -> None:
    given = {"prompt": "a fox", "image": pictures, "mask": OTHER_IMAGE, "size": "1024x1024"}
    done = OpenAiImages(openai_http(openai)).start(asking(provider_model=IMAGE_MODELS[0], input=given))
    assert delivered(done)
    many = [("image[]", each.data) for each in (pictures if isinstance(pictures, list) else [pictures])]
    assert files(openai) == [*many, ("mask", OTHER)]
    fields = plain(openai.requests[-1].form())
    assert fields == {"model": IMAGE_MODELS[0], "n": "1", "prompt": "a fox", "size": "1024x1024"}


def test_openai_draws_in_the_background_with_what_its_tool_takes(openai: FakeOpenAi) -> None:
    background = OpenAiBackground(
        openai_http(openai), writer_model=TEXT_MODELS[0], webhook_secret=lambda: openai.webhook_secret
    )
    given = {"prompt": "a fox", "image": IMAGE, "quality": "high", "background": "opaque"}
    pending = background.start(asking(provider_model=IMAGE_MODELS[0], input=given))
    assert isinstance(pending, Pending)
    sent = openai.requests[-1].json()
    tool = {"type": "image_generation", "model": IMAGE_MODELS[0], "quality": "high", "background": "opaque"}
    assert sent["tools"] == [tool]
    text, picture = sent["input"][0]["content"]
    assert text == {"type": "input_text", "text": "a fox"}
    assert picture["image_url"] == f"data:image/png;base64,{DATA}"


def test_openai_speaks_a_text_in_a_voice(openai: FakeOpenAi) -> None:
    given = {"input": "The reef wakes.", "voice": "cedar", "response_format": "wav", "speed": 1.5}
    request = asking(provider_model="gpt-4o-mini-tts", input=given)
    speech = OpenAiSpeech(openai_http(openai))
    done = speech.start(request)
    assert openai.requests[-1].json() == {"model": "gpt-4o-mini-tts", **given}
    assert isinstance(done, Done)
    assert (done.output.content_type, bool(delivered(done))) == ("audio/wav", True)
    speech.start(asking(provider_model="tts-1", prompt="The reef."))
    said = {"model": "tts-1", "input": "The reef.", "voice": "alloy", "response_format": "mp3"}
    assert openai.requests[-1].json() == said
    openai.will(lost())
    with pytest.raises(OutcomeUnknown):
        speech.start(request)


def test_gemini_draws_from_a_body_of_its_own_with_the_files_in_it(gemini: FakeGemini) -> None:
    config = {"responseModalities": ["IMAGE"], "imageConfig": {"aspectRatio": "21:9", "imageSize": "4K"}}
    parts = [{"text": "a fox"}, {"inlineData": IMAGE}]
    safety = [{"category": "HARM_CATEGORY_DANGEROUS_CONTENT", "threshold": "BLOCK_ONLY_HIGH"}]
    given = {
        "contents": [{"role": "user", "parts": parts}],
        "generationConfig": config,
        "safetySettings": safety,
    }
    done = GeminiImages(gemini_http(lambda: gemini.key, gemini.base_url)).start(
        asking(provider_model="gemini-3.1-flash-image", input=given)
    )
    assert delivered(done)
    sent = gemini.requests[-1].json()
    assert sent["contents"][0]["parts"][1] == {"inlineData": {"mimeType": "image/png", "data": DATA}}
    assert (sent["generationConfig"], sent["safetySettings"]) == (config, safety)


def test_gemini_films_from_a_first_frame_for_some_seconds(gemini: FakeGemini) -> None:
    form = {
        "type": "video",
        "aspect_ratio": "9:16",
        "resolution": "1080p",
        "duration": "12s",
        "delivery": "uri",
    }
    text = {"type": "text", "text": "slow pan"}
    given = {
        "input": [IMAGE, text],
        "response_format": form,
        "generation_config": {"video_config": {"task": "image_to_video"}},
    }
    videos = GeminiVideos(gemini_http(lambda: gemini.key, gemini.base_url), webhook_secret=lambda: "")
    request = asking(provider_model="gemini-omni-1.2-flash", input=given)
    assert isinstance(videos.start(request), Pending)
    sent = gemini.requests[-1].json()
    assert sent.pop("webhook_config")["uris"] == [request.callback_url]
    assert sent == {
        **given,
        "model": "gemini-omni-1.2-flash",
        "background": True,
        "store": True,
        "input": [{"type": "image", "data": DATA, "mime_type": "image/png"}, text],
    }


@pytest.mark.parametrize(
    ("model", "path", "own"),
    [("core", "generate/core", {}), ("sd3.5-flash", "generate/sd3", {"model": "sd3.5-flash"})],
)
def test_stability_draws_with_a_routes_fields(
    stability: FakeStability, model: str, path: str, own: dict[str, str]
) -> None:
    given = {"prompt": "a fox", "aspect_ratio": "21:9", "output_format": "webp", "seed": 4}
    done = Stability(lambda: stability.key, stability.base_url).start(
        asking(provider_model=model, input=given)
    )
    assert isinstance(done, Done)
    assert done.output.content_type == "image/png", "what came, not what was asked for"
    assert plain(stability.requests[-1].form()) == {**given, "seed": "4", **own}
    assert stability.requests[-1].path == f"/v2beta/stable-image/{path}"


def test_stability_paints_under_a_mask(stability: FakeStability) -> None:
    given = {"prompt": "a fox", "image": IMAGE, "mask": OTHER_IMAGE, "grow_mask": 3}
    provider = Stability(lambda: stability.key, stability.base_url)
    request = asking(provider_model="edit/inpaint", input=given)
    assert delivered(provider.start(request)).startswith(b"\x89PNG")
    assert files(stability) == [("image", PICTURE), ("mask", OTHER)]
    assert plain(stability.requests[-1].form()) == {"prompt": "a fox", "grow_mask": "3"}
    with pytest.raises(ProviderRejected, match="moderation"):
        provider.start(asking(provider_model="edit/inpaint", input=given | {"prompt": "blurred"}))


def test_bedrock_draws_and_films_with_a_routes_fields(monkeypatch: pytest.MonkeyPatch) -> None:
    set_credentials(monkeypatch)
    drawing = {"prompt": "a fox", "mode": "image-to-image", "image": IMAGE, "strength": 0.4}
    frames = {
        name: {"type": "image", "source": file} for name, file in (("frame0", IMAGE), ("frame1", IMAGE))
    }
    clip = {"prompt": "a fox", "duration": "9s", "resolution": "540p", "loop": True, "keyframes": frames}
    with FakeBedrock() as fake, opened("bedrock-runtime", fake.url) as client:
        assert delivered(BedrockImages(client).start(asking(provider_model=PICTURE_MODEL, input=drawing)))
        assert fake.requests[-1].json() == {**drawing, "image": DATA}
        videos = BedrockVideos(client, output_uri="s3://clips/raw")
        videos.start(asking(provider_model=CLIP_MODEL, input=clip))
        source = {"type": "base64", "media_type": "image/png", "data": DATA}
        sent = fake.requests[-1].json()["modelInput"]
        assert sent["keyframes"] == {
            name: {"type": "image", "source": source} for name in ("frame0", "frame1")
        }
        assert {**sent, "keyframes": frames} == clip
        assert fake.problems == []


def test_polly_speaks_a_text_in_a_voice(monkeypatch: pytest.MonkeyPatch) -> None:
    set_credentials(monkeypatch)
    given = {"Text": "Guten Tag", "VoiceId": "Vicki", "LanguageCode": "de-DE", "OutputFormat": "ogg_vorbis"}
    with FakePolly() as fake, opened("polly", fake.url) as client:
        polly = PollySpeech(client)
        done = polly.start(asking(provider_model="neural", input=given))
        assert fake.requests[-1].json() == {"Engine": "neural", **given}
        assert isinstance(done, Done)
        assert (done.output.content_type, bool(delivered(done))) == ("audio/ogg", True)
        polly.start(asking(provider_model="neural", prompt="The reef."))
        assert fake.requests[-1].json()["Text"] == "The reef."
        for fault in (lost(), broken_off()):
            fake.will(fault)
            with pytest.raises(OutcomeUnknown):
                polly.start(asking(provider_model="neural", input=given))
        assert polly.test() == "1 voices"
        assert fake.problems == []
