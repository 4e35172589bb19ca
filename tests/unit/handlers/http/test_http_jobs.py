"""Jobs, cancel, wallet and usage over HTTP, spelled for the route they came by."""

from __future__ import annotations

import pytest

from shoal.domain.api_key import KeyPrefix
from tests.support.api import Api
from tests.support.events import event
from tests.worlds.world import STORED, Customer

NINE = {
    "job_id",
    "status",
    "image_url",
    "cost",
    "error",
    "queued_at",
    "started_at",
    "completed_at",
    "created_at",
}


@pytest.mark.parametrize(
    ("name", "spelled"), [("http_get_job", "complete"), ("http_get_api_job", "completed")]
)
def test_a_job_is_read_with_success_spelled_for_the_route(
    api: Api, customer: Customer, name: str, spelled: str
) -> None:
    job = api.world.completed(customer)

    answer = api.call(name, customer, job_id=job.id)

    assert answer.status == 200
    assert set(answer.json) == NINE
    assert answer.json["status"] == spelled
    sent = event(name) | {"rawPath": f"/api/{name}"}
    sent["pathParameters"]["id"] = job.id
    sent["headers"]["authorization"] = f"Bearer {customer.key}"
    assert api.send(sent).json["status"] == spelled, "wherever a custom domain has put the API"
    assert answer.json["image_url"] == f"https://cdn.test/{STORED.key}"
    assert answer.json["cost"] == "$0.02"


@pytest.mark.parametrize("name", ["http_get_job", "http_get_api_job"])
def test_a_job_just_submitted_is_queued(api: Api, customer: Customer, name: str) -> None:
    answer = api.call(name, customer, job_id=api.world.queued(customer).id)

    assert set(answer.json) == NINE
    assert answer.json["status"] == "queued"
    assert answer.json["image_url"] is None


@pytest.mark.parametrize(
    "name", ["http_get_job", "http_get_api_job", "http_post_cancel", "http_post_api_cancel"]
)
@pytest.mark.parametrize("whose", ["another", "nobody", "malformed"])
def test_the_job_of_another_account_is_like_one_that_is_not(
    api: Api, customer: Customer, name: str, whose: str
) -> None:
    foreign = api.world.queued(api.world.customer()).id
    job_id = {"another": foreign, "nobody": "job_01JD7Q3V9GM8T2XKZ5N4R6W0YB", "malformed": "%00'\"{}"}[whose]

    answer = api.call(name, customer, job_id=job_id)

    assert answer.status == 404
    assert answer.json == {
        "error": {"code": "NOT_FOUND", "message": "There is no job with this id.", "status": 404}
    }


@pytest.mark.parametrize("name", ["http_post_cancel", "http_post_api_cancel"])
def test_a_canceled_job_is_answered_with_its_nine_fields(api: Api, customer: Customer, name: str) -> None:
    job = api.world.processing(customer)

    answer = api.call(name, customer, job_id=job.id)

    assert answer.status == 200
    assert set(answer.json) == NINE
    assert (answer.json["status"], answer.json["error"]) == ("failed", "Canceled by request.")
    assert answer.json["completed_at"] is None
    assert api.world.wallet(customer).held == 0


@pytest.mark.parametrize("port", ["bus.publish", "jobs.mark_announced", "workflow.stop"])
def test_what_fails_after_the_money_is_back_does_not_concern_the_caller(
    api: Api, customer: Customer, port: str
) -> None:
    job = api.world.processing(customer)
    api.world.network.fail(port, RuntimeError("AccessDenied"))

    answer = api.call("http_post_cancel", customer, job_id=job.id)

    assert (answer.status, answer.json["status"]) == (200, "failed")
    assert api.world.wallet(customer).held == 0


def test_a_terminal_job_cannot_be_canceled(api: Api, customer: Customer) -> None:
    answer = api.call("http_post_cancel", customer, job_id=api.world.completed(customer).id)

    assert answer.status == 409
    assert answer.json == {
        "error": {
            "code": "CONFLICT",
            "message": "The job has already ended. It is completed.",
            "status": 409,
            "details": {"status": "completed"},
        }
    }


@pytest.mark.parametrize("name", ["http_get_wallet", "http_get_api_wallet"])
def test_a_wallet_is_read(api: Api, customer: Customer, name: str) -> None:
    api.world.queued(customer)

    answer = api.call(name, customer)

    assert (answer.status, answer.json) == (
        200,
        {"balance": "$10.00", "held": "$0.02", "available": "$9.98", "free_generations_left": 3},
    )


def test_a_test_keys_wallet_is_play_money(api: Api) -> None:
    answer = api.call("http_get_wallet", api.world.customer(usd="0", prefix=KeyPrefix.TEST))

    assert answer.json["balance"] == "$100.00"


def test_usage_goes_page_by_page_from_the_newest(api: Api, customer: Customer) -> None:
    made = []
    for _ in range(3):
        api.world.clock.pass_seconds(1)
        made.append(api.world.completed(customer).id)
    api.world.queued(customer)

    first = api.call("http_get_usage", customer)
    cursor = first.json["next_cursor"]
    second = api.call(
        "http_get_usage", customer, query={"status": "complete", "limit": "2", "cursor": cursor}
    )

    assert [row["job_id"] for row in first.json["requests"]] == made[:0:-1]
    assert [row["job_id"] for row in second.json["requests"]] == made[:1]
    assert second.json["next_cursor"] is None


@pytest.mark.parametrize(
    ("name", "spelled"), [("http_get_usage", "complete"), ("http_get_api_usage", "completed")]
)
def test_usage_spells_success_as_its_route_does(
    api: Api, customer: Customer, name: str, spelled: str
) -> None:
    api.world.completed(customer)

    answer = api.call(name, customer, query={})

    assert [row["status"] for row in answer.json["requests"]] == [spelled]


@pytest.mark.parametrize(
    ("query", "field"),
    [
        ({"status": "done"}, "status"),
        ({"limit": "0"}, "limit"),
        ({"limit": "1,2"}, "limit"),
        ({"from": "yesterday"}, "from"),
        ({"page": "2"}, "page"),
    ],
)
def test_a_wrong_query_is_refused_by_field(
    api: Api, customer: Customer, query: dict[str, str], field: str
) -> None:
    answer = api.call("http_get_usage", customer, query=query)

    assert (answer.status, answer.error["code"]) == (422, "VALIDATION_ERROR")
    assert [item["field"] for item in answer.error["details"]["fields"]] == [field]


def test_a_cursor_nobody_gave_out_is_refused(api: Api, customer: Customer) -> None:
    assert api.call("http_get_usage", customer, query={"cursor": "x"}).status == 422
