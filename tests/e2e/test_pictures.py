"""The pictures themselves: sizes, sameness, headers."""

from __future__ import annotations

import io
import re
from concurrent.futures import ThreadPoolExecutor

import pytest
from PIL import Image

from tests.support.deployed import Customer, Deployed

SIZES = {
    ("1k", "1:1"): (1024, 1024),
    ("1k", "16:9"): (1024, 576),
    ("1k", "9:16"): (576, 1024),
    ("1k", "4:3"): (1024, 768),
    ("1k", "3:4"): (768, 1024),
    ("1k", "3:2"): (1024, 683),
    ("1k", "2:3"): (683, 1024),
    ("1k", "21:9"): (1024, 439),
    ("2k", "1:1"): (2048, 2048),
    ("4k", "21:9"): (4096, 1755),
}


def download(deployed: Deployed, customer: Customer, prompt: str, **more: object) -> bytes:
    """The bytes of a new picture."""
    job = customer.client.wait(customer.client.submit(prompt, **more))
    assert job["status"] == "completed", job
    data: bytes = deployed.http.get(job["image_url"]).content
    return data


@pytest.mark.parametrize(("mode", "aspect_ratio"), SIZES)
def test_a_picture_has_the_pixels_its_mode_and_ratio_promise(
    deployed: Deployed, customer: Customer, mode: str, aspect_ratio: str
) -> None:
    data = download(deployed, customer, "A shark", mode=mode, aspect_ratio=aspect_ratio)

    with Image.open(io.BytesIO(data)) as image:
        image.load()
        assert image.format == "PNG"
        assert image.size == SIZES[mode, aspect_ratio]


def test_a_picture_is_served_to_be_kept_for_ever(deployed: Deployed, customer: Customer) -> None:
    job = customer.client.wait(customer.client.submit())
    folder, _, name = job["image_url"].rpartition("/")
    assert folder == f"{deployed.cloud.api_url}/images/{job['job_id']}"
    assert re.fullmatch(r"0-[A-Za-z0-9]{8}\.png", name)
    assert deployed.http.get(f"{folder}/0.png").status_code in (403, 404), "who knows the job's id knows more"

    answer = deployed.http.get(job["image_url"])

    assert answer.headers["Content-Type"] == "image/png"
    assert answer.headers["Cache-Control"] == "public, max-age=31536000, immutable"
    assert int(answer.headers["Content-Length"]) == len(answer.content)


def test_a_seed_gives_the_same_bytes_and_everything_else_others(
    deployed: Deployed, customer: Customer
) -> None:
    requests = [("A shark", 7), ("A shark", 7), ("A shark", 8), ("A whale", 7), ("A shark", None)]
    with ThreadPoolExecutor(2) as threads:
        first, same, *others = threads.map(
            lambda request: download(deployed, customer, request[0], seed=request[1]), requests
        )

    assert first == same
    assert len({first, *others}) == 4


@pytest.mark.parametrize("path", ["", "0.png", "1.png", "0.png/x", "..%2f..%2f"])
def test_what_is_no_output_is_not_found(deployed: Deployed, customer: Customer, path: str) -> None:
    job_id = customer.client.submit("[nsfw] a shark")
    customer.client.wait(job_id)

    answer = deployed.http.get(f"{deployed.cloud.api_url}/images/{job_id}/{path}")

    assert answer.status_code in (403, 404)
    assert "arn" not in answer.text
    assert deployed.cloud.outputs["OutputsBucketName"] not in answer.text
