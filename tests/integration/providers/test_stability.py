"""Stability's pictures against the fake: at once, and those that take their time."""

from __future__ import annotations

from functools import partial
from typing import Any

import pytest
import requests

from shoal.adapters.providers.stability import Stability
from shoal.domain.errors import (
    CallbackRefused,
    OutcomeUnknown,
    ProviderBusy,
    ProviderFailed,
    ProviderRejected,
    ProviderUnusable,
)
from shoal.domain.provider import Done, Pending
from tests.fakes.providers.checks import plain
from tests.fakes.providers.server import Told, broken_off, instead, lost, telling, wrong_type
from tests.fakes.providers.stability import FakeStability, failing
from tests.support.providers import (
    NOW_MS,
    PICTURE,
    asking,
    delivered,
    plain_failures,
    swallowing,
    unusable,
    waiting,
)

SIGNATURE = b"\x89PNG\r\n\x1a\n"


def provider(fake: FakeStability) -> Stability:
    return Stability(lambda: fake.key, fake.base_url)


def sent(fake: FakeStability) -> dict[str, str]:
    return plain(fake.requests[-1].form())


@pytest.mark.parametrize(
    ("model", "path", "more"),
    [
        ("core", "core", {}),
        ("ultra", "ultra", {}),
        ("sd3.5-large", "sd3", {"model": "sd3.5-large", "mode": "text-to-image"}),
    ],
)
def test_a_picture_is_answered_at_once(
    stability: FakeStability, model: str, path: str, more: dict[str, str]
) -> None:
    request = asking(provider_model=model, seed=7, index=2, negative_prompt="trees")
    answer = provider(stability).start(request)
    assert isinstance(answer, Done)
    assert delivered(answer).startswith(SIGNATURE)
    assert stability.requests[0].path == f"/v2beta/stable-image/generate/{path}"
    assert sent(stability) == {
        "prompt": "a red fox",
        "negative_prompt": "trees",
        "seed": "9",
        "aspect_ratio": "16:9",
        "output_format": "png",
        **more,
    }


@pytest.mark.parametrize("model", ["ultra", "sd3.5-medium"])
def test_a_picture_is_edited(stability: FakeStability, model: str) -> None:
    assert isinstance(provider(stability).start(asking(provider_model=model, inputs=(PICTURE,))), Done)
    assert "aspect_ratio" not in sent(stability)
    assert [part.data for part in stability.requests[0].form() if part.filename] == [PICTURE]


def test_edits_that_nobody_offers(stability: FakeStability) -> None:
    with pytest.raises(ProviderUnusable):
        provider(stability).start(asking(provider_model="core", inputs=(PICTURE,)))
    with pytest.raises(ProviderRejected):
        provider(stability).start(asking(provider_model="ultra", inputs=(PICTURE, PICTURE)))
    assert stability.requests == []


@pytest.mark.parametrize("prompt", ["forbidden things", "blurred things"])
def test_a_block_is_found_in_a_403_and_in_a_200(stability: FakeStability, prompt: str) -> None:
    with pytest.raises(ProviderRejected, match=r"^The request was refused by content moderation\.$"):
        provider(stability).start(asking(provider_model="core", prompt=prompt))


def test_a_bad_parameter_is_the_users_in_plain_words(stability: FakeStability) -> None:
    for status, name in ((400, "bad_request"), (413, "payload_too_large"), (422, "invalid")):
        stability.will(instead(failing(status, name, "prompt: is wrong")))
        with pytest.raises(ProviderRejected, match=r"^The provider refused the request's parameters\.$"):
            provider(stability).start(asking(provider_model="core"))


def test_a_key_a_purse_or_a_model_is_the_operators(stability: FakeStability) -> None:
    with pytest.raises(ProviderUnusable, match="invalid or missing header"):
        Stability(lambda: "sk-wrong", stability.base_url).start(asking(provider_model="core"))
    ask = partial(provider(stability).start, asking(provider_model="core"))
    assert "credits" in unusable(stability, ask, failing(402, "payment_required", "You lack credits."))
    assert "no such" in unusable(stability, ask, failing(404, "not_found", "no such model"))


def test_bare_statuses_and_the_lock_out(stability: FakeStability) -> None:
    ask = partial(provider(stability).start, asking(provider_model="core"))
    plain_failures(stability, ask, own=failing(500, "internal_error", "An error occurred."))
    assert waiting(stability, ask, failing(429, "rate_limit_exceeded", "Slow down.")) == 60
    assert waiting(stability, ask, telling({}, 429, {"Retry-After": "3"})) == 3


def test_a_lost_answer_is_unknown_for_the_work_was_done(stability: FakeStability) -> None:
    for fault in (lost(), broken_off(), wrong_type()):
        stability.will(fault)
        with pytest.raises(OutcomeUnknown):
            provider(stability).start(asking(provider_model="core"))
    assert stability.images_made == 3


# What takes its time


def begun(fake: FakeStability, **changes: Any) -> str:
    request = asking(provider_model="upscale/creative", inputs=(PICTURE,), **changes)
    answer = provider(fake).start(request)
    assert isinstance(answer, Pending)
    assert answer.ref
    return answer.ref


def test_a_result_is_looked_for(stability: FakeStability) -> None:
    stability.polls_needed = 2
    ref = begun(stability)
    assert provider(stability).check(ref, asking()) == Pending(ref, 10)
    assert isinstance(provider(stability).check(ref, asking()), Done)


def test_a_lost_submit_is_unknown(stability: FakeStability) -> None:
    swallowing(stability, lambda: begun(stability))
    assert len(stability.results) == 4
    stability.will(instead(telling({"id": "../other"})))
    with pytest.raises(OutcomeUnknown):
        begun(stability)


def test_a_lost_look_is_only_busy(stability: FakeStability) -> None:
    ref = begun(stability)
    stability.will(instead(Told(200, b"{}", {"Content-Type": "application/json"})))
    for fault in (lost(), broken_off(), wrong_type()):
        stability.will(fault)
    for _ in range(4):
        with pytest.raises(ProviderBusy):
            provider(stability).check(ref, asking())
    assert isinstance(provider(stability).check(ref, asking()), Done)


def test_a_block_is_found_in_a_result(stability: FakeStability) -> None:
    for prompt in ("forbidden things", "blurred things"):
        ref = begun(stability, prompt=prompt)
        with pytest.raises(ProviderRejected):
            provider(stability).check(ref, asking())


def test_a_result_that_is_forgotten_has_failed(stability: FakeStability) -> None:
    with pytest.raises(ProviderFailed):
        provider(stability).check("0" * 64, asking())
    with pytest.raises(ProviderFailed):
        provider(stability).check("../balance", asking())
    assert len(stability.requests) == 1


def test_nobody_calls_back_and_nothing_can_be_stopped(stability: FakeStability) -> None:
    with pytest.raises(CallbackRefused):
        provider(stability).parse_callback({}, b"{}", NOW_MS)
    provider(stability).cancel(begun(stability))
    assert len(stability.requests) == 1


def test_the_fake_takes_nothing_but_a_form(stability: FakeStability) -> None:
    url = f"{stability.base_url}/stable-image/generate/core"
    headers = {"Authorization": f"Bearer {stability.key}", "Accept": "image/*"}
    answers = [
        requests.post(url, json={"prompt": "x"}, headers=headers, timeout=5),
        requests.post(url, files={"prompt": (None, "x"), "size": (None, "1")}, headers=headers, timeout=5),
        requests.post(url, files={"none": ""}, headers=headers, timeout=5),
        requests.post(url, files={"prompt": (None, "x")}, headers=headers | {"Accept": "*/*"}, timeout=5),
        requests.get(url, headers=headers, timeout=5),
    ]
    assert [answer.status_code for answer in answers] == [400, 400, 400, 400, 405]
    assert len(stability.problems) == 5
    stability.problems.clear()


def test_the_operators_test_is_one_cheap_call(stability: FakeStability) -> None:
    assert provider(stability).test() == "12.5 credits"
    assert not provider(stability).idempotent
    with pytest.raises(ProviderUnusable):
        Stability(lambda: "sk-wrong", stability.base_url).test()
