"""Bedrock's clips against the fake Bedrock."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from shoal.adapters.providers.bedrock.video import BedrockVideos
from shoal.domain.errors import (
    CallbackRefused,
    ProviderBusy,
    ProviderFailed,
    ProviderRejected,
    ProviderUnusable,
)
from shoal.domain.provider import Done, Pending, ProviderRequest
from tests.fakes.providers.aws import REGION, error
from tests.fakes.providers.bedrock import CLIP_MODEL, FakeBedrock
from tests.fakes.providers.media import MP4, png
from tests.fakes.providers.server import (
    Fault,
    broken_off,
    garbage,
    instead,
    lost,
    telling,
)
from tests.integration.providers.aws import opened, set_credentials
from tests.support.providers import NOW_MS, asking

CLIP = asking(provider_model=CLIP_MODEL, seconds=8, width_px=1280, height_px=720)
OUTPUT_URI = "s3://clips/raw"


@pytest.fixture(autouse=True)
def _credentials(monkeypatch: pytest.MonkeyPatch) -> None:
    set_credentials(monkeypatch)


@pytest.fixture
def stored() -> dict[str, bytes]:
    """What the fake has written to S3."""
    return {}


@pytest.fixture
def fake(stored: dict[str, bytes]) -> Iterator[FakeBedrock]:
    with FakeBedrock(store=stored.__setitem__) as fake:
        yield fake
        assert fake.problems == []


@pytest.fixture
def bedrock(fake: FakeBedrock) -> Iterator[BedrockVideos]:
    with opened("bedrock-runtime", fake.url) as client:
        yield BedrockVideos(client, output_uri=OUTPUT_URI)


def begun(bedrock: BedrockVideos, request: ProviderRequest = CLIP) -> str:
    """The reference of an invocation that is under way."""
    answer = bedrock.start(request)
    assert isinstance(answer, Pending)
    assert answer.ref
    return answer.ref


def test_a_clip_is_begun_asked_for_and_done(
    fake: FakeBedrock, bedrock: BedrockVideos, stored: dict[str, bytes]
) -> None:
    ref = begun(bedrock)
    assert bedrock.check(ref, CLIP) == Pending(ref, 10)
    done = bedrock.check(ref, CLIP)
    assert isinstance(done, Done)
    assert done.output.file is None, "its bytes stay in S3"
    assert stored == {done.output.url: MP4}
    assert str(done.output.url).startswith(f"{OUTPUT_URI}/job_1-0/")
    sent = fake.requests[0].json()
    assert (sent["clientRequestToken"], sent["modelId"]) == ("job_1-0", CLIP_MODEL)
    assert sent["modelInput"] == {
        "prompt": "a red fox",
        "aspect_ratio": "16:9",
        "loop": False,
        "duration": "9s",
        "resolution": "720p",
    }


def test_a_clip_may_begin_with_a_picture(fake: FakeBedrock, bedrock: BedrockVideos) -> None:
    begun(
        bedrock,
        asking(provider_model=CLIP_MODEL, seconds=5, width_px=540, height_px=960, inputs=(png(16, 16),)),
    )
    sent = fake.requests[0].json()["modelInput"]
    assert (sent["duration"], sent["resolution"], sent["aspect_ratio"]) == ("5s", "540p", "9:16")
    assert sent["keyframes"]["frame0"]["source"]["media_type"] == "image/png"


@pytest.mark.parametrize("fault", [lost(), broken_off(), garbage()])
def test_a_clip_whose_answer_is_lost_is_begun_once(
    fake: FakeBedrock, bedrock: BedrockVideos, fault: Fault
) -> None:
    fake.will(fault)
    with pytest.raises(ProviderBusy):
        bedrock.start(CLIP)
    assert [begun(bedrock)] == list(fake.invocations), "the token makes it the same invocation"


@pytest.mark.parametrize("fault", [lost(), broken_off(), garbage()])
def test_a_check_whose_answer_is_lost_is_repeated(
    fake: FakeBedrock, bedrock: BedrockVideos, fault: Fault
) -> None:
    ref = begun(bedrock)
    fake.will(fault)
    with pytest.raises(ProviderBusy):
        bedrock.check(ref, CLIP)
    assert isinstance(bedrock.check(ref, CLIP), Done)


@pytest.mark.parametrize(
    ("failure", "error_class"),
    [
        ("The output was blocked by content filters.", ProviderRejected),
        ("Content moderation rejected the prompt", ProviderRejected),
        ("This request has been blocked by our content filters.", ProviderRejected),
        ("The generated video may conflict with our AUP or AWS Responsible AI Policy.", ProviderRejected),
        ("The input was flagged by moderation.", ProviderRejected),
        ("Internal error", ProviderFailed),
        ("The moderation service did not answer", ProviderFailed),
        ("Writing the output was blocked by the bucket policy", ProviderFailed),
        ("nsfw_filter.bin not found", ProviderFailed),
    ],
)
def test_a_clip_that_failed_has_its_class(
    fake: FakeBedrock, bedrock: BedrockVideos, failure: str, error_class: type[Exception]
) -> None:
    fake.checks_until_done, fake.failure = 1, failure
    with pytest.raises(error_class):
        bedrock.check(begun(bedrock), CLIP)


@pytest.mark.parametrize("uri", ["", "s3://elsewhere/clip", "https://elsewhere.example/clip"])
def test_a_clip_comes_from_its_own_bucket_only(fake: FakeBedrock, bedrock: BedrockVideos, uri: str) -> None:
    target = {"s3OutputDataConfig": {"s3Uri": uri}}
    fake.will(instead(telling({"status": "Completed", "outputDataConfig": target}), "/async-invoke/"))
    with pytest.raises(ProviderFailed, match="no output"):
        bedrock.check(begun(bedrock), CLIP)


def test_what_is_not_known_has_failed(bedrock: BedrockVideos) -> None:
    with pytest.raises(ProviderFailed, match="no such work"):
        bedrock.check(f"arn:aws:bedrock:{REGION}:123456789012:async-invoke/000000000000", CLIP)


def test_a_conflict_under_a_token_passes(fake: FakeBedrock, bedrock: BedrockVideos) -> None:
    fake.will(instead(error(400, "ConflictException", "in progress")))
    with pytest.raises(ProviderBusy):
        bedrock.start(CLIP)


def test_a_start_without_an_invocation_is_repeated(fake: FakeBedrock, bedrock: BedrockVideos) -> None:
    fake.will(instead(telling({})))
    with pytest.raises(ProviderBusy, match="names no invocation"):
        bedrock.start(CLIP)


def test_refusals_have_their_class(fake: FakeBedrock, bedrock: BedrockVideos) -> None:
    for answer, error_class in (
        (error(400, "ValidationException", "Invalid S3 credentials"), ProviderUnusable),
        (error(400, "ServiceQuotaExceededException", "too many invocations"), ProviderUnusable),
        (error(400, "ValidationException", "prompt is too long"), ProviderRejected),
        (error(429, "ThrottlingException", "Too many requests"), ProviderBusy),
        (error(500, "InternalServerException", "oops"), ProviderBusy),
    ):
        fake.will(instead(answer))
        with pytest.raises(error_class):
            bedrock.start(CLIP)
    with pytest.raises(ProviderUnusable, match="model identifier is invalid"):
        bedrock.start(asking(provider_model="nobody.none-v1:0", seconds=5))


def test_there_is_nothing_to_hear_or_to_cancel(fake: FakeBedrock, bedrock: BedrockVideos) -> None:
    with pytest.raises(CallbackRefused):
        bedrock.parse_callback({}, b"{}", NOW_MS)
    bedrock.cancel("arn")
    assert fake.requests == []


def test_the_credentials_are_tested(bedrock: BedrockVideos) -> None:
    assert bedrock.test() == f"reached in {REGION}"
