"""AWS's own service models against what the adapters send and the fakes answer.

The adapters' clients do not validate, to save the time; these do.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import boto3
import pytest
from botocore.config import Config

from shoal.adapters.providers.bedrock.guardrails import BedrockGuardrails
from shoal.adapters.providers.bedrock.images import BedrockImages
from shoal.adapters.providers.bedrock.script import BedrockScriptWriter
from shoal.adapters.providers.bedrock.video import BedrockVideos
from shoal.adapters.providers.polly.speech import Polly
from shoal.domain.provider import Done, Pending
from tests.fakes.providers.aws import REGION
from tests.fakes.providers.bedrock import (
    CLIP_MODEL,
    FORBIDDEN_WORD,
    GUARDRAIL,
    GUARDRAIL_VERSION,
    PICTURE_MODEL,
    SCRIPT_MODEL,
    FakeBedrock,
)
from tests.fakes.providers.media import png
from tests.fakes.providers.polly import FakePolly
from tests.integration.providers.aws import set_credentials
from tests.support.providers import asking


@pytest.fixture(autouse=True)
def _credentials(monkeypatch: pytest.MonkeyPatch) -> None:
    set_credentials(monkeypatch)


@contextmanager
def strict(service: str, url: str) -> Iterator[Any]:
    """A client as boto3 makes it, that checks every parameter."""
    config = Config(parameter_validation=True, retries={"total_max_attempts": 1})
    client = boto3.client(service, region_name=REGION, endpoint_url=url, config=config)  # type: ignore[call-overload]
    yield client
    client.close()


def test_bedrock_takes_what_is_sent() -> None:
    with FakeBedrock() as fake, strict("bedrock-runtime", fake.url) as client:
        images, videos = BedrockImages(client), BedrockVideos(client, output_uri="s3://clips")
        images.test()
        assert isinstance(images.start(asking(provider_model=PICTURE_MODEL, inputs=(png(8, 8),))), Done)
        clip = asking(provider_model=CLIP_MODEL, seconds=5)
        begun = videos.start(clip)
        assert isinstance(begun, Pending)
        videos.check(str(begun.ref), clip)
        BedrockScriptWriter(client, model=SCRIPT_MODEL).write(
            idea="x", category="news", scene_count=1, style=None, language="en", seed=None
        )
        guardrail = BedrockGuardrails(client, guardrail_id=GUARDRAIL, version=GUARDRAIL_VERSION)
        assert guardrail.check(FORBIDDEN_WORD).flagged
        assert fake.problems == []


def test_polly_takes_what_is_sent() -> None:
    with FakePolly() as fake, strict("polly", fake.url) as client:
        Polly(client).test()
        Polly(client).speak("Hi.", voice="ava", language="cy", words_per_minute=120)
        assert fake.problems == []


def test_the_fakes_speak_boto3s_language() -> None:
    with FakeBedrock() as fake, strict("bedrock-runtime", fake.url) as client:
        body = json.dumps({"prompt": "x", "mode": "text-to-image"})
        picture = client.invoke_model(modelId=PICTURE_MODEL, body=body, contentType="application/json")
        assert json.loads(picture["body"].read())["finish_reasons"] == [None]
        with pytest.raises(client.exceptions.ValidationException, match="identifier is invalid"):
            client.invoke_model(modelId="nobody.none", body=body, contentType="application/json")
        target = {"s3OutputDataConfig": {"s3Uri": "s3://clips/x"}}
        started = {"modelId": CLIP_MODEL, "modelInput": {"prompt": "x"}, "outputDataConfig": target}
        first, again = (client.start_async_invoke(**started, clientRequestToken="t") for _ in range(2))
        assert first["invocationArn"] == again["invocationArn"]
        with pytest.raises(client.exceptions.ConflictException):
            client.start_async_invoke(
                **started | {"modelInput": {"prompt": "another"}}, clientRequestToken="t"
            )
        found = client.get_async_invoke(invocationArn=first["invocationArn"])
        assert (found["status"], found["submitTime"].year) == ("InProgress", 2026)
        assert fake.problems == []
    with FakePolly() as fake_polly, strict("polly", fake_polly.url) as client:
        spoken = client.synthesize_speech(Text="Hi.", VoiceId="Joanna", OutputFormat="pcm", Engine="neural")
        assert spoken["AudioStream"].read()
        with pytest.raises(client.exceptions.EngineNotSupportedException):
            client.synthesize_speech(Text="Hi.", VoiceId="Maxim", OutputFormat="pcm", Engine="neural")
        with pytest.raises(client.exceptions.InvalidSampleRateException):
            client.synthesize_speech(Text="Hi.", VoiceId="Joanna", OutputFormat="pcm", SampleRate="24000")
        assert fake_polly.problems == []
