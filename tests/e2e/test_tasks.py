"""The tasks document, run in its order against the deployed stack, and what it leaves open."""

from __future__ import annotations

import io
import re
import time
from email.utils import parsedate_to_datetime

import pytest
from PIL import Image

from tests.support.deployed import Customer, Deployed, eventually
from tests.support.tasks import TasksClient

ID = re.compile(r"gen_[0-9A-HJKMNP-TV-Z]{26}")
MOMENT = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ")


@pytest.fixture
def tasks(customer: Customer) -> TasksClient:
    return TasksClient(customer.client)


def test_the_documents_requests_in_order(customer: Customer, deployed: Deployed) -> None:
    tasks = TasksClient(customer.client)
    submitted = tasks.generate(
        "A cinematic product photo of a matte green travel mug",
        aspect_ratio="16:9",
        num_outputs=1,
        webhook_url=f"{deployed.cloud.api_url}/your-webhook-id",
    )

    assert submitted.status_code == 202
    body = submitted.json()
    assert body["error"] is None
    assert list(body["data"]) == ["id", "status", "model", "type", "cost", "created_at"]
    assert ID.fullmatch(body["data"]["id"])
    assert MOMENT.fullmatch(body["data"]["created_at"])
    assert body["data"] | {"id": "", "created_at": ""} == {
        "id": "",
        "status": "pending",
        "model": "nanobanana",
        "type": "image_generate",
        "cost": "$0.00",
        "created_at": "",
    }

    task = tasks.wait(body["data"]["id"])

    assert (task["status"], task["cost"], task["error"]) == ("completed", "$0.0100", None)
    assert task["output"] == {"url": task["output"]["url"], "urls": [task["output"]["url"]]}
    assert re.search(rf"/images/{task['id']}/0-\w{{8}}\.png$", task["output"]["url"])
    assert all(MOMENT.fullmatch(task[name]) for name in ("created_at", "started_at", "completed_at"))
    picture = Image.open(io.BytesIO(deployed.http.get(task["output"]["url"], timeout=20).content))
    assert (picture.format, picture.size) == ("PNG", (1024, 576))
    assert tasks.data("GET", "/v1/usage/summary") == [
        {"model": "nanobanana", "total_units": 1, "total_cost": "$0.0100", "request_count": 1}
    ]


def test_outputs_are_distinct_and_each_is_charged(customer: Customer, deployed: Deployed) -> None:
    tasks = TasksClient(customer.client)

    task = tasks.wait(tasks.submit("Four mugs", num_outputs=4))

    assert task["cost"] == "$0.0400"
    pictures = {deployed.http.get(url, timeout=20).content for url in task["output"]["urls"]}
    assert len(pictures) == 4
    assert customer.client.wallet()["balance"] == "$9.96"


def test_only_delivered_outputs_are_charged(customer: Customer) -> None:
    tasks = TasksClient(customer.client)
    task_id = tasks.submit("Four mugs [fail] [slow:1]", num_outputs=4)
    assert customer.client.wallet()["held"] == "$0.04"

    task = tasks.wait(task_id)

    assert (task["status"], len(task["output"]["urls"]), task["cost"]) == ("completed", 3, "$0.0300")
    wallet = customer.client.wallet()
    assert (wallet["balance"], wallet["held"]) == ("$9.97", "$0.00")


def test_a_task_without_any_output_fails_and_costs_nothing(customer: Customer) -> None:
    tasks = TasksClient(customer.client)

    task = tasks.wait(tasks.submit("Two mugs [fail] [fail]", num_outputs=2))

    assert (task["status"], task["output"], task["cost"]) == ("failed", None, "$0.00")
    assert task["error"] == {
        "code": "provider_failed",
        "message": "The provider failed to generate the image.",
    }
    assert customer.client.wallet()["available"] == "$10.00"


@pytest.mark.parametrize("way", ["[poll]", "[callback]", "[busy:1]"])
def test_several_outputs_take_every_way_of_answering(tasks: TasksClient, way: str) -> None:
    task = tasks.wait(tasks.submit(f"Two mugs {way}", num_outputs=2))

    assert (task["status"], len(task["output"]["urls"])) == ("completed", 2)


def test_a_canceled_task_gives_the_money_back(customer: Customer) -> None:
    tasks = TasksClient(customer.client)
    task_id = tasks.submit("[slow:6] mugs", num_outputs=3)
    eventually(lambda: tasks.task(task_id)["status"] == "processing")

    canceled = tasks.data("POST", f"/v1/tasks/{task_id}/cancel")

    assert canceled["status"] == "canceled"
    assert customer.client.wallet()["available"] == "$10.00"
    again = customer.client.request("POST", f"/v1/tasks/{task_id}/cancel")
    assert (again.status_code, again.json()["error"]["code"]) == (409, "conflict")


def test_pictures_can_be_edited(tasks: TasksClient, deployed: Deployed) -> None:
    original = tasks.wait(tasks.submit("A matte green travel mug"))["output"]["url"]

    task = tasks.wait(tasks.submit("at night", input_image_urls=[original], aspect_ratio="4:3"))

    edited = deployed.http.get(task["output"]["url"], timeout=20).content
    assert Image.open(io.BytesIO(edited)).size == (1024, 768)
    assert edited != deployed.http.get(original, timeout=20).content


def test_an_input_that_is_no_picture_is_refused_before_money_is_held(
    tasks: TasksClient, deployed: Deployed
) -> None:
    answer = tasks.generate("x", input_image_urls=[f"{deployed.cloud.api_url}/healthz"])

    assert answer.status_code == 422
    assert answer.json()["error"]["details"]["fields"] == [
        {"field": "input_image_urls.0", "message": "must be a PNG, JPEG or WebP picture"}
    ]
    assert tasks.client.wallet()["held"] == "$0.00"
    assert tasks.client.request("GET", "/v1/tasks").json()["data"] == []


def test_a_quote_tells_the_price_that_the_submit_freezes(customer: Customer) -> None:
    tasks = TasksClient(customer.client)

    quote = tasks.data(
        "POST", "/v1/quote", json={"model": "nanobanana", "prompt": "[slow:1] x", "num_outputs": 3}
    )

    assert quote | {"seconds_expected": 0} == {
        "model": "nanobanana",
        "mode": None,
        "num_outputs": 3,
        "price": "$0.0100",
        "upper_bound": "$0.0300",
        "price_version": "2026-11-23",
        "seconds_expected": 0,
    }
    assert quote["seconds_expected"] >= 1
    tasks.submit("[slow:1] x", num_outputs=3, max_cost="0.03")
    assert customer.client.wallet()["held"] == "$0.03"


def test_too_small_a_max_cost_holds_nothing(customer: Customer) -> None:
    answer = TasksClient(customer.client).generate("x", num_outputs=3, max_cost="$0.0299")

    assert answer.status_code == 402
    assert answer.json()["error"] == {
        "code": "max_cost_exceeded",
        "message": "The request would cost more than its max_cost.",
        "status": 402,
        "details": {"price": "$0.03", "max_cost": "$0.0299"},
    }
    assert customer.client.wallet()["held"] == "$0.00"


def test_a_preference_to_wait_answers_with_the_ended_task(tasks: TasksClient) -> None:
    answer = tasks.generate("x", headers={"Prefer": "wait=20"})

    assert (answer.status_code, answer.json()["data"]["status"]) == (200, "completed")
    assert answer.headers["Preference-Applied"] == "wait=20"


def test_a_preference_that_runs_out_answers_with_the_current_state(tasks: TasksClient) -> None:
    answer = tasks.generate("[slow:6] x", headers={"Prefer": "wait=1"})
    assert (answer.status_code, answer.json()["data"]["status"]) == (202, "processing")

    task_id = answer.json()["data"]["id"]
    waited = tasks.data("GET", f"/v1/tasks/{task_id}", headers={"Prefer": "wait=20"})

    assert waited["status"] == "completed"


def test_outputs_expire_when_the_request_says_so(customer: Customer, deployed: Deployed) -> None:
    tasks = TasksClient(customer.client)
    task = tasks.wait(tasks.submit("x", ttl_seconds=60))
    url = task["output"]["url"]
    kept = deployed.http.get(url, timeout=20)
    assert (kept.status_code, kept.headers["Cache-Control"]) == (200, "public")
    assert 0 < parsedate_to_datetime(kept.headers["Expires"]).timestamp() - time.time() <= 60
    deployed.expire_outputs(deployed.job(customer, task["id"]))

    deployed.invoke("sweep-jobs", {})

    assert tasks.task(task["id"])["output"] == {"url": None, "urls": [], "expired": True}
    assert customer.client.job(task["id"])["image_url"] is None
    assert deployed.http.get(url, timeout=20).status_code == 404


def test_models_are_listed_with_their_parameters(tasks: TasksClient) -> None:
    models = {model["id"]: model for model in tasks.data("GET", "/v1/models")}

    assert {"nanobanana", "gpt-image", "flux", "stable-image", "clip"} <= set(models)
    assert models["nanobanana"]["parameters"]["properties"]["num_outputs"] == {
        "default": 1,
        "maximum": 4,
        "minimum": 1,
        "title": "Num Outputs",
        "type": "integer",
    }
    assert models["clip"]["availability"] == "available"
    assert models["stable-image-classic"]["replacement"] == "stable-image"
    assert tasks.data("GET", "/v1/models/flux") == models["flux"]


def test_an_unknown_model_is_answered_with_the_nearest(tasks: TasksClient) -> None:
    answer = tasks.generate("x", model="nanobanna")

    assert answer.status_code == 404
    assert answer.json()["data"] is None
    assert answer.json()["error"]["details"] == {"nearest": ["nanobanana"]}


@pytest.mark.parametrize(
    ("wrong", "field"),
    [
        ({"num_outputs": 0}, "num_outputs"),
        ({"num_outputs": 5}, "num_outputs"),
        ({"num_outputs": "2"}, "num_outputs"),
        ({"negative_prompt": "blur"}, "negative_prompt"),
        ({"aspect_ratio": "5:4"}, "aspect_ratio"),
        ({"max_cost": "cheap"}, "max_cost"),
        ({"max_cost": 0.05}, "max_cost"),
        ({"ttl_seconds": 1}, "ttl_seconds"),
        ({"webhook_url": "ftp://example.com/"}, "webhook_url"),
        ({"webhook_url": "http://10.0.0.1/"}, "webhook_url"),
        ({"input_image_urls": ["http://169.254.169.254/latest/meta-data"]}, "input_image_urls.0"),
        ({"input_image_urls": []}, "input_image_urls"),
    ],
)
def test_bad_input_names_the_field_and_writes_nothing(
    tasks: TasksClient, wrong: dict[str, object], field: str
) -> None:
    answer = tasks.generate("x", **wrong)

    assert answer.status_code == 422, answer.text
    assert field in [found["field"] for found in answer.json()["error"]["details"]["fields"]]
    assert tasks.client.wallet()["held"] == "$0.00"
    assert tasks.client.request("GET", "/v1/tasks").json()["data"] == []


@pytest.mark.parametrize(
    "query",
    ["cursor=" + "x" * 3000, "from=2026-02-01&to=2026-01-01", "status=ready", "limit=0", "colour=red"],
)
def test_a_bad_query_is_refused(tasks: TasksClient, query: str) -> None:
    answer = tasks.client.request("GET", f"/v1/tasks?{query}")

    assert (answer.status_code, answer.json()["error"]["code"]) == (422, "validation_error")


@pytest.mark.parametrize("body", [{"prompt": "x"}, {"prompt": "x", "mode": "1k", "model": "flux"}])
def test_neither_and_both_of_mode_and_model_are_refused_in_the_neutral_shape(
    customer: Customer, body: dict[str, str]
) -> None:
    answer = customer.client.request("POST", "/v1/generate", json=body)

    assert answer.status_code == 422
    error = answer.json()["error"]
    assert answer.json() == {"data": None, "error": error}
    assert (error["code"], error["status"]) == ("validation_error", 422)
