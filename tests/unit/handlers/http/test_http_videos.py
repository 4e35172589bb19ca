"""The routes of videos, from the Lambda event to the answer."""

from __future__ import annotations

import json
from typing import Any

import pytest

from shoal.domain.api_key import KeyPrefix
from shoal.domain.errors import Unavailable
from shoal.domain.job import JobStatus
from shoal.domain.money import Asset
from tests.support.api import Api, Response
from tests.unit.dialects.test_video_requests import DOCUMENT
from tests.worlds.machine import Stage
from tests.worlds.world import Customer, World


def create(api: Api, customer: Customer, key: str | None = None, **changes: Any) -> Response:
    headers = {"idempotency-key": key}
    return api.call("http_post_video", customer, headers=headers, body=json.dumps(DOCUMENT | changes))


def read(api: Api, customer: Customer, video_id: str) -> dict[str, Any]:
    answer = api.call("http_get_video", customer, job_id=video_id)
    assert answer.status == 200
    return dict(answer.json["video"])


def test_a_video_from_the_submit_to_the_last_read(api: Api, filmmaker: Customer) -> None:
    stage = Stage(api.world)

    answer = create(api, filmmaker)

    assert answer.status == 202
    video = answer.json["video"]
    assert (video["status"], video["credits_charged"]) == ("queued", 2)
    assert video["id"].startswith("vid_")
    assert api.call("http_get_credits", filmmaker).json == {"credits_remaining": 18, "credits_held": 2}
    stage.run()
    assert read(api, filmmaker, video["id"])["status"] == "ready"
    assert api.call("http_get_credits", filmmaker).json == {"credits_remaining": 18, "credits_held": 0}


def test_too_few_credits_are_told_in_the_documents_words(api: Api, world: World) -> None:
    poor = world.customer(credits=2)

    answer = create(api, poor, duration=48)

    assert answer.status == 402
    assert answer.json == {
        "code": "insufficient_credits",
        "message": "Need 6 credits, you have 2. Top up or pick a shorter length.",
        "docs_url": "https://api.test/docs/api#insufficient_credits",
        "details": {"credits_required": 6, "credits_remaining": 2},
    }
    assert world.entries(poor, Asset.CREDIT) == ["top_up"]
    assert world.tables.jobs == {}


def test_credits_that_are_held_are_not_remaining(api: Api, world: World) -> None:
    customer = world.customer(credits=3)
    create(api, customer)

    assert create(api, customer).json["details"] == {"credits_required": 2, "credits_remaining": 1}


def test_a_test_key_spends_play_credits(api: Api, world: World) -> None:
    tester = world.customer(prefix=KeyPrefix.TEST)

    assert create(api, tester).status == 202
    assert api.call("http_get_credits", tester).json == {"credits_remaining": 98, "credits_held": 2}


def test_a_video_key_opens_the_routes_of_the_other_dialects_too(api: Api, world: World) -> None:
    customer = world.customer(prefix=KeyPrefix.VIDEO, credits=2)
    assert customer.key.startswith("vsk_live_")

    video_id = create(api, customer).json["video"]["id"]

    assert api.call("http_get_job", customer, job_id=video_id).json["status"] == "queued"
    assert api.call("http_get_task", customer, job_id=video_id).json["data"]["status"] == "pending"
    assert api.call("http_get_wallet", customer).status == 200


@pytest.mark.parametrize(
    ("changes", "field"),
    [({"duration": duration}, "duration") for duration in (0, 7, 12, 128, -8, "16", 16.5)]
    + [({"idea": ""}, "idea"), ({"idea": "x" * 5_000}, "idea")]
    + [({"category": "gossip"}, "category"), ({"aspect_ratio": "4:3"}, "aspect_ratio")],
)
def test_bad_input_is_told_in_the_dialects_shape_and_costs_nothing(
    api: Api, filmmaker: Customer, changes: dict[str, Any], field: str
) -> None:
    answer = create(api, filmmaker, **changes)

    assert (answer.status, answer.json["code"]) == (422, "validation_error")
    assert answer.json["docs_url"] == "https://api.test/docs/api#validation_error"
    assert field in {found["field"] for found in answer.json["details"]["fields"]}
    assert api.world.tables.jobs == {}


@pytest.mark.parametrize(
    ("body", "status", "code"),
    [("{", 400, "invalid_json"), ("[]", 422, "validation_error"), ('{"a":' * 40, 400, "invalid_json")],
)
def test_an_unreadable_body_is_told_in_the_dialects_shape(
    api: Api, filmmaker: Customer, body: str, status: int, code: str
) -> None:
    answer = api.call("http_post_video", filmmaker, body=body)

    assert (answer.status, answer.json["code"]) == (status, code)
    assert answer.json.keys() == {"code", "message", "docs_url", "details"}


def test_the_same_key_is_the_same_video(api: Api, filmmaker: Customer) -> None:
    first, again = create(api, filmmaker, "k"), create(api, filmmaker, "k")
    other = create(api, filmmaker, "k", duration=8)

    assert (again.status, again.json) == (202, first.json)
    assert again.headers["Idempotent-Replayed"] == "true"
    assert (other.status, other.json["code"]) == (422, "idempotency_key_reused")
    assert len(api.world.tables.jobs) == 1


def test_a_limit_on_the_cost_is_kept(api: Api, filmmaker: Customer) -> None:
    answer = create(api, filmmaker, max_cost="1")

    assert (answer.status, answer.json["code"]) == (402, "max_cost_exceeded")
    assert answer.json["details"] == {"price": "2 credits", "max_cost": "1 credit"}


def test_a_cancel_gives_everything_back_and_comes_once(api: Api, filmmaker: Customer) -> None:
    video_id = create(api, filmmaker).json["video"]["id"]

    canceled = api.call("http_post_video_cancel", filmmaker, job_id=video_id)
    again = api.call("http_post_video_cancel", filmmaker, job_id=video_id)

    assert (canceled.status, canceled.json["video"]["status"]) == (200, "failed")
    assert canceled.json["video"]["error"]["code"] == "canceled"
    assert (canceled.json["video"]["credits_charged"], canceled.json["video"]["credits_refunded"]) == (2, 2)
    assert (again.status, again.json["code"]) == (409, "conflict")
    assert again.json["details"] == {"status": "canceled"}, "so who lost the answer can tell"
    assert api.world.wallet(filmmaker, Asset.CREDIT).available == 20


def test_a_video_that_is_done_cannot_be_canceled(api: Api, filmmaker: Customer) -> None:
    video_id = create(api, filmmaker).json["video"]["id"]
    Stage(api.world).run()

    assert api.call("http_post_video_cancel", filmmaker, job_id=video_id).status == 409
    assert api.world.wallet(filmmaker, Asset.CREDIT).balance == 18


def test_another_account_and_a_made_up_id_find_nothing(api: Api, world: World, filmmaker: Customer) -> None:
    video_id = create(api, filmmaker).json["video"]["id"]
    other = world.customer()

    for name in ("http_get_video", "http_post_video_cancel"):
        for caller, found in (
            (other, video_id),
            (filmmaker, "vid_nothing"),
            (filmmaker, "job_" + video_id[4:]),
        ):
            answer = api.call(name, caller, job_id=found)
            assert (answer.status, answer.json["code"]) == (404, "not_found")


def test_a_list_shows_videos_newest_first_page_by_page(api: Api, world: World, filmmaker: Customer) -> None:
    world.clock.pass_seconds(60)
    ids = []
    for _ in range(3):
        ids.append(create(api, filmmaker).json["video"]["id"])
        world.clock.pass_seconds(3)
    world.queued(world.customer(usd="1.00"))
    api.call("http_post_video_cancel", filmmaker, job_id=ids[0])

    world.network.calls.clear()
    first = api.call("http_get_videos", filmmaker, query={"limit": "2"}).json
    assert [call for call in world.network.calls if call.startswith("scenes.")] == ["scenes.of_each"]
    rest = api.call("http_get_videos", filmmaker, query={"cursor": first["next_cursor"]}).json
    failed = api.call("http_get_videos", filmmaker, query={"status": "failed"}).json

    assert [video["id"] for video in first["videos"] + rest["videos"]] == ids[::-1]
    assert rest["next_cursor"] is None
    assert [video["id"] for video in failed["videos"]] == ids[:1]
    assert api.call("http_get_videos", filmmaker, query={"status": "done"}).json["code"] == "validation_error"
    assert api.call("http_get_videos", filmmaker, query={"cursor": "x"}).status == 422


def test_pictures_are_not_among_the_videos(api: Api, world: World) -> None:
    customer = world.customer(credits=2)
    world.queued(customer)
    video_id = create(api, customer).json["video"]["id"]

    listed = api.call("http_get_videos", customer, query={}).json["videos"]

    assert [video["id"] for video in listed] == [video_id]


def test_a_picture_read_as_a_video_is_one_of_no_scenes(api: Api, world: World, customer: Customer) -> None:
    picture = world.completed(customer)

    assert read(api, customer, picture.id)["scenes"] == []


def test_a_workflow_out_of_reach_does_not_refuse_a_video(api: Api, world: World, filmmaker: Customer) -> None:
    world.network.fail("workflow.start", Unavailable())
    video_id = create(api, filmmaker).json["video"]["id"]
    world.network.heal()

    Stage(world).run()

    assert world.job(filmmaker, video_id).status is JobStatus.COMPLETED


def test_a_video_goes_its_own_way_whatever_is_preferred(api: Api, filmmaker: Customer) -> None:
    answer = api.call("http_post_video", filmmaker, headers={"prefer": "wait=20"}, body=json.dumps(DOCUMENT))

    assert answer.status == 202
    assert "Preference-Applied" not in answer.headers
