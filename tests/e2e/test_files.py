"""Files of callers against the deployed stack: brought, uploaded, used, listed, deleted."""

from __future__ import annotations

import base64
import io
import os
from typing import Any

import requests
from PIL import Image

from tests.support.client import Json
from tests.support.deployed import Customer, Deployed
from tests.support.tasks import TasksClient

SECONDS_MAX = 20


def picture(color: tuple[int, int, int] = (200, 40, 40), side_px: int = 512) -> bytes:
    file = io.BytesIO()
    Image.new("RGB", (side_px, side_px), color).save(file, "PNG")
    return file.getvalue()


def made(answer: Any) -> Json:
    """The file of an answer that made one."""
    assert answer.status_code == 201, answer.text
    data: Json = answer.json()["data"]
    return data


def test_files_of_every_way_are_inputs_of_one_task(customer: Customer) -> None:
    client, tasks = customer.client, TasksClient(customer.client)
    by_form = made(
        client.request(
            "POST",
            "/v1/files",
            files={"file": ("red.png", picture(), "image/png")},
            data={"metadata": '{"order": 42}'},
        )
    )
    assert (by_form["name"], by_form["metadata"], by_form["status"]) == ("red.png", {"order": 42}, "ready")
    plain = {"Content-Type": "application/octet-stream"}
    as_body = made(client.request("POST", "/v1/files?name=blue", headers=plain, data=picture((0, 0, 200))))
    assert (as_body["name"], as_body["content_type"]) == ("blue", "image/png")
    large = picture(side_px=2_000)
    ordered = made(
        client.request("POST", "/v1/files", json={"content_type": "image/png", "size_bytes": len(large)})
    )
    upload = ordered["upload"]
    sent = requests.request(
        upload["method"], upload["url"], headers=upload["headers"], data=large, timeout=SECONDS_MAX
    )
    assert sent.status_code == 200, sent.text
    assert tasks.data("GET", f"/v1/files/{ordered['id']}")["status"] == "ready"

    address = "data:image/png;base64," + base64.b64encode(picture((0, 200, 0))).decode()
    inputs = [by_form["id"], as_body["id"], ordered["id"], address]
    task_id = tasks.submit("[slow:2] a mug", input_image_urls=inputs)
    for file_id in inputs[:3]:
        assert client.request("DELETE", f"/v1/files/{file_id}").status_code == 204

    assert tasks.wait(task_id)["status"] == "completed"
    assert tasks.data("GET", "/v1/files") == []
    refused = tasks.generate(input_image_urls=inputs[:1])
    assert refused.status_code == 422
    assert refused.json()["error"]["details"]["fields"][0]["field"] == "input_image_urls.0"


def test_another_account_sees_and_uses_no_file(customer: Customer, deployed: Deployed) -> None:
    file_id = made(customer.client.request("POST", "/v1/files", files={"file": ("a.png", picture())}))["id"]
    other = deployed.customer()

    assert other.client.request("GET", f"/v1/files/{file_id}").status_code == 404
    assert other.client.request("DELETE", f"/v1/files/{file_id}").status_code == 404
    assert TasksClient(other.client).generate(input_image_urls=[file_id]).status_code == 422
    assert customer.client.request("GET", f"/v1/files/{file_id}").status_code == 200


def test_a_body_of_five_megabytes_with_a_data_uri_passes_every_gate(customer: Customer) -> None:
    noise = io.BytesIO()
    Image.frombytes("RGB", (1_100, 1_150), os.urandom(1_100 * 1_150 * 3)).save(noise, "PNG")
    address = "data:image/png;base64," + base64.b64encode(noise.getvalue()).decode()
    assert len(address) > 5_000_000

    answer = TasksClient(customer.client).generate(input_image_urls=[address])
    assert answer.status_code == 202, answer.text
    customer.client.request("POST", f"/v1/tasks/{answer.json()['data']['id']}/cancel")


def test_what_is_no_file_of_a_known_type_is_refused(customer: Customer) -> None:
    for data, kind in ((b"<svg/>", "image/png"), (b"<html>", "text/html"), (b"\xff\xfe\x00", "image/jpeg")):
        answer = customer.client.request("POST", "/v1/files", headers={"Content-Type": kind}, data=data)
        assert (answer.status_code, answer.json()["error"]["code"]) == (422, "validation_error")
    headers = {"Content-Type": "image/png"}
    large = customer.client.request("POST", "/v1/files", headers=headers, data=bytes(4_400_001))
    assert large.status_code == 413
