"""Webhooks on the deployed stack, whose pauses between retries are short, at receivers on loopback."""

from __future__ import annotations

import json
import os
from collections.abc import Iterable, Iterator
from itertools import pairwise
from time import monotonic
from unittest.mock import patch

import pytest
import requests

from infra.local.cloud import local_cloud
from tests.support.bus import BusLog
from tests.support.client import Json
from tests.support.deployed import Customer, Deployed, eventually
from tests.support.receiver import Answer, Piece, Received, Receiver, reply
from tests.support.tasks import TasksClient
from tests.support.webhooks import WebhooksClient, assert_signed

RETRIES_S = (1, 1, 2)
ARRIVES_SECONDS_MAX = 60.0


@pytest.fixture(scope="module")
def deployed(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Deployed]:
    """A stack of this file's own: no other test may find its retries shortened."""
    environment = {"SHOAL_WEBHOOK_RETRY_S": ",".join(map(str, RETRIES_S))}
    with (
        patch.dict(os.environ, environment),
        local_cloud(tmp_path_factory.mktemp("webhooks")) as cloud,
        requests.Session() as http,
    ):
        yield Deployed(cloud, http, BusLog(cloud))


@pytest.fixture
def webhooks(customer: Customer) -> WebhooksClient:
    return WebhooksClient(customer.client)


class Mood:
    """What a receiver answers until the test says otherwise."""

    def __init__(self, answer: Answer) -> None:
        self.now = answer

    def __call__(self, received: Received) -> Iterable[Piece]:
        return self.now(received)


def of_type(requests_: list[Received], event_type: str) -> list[Json]:
    return [event for each in requests_ if (event := json.loads(each.body))["type"] == event_type]


def test_a_webhooks_life_from_its_first_event_to_its_recovery(
    customer: Customer, webhooks: WebhooksClient, deployed: Deployed
) -> None:
    mood = Mood(reply(200, b"thanks"))
    with Receiver(mood) as receiver, Receiver() as listener:
        webhook_id, secret = webhooks.subscribe(receiver.url("/hook"), "image.*")
        webhooks.subscribe(listener.url(), "webhook.disabled")

        job_id = customer.client.submit()
        (first,) = receiver.wait_for(1, ARRIVES_SECONDS_MAX)
        event = assert_signed(secret, first.headers, first.body)
        assert (event["type"], event["data"]["job_id"]) == ("image.completed", job_id)

        delivery = eventually(lambda: webhooks.deliveries(webhook_id, status="delivered"))[0]
        assert (delivery["event_id"], delivery["next_attempt_at"]) == (event["id"], None)
        (attempt,) = delivery["attempts"]
        assert (attempt["status_code"], attempt["error"], attempt["response"]) == (200, None, "thanks")

        webhooks.call("POST", f"/{webhook_id}/deliveries/{delivery['id']}/resend")
        resent = receiver.wait_for(2, ARRIVES_SECONDS_MAX)[1]
        assert (resent.headers["webhook-id"], resent.body) == (event["id"], first.body)

        tested = webhooks.call("POST", f"/{webhook_id}/test", json={"type": "video.ready"})["delivery"]
        assert (tested["status"], tested["event_type"]) == ("delivered", "video.ready")
        made_up = receiver.wait_for(3, ARRIVES_SECONDS_MAX)[2]
        assert assert_signed(secret, made_up.headers, made_up.body)["data"]["synthetic"] is True

        mood.now = reply(500, b"oops")
        dead_id = customer.client.submit()
        told = listener.wait_for(1, ARRIVES_SECONDS_MAX)
        assert [each["data"]["webhook_id"] for each in of_type(told, "webhook.disabled")] == [webhook_id]
        disabled = webhooks.webhook(webhook_id)
        assert (disabled["enabled"], disabled["disabled_reason"]) == (False, "failing")
        (failed,) = webhooks.deliveries(webhook_id, status="failed")
        assert [each["status_code"] for each in failed["attempts"]] == [500] * (1 + len(RETRIES_S))
        missed_id = customer.client.submit()
        missed = eventually(lambda: webhooks.deliveries(webhook_id, status="failed")[:-1])
        assert missed[0]["attempts"] == []

        mood.now = reply(200)
        before = len(receiver.requests)
        enabled = webhooks.client.request("PATCH", f"/api/v1/webhooks/{webhook_id}", json={"enabled": True})
        assert enabled.json()["webhook"]["enabled"] is True
        webhooks.call("POST", f"/{webhook_id}/recover", json={"since": disabled["created_at"]})
        recovered = receiver.wait_for(before + 2, ARRIVES_SECONDS_MAX)[before:]
        arrived = {each["data"]["job_id"] for each in of_type(recovered, "image.completed")}
        assert arrived == {dead_id, missed_id}
        eventually(lambda: not webhooks.deliveries(webhook_id, status="failed"))
        assert len(listener.requests) == 1
    pages = deployed.cloud.client("dynamodb").get_paginator("scan")
    assert secret not in str(list(pages.paginate(TableName=deployed.cloud.outputs["TableName"])))


def test_the_ladder_of_retries_for_real(customer: Customer, webhooks: WebhooksClient) -> None:
    moments: list[float] = []

    def noted(answer: Answer) -> Answer:
        def note_and_answer(received: Received) -> Iterable[Piece]:
            moments.append(monotonic())
            return answer(received)

        return note_and_answer

    with Receiver(*(noted(reply(503)) for _ in RETRIES_S), noted(reply(200))) as receiver:
        webhook_id, _ = webhooks.subscribe(receiver.url(), "image.completed")
        customer.client.submit()
        received = receiver.wait_for(1 + len(RETRIES_S), ARRIVES_SECONDS_MAX)
        eventually(lambda: webhooks.deliveries(webhook_id, status="delivered"))

    assert len({each.headers["webhook-id"] for each in received}) == 1
    assert len({each.body for each in received}) == 1
    for planned, (before, after) in zip(RETRIES_S, pairwise(moments), strict=True):
        assert after - before >= planned
    assert webhooks.webhook(webhook_id)["enabled"] is True


def test_a_dead_endpoint_delays_no_event_of_another(customer: Customer, webhooks: WebhooksClient) -> None:
    with Receiver() as receiver:
        webhooks.subscribe("http://127.0.0.1:9/", "image.completed")
        _, secret = webhooks.subscribe(receiver.url(), "image.completed")
        customer.client.submit()

        (request,) = receiver.wait_for(1, ARRIVES_SECONDS_MAX)
    assert_signed(secret, request.headers, request.body)


def test_the_address_of_a_request_gets_its_job_signed_with_the_account_secret(customer: Customer) -> None:
    made = customer.client.request("POST", "/v1/webhook-secret")
    assert made.status_code == 201, made.text
    secret = made.json()["data"]["secret"]
    with Receiver() as receiver:
        job_id = customer.client.submit(webhook_url=receiver.url("/image"))
        task_id = TasksClient(customer.client).submit(webhook_url=receiver.url("/task"))
        received = {each.path: each for each in receiver.wait_for(2, ARRIVES_SECONDS_MAX)}

    events = {path: assert_signed(secret, each.headers, each.body) for path, each in received.items()}
    assert {path: (event["type"], event["data"]["job_id"]) for path, event in events.items()} == {
        "/image": ("image.completed", job_id),
        "/task": ("task.completed", task_id),
    }
    shown = customer.client.request("GET", "/v1/webhook-secret")
    assert list(shown.json()["data"]) == ["created_at", "updated_at"]
    rotated = customer.client.request("POST", "/v1/webhook-secret/rotate").json()["data"]["secret"]
    assert rotated != secret


def test_no_function_logs_a_secret(customer: Customer, webhooks: WebhooksClient, deployed: Deployed) -> None:
    with Receiver() as receiver:
        webhook_id, secret = webhooks.subscribe(receiver.url(), "image.completed")
        rotated = webhooks.call("POST", f"/{webhook_id}/rotate")["secret"]
        webhooks.call("POST", f"/{webhook_id}/test")
        receiver.wait_for(1, ARRIVES_SECONDS_MAX)

    written = "".join(
        path.read_text(errors="replace") for path in deployed.cloud.folder.rglob("*.log") if path.is_file()
    )
    logs = deployed.cloud.client("logs")
    for group in logs.describe_log_groups()["logGroups"]:
        events = logs.filter_log_events(logGroupName=group["logGroupName"])["events"]
        written += "".join(event["message"] for event in events)
    assert webhook_id in written
    for each in (secret, rotated):
        assert each not in written
        assert each.removeprefix("whsec_") not in written


def test_another_accounts_webhook_is_not_found(webhooks: WebhooksClient, deployed: Deployed) -> None:
    with Receiver() as receiver:
        webhook_id, _ = webhooks.subscribe(receiver.url())
    other = deployed.customer().client

    for method, path in (
        ("GET", ""),
        ("PATCH", ""),
        ("DELETE", ""),
        ("POST", "/rotate"),
        ("POST", "/test"),
        ("GET", "/deliveries"),
    ):
        body = {"enabled": False} if method == "PATCH" else None
        answer = other.request(method, f"/api/v1/webhooks/{webhook_id}{path}", json=body)
        assert (answer.status_code, answer.json()["code"]) == (404, "not_found"), path
    assert webhooks.webhook(webhook_id)["enabled"] is True


def test_a_deleted_webhook_gets_no_more_events(customer: Customer, webhooks: WebhooksClient) -> None:
    with Receiver() as kept, Receiver() as deleted:
        webhook_id, _ = webhooks.subscribe(deleted.url(), "image.completed")
        webhooks.subscribe(kept.url(), "image.completed")
        answer = customer.client.request("DELETE", f"/api/v1/webhooks/{webhook_id}")
        assert answer.status_code == 204
        customer.client.submit()

        kept.wait_for(1, ARRIVES_SECONDS_MAX)
        assert deleted.connections == 0
