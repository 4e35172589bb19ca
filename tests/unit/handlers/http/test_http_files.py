"""Files over HTTP: by form, as the body, or ordered; and inputs that come within a body."""

from __future__ import annotations

import base64
import json
from typing import Any

import pytest
import requests

from shoal.domain.api_key import Scope
from shoal.handlers.http.routes import BODY_BYTES_MAX, FILE_BYTES_MAX, WITH_DATA_BYTES_MAX
from tests.support.api import Api, Response
from tests.unit.handlers.http.test_http_tasks import untouched
from tests.worlds.world import Customer

PNG = b"\x89PNG\r\n\x1a\n" + bytes(range(256))
GEN_ID = "gen_01JD7Q3V9GM8T2XKZ5N4R6W0YB"
LONG = "https://x.test/" + "a" * 2_048
SHOWN = [
    *("id", "status", "name", "content_type", "size_bytes", "sha256", "metadata"),
    *("created_at", "expires_at"),
]


def post(api: Api, customer: Customer, body: str | bytes, kind: str | None, **more: Any) -> Response:
    headers = {"content-type": kind, **more.pop("headers", {})}
    return api.call("http_post_files", customer, body=body, headers=headers, **more)


def post_form(
    api: Api, customer: Customer, texts: dict[str, str], data: bytes = PNG, **more: Any
) -> Response:
    made = requests.Request("POST", "https://x.test", data=texts, files={"file": ("a.png", data)}).prepare()
    assert isinstance(made.body, bytes)
    return post(api, customer, made.body, made.headers["Content-Type"], **more)


def fields(answer: Response) -> list[str]:
    assert (answer.status, answer.error["code"]) == (422, "validation_error"), answer.text
    return [each["field"] for each in answer.error["details"]["fields"]]


def test_a_form_brings_a_file(api: Api, customer: Customer) -> None:
    answer = post_form(api, customer, {"metadata": '{"order": 42}'})

    assert answer.status == 201
    made = answer.json["data"]
    assert list(made) == SHOWN
    assert (made["name"], made["content_type"], made["size_bytes"]) == ("a.png", "image/png", len(PNG))
    assert (made["metadata"], made["status"]) == ({"order": 42}, "ready")
    assert list(api.world.file_objects.objects.values()) == [PNG]


def test_a_body_that_is_the_file_is_taken_whatever_it_is_called(api: Api, customer: Customer) -> None:
    answer = post(api, customer, PNG, "video/mp4", query={"name": "shark"})

    assert (answer.json["data"]["content_type"], answer.json["data"]["name"]) == ("image/png", "shark")


def test_an_upload_is_ordered_with_json(api: Api, customer: Customer) -> None:
    answer = api.call("http_post_files", customer)

    made = answer.json["data"]
    assert (answer.status, made["status"], made["sha256"]) == (201, "awaited", None)
    assert list(made) == [*SHOWN, "upload"]
    assert made["upload"]["method"] == "PUT"


def test_a_form_sent_again_with_another_boundary_is_the_same(api: Api, customer: Customer) -> None:
    key = {"idempotency-key": "k"}
    first, again = (post_form(api, customer, {}, headers=key) for _ in range(2))

    assert again.json == first.json
    assert again.headers["Idempotent-Replayed"] == "true"
    assert post_form(api, customer, {"name": "other"}, headers=key).status == 422
    assert post_form(api, customer, {}, PNG + b"!", headers=key).status == 422


def test_keys_of_files_count_apart_by_mode_and_from_submits(api: Api, customer: Customer) -> None:
    key = {"idempotency-key": "k"}
    post_form(api, customer, {}, headers=key)

    assert api.generate(customer, {"mode": "1k", "prompt": "A shark"}, idempotency_key="k").status == 202


@pytest.mark.parametrize(
    ("texts", "field"),
    [
        ({"nmae": "x"}, "nmae"),
        ({"metadata": "{"}, "metadata"),
        ({"metadata": "[]"}, "metadata"),
        ({"metadata": '{"a": NaN}'}, "metadata"),
        ({"metadata": json.dumps({"a": "x" * 4_096})}, "metadata"),
        ({"name": "x" * 256}, "name"),
    ],
)
def test_a_wrong_text_of_a_form_is_named(
    api: Api, customer: Customer, texts: dict[str, str], field: str
) -> None:
    assert fields(post_form(api, customer, texts)) == [field]


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({"content_type": "image/png"}, "size_bytes"),
        ({"size_bytes": 1}, "content_type"),
        ({"content_type": "image/png", "size_bytes": 0}, "size_bytes"),
        ({"content_type": "image/png", "size_bytes": "1"}, "size_bytes"),
        ({"content_type": "text/html", "size_bytes": 1}, "content_type"),
        ({"content_type": "image/png", "size_bytes": 1, "file": "x"}, "file"),
    ],
)
def test_a_wrong_field_of_an_order_is_named(
    api: Api, customer: Customer, body: dict[str, Any], field: str
) -> None:
    assert fields(post(api, customer, json.dumps(body), "application/json")) == [field]


def test_what_is_no_form_and_no_file_is_refused(api: Api, customer: Customer) -> None:
    assert post(api, customer, b"--b", "multipart/form-data; boundary=b").status == 422
    assert fields(post(api, customer, b"words", "text/plain")) == ["file"]
    assert fields(post(api, customer, b"", "image/png")) == ["file"]
    assert fields(post(api, customer, PNG, "image/png", query={"nmae": "x"})) == ["nmae"]


def test_a_file_over_the_limit_of_a_body_is_told_so(api: Api, customer: Customer) -> None:
    answer = post(api, customer, PNG.ljust(FILE_BYTES_MAX + 1), "image/png")

    assert (answer.status, answer.error["message"]) == (413, "The request body is larger than 4.4 MB.")
    assert post(api, customer, PNG.ljust(FILE_BYTES_MAX), "image/png").status == 201


def test_files_are_read_listed_and_deleted(api: Api, customer: Customer) -> None:
    made = post(api, customer, PNG, "image/png").json["data"]

    assert api.call("http_get_file", customer, job_id=made["id"]).json["data"] == made
    listed = api.call("http_get_files", customer).json
    assert listed == {"data": [made], "next_cursor": None, "error": None}
    deleted = api.call("http_delete_file", customer, job_id=made["id"])
    assert (deleted.status, deleted.text) == (204, "")
    for name in ("http_get_file", "http_delete_file"):
        assert api.call(name, customer, job_id=made["id"]).status == 404


@pytest.mark.parametrize("file_id", ["file_1", GEN_ID, "x" * 5_000, "%2F", "\ud83d"])
def test_what_is_no_id_is_not_found(api: Api, customer: Customer, file_id: str) -> None:
    for name in ("http_get_file", "http_delete_file"):
        assert api.call(name, customer, job_id=file_id).status == 404


@pytest.mark.parametrize("query", [{"limit": "0"}, {"cursor": "x"}, {"status": "ready"}])
def test_a_wrong_query_of_a_list_is_refused(api: Api, customer: Customer, query: dict[str, str]) -> None:
    assert api.call("http_get_files", customer, query=query).status == 422


def data_uri(size_bytes: int) -> str:
    return "data:image/png;base64," + base64.b64encode(bytes(size_bytes)).decode()


def test_a_task_takes_a_file_and_a_data_uri(api: Api, customer: Customer) -> None:
    file_id = post(api, customer, PNG, "image/png").json["data"]["id"]
    body = {"model": "nanobanana", "prompt": "A", "input_image_urls": [file_id, data_uri(3_900_000)]}

    answer = api.generate(customer, body)

    assert answer.status == 202
    inputs = [api.world.staging.objects[key] for key in sorted(api.world.staging.objects)]
    assert [len(each) for each in inputs] == [len(PNG), 3_900_000]
    (job,) = api.world.tables.jobs.values()
    assert "data:" not in json.dumps(dict(job.submission.words))


def test_a_body_is_bounded_with_its_data_uris_and_beside_them(api: Api, customer: Customer) -> None:
    body = {"model": "nanobanana", "prompt": "A", "input_image_urls": [data_uri(WITH_DATA_BYTES_MAX)]}
    assert api.generate(customer, body).status == 413

    body = {"model": "nanobanana", "prompt": "A" * BODY_BYTES_MAX, "input_image_urls": [data_uri(10)]}
    answer = api.generate(customer, body)
    assert (answer.status, answer.error["message"]) == (
        413,
        "The request body is larger than 1 MB beside its data: URIs.",
    )
    untouched(api, customer)


@pytest.mark.parametrize(
    "address", ["data:image/png,x", "data:", "file_1", "file_", "ftp://x.test/a.png", LONG]
)
def test_what_is_no_input_is_named(api: Api, customer: Customer, address: str) -> None:
    answer = api.generate(
        customer,
        {"model": "nanobanana", "prompt": "A", "input_image_urls": ["https://x.test/a.png", address]},
    )

    assert fields(answer) == ["input_image_urls.1"]
    untouched(api, customer)


def test_a_key_that_only_reads_brings_and_deletes_nothing(api: Api) -> None:
    reader = api.world.customer(scopes=frozenset({Scope.READ}))

    assert post(api, reader, PNG, "image/png").status == 403
    assert api.call("http_delete_file", reader).status == 403
    assert api.call("http_get_files", reader).status == 200
