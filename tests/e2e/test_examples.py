"""The examples in the OpenAPI document are what the deployed stack answers.

`make examples` writes them again.
"""

from __future__ import annotations

import json
import os
from collections import Counter
from collections.abc import Iterator
from datetime import UTC, datetime

import pytest

from infra.documents import examples
from shoal.domain.money import parse_usd
from tests.e2e.recording import Recording
from tests.support.client import Json
from tests.support.deployed import Customer, Deployed, eventually
from tests.support.receiver import Receiver, reply

PICTURE = {"mode": "2k", "prompt": "A shark swimming in neon-lit deep ocean"}
TASK = {
    "model": "nanobanana",
    "prompt": "A cinematic product photo of a matte green travel mug",
    "aspect_ratio": "16:9",
    "num_outputs": 2,
    "metadata": {"order": 42},
}
VIDEO = {
    "idea": "Why the Persian Empire fell — Pixar-style animated explainer",
    "category": "story",
    "duration": 16,
    "aspect_ratio": "9:16",
}
VIDEO_SECONDS_MAX = 120.0
WRITE = "SHOAL_WRITE_EXAMPLES"
TOLD = Counter({"image.completed": 1, "image.failed": 3, "task.completed": 1, "task.failed": 1})
TOLD |= {"video.created": 1, "video.scene_ready": 2, "video.ready": 1, "video.failed": 1}
"""How many events of each type the tour causes at least, before any is made up."""


@pytest.fixture
def customer(deployed: Deployed) -> Iterator[Customer]:
    """A new account with dollars and credits."""
    account, _ = deployed.accounts.open("someone@example.com", usd_micros=parse_usd("10.00"), credits=10)
    customer = Customer(account.id, *deployed.key_of(account.id))
    yield customer
    deployed.abandon(customer)


@pytest.mark.timeout(300)
def test_the_examples_are_what_is_answered(deployed: Deployed, customer: Customer) -> None:
    poor = deployed.customer("0.00")
    with Receiver(reply(200, b"thanks")) as receiver:
        tour = Recording(deployed.cloud.api_url, receiver.url("/shoal"))
        hook = subscribe(tour, customer, receiver)
        images(tour, customer)
        tasks(tour, customer, receiver)
        files(tour, customer)
        videos(tour, customer)
        account(tour, customer)
        eventually(lambda: Counter(each["type"] for each in told(receiver)) >= TOLD)
        webhooks(tour, customer, poor, hook)
        refusals(tour, customer, poor)
        events(tour, receiver)

    if os.environ.get(WRITE):
        text = json.dumps(tour.entries, indent=1, ensure_ascii=False)
        examples.FILE.write_text(text + "\n", encoding="utf-8")
    kept = json.loads(examples.FILE.read_text(encoding="utf-8"))
    assert tour.entries == kept, "the API answers differently: look at it, then `make examples`"


def subscribe(tour: Recording, customer: Customer, receiver: Receiver) -> str:
    body = {"name": "n8n production", "url": receiver.url("/shoal"), "events": ["*"]}
    made = tour.call(customer, "POST /api/v1/webhooks", "webhook", body, status=201)
    webhook_id: str = made["webhook"]["id"]
    return webhook_id


def images(tour: Recording, customer: Customer) -> None:
    job_id = tour.call(customer, "POST /v1/generate", "image", PICTURE, status=202)["job_id"]
    customer.client.wait(job_id)
    tour.call(customer, "GET /v1/jobs/{id}", "complete", id=job_id)
    tour.call(customer, "GET /api/v1/jobs/{id}", "completed", id=job_id)
    prompt = {"prompt": "[nsfw] A shark in neon waters"}
    failing = tour.call(customer, "POST /api/v1/image", "image", prompt, status=202)["job_id"]
    customer.client.wait(failing)
    tour.call(customer, "GET /v1/jobs/{id}", "failed", id=failing)
    tour.call(customer, "GET /api/v1/jobs/{id}", "failed", id=failing)
    for route in ("POST /v1/jobs/{id}/cancel", "POST /api/v1/jobs/{id}/cancel"):
        slow = customer.client.submit("[timeout] A shark")
        tour.call(customer, route, "canceled", id=slow)
        tour.call(customer, route, "conflict", id=slow, status=409)


def tasks(tour: Recording, customer: Customer, receiver: Receiver) -> None:
    body = TASK | {"webhook_url": receiver.url("/shoal")}
    task_id = tour.call(customer, "POST /v1/generate", "task", body, status=202)["data"]["id"]
    wait(customer, f"/v1/tasks/{task_id}", lambda task: task["data"]["status"] == "completed")
    tour.call(customer, "GET /v1/tasks/{id}", "completed", id=task_id)
    tour.call(customer, "GET /v1/tasks", "page")
    slow = customer.client.request("POST", "/v1/generate", json=TASK | {"prompt": "[timeout] a mug"})
    tour.call(customer, "POST /v1/tasks/{id}/cancel", "canceled", id=slow.json()["data"]["id"])
    tour.call(customer, "GET /v1/models/{id}", "model", id="nanobanana")
    tour.call(customer, "POST /v1/quote", "task", TASK)
    tour.call(customer, "POST /v1/quote", "image", PICTURE)


def files(tour: Recording, customer: Customer) -> None:
    order = {"name": "shark.mp4", "content_type": "video/mp4", "size_bytes": 52_428_800}
    made = tour.call(customer, "POST /v1/files", "upload", order, status=201)
    tour.call(customer, "GET /v1/files/{id}", "awaited", id=made["data"]["id"])
    tour.call(customer, "GET /v1/files", "page")


def videos(tour: Recording, customer: Customer) -> None:
    made = tour.call(customer, "POST /api/v1/videos", "video", VIDEO, status=202)
    video_id = made["video"]["id"]
    wait(
        customer,
        f"/api/v1/videos/{video_id}",
        lambda each: each["video"]["status"] == "ready",
        seconds_max=VIDEO_SECONDS_MAX,
    )
    tour.call(customer, "GET /api/v1/videos/{id}", "ready", id=video_id)
    tour.call(customer, "GET /api/v1/videos", "page")
    slow = VIDEO | {"idea": "[timeout] Why the Persian Empire fell", "duration": 8}
    second = customer.client.request("POST", "/api/v1/videos", json=slow).json()["video"]["id"]
    canceled = customer.client.request("POST", f"/api/v1/videos/{second}/cancel")
    assert canceled.status_code == 200


def account(tour: Recording, customer: Customer) -> None:
    for prefix in ("/v1", "/api/v1"):
        tour.call(customer, f"GET {prefix}/wallet", "wallet")
        tour.call(customer, f"GET {prefix}/usage", "page")
    tour.call(customer, "GET /v1/usage/summary", "summary")
    tour.call(customer, "GET /api/v1/credits", "credits")
    tour.call(customer, "GET /healthz", "health")


def webhooks(tour: Recording, customer: Customer, poor: Customer, hook: str) -> None:
    eventually(lambda: not pending(customer, hook))
    tour.call(customer, "GET /api/v1/webhooks", "page")
    tour.call(customer, "GET /api/v1/webhooks/{id}", "webhook", id=hook)
    tour.call(customer, "POST /api/v1/webhooks/{id}/rotate", "rotated", id=hook)
    sent = tour.call(
        customer, "POST /api/v1/webhooks/{id}/test", "delivered", {"type": "video.failed"}, id=hook
    )
    for event_type in ("wallet.low_balance", "webhook.disabled"):
        customer.client.request("POST", f"/api/v1/webhooks/{hook}/test", json={"type": event_type})
    delivery_id = sent["delivery"]["id"]
    route = "POST /api/v1/webhooks/{id}/deliveries/{delivery_id}/resend"
    tour.call(customer, route, "resent", id=hook, delivery_id=delivery_id, status=202)
    eventually(lambda: not pending(customer, hook))
    newest = {"type": "video.failed", "limit": "1"}
    tour.call(customer, "GET /api/v1/webhooks/{id}/deliveries", "page", query=newest, id=hook)
    since = {"since": datetime.now(UTC).isoformat(timespec="seconds").replace("+00:00", "Z")}
    tour.call(customer, "POST /api/v1/webhooks/{id}/recover", "ordered", since, id=hook, status=202)
    tour.call(poor, "POST /v1/webhook-secret", "made", status=201)
    tour.call(customer, "GET /v1/webhook-secret", "secret")
    tour.call(customer, "POST /v1/webhook-secret/rotate", "rotated")
    change = {"events": ["video.*", "image.failed"]}
    tour.call(customer, "PATCH /api/v1/webhooks/{id}", "changed", change, id=hook)


def refusals(tour: Recording, customer: Customer, poor: Customer) -> None:
    generate, create = "POST /v1/generate", "POST /api/v1/videos"
    wrong = {"mode": "8k", "prompt": "A shark"}
    tour.call(customer, generate, "validation_error", wrong, status=422)
    tour.call(poor, generate, "insufficient_balance", TASK, status=402)
    tour.call(poor, create, "insufficient_credits", VIDEO, status=402)
    tour.call(customer, create, "validation_error", VIDEO | {"duration": 12}, status=422)
    nobody = {"Authorization": ""}
    tour.call(customer, generate, "unauthorized", PICTURE, status=401, headers=nobody)
    tour.call(customer, "GET /v1/models/{id}", "not_found", id="nanobanan", status=404)
    missing = "vid_01M814MYQ6VKFV5DERKRGQ35G3"
    tour.call(customer, "GET /api/v1/videos/{id}", "not_found", id=missing, status=404)
    once = {"Idempotency-Key": "order-42"}
    customer.client.request("POST", "/v1/generate", json={"mode": "1k", "prompt": "[nsfw]"}, headers=once)
    tour.call(customer, generate, "idempotency_key_reused", PICTURE, status=422, headers=once)


def events(tour: Recording, receiver: Receiver) -> None:
    """One event of each type that came: rather a real one, of the first scene, the earliest."""

    def rank(event: Json) -> tuple[bool, int, str]:
        return "synthetic" in event["data"], event["data"].get("index", 0), event["created_at"]

    by_type: dict[str, Json] = {}
    for event in sorted(told(receiver), key=rank):
        by_type.setdefault(event["type"], event)
    for event_type in sorted(by_type):
        tour.event(by_type[event_type], "delivered")


def told(receiver: Receiver) -> list[Json]:
    """Every event that came, once."""
    bodies = (json.loads(received.body) for received in tuple(receiver.requests))
    return list({event["id"]: event for event in bodies}.values())


def pending(customer: Customer, hook: str) -> bool:
    answer = customer.client.request(
        "GET", f"/api/v1/webhooks/{hook}/deliveries", params={"status": "pending"}
    )
    return bool(answer.json()["deliveries"])


def wait(customer: Customer, path: str, done: object, *, seconds_max: float = 30.0) -> Json:
    """What is at the path, once `done` says so of it."""
    assert callable(done)

    def look() -> Json | None:
        body: Json = customer.client.request("GET", path).json()
        return body if done(body) else None

    return eventually(look, seconds_max=seconds_max)
