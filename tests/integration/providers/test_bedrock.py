"""Bedrock's pictures against the fake Bedrock."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial

import pytest

from shoal.adapters.providers.bedrock.images import BedrockImages
from shoal.domain.errors import (
    CallbackRefused,
    OutcomeUnknown,
    ProviderBusy,
    ProviderFailed,
    ProviderRejected,
    ProviderUnusable,
)
from shoal.domain.provider import Done
from tests.fakes.providers.aws import REGION, error
from tests.fakes.providers.bedrock import PICTURE_MODEL, FakeBedrock
from tests.fakes.providers.media import png
from tests.fakes.providers.server import (
    Fault,
    Told,
    broken_off,
    garbage,
    instead,
    lost,
    telling,
)
from tests.integration.providers.aws import opened, set_credentials
from tests.support.providers import NOW_MS, asking, delivered, gateways

PICTURE = asking(provider_model=PICTURE_MODEL)


@pytest.fixture(autouse=True)
def _credentials(monkeypatch: pytest.MonkeyPatch) -> None:
    set_credentials(monkeypatch)


@pytest.fixture
def fake() -> Iterator[FakeBedrock]:
    with FakeBedrock() as fake:
        yield fake
        assert fake.problems == []


@pytest.fixture
def bedrock(fake: FakeBedrock) -> Iterator[BedrockImages]:
    with adapter(fake.url) as bedrock:
        yield bedrock


@contextmanager
def adapter(url: str) -> Iterator[BedrockImages]:
    with opened("bedrock-runtime", url) as client:
        yield BedrockImages(client)


def test_the_credentials_are_tested(bedrock: BedrockImages, fake: FakeBedrock) -> None:
    assert bedrock.test() == f"reached in {REGION}"
    fake.will(instead(error(403, "AccessDeniedException", "not authorized")), instead(telling({})))
    with pytest.raises(ProviderUnusable):
        bedrock.test()
    with pytest.raises(ProviderBusy):
        bedrock.test()


def test_a_picture_comes_at_once(fake: FakeBedrock, bedrock: BedrockImages) -> None:
    done = bedrock.start(asking(provider_model=PICTURE_MODEL, seed=7, negative_prompt="fog", index=1))
    assert delivered(done) == png(64, 64)
    assert fake.requests[0].path == "/model/stability.stable-image-core-v1%3A1/invoke"
    assert fake.requests[0].json() == {
        "prompt": "a red fox",
        "output_format": "png",
        "mode": "text-to-image",
        "aspect_ratio": "16:9",
        "seed": 8,
        "negative_prompt": "fog",
    }


def test_a_picture_is_edited(fake: FakeBedrock, bedrock: BedrockImages) -> None:
    assert isinstance(bedrock.start(asking(provider_model=PICTURE_MODEL, inputs=(png(16, 16),))), Done)
    sent = fake.requests[0].json()
    assert (sent["mode"], sent["strength"]) == ("image-to-image", 0.7)
    assert not {"aspect_ratio", "seed"} & set(sent)
    with pytest.raises(ProviderRejected, match="one picture"):
        bedrock.start(asking(provider_model=PICTURE_MODEL, inputs=(png(16, 16), png(16, 16))))


@pytest.mark.parametrize(
    ("reason", "error_class"),
    [
        ("Filter reason: prompt", ProviderRejected),
        ("Filter reason: output image", ProviderRejected),
        ("Filter reason: input image", ProviderRejected),
        ("Inference error", ProviderFailed),
    ],
)
def test_a_picture_that_was_filtered_is_found_in_a_200(
    fake: FakeBedrock, bedrock: BedrockImages, reason: str, error_class: type[Exception]
) -> None:
    fake.finish_reason = reason
    with pytest.raises(error_class):
        bedrock.start(PICTURE)


@pytest.mark.parametrize("images", [[], [""], ["?"], [None], None])
def test_an_answer_without_a_picture_has_failed(
    fake: FakeBedrock, bedrock: BedrockImages, images: list[str | None] | None
) -> None:
    fake.will(instead(telling({"seeds": [1], "finish_reasons": [None], "images": images})))
    with pytest.raises(ProviderFailed):
        bedrock.start(PICTURE)


@pytest.mark.parametrize("fault", [lost(), broken_off(), garbage()])
def test_a_picture_whose_answer_is_lost_is_unknown(
    fake: FakeBedrock, bedrock: BedrockImages, fault: Fault
) -> None:
    fake.will(fault)
    with pytest.raises(OutcomeUnknown):
        bedrock.start(PICTURE)
    assert len(fake.requests) == 1, "nothing is asked again behind the caller's back"


@pytest.mark.parametrize(
    ("answer", "error_class", "says"),
    [
        (
            error(403, "AccessDeniedException", "You don't have access to the model"),
            ProviderUnusable,
            "access",
        ),
        (error(400, "ServiceQuotaExceededException", "too many invocations"), ProviderUnusable, "too many"),
        (error(404, "ResourceNotFoundException", "This model is legacy"), ProviderUnusable, "legacy"),
        (error(400, "ValidationException", "Invalid S3 credentials"), ProviderUnusable, "S3"),
        (error(400, "ValidationException", "Operation not allowed"), ProviderUnusable, "Operation"),
        (error(400, "ValidationException", "prompt is too long"), ProviderRejected, "parameters"),
        (error(400, "ValidationException", "blocked by our content filters"), ProviderRejected, "moderation"),
        (error(424, "ModelErrorException", "the model failed"), ProviderFailed, "failed to generate"),
        (error(429, "ThrottlingException", "Too many requests"), ProviderBusy, "Too many"),
        (error(429, "ModelNotReadyException", "not ready"), ProviderBusy, "not ready"),
        (error(408, "ModelTimeoutException", "took too long"), ProviderBusy, "too long"),
        (error(500, "InternalServerException", "oops"), ProviderBusy, "oops"),
        (error(503, "ServiceUnavailableException", "down"), ProviderBusy, "down"),
    ],
)
def test_refusals_have_their_class(
    fake: FakeBedrock, bedrock: BedrockImages, answer: Told, error_class: type[Exception], says: str
) -> None:
    fake.will(instead(answer))
    with pytest.raises(error_class, match=says):
        bedrock.start(PICTURE)


def test_a_gateway_does_not_know_what_became_of_a_picture(fake: FakeBedrock, bedrock: BedrockImages) -> None:
    gateways(fake, partial(bedrock.start, PICTURE), error(500, "InternalServerException", "oops"))


def test_throttling_says_when_to_come_back(fake: FakeBedrock, bedrock: BedrockImages) -> None:
    throttled = error(429, "ThrottlingException", "Too many requests")
    fake.will(instead(telling({"message": "slow"}, 429, {**throttled.headers, "Retry-After": "21"})))
    with pytest.raises(ProviderBusy) as caught:
        bedrock.start(PICTURE)
    assert caught.value.retry_after_seconds == 21


@pytest.mark.parametrize(
    ("name", "value", "says"),
    [
        ("AWS_ACCESS_KEY_ID", "AKIDOTHER", "security token"),
        ("AWS_SECRET_ACCESS_KEY", "wrong", "signature does not match"),
    ],
)
def test_wrong_credentials_are_the_operators(
    fake: FakeBedrock, monkeypatch: pytest.MonkeyPatch, name: str, value: str, says: str
) -> None:
    monkeypatch.setenv(name, value)
    with adapter(fake.url) as bedrock, pytest.raises(ProviderUnusable, match=says):
        bedrock.start(PICTURE)


def test_a_call_that_reached_nobody_may_be_repeated() -> None:
    with FakeBedrock() as gone:
        url = gone.url
    with adapter(url) as bedrock, pytest.raises(ProviderBusy):
        bedrock.start(PICTURE)


def test_an_unknown_model_is_the_operators(bedrock: BedrockImages) -> None:
    with pytest.raises(ProviderUnusable, match="model identifier is invalid"):
        bedrock.start(asking(provider_model="nobody.none-v1:0"))


def test_there_is_nothing_to_ask_to_hear_or_to_cancel(fake: FakeBedrock, bedrock: BedrockImages) -> None:
    with pytest.raises(ProviderFailed):
        bedrock.check("ref", PICTURE)
    with pytest.raises(CallbackRefused):
        bedrock.parse_callback({}, b"{}", NOW_MS)
    bedrock.cancel("ref")
    assert fake.requests == []
