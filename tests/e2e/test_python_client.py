"""The Python client against the deployed stack."""

from __future__ import annotations

import pytest

from shoal.domain.money import parse_usd
from shoal_client import (
    Conflict,
    InvalidRequest,
    JobFailed,
    NotFound,
    PaymentRequired,
    Shoal,
    Unauthorized,
    verify,
)
from tests.support.deployed import Customer, Deployed
from tests.support.media_files import still
from tests.support.receiver import Receiver, reply

PNG = b"\x89PNG\r\n\x1a\n"


@pytest.fixture
def shoal(deployed: Deployed, customer: Customer) -> Shoal:
    return Shoal(customer.key, deployed.cloud.api_url)


def test_an_image_from_prompt_to_bytes(shoal: Shoal) -> None:
    seen: list[str] = []

    job = shoal.wait(
        shoal.generate("A shark", mode="1k"), pause_s=0.1, on_poll=lambda j: seen.append(j["status"])
    )

    assert (job["status"], job["cost"]) == ("complete", "$0.01")
    assert seen[-1] == "complete"
    assert job["image_url"]
    assert shoal.download(job["image_url"]).startswith(PNG)
    assert shoal.wallet()["balance"] == "$9.99"
    assert [row["job_id"] for row in shoal.usage(limit=1)["requests"]] == [job["job_id"]]


def test_the_same_key_is_the_same_job_and_paid_for_once(shoal: Shoal) -> None:
    first = shoal.generate("[fail] A shark", idempotency_key="order-42")
    assert shoal.generate("[fail] A shark", idempotency_key="order-42") == first
    with pytest.raises(InvalidRequest) as caught:
        shoal.generate("[fail] Another shark", idempotency_key="order-42")
    assert caught.value.code == "idempotency_key_reused"
    with pytest.raises(JobFailed, match="failed to generate"):
        shoal.wait(first, pause_s=0.1)


def test_files_small_and_large_are_inputs(shoal: Shoal) -> None:
    small = shoal.files.upload(still(), name="reef.png", metadata={"n": 1})
    large = shoal.files.upload(still().ljust(4_100_000), content_type="image/png")

    assert (small["content_type"], small["metadata"], large["status"]) == ("image/png", {"n": 1}, "ready")
    assert [file["id"] for file in shoal.files.list()[0]] == [large["id"], small["id"]]
    task = shoal.tasks.create("nanobanana", "At night", input_image_urls=[small["id"]])
    shoal.files.delete(small["id"])
    assert shoal.tasks.wait(task)["status"] == "completed"
    with pytest.raises(NotFound):
        shoal.files.get(small["id"])


def test_tasks_models_and_prices(shoal: Shoal) -> None:
    quoted = shoal.quote(model="nanobanana", prompt="A mug", num_outputs=2)
    task = shoal.tasks.wait(shoal.tasks.create("nanobanana", "A mug", num_outputs=2, metadata={"n": 1}))

    assert (quoted["upper_bound"], task["cost"]) == ("$0.0200", "$0.0200")
    assert task["output"]
    assert len(task["output"]["urls"]) == 2
    assert "nanobanana" in [model["id"] for model in shoal.models()]
    page, _ = shoal.tasks.list(status="completed")
    assert [each["id"] for each in page] == [task["id"]]
    assert shoal.usage_summary()[0]["total_units"] == 2


def test_a_video_is_created_listed_and_canceled(deployed: Deployed) -> None:
    account, first = deployed.accounts.open("someone@example.com", usd_micros=parse_usd("1.00"), credits=1)
    shoal = Shoal(first.secret, deployed.cloud.api_url)

    video = shoal.videos.create("[timeout] Why sharks never sleep", category="nature", duration=8)

    assert shoal.credits() == {"credits_remaining": 0, "credits_held": 1}
    with pytest.raises(PaymentRequired) as caught:
        shoal.videos.create("Why sharks never sleep", category="nature", duration=8)
    assert caught.value.details == {"credits_required": 1, "credits_remaining": 0}
    assert [each["id"] for each in shoal.videos.list()[0]] == [video["id"]]
    assert shoal.videos.cancel(video["id"])["status"] == "failed"
    assert shoal.credits()["credits_remaining"] == 1
    with pytest.raises(JobFailed, match="Canceled by request"):
        shoal.videos.wait(video)
    with pytest.raises(Conflict):
        shoal.videos.cancel(video["id"])
    assert account.id


def test_a_webhook_that_is_received_is_verified(shoal: Shoal) -> None:
    with Receiver(reply(204)) as receiver:
        made = shoal.webhooks.create(receiver.url("/hook"), ["image.*"], name="client")
        delivery = shoal.webhooks.test(made["webhook"]["id"], "image.completed")
        (received,) = receiver.wait_for(1)

    assert delivery["status"] == "delivered"
    event = verify(made["secret"], received.headers, received.body)
    assert (event["id"], event["type"]) == (delivery["event_id"], "image.completed")
    assert shoal.webhooks.change(made["webhook"]["id"], enabled=False)["disabled_reason"] == "requested"
    shoal.webhooks.delete(made["webhook"]["id"])
    with pytest.raises(NotFound):
        shoal.webhooks.get(made["webhook"]["id"])


def test_a_wrong_key_is_told_so(deployed: Deployed) -> None:
    with pytest.raises(Unauthorized) as caught:
        Shoal("sk_live_wrong", deployed.cloud.api_url).wallet()
    assert caught.value.request_id
