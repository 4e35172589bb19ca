"""A model of one page on a running stage: known within a minute, priced by the second, taken back."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from pathlib import Path

import pytest
import requests

from infra.local.cloud import local_cloud
from infra.local.demo import Client
from infra.local.demo_model import PAGE, REQUEST, publish, sell, wait_until_sold
from infra.local.processes import run
from infra.local.run import SHOAL
from tests.support.bus import BusLog
from tests.support.deployed import Customer, Deployed, eventually

pytestmark = pytest.mark.xdist_group("published_models")

MODEL = PAGE.stem
DEADLINE_SECONDS = 120
"""A clip of 1080p takes a busy machine longer than the usual deadline of tests."""


@pytest.fixture(scope="module")
def deployed(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Deployed]:
    """A stage of this file's own: what is published here is sold to everybody on it."""
    with (
        local_cloud(tmp_path_factory.mktemp("published"), provider_deadline_s=DEADLINE_SECONDS) as cloud,
        requests.Session() as http,
    ):
        yield Deployed(cloud, http, BusLog(cloud))


@pytest.fixture(scope="module")
def config(deployed: Deployed, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What the operator's command knows of the stage."""
    file = tmp_path_factory.mktemp("operator") / "shoal.json"
    file.write_text(json.dumps(deployed.cloud.config()), encoding="utf-8")
    return file


@pytest.fixture(scope="module")
def published(deployed: Deployed, config: Path) -> tuple[Customer, Client]:
    """A customer of a stage that sells the page, who was there before."""
    customer = deployed.customer()
    client = Client(deployed.cloud.api_url, customer.key)
    assert MODEL not in [model["id"] for model in client.shoal.models()]
    publish(PAGE, config)
    assert wait_until_sold(client, MODEL) <= 60
    return customer, client


@pytest.mark.timeout(300)
def test_a_published_model_is_charged_by_the_second(
    deployed: Deployed, published: tuple[Customer, Client]
) -> None:
    customer, client = published

    (model,) = [each for each in client.shoal.models() if each["id"] == MODEL]
    assert (model["price"]["per"], model["price"]["sentence"]) == ("rows", "$0.062 a second at 720p")

    sold = sell(client, MODEL, REQUEST)

    assert (sold.quote["upper_bound"], sold.held, sold.task["cost"]) == ("$0.6200", "$0.62", "$0.6200")
    assert sold.quote["sentence"] == "$0.124 a second"
    (file,) = sold.task["files"]
    assert (file["content_type"], file["width"], file["height"]) == ("video/mp4", 1920, 1080)
    assert file["seconds"] == pytest.approx(5, abs=0.1)
    (used,) = client.shoal.usage_summary()
    assert used["units"] == {"second": 5}
    assert deployed.wallet(customer).held == 0


@pytest.mark.timeout(300)
def test_what_comes_to_less_costs_less(published: tuple[Customer, Client]) -> None:
    _, client = published

    sold = sell(client, MODEL, {"prompt": "[shorter:2] A shark", "duration": 5, "resolution": "480p"})

    assert (sold.held, sold.task["cost"]) == ("$0.15", "$0.0900")


def test_what_the_model_does_not_take_is_refused_by_name(
    deployed: Deployed, published: tuple[Customer, Client]
) -> None:
    customer, _ = published
    body = {"model": MODEL, "prompt": "A shark", "duratoin": 5}

    answer = customer.client.request("POST", "/v1/generate", json=body)

    assert answer.status_code == 422
    assert "did you mean duration?" in answer.text
    assert deployed.wallet(customer).held == 0


@pytest.mark.timeout(300)
def test_a_model_that_is_taken_back_is_sold_no_more(published: tuple[Customer, Client], config: Path) -> None:
    _, client = published
    task = client.shoal.tasks.create(MODEL, "[slow:15] A shark", duration=2, resolution="480p")

    run(
        [str(SHOAL), "catalog", "rollback"],
        env={**os.environ, "SHOAL_CONFIG": str(config)},
        log=config.with_name("shoal.log"),
    )

    eventually(lambda: MODEL not in [m["id"] for m in client.shoal.models()], seconds_max=60)
    done = client.shoal.tasks.wait(task, timeout_s=120)
    assert (done["status"], done["cost"]) == ("completed", "$0.0600")
