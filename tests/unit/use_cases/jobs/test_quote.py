"""A quote tells what a submit would freeze, and nothing is held, fetched or written for it."""

from __future__ import annotations

from typing import Any

import pytest

from shoal.dialects import image, tasks
from shoal.domain.catalog import load_catalog
from shoal.domain.errors import MaxCostExceeded
from shoal.domain.submission import Submission
from tests.worlds.world import Customer, World

DAY_S = 24 * 3_600


def asked(**body: Any) -> Submission:
    asked = {"model": "nanobanana", "prompt": "A shark", "num_outputs": 2} | body
    return tasks.parse_submission(asked, load_catalog())


def test_a_quote_and_a_submit_agree_on_price_and_version(world: World, customer: Customer) -> None:
    quote = world.quote_job(asked())

    job = world.queued(customer, model="nanobanana", num_outputs=2)
    assert quote.submission.price == job.price
    assert quote.submission.price_version == job.submission.price_version
    assert job.hold.amount == quote.submission.price == 20_000


def test_a_quote_writes_nothing_and_reaches_no_address(world: World, customer: Customer) -> None:
    world.network.calls.clear()

    world.quote_job(asked(input_image_urls=["https://example.com/cat.png"], webhook_url="https://hooks.test"))

    assert world.network.calls == ["runs.seconds_expected"]


def test_an_image_is_quoted_at_the_price_of_its_mode(world: World) -> None:
    quote = world.quote_job(image.parse_submission({"mode": "4k", "prompt": "A shark"}, load_catalog()))

    assert (quote.submission.price, quote.seconds_expected) == (30_000, 5)


@pytest.mark.parametrize(("limit", "dear"), [("0.02", False), ("0.019999", True), ("0", True)])
def test_a_quote_is_refused_where_a_submit_would_be(world: World, limit: str, dear: bool) -> None:
    if not dear:
        assert world.quote_job(asked(max_cost=limit)).submission.price == 20_000
        return
    with pytest.raises(MaxCostExceeded) as exceeded:
        world.quote_job(asked(max_cost=limit))
    assert exceeded.value.details["price"] == "$0.02"


def test_without_recent_runs_the_catalog_guesses(world: World) -> None:
    assert world.quote_job(asked()).seconds_expected == load_catalog().models["nanobanana"].seconds_expected


def test_recent_runs_tell_how_long_it_takes(world: World, customer: Customer) -> None:
    for seconds in (20, 40):
        job = world.processing(customer, model="nanobanana")
        world.clock.pass_seconds(seconds)
        world.settle_wallet(job.account_id, job.id, [])

    assert world.quote_job(asked()).seconds_expected == 30
    assert world.quote_job(asked(model="flux")).seconds_expected == 10
    world.clock.pass_seconds(DAY_S)
    assert world.quote_job(asked()).seconds_expected == 30
    world.clock.pass_seconds(DAY_S)
    assert world.quote_job(asked()).seconds_expected == 8


def test_a_failed_or_repeated_run_teaches_nothing(world: World, customer: Customer) -> None:
    failed = world.processing(customer, model="nanobanana")
    world.clock.pass_seconds(100)
    world.release_hold(failed.account_id, failed.id, "ProviderFailed", "No luck.")
    done = world.completed(customer, model="nanobanana")
    world.settle_wallet(done.account_id, done.id, list(done.outputs))

    assert [took for runs in world.runs.runs.values() for took in runs] == [0]
