"""Replicate's adapter against the fake Replicate."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from typing import Any

import pytest
import requests

from shoal.adapters.providers.replicate import Replicate
from shoal.domain.errors import (
    OutcomeUnknown,
    ProviderBusy,
    ProviderFailed,
    ProviderRejected,
    ProviderUnusable,
)
from shoal.domain.provider import Done, Pending, ProviderRequest
from tests.fakes.providers.media import png
from tests.fakes.providers.replicate import MODEL, NSFW, VERSION, FakeReplicate, problem
from tests.fakes.providers.server import (
    Fault,
    Malformed,
    broken_off,
    garbage,
    instead,
    late,
    lost,
    telling,
    wrong_type,
)
from tests.support.providers import NOW_MS, NOW_S, asking, gateways

REQUEST = asking(provider_model=MODEL, seed=7)
FILE = "https://example.com/1"


@pytest.fixture
def fake() -> Iterator[FakeReplicate]:
    with FakeReplicate() as fake:
        yield fake
        assert fake.problems == []


@pytest.fixture
def replicate(fake: FakeReplicate) -> Replicate:
    return Replicate(lambda: "r8_test", fake.url)


def begun(replicate: Replicate, request: ProviderRequest = REQUEST) -> str:
    """The reference of a prediction that has begun."""
    answer = replicate.start(request)
    assert isinstance(answer, Pending)
    assert answer.ref
    return answer.ref


def test_a_prediction_is_begun_asked_for_and_done(fake: FakeReplicate, replicate: Replicate) -> None:
    fake.checks_until_done = 2
    ref = begun(replicate)
    assert replicate.check(ref, REQUEST) == Pending(ref, 10)
    done = replicate.check(ref, REQUEST)
    assert isinstance(done, Done)
    assert (done.output.url, done.ref) == (f"{fake.url}/files/{ref}/out-0.png", ref)
    sent = fake.requests[0].json()
    assert sent["input"] == {
        "prompt": "a red fox",
        "aspect_ratio": "16:9",
        "seed": 7,
        "output_format": "png",
    }
    assert (sent["webhook"], sent["webhook_events_filter"]) == (REQUEST.callback_url, ["completed"])
    assert fake.requests[0].headers["prefer"] == "wait=5"


def test_a_fast_model_is_done_in_one_call(fake: FakeReplicate, replicate: Replicate) -> None:
    fake.checks_until_done = 0
    done = replicate.start(REQUEST)
    assert isinstance(done, Done)
    assert done.ref
    assert replicate.check(done.ref, REQUEST) == done
    assert requests.get(str(done.output.url), timeout=5).content == png(64, 64)


def test_the_key_is_tested_with_its_account(fake: FakeReplicate, replicate: Replicate) -> None:
    assert replicate.test() == "account acme"
    fake.will(instead(problem(401, "You did not pass a valid authentication token")))
    with pytest.raises(ProviderUnusable):
        replicate.test()


def test_edits_clips_and_seeds_have_their_fields(fake: FakeReplicate, replicate: Replicate) -> None:
    begun(
        replicate, asking(provider_model=MODEL, inputs=(png(16, 16),), seed=7, index=2, negative_prompt="fog")
    )
    begun(replicate, asking(provider_model=MODEL, inputs=(png(16, 16), png(17, 17)), seconds=8))
    one, several = (asked.json()["input"] for asked in fake.requests)
    assert (one["seed"], one["negative_prompt"]) == (9, "fog")
    assert one["input_image"].startswith("data:image/png;base64,")
    assert (several["duration"], len(several["input_images"])) == (8, 2)
    assert not {"seed", "output_format"} & set(several)


@pytest.mark.parametrize(
    ("model", "path"),
    [
        (f"black-forest-labs/flux-dev:{VERSION}", "/v1/predictions"),
        ("deployments/shoal/flux", "/v1/deployments/shoal/flux/predictions"),
        (MODEL, f"/v1/models/{MODEL}/predictions"),
    ],
)
def test_a_model_says_where_it_is_created(
    fake: FakeReplicate, replicate: Replicate, model: str, path: str
) -> None:
    begun(replicate, asking(provider_model=model))
    assert fake.requests[0].path == path
    assert fake.requests[0].json().get("version") == (VERSION if ":" in model else None)


@pytest.mark.parametrize(
    "output",
    [FILE, [FILE, "https://example.com/2"], {"video": FILE, "size": 1}, {"images": [FILE]}],
)
def test_an_output_may_be_of_any_shape(fake: FakeReplicate, replicate: Replicate, output: Any) -> None:
    fake.checks_until_done = 0
    fake.ends = {"status": "succeeded", "output": output}
    done = replicate.start(REQUEST)
    assert isinstance(done, Done)
    assert done.output.url == FILE


MODERATED = (
    "NSFW content detected in all outputs, please try a different prompt",
    "Potential NSFW content was detected in one or more images.",
    "All generated images contained NSFW content. Try running it again with a different prompt.",
    "The input or output was flagged as sensitive. Please try again with different inputs. (E005) (kp3vBLz1)",
    "Content was flagged by the safety system. Try different prompts or inputs.",
    "Request Moderated",
    "Prediction failed: the prompt was rejected for violating our content policy",
)
BROKEN = (
    "CUDA out of memory",
    "safety_checker/model.safetensors not found",
    "Error: the NSFW filter model could not be loaded",
    "moderation service timed out",
    "No such file: content_filter.onnx",
    "E0055: worker lost",
    "UnsafetyError in module moderation.py, line 3",
    "The job was flagged for retry",
)


@pytest.mark.parametrize(
    ("ends", "error", "says"),
    [
        ({"status": "failed", "error": NSFW}, ProviderRejected, "moderation"),
        (
            {"status": "failed", "error": "The input was flagged as sensitive. (E005)"},
            ProviderRejected,
            "mod",
        ),
        *[({"status": "failed", "error": said}, ProviderRejected, "moderation") for said in MODERATED],
        *[({"status": "failed", "error": said}, ProviderFailed, "failed to generate") for said in BROKEN],
        ({"status": "failed", "error": None}, ProviderFailed, "failed to generate"),
        ({"status": "canceled"}, ProviderFailed, "stopped"),
        ({"status": "aborted"}, ProviderFailed, "stopped"),
        ({"status": "succeeded", "output": None}, ProviderFailed, "no output"),
        ({"status": "succeeded", "output": []}, ProviderFailed, "no output"),
        ({"status": "succeeded", "output": {"text": 4}}, ProviderFailed, "no output"),
    ],
)
def test_what_ends_without_an_output_fails(
    fake: FakeReplicate, replicate: Replicate, ends: dict[str, Any], error: type[Exception], says: str
) -> None:
    ref = begun(replicate)
    fake.ends = ends
    with pytest.raises(error, match=says):
        replicate.check(ref, REQUEST)


def test_a_status_of_tomorrow_is_no_end(fake: FakeReplicate, replicate: Replicate) -> None:
    ref = begun(replicate)
    fake.ends = {"status": "thinking"}
    assert replicate.check(ref, REQUEST) == Pending(ref, 10)


@pytest.mark.parametrize(
    ("answer", "error", "says"),
    [
        (problem(401, "You did not pass a valid authentication token"), ProviderUnusable, "valid auth"),
        (problem(402, "Insufficient credit"), ProviderUnusable, "Insufficient credit"),
        (problem(403, "forbidden"), ProviderUnusable, "forbidden"),
        (problem(422, "no such version", "Invalid version or not permitted"), ProviderUnusable, "version"),
        (
            problem(422, "- input: prompt is required", "Input validation failed"),
            ProviderRejected,
            "parameters",
        ),
        (problem(500, "oops"), ProviderBusy, "oops"),
        (problem(503, "overloaded"), ProviderBusy, "overloaded"),
    ],
)
def test_refusals_have_their_class(
    fake: FakeReplicate, replicate: Replicate, answer: Any, error: type[Exception], says: str
) -> None:
    fake.will(instead(answer))
    with pytest.raises(error, match=says):
        replicate.start(REQUEST)


def test_a_gateway_does_not_know_what_became_of_a_create(fake: FakeReplicate, replicate: Replicate) -> None:
    gateways(fake, partial(replicate.start, REQUEST), problem(500, "oops"))


def test_a_wrong_key_and_an_unknown_model_are_the_operators(fake: FakeReplicate) -> None:
    with pytest.raises(ProviderUnusable, match="valid authentication token"):
        Replicate(lambda: "r8_wrong", fake.url).start(REQUEST)
    with pytest.raises(ProviderUnusable, match="could not be found"):
        Replicate(lambda: "r8_test", fake.url).start(asking(provider_model="nobody/nothing"))


@pytest.mark.parametrize(
    ("detail", "headers", "seconds"),
    [
        ("Request was throttled. Your rate limit resets in ~30s.", {}, 30),
        ("Request was throttled.", {"ratelimit-reset": "12"}, 12),
        ("Request was throttled.", {"Retry-After": "40", "ratelimit-reset": "12"}, 40),
        ("Request was throttled.", {"ratelimit-reset": "1795000000"}, 5),
    ],
)
def test_throttling_says_when_to_come_back(
    fake: FakeReplicate, replicate: Replicate, detail: str, headers: dict[str, str], seconds: int
) -> None:
    fake.will(instead(telling({"detail": detail}, 429, headers)))
    with pytest.raises(ProviderBusy) as caught:
        replicate.start(REQUEST)
    assert caught.value.retry_after_seconds == seconds


@pytest.mark.parametrize("fault", [lost(), broken_off(), garbage(), wrong_type()])
def test_a_create_whose_answer_is_lost_is_unknown(
    fake: FakeReplicate, replicate: Replicate, fault: Fault
) -> None:
    fake.will(fault)
    with pytest.raises(OutcomeUnknown):
        replicate.start(REQUEST)
    assert len(fake.predictions) == 1, "the work is under way: the callback brings its reference"
    (ref,) = fake.predictions
    headers, body = fake.callback(ref, at_s=NOW_S)
    assert replicate.parse_callback(headers, body, NOW_MS) == Pending(ref, 0)


def test_an_answer_without_an_id_is_lost(fake: FakeReplicate, replicate: Replicate) -> None:
    fake.will(instead(telling({"status": "starting"}, 201)))
    with pytest.raises(OutcomeUnknown):
        replicate.start(REQUEST)


def test_a_create_that_reached_nobody_may_be_repeated() -> None:
    with FakeReplicate() as gone:
        url = gone.url
    with pytest.raises(ProviderBusy):
        Replicate(lambda: "r8_test", url).start(REQUEST)


@pytest.mark.parametrize("fault", [lost(), broken_off(), garbage(), wrong_type()])
def test_a_check_whose_answer_is_lost_is_repeated(
    fake: FakeReplicate, replicate: Replicate, fault: Fault
) -> None:
    fake.checks_until_done = 2
    ref = begun(replicate)
    fake.will(fault)
    with pytest.raises(ProviderBusy):
        replicate.check(ref, REQUEST)
    assert isinstance(replicate.check(ref, REQUEST), Done)


def test_a_late_answer_is_waited_for(fake: FakeReplicate, replicate: Replicate) -> None:
    fake.will(late(0.2))
    assert begun(replicate)


def test_canceling_stops_the_work_and_may_be_repeated(fake: FakeReplicate, replicate: Replicate) -> None:
    ref = begun(replicate)
    replicate.cancel(ref)
    replicate.cancel(ref)
    replicate.cancel("gone")
    with pytest.raises(ProviderFailed, match="stopped"):
        replicate.check(ref, REQUEST)


def test_a_cancel_whose_answer_is_lost_may_be_repeated(fake: FakeReplicate, replicate: Replicate) -> None:
    ref = begun(replicate)
    fake.will(lost("/cancel"))
    with pytest.raises(ProviderBusy):
        replicate.cancel(ref)
    replicate.cancel(ref)


def test_an_output_that_expired_is_gone(fake: FakeReplicate, replicate: Replicate) -> None:
    ref = begun(replicate)
    done = replicate.check(ref, REQUEST)
    assert isinstance(done, Done)
    fake.expire(ref)
    assert requests.get(str(done.output.url), timeout=5).status_code == 404
    with pytest.raises(ProviderFailed, match="gone"):
        replicate.check(ref, REQUEST)


def test_a_prediction_that_is_not_known_has_failed(replicate: Replicate) -> None:
    with pytest.raises(ProviderFailed, match="no such work"):
        replicate.check("unknown1", REQUEST)


def test_the_fake_is_strict(fake: FakeReplicate) -> None:
    sent = {"input": {"prompt": "x", "guidance_scale": 3}, "webhook": "http://example.com"}
    answer = requests.post(
        f"{fake.url}/v1/models/{MODEL}/predictions",
        json=sent,
        headers={"Authorization": "Bearer r8_test"},
        timeout=5,
    )
    assert answer.status_code == 422
    assert fake.problems.pop().endswith(str(Malformed("guidance_scale", "is not a known field")))
