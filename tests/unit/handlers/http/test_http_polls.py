"""Callers ask after their jobs again and again: such reads, and held requests, have limits of their own."""

from __future__ import annotations

import json
from collections.abc import Iterator

from shoal.domain.rate_limit import HELD_S_PER_MINUTE, SHORT_HOLD_S
from shoal.handlers.http.routes import ROUTES
from tests.support.api import Api
from tests.worlds.machine import Stage
from tests.worlds.world import Customer

LOOPS, PAUSE_S, MINUTES = 10, 2, 3
TAKES_S = 30
"""How long a generation takes at least, as the published documents have it."""
IMAGE = {"mode": "2k", "prompt": f"[slow:{TAKES_S}] A shark"}


def published_loop(api: Api, customer: Customer, ended: list[str]) -> Iterator[None]:
    """The client of the published documents, again and again: each yield is its two seconds of sleep.

    It throws on any answer but 2xx, and on a job that failed.
    """
    while True:
        submitted = api.call("http_post_image", customer, body=json.dumps(IMAGE))
        assert 200 <= submitted.status < 300, submitted.json
        while True:
            polled = api.call("http_get_api_job", customer, job_id=submitted.json["job_id"])
            assert 200 <= polled.status < 300, polled.json
            if polled.json["status"] == "completed":
                break
            assert polled.json["status"] in ("queued", "processing"), polled.json
            yield
        ended.append(polled.json["job_id"])


def test_ten_published_loops_run_side_by_side_for_three_minutes(api: Api, customer: Customer) -> None:
    stage, ended = Stage(api.world), list[str]()
    loops = [published_loop(api, customer, ended) for _ in range(LOOPS)]
    for _ in range(MINUTES * 60 // PAUSE_S):
        for loop in loops:
            next(loop)
        stage.run(until_ms=api.world.clock.ms + PAUSE_S * 1000)

    longest_s = TAKES_S + 2 * PAUSE_S
    assert len(set(ended)) == len(ended) >= LOOPS * (MINUTES * 60 // longest_s)


def test_reads_by_id_count_in_a_bucket_of_their_own(api: Api, customer: Customer) -> None:
    job = api.world.queued(customer)
    answers = [api.call("http_get_job", customer, job_id=job.id) for _ in range(201)]

    assert [answer.status for answer in answers] == [200] * 200 + [429]
    assert answers[0].headers["RateLimit-Policy"] == '"key";q=600;w=60'
    wallet = api.call("http_get_wallet", customer)
    assert wallet.headers["RateLimit"] == '"key";r=19;t=1'


def test_reads_by_id_are_those_of_one_job_task_or_video() -> None:
    polls = {route.name for route in ROUTES.values() if route.polls}

    assert polls == {
        f"GET {path}/{{id}}" for path in ("/v1/jobs", "/api/v1/jobs", "/v1/tasks", "/api/v1/videos")
    }


def test_a_key_whose_requests_were_held_long_enough_is_answered_at_once(api: Api, customer: Customer) -> None:
    job, world = api.world.queued(customer), api.world
    world.clock.ms -= world.clock.ms % 60_000

    def held_s(wait: int, job_id: str = job.id) -> int:
        before_ms = world.clock.ms
        answer = api.call("http_get_task", customer, job_id=job_id, headers={"prefer": f"wait={wait}"})
        assert answer.status in (200, 202)
        spent_ms, world.clock.ms = world.clock.ms - before_ms, before_ms
        return spent_ms // 1000

    holds = [held_s(20) for _ in range(HELD_S_PER_MINUTE // 20 + 1)]
    assert holds == [20] * (HELD_S_PER_MINUTE // 20) + [0]
    assert held_s(SHORT_HOLD_S) == SHORT_HOLD_S
    world.clock.pass_seconds(60)
    assert held_s(20) == 20
