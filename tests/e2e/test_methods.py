"""HEAD, OPTIONS and methods that a path does not have, over HTTP; ids that are encoded."""

from __future__ import annotations

import pytest

from tests.support.deployed import Customer

VOLATILE = {"date", "x-request-id", "apigw-requestid", "ratelimit", "content-length"}
NOBODY = {"Authorization": ""}


@pytest.mark.parametrize(
    "path",
    [
        "/healthz",
        "/docs/api",
        "/llms.txt",
        "/v1/wallet",
        "/v1/models",
        "/api/v1/videos",
        "/dashboard/sign-in",
    ],
)
def test_head_is_get_without_a_body(customer: Customer, path: str) -> None:
    get, head = (customer.client.request(method, path) for method in ("GET", "HEAD"))

    assert get.status_code == head.status_code == 200
    assert (bool(get.content), head.content) == (True, b"")
    kept = [{name.lower() for name in answer.headers} - VOLATILE for answer in (get, head)]
    assert kept[0] == kept[1]
    assert head.headers["Content-Type"] == get.headers["Content-Type"]


def test_head_without_a_key_tells_no_more_than_get(customer: Customer) -> None:
    head = customer.client.request("HEAD", "/v1/jobs/job_1", headers=NOBODY)

    assert (head.status_code, head.content) == (401, b"")


@pytest.mark.parametrize(
    ("path", "allow"),
    [
        ("/v1/generate", "POST"),
        ("/v1/jobs/job_1", "GET, HEAD"),
        ("/api/v1/videos", "GET, HEAD, POST"),
        ("/api/v1/webhooks/wh_1", "DELETE, GET, HEAD, PATCH"),
        ("/mcp", "POST"),
    ],
)
def test_options_tells_the_methods_without_a_key(customer: Customer, path: str, allow: str) -> None:
    answer = customer.client.request("OPTIONS", path, headers=NOBODY)

    assert (answer.status_code, answer.content, answer.headers["Allow"]) == (204, b"", allow)


@pytest.mark.parametrize("path", ["/api/v1/videos", "/api/v1/webhooks", "/api/v1/credits"])
def test_a_wrong_method_is_told_in_the_words_of_videos(customer: Customer, path: str) -> None:
    answer = customer.client.request("DELETE", path, headers=NOBODY)

    assert (answer.status_code, answer.json()["code"]) == (405, "method_not_allowed")
    assert answer.json()["docs_url"].endswith("/docs/api#method_not_allowed")


@pytest.mark.parametrize(
    ("sent", "id_"), [("a%2Fb", "a/b"), ("a/b", "a/b"), ("a%20b", "a b"), ("100%25", "100%")]
)
def test_the_id_of_a_model_may_be_encoded(customer: Customer, sent: str, id_: str) -> None:
    answer = customer.client.request("GET", f"/v1/models/{sent}")

    assert (answer.status_code, answer.json()["data"]) == (404, None)
    assert f"There is no model '{id_}'." in answer.json()["error"]["message"]
    assert "nearest" in answer.json()["error"]["details"]
