"""Tasks, models, quotes and usage over HTTP, in `{data, error}` envelopes."""

from __future__ import annotations

import json
from typing import Any

import pytest

from shoal.domain.catalog import load_catalog
from shoal.domain.errors import AddressRefused
from shoal.domain.wallet import Wallet
from tests.support.api import Api, Response
from tests.worlds.world import STORED, Customer, World

ROUTE = "http_post_generate"
BODY = {"model": "nanobanana", "prompt": "A shark"}
ACCEPTED = ["id", "status", "model", "type", "cost", "created_at"]


def generate(api: Api, customer: Customer, body: dict[str, Any], **headers: str | None) -> Response:
    return api.generate(customer, body, **headers)


def untouched(api: Api, customer: Customer) -> None:
    """Nothing was held, nothing written."""
    assert api.world.entries(customer) == ["top_up"]
    assert (api.world.tables.jobs, api.world.tables.records) == ({}, {})


def quote(api: Api, customer: Customer, body: dict[str, Any]) -> Response:
    return api.call("http_post_quote", customer, body=json.dumps(body))


def test_a_body_with_a_model_speaks_the_tasks_dialect(api: Api, customer: Customer) -> None:
    answer = api.call("http_post_generate_task", customer)

    assert (answer.status, answer.json["error"]) == (202, None)
    data = answer.json["data"]
    assert list(data) == ACCEPTED
    assert data["id"].startswith("gen_")
    assert (data["status"], data["type"], data["cost"]) == ("pending", "image_generate", "$0.00")


def test_a_body_with_a_mode_at_the_same_address_speaks_the_image_dialect(
    api: Api, customer: Customer
) -> None:
    answer = api.call("http_post_generate", customer)

    assert (answer.status, set(answer.json)) == (202, {"job_id", "status", "estimated_cost"})
    assert answer.json["job_id"].startswith("job_")


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({"prompt": "A shark"}, "mode"),
        ({}, "mode"),
        ({"mode": None, "prompt": "A shark"}, "mode"),
        ({**BODY, "mode": "2k"}, "model"),
        ({"mode": None, "model": None}, "model"),
    ],
)
@pytest.mark.parametrize("name", ["http_post_generate", "http_post_quote"])
def test_neither_and_both_are_refused_by_submit_and_quote_alike(
    api: Api, customer: Customer, name: str, body: dict[str, Any], field: str
) -> None:
    answer = api.call(name, customer, body=json.dumps(body))

    assert (answer.status, answer.json["data"]) == (422, None)
    assert (answer.error["code"], answer.error["details"]["fields"][0]["field"]) == (
        "validation_error",
        field,
    )
    untouched(api, customer)


def test_the_address_of_the_status_page_takes_no_model(api: Api, customer: Customer) -> None:
    answer = api.call("http_post_image", customer, body=json.dumps(BODY))

    assert (answer.status, answer.error["code"]) == (422, "VALIDATION_ERROR")
    assert answer.error["details"]["fields"][0]["field"] == "model"


@pytest.mark.parametrize(
    ("changes", "status", "code", "named"),
    [
        ({"model": "nano-banana"}, 404, "not_found", "nanobanana"),
        ({"model": 7}, 422, "validation_error", "model"),
        ({"num_outputs": 0}, 422, "validation_error", "num_outputs"),
        ({"num_outputs": 5}, 422, "validation_error", "num_outputs"),
        ({"negative_prompt": "blur"}, 422, "validation_error", "negative_prompt"),
        ({"max_cost": "cheap"}, 422, "validation_error", "max_cost"),
        ({"max_cost": "0.001"}, 402, "max_cost_exceeded", "$0.01"),
        ({"ttl_seconds": 1}, 422, "validation_error", "ttl_seconds"),
        ({"metadata": {"x": "y" * 5_000}}, 422, "validation_error", "metadata"),
        ({"webhook_url": "https://bad.test"}, 422, "validation_error", "webhook_url"),
        ({"input_image_urls": ["https://bad.test"]}, 422, "validation_error", "input_image_urls.0"),
        ({"input_image_urls": ["https://none.test"]}, 422, "validation_error", "input_image_urls.0"),
    ],
)
def test_bad_input_gets_a_clear_error_and_nothing_is_held_or_written(
    api: Api, customer: Customer, changes: dict[str, Any], status: int, code: str, named: str
) -> None:
    api.world.caller_http.pages["https://bad.test"] = AddressRefused("The address is not permitted.")

    answer = generate(api, customer, BODY | changes, idempotency_key="order-1")

    assert (answer.status, answer.error["code"], answer.json["data"]) == (status, code, None)
    assert set(answer.error) == {"code", "message", "status", "details"}
    assert named in json.dumps(answer.error)
    untouched(api, customer)


def test_an_empty_wallet_is_told_in_the_tasks_shape(api: Api, world: World) -> None:
    poor = world.customer(usd="0")

    answer = generate(api, poor, BODY)

    assert answer.json == {
        "data": None,
        "error": {
            "code": "insufficient_balance",
            "message": "Your wallet balance is too low to process this request.",
            "status": 402,
            "details": {},
        },
    }
    assert world.wallet(poor).free_generations == 3


def test_a_repeated_key_gets_the_same_task_and_a_body_in_the_other_dialect_does_not(
    api: Api, customer: Customer
) -> None:
    first = generate(api, customer, BODY, idempotency_key="order-1")
    again = generate(api, customer, BODY, idempotency_key="order-1")
    other = generate(api, customer, {"mode": "2k", "prompt": "A shark"}, idempotency_key="order-1")

    assert (again.text, again.headers["Idempotent-Replayed"]) == (first.text, "true")
    assert (other.status, other.error["code"]) == (422, "IDEMPOTENCY_KEY_REUSED")
    assert len(api.world.tables.jobs) == 1


def test_four_outputs_hold_four_prices(api: Api, customer: Customer) -> None:
    generate(api, customer, BODY | {"num_outputs": 4, "max_cost": "$0.04"})

    assert api.world.wallet(customer).held == 40_000


def test_a_task_is_read_with_its_outputs(api: Api, customer: Customer) -> None:
    job = api.world.completed(customer, model="nanobanana", num_outputs=2)

    answer = api.call("http_get_task", customer, job_id=job.id)

    assert (answer.status, answer.json["error"]) == (200, None)
    assert answer.json["data"]["output"]["urls"] == [f"https://cdn.test/{STORED.key}"] * 2
    assert answer.json["data"]["cost"] == "$0.0200"


@pytest.mark.parametrize("name", ["http_get_task", "http_post_task_cancel"])
@pytest.mark.parametrize("job_id", ["foreign", "gen_01JD7Q3V9GM8T2XKZ5N4R6W0YB", "%00'\"{}", "x" * 9_000])
def test_a_task_of_nobody_or_another_is_not_found(
    api: Api, customer: Customer, name: str, job_id: str
) -> None:
    foreign = api.world.queued(api.world.customer(), model="flux").id

    answer = api.call(name, customer, job_id=foreign if job_id == "foreign" else job_id)

    assert (answer.status, answer.error["code"], answer.error["details"]) == (404, "not_found", {})


def test_a_task_is_canceled_once(api: Api, customer: Customer) -> None:
    job = api.world.processing(customer, model="nanobanana", num_outputs=3)

    answer = api.call("http_post_task_cancel", customer, job_id=job.id)
    again = api.call("http_post_task_cancel", customer, job_id=job.id)

    assert (answer.status, answer.json["data"]["status"]) == (200, "canceled")
    assert answer.json["data"]["error"] == {"code": "canceled", "message": "Canceled by request."}
    assert (again.status, again.error["code"]) == (409, "conflict")
    assert again.error["details"] == {"status": "canceled"}, "so who lost the answer can tell"
    assert api.world.wallet(customer) == Wallet(customer.account_id, job.asset, 10_000_000, 0, 3)


def test_the_list_pages_through_every_task_once_newest_first(api: Api, customer: Customer) -> None:
    jobs = []
    for _ in range(7):
        api.world.clock.pass_seconds(1)
        jobs.append(api.world.queued(customer, model="flux").id)
    seen: list[str] = []
    query = {"limit": "3"}
    for _ in range(3):
        page = api.call("http_get_tasks", customer, query=query).json
        seen += [task["id"] for task in page["data"]]
        query |= {"cursor": page["next_cursor"] or ""}

    assert seen == jobs[::-1]
    assert page["next_cursor"] is None


def test_the_list_is_filtered(api: Api, customer: Customer) -> None:
    world = api.world
    flux, done = world.queued(customer, model="flux"), world.completed(customer, model="nanobanana")
    world.completed(world.customer(), model="nanobanana")

    def listed(**query: str) -> set[str]:
        return {task["id"] for task in api.call("http_get_tasks", customer, query=query).json["data"]}

    assert listed() == {flux.id, done.id}
    assert listed(model="flux") == listed(status="pending") == {flux.id}
    assert listed(status="completed", model="nanobanana") == {done.id}
    assert listed(status="completed", model="flux") == listed(model="unknown") == set()
    assert listed(to="2000-01-01") == set()


@pytest.mark.parametrize("cursor", ["x" * 9_000, "", "gen_01JD7Q3V9GM8T2XKZ5N4R6W0YB", "../..", "🦈"])
def test_a_cursor_no_page_gave_out_is_refused(api: Api, customer: Customer, cursor: str) -> None:
    answer = api.call("http_get_tasks", customer, query={"cursor": cursor})

    assert (answer.status, answer.error["code"]) == (422, "validation_error")


@pytest.mark.parametrize("name", ["http_get_tasks", "http_get_usage_summary"])
def test_from_after_to_is_refused(api: Api, customer: Customer, name: str) -> None:
    answer = api.call(name, customer, query={"from": "2026-02-01", "to": "2026-01-01"})

    assert (answer.status, answer.error["details"]["fields"][0]["field"]) == (422, "from")


def test_the_catalog_is_shown_whole_or_by_model(api: Api, customer: Customer) -> None:
    models = api.call("http_get_models", customer).json["data"]

    assert [model["id"] for model in models] == list(load_catalog().models)
    assert {"nanobanana", "gpt-image", "flux", "stable-image", "clip"} <= {model["id"] for model in models}
    one = api.call("http_get_model", customer).json
    assert one == {"data": models[[model["id"] for model in models].index("nanobanana")], "error": None}


def test_an_unknown_model_is_not_found_with_the_nearest_names(api: Api, customer: Customer) -> None:
    answer = api.call("http_get_model", customer, job_id="stable-imagee")

    assert (answer.status, answer.error["code"]) == (404, "not_found")
    assert answer.error["details"]["nearest"][0] == "stable-image"


def test_a_quote_answers_for_both_dialects(api: Api, customer: Customer) -> None:
    task = api.call("http_post_quote", customer).json["data"]
    picture = quote(api, customer, {"mode": "2k", "prompt": "A shark"}).json["data"]

    assert (task["price"], task["upper_bound"], task["num_outputs"]) == ("$0.0100", "$0.0400", 4)
    assert (picture["model"], picture["mode"], picture["upper_bound"]) == ("shoal-image", "2k", "$0.0200")
    assert task["price_version"] == picture["price_version"] == load_catalog().price_version
    untouched(api, customer)


@pytest.mark.parametrize("changes", [{"max_cost": "0.001"}, {"model": "nope"}, {"num_outputs": 9}])
def test_a_quote_is_refused_like_the_submit_it_stands_for(
    api: Api, customer: Customer, changes: dict[str, Any]
) -> None:
    body = BODY | changes

    quoted, submitted = quote(api, customer, body), generate(api, customer, body)

    assert (quoted.status, quoted.json) == (submitted.status, submitted.json)


def test_a_summary_has_a_row_per_model(api: Api, customer: Customer) -> None:
    api.world.completed(customer, model="nanobanana", num_outputs=3)
    api.world.completed(customer, model="flux")

    answer = api.call("http_get_usage_summary", customer, query={})

    assert answer.json == {
        "data": [
            {"model": "flux", "total_units": 1, "total_cost": "$0.0250", "request_count": 1},
            {"model": "nanobanana", "total_units": 3, "total_cost": "$0.0300", "request_count": 1},
        ],
        "error": None,
    }
    assert api.call("http_get_usage_summary", customer).json["data"] == []
