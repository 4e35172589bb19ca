"""The events of a job, in the words of the envelope."""

from __future__ import annotations

import json
from functools import partial
from typing import Any

from shoal.domain.events import closing_events, opening_events, output_url
from tests.support.deployed import Customer, Deployed
from tests.support.factories import VIDEOS_BUCKET
from tests.workflow.machine import Machine

Json = dict[str, Any]


def heard(deployed: Deployed, job_id: str) -> dict[str, Json]:
    """The events of a job by type; each was published once."""
    events = deployed.bus.of(job_id)
    assert len(events) == len({event["detail-type"] for event in events})
    assert {event["source"] for event in events} == {"shoal"}
    return {event["detail-type"]: event["detail"] for event in events}


def test_a_completed_job_is_told_with_what_it_moved(
    deployed: Deployed, machine: Machine, customer: Customer
) -> None:
    job_id = customer.client.submit("A shark", metadata={"order": 7, "half": 0.5})
    machine.end(job_id)
    answer = customer.client.job(job_id)

    events = heard(deployed, job_id)

    assert all(detail["type"] == kind for kind, detail in events.items())
    assert all(detail["account_id"] == customer.account_id for detail in events.values())
    assert all(detail["id"].startswith("evt_") for detail in events.values())
    assert all(len(json.dumps(detail)) < 20_000 for detail in events.values())
    assert [
        events[kind]["data"]["status"] for kind in ("job.created", "job.processing", "job.completed")
    ] == [
        "queued",
        "processing",
        "completed",
    ]
    assert events["wallet.captured"]["data"]["balance_delta"] == "-0.01"
    for kind in ("image.completed", "job.completed"):
        data = events[kind]["data"]
        assert data["job_id"] == job_id
        assert data["metadata"] == {"order": 7, "half": 0.5}
        assert (data["image_url"], data["urls"]) == (answer["image_url"], [answer["image_url"]])
        assert (data["cost"], data["error"]) == ("$0.01", None)


def test_a_failed_job_is_told_with_its_reason_and_no_cost(
    deployed: Deployed, machine: Machine, customer: Customer
) -> None:
    job_id = customer.client.submit("[nsfw] a shark")
    machine.end(job_id)

    events = heard(deployed, job_id)

    for kind in ("image.failed", "job.failed"):
        data = events[kind]["data"]
        assert (data["status"], data["image_url"], data["urls"], data["cost"]) == (
            "failed",
            None,
            [],
            "$0.00",
        )
        assert data["error"] == {
            "code": "provider_rejected",
            "message": "The prompt was refused by content moderation.",
        }


def test_every_announcement_tells_the_same(deployed: Deployed, machine: Machine, customer: Customer) -> None:
    job_id = customer.client.submit("[fail] a shark")
    machine.end(job_id)
    job = deployed.job(customer, job_id)

    url_of = partial(output_url, public_url=deployed.cloud.outputs["PublicUrl"])
    again = [*opening_events(job), *closing_events(job, url_of, VIDEOS_BUCKET)]

    assert heard(deployed, job_id) == {event.type: event.detail for event in again}


def test_events_follow_the_trace_of_their_request(
    deployed: Deployed, machine: Machine, customer: Customer
) -> None:
    trace = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"
    body = {"mode": "1k", "prompt": "A shark"}
    answer = customer.client.request("POST", "/v1/generate", headers={"traceparent": trace}, json=body)
    machine.end(answer.json()["job_id"])

    events = heard(deployed, answer.json()["job_id"])

    assert len(events) == 5
    assert {detail["traceparent"] for detail in events.values()} == {trace}
