"""Whatever is sent, the answer is an error that helps, and nothing was written."""

from __future__ import annotations

import json
from typing import Any

import pytest

from tests.support.deployed import Customer, Deployed

JSON = {"Content-Type": "application/json"}
GOOD = {"mode": "1k", "prompt": "A shark"}

NOT_JSON = {
    "malformed": b'{"mode": "1k", "prompt": ',
    "empty": b"",
    "not a number": b'{"mode": "1k", "prompt": "A shark", "seed": NaN}',
    "infinity": b'{"mode": "1k", "prompt": "A shark", "metadata": {"x": Infinity}}',
    "lone surrogate": b'{"mode": "1k", "prompt": "\\ud800"}',
    "bottomless": b'{"mode": "1k", "prompt": "A shark", "metadata": '
    + b'{"a":' * 20_000
    + b"1"
    + b"}" * 20_001,
}
WRONG_FIELDS: dict[str, tuple[dict[str, Any], str]] = {
    "unknown mode": ({"mode": "8k"}, "mode"),
    "mode of a wrong type": ({"mode": 1}, "mode"),
    "empty prompt": ({"prompt": ""}, "prompt"),
    "blank prompt": ({"prompt": " \n\t "}, "prompt"),
    "prompt too long": ({"prompt": "x" * 4_001}, "prompt"),
    "prompt of a wrong type": ({"prompt": ["A shark"]}, "prompt"),
    "no prompt": ({"prompt": None}, "prompt"),
    "unknown ratio": ({"aspect_ratio": "5:7"}, "aspect_ratio"),
    "ratio of zero": ({"aspect_ratio": "0:0"}, "aspect_ratio"),
    "negative seed": ({"seed": -1}, "seed"),
    "seed too large": ({"seed": 2**32}, "seed"),
    "seed with a fraction": ({"seed": 1.5}, "seed"),
    "seed as text": ({"seed": "1"}, "seed"),
    "seed as a truth": ({"seed": True}, "seed"),
    "metadata as a list": ({"metadata": [1]}, "metadata"),
    "metadata too large": ({"metadata": {"x": "y" * 4_096}}, "metadata"),
    "unknown field": ({"promt": "A shark"}, "promt"),
    "reserved looking field": ({"__proto__": {}}, "__proto__"),
}
USAGE_QUERIES = [
    {"limit": "0"},
    {"limit": "101"},
    {"limit": "-1"},
    {"limit": "ten"},
    {"limit": "9" * 40},
    {"cursor": "nonsense"},
    {"cursor": "0" * 27},
    {"status": "finished"},
    {"from": "yesterday"},
    {"to": "9999-99-99"},
    {"from": "1900-01-01T00:00:00Z"},
    {"from": "2026-02-01T00:00:00Z", "to": "2026-01-01T00:00:00Z"},
    {"page": "2"},
]
UNKNOWN_JOBS = [
    "nonsense",
    "job_",
    "job_" + "0" * 25,
    "job_" + "0" * 27,
    "job_" + "8" + "0" * 25,
    "job_01m814myq6vkfv5derkrgq35g3",
    "gen_" + "0" * 26,
    "%00",
    "%F0%9F%A6%88",
    "x" * 1_500,
    "job_01M814MYQ6VKFV5DERKRGQ35G3%23ACCOUNT",
]


def assert_nothing_written(customer: Customer) -> None:
    assert customer.client.wallet()["available"] == "$10.00"
    assert customer.client.usage().json()["requests"] == []


def assert_discreet(answer: Any) -> None:
    """The error names its request and nothing of the inside."""
    assert answer.headers["X-Request-Id"]
    assert answer.headers["Content-Type"] == "application/json"
    for inside in ("Traceback", "arn:aws", "dynamo", "boto", "lambda", "pydantic", ".py"):
        assert inside not in answer.text.lower()


@pytest.mark.parametrize("body", NOT_JSON.values(), ids=NOT_JSON.keys())
def test_a_body_that_is_no_json_is_refused(customer: Customer, body: bytes) -> None:
    generic = customer.client.request("POST", "/v1/generate", headers=JSON, data=body)
    image = customer.client.request("POST", "/api/v1/image", headers=JSON, data=body)

    error = {"message": "The request body is not valid JSON.", "status": 400}
    assert (generic.status_code, image.status_code) == (400, 400)
    assert generic.json() == {"data": None, "error": error | {"code": "invalid_json"}}
    assert image.json() == {"error": error | {"code": "INVALID_JSON"}}
    assert_discreet(generic)
    assert_nothing_written(customer)


@pytest.mark.parametrize("body", [b"[]", b'"text"', b"null", b"1"])
def test_json_that_is_no_object_is_refused(customer: Customer, body: bytes) -> None:
    answer = customer.client.request("POST", "/v1/generate", headers=JSON, data=body)

    assert (answer.status_code, answer.json()["error"]["code"]) == (422, "validation_error")
    assert_nothing_written(customer)


@pytest.mark.parametrize(("change", "field"), WRONG_FIELDS.values(), ids=WRONG_FIELDS.keys())
def test_a_wrong_field_is_named(customer: Customer, change: dict[str, Any], field: str) -> None:
    answer = customer.client.request("POST", "/v1/generate", json=GOOD | change)

    assert answer.status_code == 422
    error = answer.json()["error"]
    assert error["code"] == "VALIDATION_ERROR"
    assert field in error["message"]
    assert [item["field"] for item in error["details"]["fields"]] == [field]
    assert_discreet(answer)
    assert_nothing_written(customer)


def test_every_wrong_field_is_named_at_once(customer: Customer) -> None:
    answer = customer.client.request("POST", "/v1/generate", json={"mode": 4, "seed": -1, "size": "big"})

    fields = {item["field"] for item in answer.json()["error"]["details"]["fields"]}
    assert fields == {"mode", "prompt", "seed", "size"}


def test_a_generate_without_a_mode_is_refused_in_both_shapes(customer: Customer) -> None:
    answer = customer.client.request("POST", "/v1/generate", json={"prompt": "A shark"})

    assert answer.status_code == 422
    assert answer.json()["data"] is None
    assert answer.json()["error"]["code"] == "validation_error"
    assert_nothing_written(customer)


def test_a_prompt_is_trimmed_before_it_is_measured(customer: Customer) -> None:
    answer = customer.client.generate(" " * 50 + "[nsfw]" + "x" * 3_994 + "\n" * 50)

    assert answer.status_code == 202
    (row,) = customer.client.usage().json()["requests"]
    assert row["prompt"] == "[nsfw]" + "x" * 3_994


def test_a_body_over_a_megabyte_is_refused(customer: Customer) -> None:
    body = json.dumps(GOOD | {"metadata": {"x": "y" * 1_000_000}})

    answer = customer.client.request("POST", "/v1/generate", headers=JSON, data=body)

    assert answer.status_code == 413
    assert answer.json()["error"] == {
        "code": "payload_too_large",
        "message": "The request body is larger than 1 MB.",
        "status": 413,
    }
    assert_nothing_written(customer)


@pytest.mark.parametrize(
    "content_type", ["text/plain", "application/x-www-form-urlencoded", "multipart/form-data", "json"]
)
def test_a_body_of_another_type_is_refused(customer: Customer, content_type: str) -> None:
    headers = {"Content-Type": content_type}

    answer = customer.client.request("POST", "/v1/generate", headers=headers, data=json.dumps(GOOD))

    assert answer.status_code == 415
    assert answer.json()["error"]["code"] == "unsupported_media_type"
    assert_nothing_written(customer)


def test_a_charset_is_no_other_type(customer: Customer) -> None:
    headers = {"Content-Type": "Application/JSON; charset=utf-8"}
    body = json.dumps({"mode": "1k", "prompt": "[nsfw] Ein Haifisch, 鲨鱼, 🦈"}, ensure_ascii=False).encode()

    assert customer.client.request("POST", "/v1/generate", headers=headers, data=body).status_code == 202
    assert customer.client.usage().json()["requests"][0]["prompt"] == "[nsfw] Ein Haifisch, 鲨鱼, 🦈"


@pytest.mark.parametrize(
    ("method", "path", "allow"),
    [
        ("GET", "/v1/generate", "POST"),
        ("PUT", "/v1/generate", "POST"),
        ("DELETE", "/v1/wallet", "GET, HEAD"),
        ("POST", "/v1/jobs/job_1", "GET, HEAD"),
        ("GET", "/v1/jobs/job_1/cancel", "POST"),
        ("PATCH", "/healthz", "GET, HEAD"),
        ("PUT", "/v1/webhook-secret", "GET, HEAD, POST"),
        ("DELETE", "/dashboard/keys", "GET, HEAD, POST"),
    ],
)
def test_a_method_an_address_does_not_take_is_refused(
    customer: Customer, method: str, path: str, allow: str
) -> None:
    answer = customer.client.request(method, path)

    assert (answer.status_code, answer.headers["Allow"]) == (405, allow)
    assert answer.json()["error"]["code"] == "method_not_allowed"
    assert_discreet(answer)


@pytest.mark.parametrize("path", ["/", "/v1", "/v2/generate", "/v1/jobs", "/admin", "/.env"])
def test_an_unknown_address_is_not_found(customer: Customer, path: str) -> None:
    answer = customer.client.request("GET", path)

    assert (answer.status_code, answer.json()["error"]["code"]) == (404, "not_found")
    assert_discreet(answer)


@pytest.mark.parametrize("job_id", UNKNOWN_JOBS)
def test_an_id_that_names_no_job_is_not_found(customer: Customer, job_id: str) -> None:
    answer = customer.client.request("GET", f"/v1/jobs/{job_id}")

    assert answer.status_code == 404
    assert answer.json()["error"]["code"].lower() == "not_found"
    assert_discreet(answer)


@pytest.mark.parametrize("query", USAGE_QUERIES, ids=str)
def test_a_wrong_usage_query_is_named(customer: Customer, query: dict[str, str]) -> None:
    answer = customer.client.usage(**query)

    assert answer.status_code == 422
    (found,) = answer.json()["error"]["details"]["fields"]
    assert found["field"] in query


def test_the_health_of_the_api_needs_no_key(deployed: Deployed) -> None:
    answer = deployed.client("").request("GET", "/healthz", headers={"Authorization": ""})

    assert (answer.status_code, answer.json()) == (200, {"status": "ok", "stage": "local"})
