"""fal's adapter against the fake fal."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import partial

import pytest
import requests

from shoal.adapters.providers.fal.images import Fal
from shoal.domain.errors import (
    OutcomeUnknown,
    ProviderBusy,
    ProviderFailed,
    ProviderRejected,
    ProviderUnusable,
)
from shoal.domain.provider import Done, Pending, ProviderRequest
from tests.fakes.providers.fal import CLIP_MODEL, MODEL, FakeFal, model_error, request_error
from tests.fakes.providers.media import png
from tests.fakes.providers.server import (
    Fault,
    Told,
    broken_off,
    garbage,
    instead,
    lost,
    telling,
    wrong_type,
)
from tests.support.providers import asking, gateways

REQUEST = asking(provider_model=MODEL, seed=7)


@pytest.fixture
def fake() -> Iterator[FakeFal]:
    with FakeFal() as fake:
        yield fake
        assert fake.problems == []


@pytest.fixture
def fal(fake: FakeFal) -> Fal:
    return Fal(lambda: "id-1:secret-1", fake.url, f"{fake.url}/.well-known/jwks.json")


def begun(fal: Fal, request: ProviderRequest = REQUEST) -> str:
    """The reference of a request that waits in the queue."""
    answer = fal.start(request)
    assert isinstance(answer, Pending)
    assert answer.ref
    return answer.ref


def test_a_picture_is_queued_asked_for_and_done(fake: FakeFal, fal: Fal) -> None:
    ref = begun(fal)
    assert ref.startswith(f"{fake.url}/fal-ai/flux/requests/"), "without the rest of the model's path"
    assert fal.check(ref, REQUEST) == Pending(ref, 10)
    assert fal.check(ref, REQUEST) == Pending(ref, 10)
    done = fal.check(ref, REQUEST)
    assert isinstance(done, Done)
    assert requests.get(str(done.output.url), timeout=5).content == png(64, 64)
    sent = fake.requests[0]
    assert sent.query == {"fal_webhook": REQUEST.callback_url}
    assert sent.json() == {
        "prompt": "a red fox",
        "image_size": {"width": 1024, "height": 576},
        "num_images": 1,
        "output_format": "png",
        "seed": 7,
    }


def test_the_key_is_tested(fake: FakeFal, fal: Fal) -> None:
    assert fal.test() == "key accepted"
    fake.will(instead(telling({"detail": "Invalid key"}, 401)))
    with pytest.raises(ProviderUnusable):
        fal.test()


def test_a_clip_has_its_own_fields(fake: FakeFal, fal: Fal) -> None:
    request = asking(provider_model=CLIP_MODEL, seconds=8, negative_prompt="fog")
    fake.states, fake.result = ("COMPLETED",), telling(fake.clip())
    done = fal.check(begun(fal, request), request)
    assert isinstance(done, Done)
    assert done.output.url == f"{fake.url}/files/output.mp4"
    assert fake.requests[0].json() == {
        "prompt": "a red fox",
        "aspect_ratio": "16:9",
        "duration": "8s",
        "negative_prompt": "fog",
    }


def test_pictures_to_edit_go_along(fake: FakeFal, fal: Fal) -> None:
    begun(fal, asking(provider_model=MODEL, inputs=(png(16, 16), png(17, 17))))
    assert len(fake.requests[0].json()["image_urls"]) == 2


def test_an_id_from_a_callback_is_enough_to_ask(fake: FakeFal, fal: Fal) -> None:
    fake.states = ("IN_QUEUE", "COMPLETED")
    fake.will(lost())
    with pytest.raises(OutcomeUnknown):
        fal.start(REQUEST)
    (request_id,) = fake.submitted
    pending = fal.check(request_id, REQUEST)
    assert pending == Pending(f"{fake.url}/fal-ai/flux/requests/{request_id}", 10)
    assert isinstance(fal.check(request_id, REQUEST), Done)


@pytest.mark.parametrize("model", ["workflows/shoal/reef/run", "comfy/shoal/reef"])
def test_some_apps_have_three_parts(fake: FakeFal, fal: Fal, model: str) -> None:
    fake.will(instead(telling({"status": "IN_QUEUE", "queue_position": 1}, 202)))
    pending = fal.check("00-11", asking(provider_model=model))
    assert pending == Pending(f"{fake.url}/{model.removesuffix('/run')}/requests/00-11", 10)


def test_a_blacked_out_picture_was_moderated(fake: FakeFal, fal: Fal) -> None:
    fake.states, fake.result = ("COMPLETED",), telling(fake.picture(nsfw=True))
    with pytest.raises(ProviderRejected, match="moderation"):
        fal.check(begun(fal), REQUEST)


POLICY = model_error("prompt", "flagged by a content checker", "content_policy_violation")
TIMED_OUT = request_error("Request timed out", "request_timeout", 504)


@pytest.mark.parametrize(
    ("result", "error", "says"),
    [
        (POLICY, ProviderRejected, "moderation"),
        (model_error("image_url", "too small", "image_too_small"), ProviderRejected, "parameters"),
        (model_error("prompt", "none", "no_media_generated"), ProviderFailed, "failed to generate"),
        (model_error("body", "slow", "generation_timeout", 504), ProviderFailed, "failed to generate"),
        (model_error("body", "below", "downstream_service_error", 400), ProviderFailed, "failed to gen"),
        (TIMED_OUT, ProviderFailed, "failed to generate"),
        (request_error("gone", "runner_disconnected", 503), ProviderFailed, "failed to generate"),
        (request_error("cancelled", "client_cancelled", 400), ProviderFailed, "failed to generate"),
        (telling({"detail": "bad gateway"}, 502), ProviderBusy, "bad gateway"),
        (telling({"detail": "slow down"}, 429, {"Retry-After": "9"}), ProviderBusy, "slow down"),
        (telling({"detail": "no"}, 403), ProviderUnusable, "no"),
        (telling({"images": []}), ProviderFailed, "no output"),
        (telling({"images": [{"url": None}]}), ProviderFailed, "no output"),
    ],
)
def test_a_result_that_is_no_output_has_its_class(
    fake: FakeFal, fal: Fal, result: Told, error: type[Exception], says: str
) -> None:
    fake.states, fake.result = ("COMPLETED",), result
    ref = begun(fal)
    with pytest.raises(error, match=says):
        fal.check(ref, REQUEST)


def test_an_error_beside_a_result_is_a_failure(fake: FakeFal, fal: Fal) -> None:
    fake.states, fake.error = ("COMPLETED",), {"error": "it broke", "error_type": "runner_server_error"}
    with pytest.raises(ProviderFailed):
        fal.check(begun(fal), REQUEST)


@pytest.mark.parametrize(
    ("answer", "error", "says"),
    [
        (telling({"detail": "Invalid key"}, 401), ProviderUnusable, "Invalid key"),
        (telling({"detail": "User is locked. Exhausted balance."}, 403), ProviderUnusable, "balance"),
        (telling({"detail": "Application not found"}, 404), ProviderUnusable, "not found"),
        (POLICY, ProviderRejected, "moderation"),
        (model_error("prompt", "field required", "value_error.missing"), ProviderRejected, "parameters"),
        (request_error("oops", "internal_error", 500), ProviderBusy, "oops"),
        (TIMED_OUT, OutcomeUnknown, "timed out"),
    ],
)
def test_a_refused_submit_has_its_class(
    fake: FakeFal, fal: Fal, answer: Told, error: type[Exception], says: str
) -> None:
    fake.will(instead(answer))
    with pytest.raises(error, match=says):
        fal.start(REQUEST)


def test_a_gateway_does_not_know_what_became_of_a_submit(fake: FakeFal, fal: Fal) -> None:
    gateways(fake, partial(fal.start, REQUEST), request_error("oops", "internal_error", 500))


def test_throttling_says_when_to_come_back(fake: FakeFal, fal: Fal) -> None:
    fake.will(instead(telling({"detail": "queue is full"}, 429, {"Retry-After": "17"})))
    with pytest.raises(ProviderBusy) as caught:
        fal.start(REQUEST)
    assert caught.value.retry_after_seconds == 17


def test_a_wrong_key_is_the_operators_and_not_repeated_to_anybody(fake: FakeFal) -> None:
    with pytest.raises(ProviderUnusable, match="Authentication is required") as caught:
        Fal(lambda: "id-1:wrong", fake.url).start(REQUEST)
    assert "wrong" not in str(caught.value)


@pytest.mark.parametrize("fault", [lost(), broken_off(), garbage(), wrong_type()])
def test_a_submit_whose_answer_is_lost_is_unknown(fake: FakeFal, fal: Fal, fault: Fault) -> None:
    fake.will(fault)
    with pytest.raises(OutcomeUnknown):
        fal.start(REQUEST)
    assert len(fake.submitted) == 1


@pytest.mark.parametrize("url", [None, "https://elsewhere.example/requests/1", 7])
def test_the_key_goes_to_no_other_host(fake: FakeFal, fal: Fal, url: object) -> None:
    fake.will(instead(telling({"request_id": "1", "response_url": url})))
    with pytest.raises(OutcomeUnknown):
        fal.start(REQUEST)


def test_a_submit_that_reached_nobody_may_be_repeated() -> None:
    with FakeFal() as gone:
        url = gone.url
    with pytest.raises(ProviderBusy):
        Fal(lambda: "id-1:secret-1", url).start(REQUEST)


@pytest.mark.parametrize("fault", [lost, broken_off, garbage, wrong_type])
@pytest.mark.parametrize("part", ["/status", "/requests/"])
def test_a_check_whose_answer_is_lost_is_repeated(
    fake: FakeFal, fal: Fal, fault: Callable[[str], Fault], part: str
) -> None:
    fake.states = ("COMPLETED",)
    ref = begun(fal)
    fake.will(fault(part))
    with pytest.raises(ProviderBusy):
        fal.check(ref, REQUEST)
    assert isinstance(fal.check(ref, REQUEST), Done)


def test_canceling_stops_the_work_and_may_be_repeated(fake: FakeFal, fal: Fal) -> None:
    ref = begun(fal)
    fal.cancel(ref)
    fal.cancel(ref)
    fal.cancel(f"{fake.url}/fal-ai/flux/requests/00-11")
    fal.cancel("00-11")
    with pytest.raises(ProviderFailed):
        fal.check(ref, REQUEST)
    assert [asked.method for asked in fake.requests].count("PUT") == 3


def test_a_cancel_whose_answer_is_lost_may_be_repeated(fake: FakeFal, fal: Fal) -> None:
    ref = begun(fal)
    fake.will(lost("/cancel"))
    with pytest.raises(ProviderBusy):
        fal.cancel(ref)
    fal.cancel(ref)


def test_an_output_that_expired_is_gone(fake: FakeFal, fal: Fal) -> None:
    fake.states = ("COMPLETED",)
    ref = begun(fal)
    done = fal.check(ref, REQUEST)
    assert isinstance(done, Done)
    fake.expired = True
    assert requests.get(str(done.output.url), timeout=5).status_code == 404
    with pytest.raises(ProviderFailed, match="gone"):
        fal.check(ref, REQUEST)
    with pytest.raises(ProviderFailed, match="no such work"):
        fal.check("00-11", REQUEST)


def test_the_fake_is_strict(fake: FakeFal) -> None:
    key = {"Authorization": "Key id-1:secret-1"}
    assert requests.post(f"{fake.url}/{MODEL}", json={"prompt": 4}, headers=key, timeout=5).status_code == 422
    full_path = f"{fake.url}/fal-ai/flux/dev/requests/00-11"
    assert requests.get(full_path, headers=key, timeout=5).status_code == 405
    fake.problems.clear()
