"""POST /v1/generate and POST /api/v1/image: a job accepted, or a clear word and nothing written."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import pytest

from shoal.domain.api_key import KeyPrefix, Scope
from shoal.domain.errors import Unavailable
from shoal.domain.money import Asset
from shoal.domain.rate_limit import RateLimit
from tests.support.api import Api
from tests.worlds.world import Customer, World

BODY = {"mode": "2k", "prompt": "A shark"}


@pytest.mark.parametrize("name", ["http_post_generate", "http_post_image"])
def test_a_job_is_accepted(api: Api, customer: Customer, name: str) -> None:
    answer = api.call(name, customer)

    assert answer.status == 202
    assert set(answer.json) == {"job_id", "status", "estimated_cost"}
    assert (answer.json["status"], answer.json["estimated_cost"]) == ("queued", "$0.02")
    assert api.world.job(customer, answer.json["job_id"])


@pytest.mark.parametrize(
    "name", ["http_post_generate", "http_post_generate_task", "http_post_image", "http_post_video"]
)
@pytest.mark.parametrize(
    ("trace", "kept"),
    [("00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01", True), ("00-shark", False)],
)
def test_a_job_follows_the_trace_of_its_request_if_that_is_one(
    api: Api, name: str, trace: str, kept: bool
) -> None:
    customer = api.world.customer(credits=5)

    assert api.call(name, customer, headers={"traceparent": trace}).status == 202

    (job,) = api.world.tables.jobs.values()
    assert job.submission.traceparent == (trace if kept else None)


def test_every_answer_carries_the_request_id_the_limits_and_safe_headers(
    api: Api, customer: Customer
) -> None:
    headers = api.call("http_post_generate", customer).headers

    assert headers == {
        "Content-Type": "application/json",
        "Cache-Control": "no-store",
        "X-Content-Type-Options": "nosniff",
        "Strict-Transport-Security": "max-age=63072000; includeSubDomains",
        "Content-Security-Policy": "default-src 'none'; frame-ancestors 'none'",
        "Referrer-Policy": "no-referrer",
        "X-Request-Id": "UiXx3hZ5DoEEJ4g=",
        "RateLimit-Policy": '"key";q=60;w=60',
        "RateLimit": '"key";r=19;t=1',
    }


def test_the_quick_start_body_in_any_script_is_kept_as_it_came(api: Api, customer: Customer) -> None:
    prompt = "Hai im Neonmeer 🦈 鯊魚"
    answer = api.generate(customer, json.dumps({"mode": "1k", "prompt": prompt}, ensure_ascii=False))

    assert api.world.job(customer, answer.json["job_id"]).brief.prompt == prompt


def test_a_body_may_come_in_base64(api: Api, customer: Customer) -> None:
    assert api.generate(customer, json.dumps(BODY).encode()).status == 202


@pytest.mark.parametrize(
    "content_type", [None, "application/json", "Application/JSON; charset=utf-8", " application/json "]
)
def test_json_may_be_called_json_in_any_way_or_not_at_all(
    api: Api, customer: Customer, content_type: str | None
) -> None:
    assert api.generate(customer, BODY, content_type=content_type).status == 202


def test_mode_may_be_left_out_at_the_address_of_the_status_page(api: Api, customer: Customer) -> None:
    answer = api.call("http_post_image", customer, body='{"prompt":"A shark"}')

    assert answer.status == 202
    assert api.world.job(customer, answer.json["job_id"]).submission.mode == "2k"


def test_a_repeated_idempotency_key_gets_the_same_answer_marked(api: Api, customer: Customer) -> None:
    first = api.generate(customer, BODY, idempotency_key="order-1")
    again = api.generate(customer, '{"prompt" : "A shark", "mode": "2k"}', idempotency_key="order-1")

    assert "Idempotent-Replayed" not in first.headers
    assert (again.status, again.text) == (first.status, first.text)
    assert again.headers["Idempotent-Replayed"] == "true"
    assert len(api.world.tables.jobs) == 1


def test_an_idempotency_key_counts_for_its_route_only(api: Api, customer: Customer) -> None:
    headers: dict[str, str | None] = {"idempotency-key": "order-1"}
    body = json.dumps(BODY)

    one = api.call("http_post_generate", customer, body=body, headers=headers)
    other = api.call("http_post_image", customer, body=body, headers=headers)

    assert one.json["job_id"] != other.json["job_id"]


def test_an_idempotency_key_counts_for_its_mode_only(api: Api, customer: Customer) -> None:
    """Who tries something with a test key and then means it gets what is meant."""
    made = api.world.manage.create_key(customer.account_id, KeyPrefix.TEST, RateLimit(), frozenset(Scope))
    tester = replace(customer, key=made.secret)

    played = api.generate(tester, BODY, idempotency_key="order-1")
    paid = api.generate(customer, BODY, idempotency_key="order-1")

    assert "Idempotent-Replayed" not in paid.headers
    assert paid.json["job_id"] != played.json["job_id"]
    assert api.generate(tester, BODY, idempotency_key="order-1").json == played.json


def test_another_body_under_the_same_idempotency_key_is_refused(api: Api, customer: Customer) -> None:
    api.generate(customer, BODY, idempotency_key="order-1")

    answer = api.generate(customer, BODY | {"seed": 1}, idempotency_key="order-1")

    assert (answer.status, answer.error["code"]) == (422, "IDEMPOTENCY_KEY_REUSED")


@pytest.mark.parametrize("key", ["", "x" * 256, "a\tb"])
def test_a_malformed_idempotency_key_is_refused(api: Api, customer: Customer, key: str) -> None:
    answer = api.generate(customer, BODY, idempotency_key=key)

    assert (answer.status, answer.error["code"]) == (422, "VALIDATION_ERROR")
    assert answer.error["details"]["fields"][0]["field"] == "Idempotency-Key"
    assert api.world.tables.jobs == {}


def test_an_idempotency_key_in_flight_is_to_be_tried_again(api: Api, customer: Customer) -> None:
    api.world.ledger.in_flight.add("order-1")

    answer = api.generate(customer, BODY, idempotency_key="order-1")

    assert (answer.status, answer.error["code"]) == (409, "IDEMPOTENCY_IN_FLIGHT")
    assert int(answer.headers["Retry-After"]) >= 1


def test_three_free_trials_then_the_documents_402(api: Api, world: World) -> None:
    customer = world.customer(usd="0")
    for _ in range(3):
        assert api.generate(customer, BODY).json["estimated_cost"] == "$0.00"

    answer = api.generate(customer, BODY)

    assert answer.status == 402
    assert answer.json == {
        "error": {
            "code": "INSUFFICIENT_BALANCE",
            "message": "Your wallet balance is too low to process this request.",
            "status": 402,
        }
    }
    assert len(world.tables.jobs) == 3


def test_the_message_names_the_modes_there_are(api: Api, customer: Customer) -> None:
    answer = api.generate(customer, BODY | {"mode": "8k"})

    assert answer.status == 422
    assert answer.json == {
        "error": {
            "code": "VALIDATION_ERROR",
            "message": "The request is not valid. mode: must be one of 1k, 2k, 4k",
            "status": 422,
            "details": {"fields": [{"field": "mode", "message": "must be one of 1k, 2k, 4k"}]},
        }
    }


@pytest.mark.parametrize(
    "body",
    [
        {"prompt": "A shark"},
        {},
        {"mode": "2k", "model": "shoal-image", "prompt": "A shark"},
    ],
)
def test_a_body_that_speaks_no_dialect_or_two_gets_the_shape_both_read(
    api: Api, customer: Customer, body: dict[str, Any]
) -> None:
    answer = api.generate(customer, body)

    assert answer.status == 422
    assert answer.json["data"] is None
    assert answer.error["code"] == "validation_error"
    assert answer.error["details"]["fields"][0]["field"] in ("mode", "model")
    assert api.world.tables.jobs == {}


@pytest.mark.parametrize("name", ["http_post_generate", "http_post_image"])
def test_a_key_that_may_only_read_is_forbidden(api: Api, world: World, name: str) -> None:
    answer = api.call(name, world.customer(scopes=frozenset({Scope.READ})))

    assert (answer.status, answer.error["code"].lower()) == (403, "forbidden")
    assert answer.error["details"] == {"scope": "generate"}
    assert "RateLimit" in answer.headers
    assert world.tables.jobs == {}


def test_a_used_up_rate_says_when_to_come_back(api: Api, world: World) -> None:
    customer = world.customer(limit=RateLimit(60, 1))
    api.generate(customer, BODY)

    answer = api.generate(customer, BODY)

    assert (answer.status, answer.error["code"]) == (429, "RATE_LIMITED")
    assert answer.headers["Retry-After"] == "1"
    assert answer.headers["RateLimit"] == '"key";r=0;t=1'
    world.clock.pass_seconds(int(answer.headers["Retry-After"]))
    assert api.generate(customer, BODY).status == 202


def test_a_ledger_out_of_reach_is_to_be_tried_again(api: Api, customer: Customer) -> None:
    api.world.network.fail("ledger.submit", Unavailable(retry_after_seconds=1))

    answer = api.generate(customer, BODY)

    assert (answer.status, answer.error["code"], answer.headers["Retry-After"]) == (503, "UNAVAILABLE", "1")


def test_a_workflow_out_of_reach_does_not_concern_the_caller(api: Api, customer: Customer) -> None:
    api.world.network.fail("workflow.start", RuntimeError("ExecutionLimitExceeded"))

    assert api.generate(customer, BODY).status == 202
    assert api.world.wallet(customer, Asset.USD).held == 20_000
