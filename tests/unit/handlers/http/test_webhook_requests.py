"""The webhook routes as a caller sees them: what is refused, whose webhooks they are, where secrets show."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from io import StringIO
from typing import Any

import pytest

from infra.lambdas.function import route_key
from shoal.composition.accounts import Gate
from shoal.domain.errors import Unavailable
from shoal.domain.webhook import EVENT_TYPES
from shoal.handlers.http.routes import ROUTES
from shoal.observability import logger
from tests.support.api import gated
from tests.support.contract import contract
from tests.support.resolver import Resolver
from tests.worlds.webhook_world import ACCOUNT, URL, WebhookWorld

OTHER_ACCOUNT = "acc_01JBQRSTVWXYZ0123456789ZZZ"
BODY = {"name": "n8n production", "url": URL, "events": ["video.ready", "video.failed"]}
RESOURCE = ["id", "name", "url", "events", "enabled", "disabled_reason", "created_at", "updated_at"]


@dataclass(frozen=True)
class Answer:
    status: int
    headers: dict[str, str]
    body: Any


class Context:
    def get_remaining_time_in_millis(self) -> int:
        return 15_000


class Api:
    """Hands a request to the function behind its route, as the account in `account_id`."""

    def __init__(self, webhooks: WebhookWorld) -> None:
        self.webhooks, self.account_id, self.test = webhooks, ACCOUNT, False
        self._gate = Gate(
            lambda *_: webhooks.caller(self.account_id, test=self.test),
            lambda: "https://api.test/",
            lambda _: None,
            lambda: "",
        )
        self._use_cases = {
            "manage_webhooks": lambda: webhooks.manage,
            "manage_deliveries": lambda: webhooks.deliveries,
            "manage_webhook_secret": lambda: webhooks.manage_secret,
        }

    def __call__(self, route: str, body: Any = None, /, *, key: str | None = None, **path: str) -> Answer:
        method, _, pattern = route.partition(" ")
        headers = {"authorization": "Bearer vsk_live_x", "content-type": "application/json"}
        event = {
            "version": "2.0",
            "routeKey": route_key(route),
            "rawPath": pattern.format(**path),
            "headers": headers | ({"idempotency-key": key} if key else {}),
            "pathParameters": path,
            "requestContext": {"requestId": "request-1", "http": {"method": method, "sourceIp": "192.0.2.1"}},
            "body": None if body is None else json.dumps(body),
            "isBase64Encoded": False,
        }
        handler = gated(ROUTES[route].verb, self._use_cases, self._gate)
        answer = handler(event, Context())
        contract().check(
            method, pattern.format(**path), answer["statusCode"], answer["headers"], answer["body"]
        )
        return Answer(answer["statusCode"], answer["headers"], json.loads(answer["body"] or "null"))

    def create(self, key: str | None = None, **changes: Any) -> Answer:
        return self("POST /api/v1/webhooks", BODY | changes, key=key)


@pytest.fixture
def webhooks() -> WebhookWorld:
    return WebhookWorld()


@pytest.fixture
def api(webhooks: WebhookWorld) -> Api:
    return Api(webhooks)


@pytest.fixture
def logged() -> Iterator[StringIO]:
    """What the functions have logged so far."""
    handler: Any = logger.registered_handler
    written = StringIO()
    before = handler.setStream(written)
    yield written
    handler.setStream(before)


def assert_refused(answer: Answer, field: str, words: str) -> None:
    """422 in the video dialect's shape, naming the field and the reason."""
    assert answer.status == 422, answer.body
    assert list(answer.body) == ["code", "message", "docs_url", "details"]
    assert answer.body["code"] == "validation_error"
    assert answer.body["docs_url"] == "https://api.test/docs/api#validation_error"
    (found,) = answer.body["details"]["fields"]
    assert found["field"].partition(".")[0] == field
    assert words in found["message"]
    assert found["message"] in answer.body["message"]


@pytest.mark.parametrize(
    ("url", "words"),
    [
        ("http://hooks.example.com/", "must begin with https://"),
        ("https://hooks.example.com/\x18", "control character"),
        ("https://hooks.example.com/\x85", "control character"),
        ("ftp://hooks.example.com/", "must begin with https://"),
        ("https://user:secret@hooks.example.com/", "user"),
        ("https://user@hooks.example.com/", "user"),
        ("https://hooks.example.com:8080/", "port"),
        ("https://hooks.example.com:22/", "port"),
        ("https://hooks.example.com:65536/", "port"),
        ("https://93.184.216.34/", "name"),
        ("https://127.0.0.1/", "name"),
        ("https://2130706433/", "name"),
        ("https://0x7f000001/", "name"),
        ("https://0x7f.0.0.1/", "name"),
        ("https://0177.0.0.1/", "name"),
        ("https://127.1/", "name"),
        ("https://[::1]/", "name"),
        ("https://[::ffff:127.0.0.1]/", "name"),
        ("https://[64:ff9b::7f00:1]/", "name"),
        ("https://[2002:7f00:1::]/", "name"),
        ("https://[2606:2800:220:1::1]/", "name"),
        ("https://①②⑦.0.0.1/", "name"),
        ("https://hooks.example.com\\@127.0.0.1/", "backslash"),
        ("https://hooks example.com/", "space"),
        (f"https://{'a' * 64}.example.com/", "name"),
        (f"https://{'a.' * 127}com/", "name"),
        (f"https://hooks.example.com/{'a' * 2048}", "2048 characters"),
        ("https:///path", "name"),
        ("", "at least 1 character"),
        (7, "valid string"),
    ],
)
def test_an_address_nobody_may_choose_is_refused_and_nothing_stored(api: Api, url: Any, words: str) -> None:
    assert_refused(api.create(url=url), "url", words)
    assert not api.webhooks.tables.subscriptions
    assert api.webhooks.endpoints.resolve.asked == []


@pytest.mark.parametrize(
    ("address", "words"),
    [
        ("127.0.0.1", "a loopback address"),
        ("10.1.2.3", "a private network"),
        ("172.31.255.255", "a private network"),
        ("192.168.0.1", "a private network"),
        ("169.254.169.254", "a link-local address"),
        ("100.64.0.1", "a carrier's private network"),
        ("168.63.129.16", "a cloud's internal service"),
        ("0.0.0.0", "an unspecified address"),
        ("::1", "outside the public internet"),
        ("::ffff:10.0.0.1", "outside the public internet"),
        ("64:ff9b::a00:1", "outside the public internet"),
        ("fe80::1", "outside the public internet"),
        ("fd00:ec2::254", "outside the public internet"),
        ("2002:a00:1::", "a 6to4 address"),
    ],
)
def test_a_name_with_any_private_address_is_refused_at_creation_and_change(
    api: Api, address: str, words: str
) -> None:
    created = api.create()
    api.webhooks.endpoints.resolve = Resolver(["93.184.216.34", address])

    assert_refused(api.create(), "url", words)
    webhook_id = created.body["webhook"]["id"]
    changed = api("PATCH /api/v1/webhooks/{id}", {"url": "https://other.example.com"}, id=webhook_id)

    assert_refused(changed, "url", words)
    assert address not in json.dumps(changed.body)
    assert [each.url for each in api.webhooks.tables.subscriptions.values()] == [URL]


@pytest.mark.parametrize(
    ("changes", "field", "words"),
    [
        ({"events": []}, "events", "at least 1 item"),
        ({"events": ["video.deleted"]}, "events", "no event type; choose among"),
        ({"events": ["job.completed"]}, "events", "no event type"),
        ({"events": ["audio.*"]}, "events", "no event type"),
        ({"events": ["video.r*"]}, "events", "no event type"),
        ({"events": ["Video.Ready"]}, "events", "no event type"),
        ({"events": "video.ready"}, "events", "valid list"),
        ({"events": None}, "events", "valid list"),
        ({"name": "n" * 101}, "name", "at most 100 characters"),
        ({"name": 5}, "name", "valid string"),
        ({"secret": "whsec_mine"}, "secret", "not permitted"),
    ],
    ids=str,
)
def test_a_field_out_of_its_bounds_is_refused_and_nothing_stored(
    api: Api, changes: dict[str, Any], field: str, words: str
) -> None:
    assert_refused(api.create(**changes), field, words)
    assert not api.webhooks.tables.subscriptions


@pytest.mark.parametrize("events", [["*"], ["video.*"], [*EVENT_TYPES], ["image.*", "task.failed"]])
def test_every_type_family_and_wildcard_can_be_subscribed_to(api: Api, events: list[str]) -> None:
    answer = api.create(events=events)

    assert answer.status == 201
    assert answer.body["webhook"]["events"] == events


def test_the_secret_shows_in_the_answers_of_create_and_rotate_alone(api: Api, logged: StringIO) -> None:
    created = api.create()
    webhook_id, secret = created.body["webhook"]["id"], created.body["secret"]
    rotated = api("POST /api/v1/webhooks/{id}/rotate", id=webhook_id)
    others = [
        api("GET /api/v1/webhooks"),
        api("GET /api/v1/webhooks/{id}", id=webhook_id),
        api("PATCH /api/v1/webhooks/{id}", {"name": "other"}, id=webhook_id),
        api("GET /api/v1/webhooks/{id}/deliveries", id=webhook_id),
        api("POST /api/v1/webhooks/{id}/test", id=webhook_id),
    ]

    assert (created.status, rotated.status) == (201, 200)
    assert list(created.body) == list(rotated.body) == ["webhook", "secret"]
    assert list(created.body["webhook"]) == RESOURCE
    assert secret != rotated.body["secret"]
    assert [answer.status for answer in others] == [200] * 5
    shown = json.dumps([answer.body for answer in others]) + logged.getvalue()
    assert logged.getvalue().count('"status":') == 7
    for each in (secret, rotated.body["secret"]):
        assert each.startswith("whsec_")
        assert each not in shown
        assert each not in str(api.webhooks.tables)
    assert "whsec_" not in shown


def test_a_create_repeated_with_its_key_is_one_webhook_with_the_same_secret(api: Api) -> None:
    first, again = api.create(key="once"), api.create(key="once")

    assert again.body == first.body
    assert (again.status, again.headers["Idempotent-Replayed"]) == (201, "true")
    assert len(api.webhooks.tables.subscriptions) == 1
    assert first.body["secret"] not in str(api.webhooks.tables)
    assert api.create(key="once", name="another").body["code"] == "idempotency_key_reused"


REPEATED = [
    ("POST /api/v1/webhooks/{id}/rotate", None),
    ("POST /api/v1/webhooks/{id}/test", {}),
    ("POST /api/v1/webhooks/{id}/recover", {"since": "2027-01-15T08:00:00Z"}),
    ("POST /api/v1/webhooks/{id}/deliveries/{delivery_id}/resend", None),
]


def delivered_once(api: Api) -> dict[str, str]:
    """The ids of a subscription and of its one delivery."""
    webhook_id, _ = api.webhooks.subscribed("image.*")
    api.webhooks.event()
    api.webhooks.run()
    return {"id": webhook_id, "delivery_id": api.webhooks.all_of(webhook_id)[0].id}


@pytest.mark.parametrize(("route", "body"), REPEATED)
def test_a_post_repeated_with_its_key_has_one_effect(api: Api, route: str, body: Any) -> None:
    """Two tests with one key made two deliveries."""
    ids = delivered_once(api)
    first = api(route, body, key="once", **ids)
    before, sent = str(api.webhooks.tables), len(api.webhooks.queues.waiting)

    again = api(route, body, key='"once"', **ids)

    assert (again.status, again.body) == (first.status, first.body)
    assert again.headers["Idempotent-Replayed"] == "true"
    assert (str(api.webhooks.tables), len(api.webhooks.queues.waiting)) == (before, sent)


@pytest.mark.parametrize(("route", "body"), REPEATED[1:])
def test_a_post_that_broke_off_before_the_queue_goes_on_when_it_is_repeated(
    api: Api, route: str, body: Any
) -> None:
    ids = delivered_once(api)
    api.webhooks.network.fail("queue.send", Unavailable())
    api.webhooks.network.fail("recover_queue.send", Unavailable())
    assert api(route, body, key="once", **ids).status == 503
    api.webhooks.network.heal()
    deliveries = len(api.webhooks.tables.deliveries)

    again = api(route, body, key="once", **ids)

    assert again.status in (200, 202)
    assert "Idempotent-Replayed" not in again.headers
    assert len(api.webhooks.tables.deliveries) == deliveries
    assert api(route, body, key="once", **ids).headers["Idempotent-Replayed"] == "true"


def test_a_post_with_another_body_under_its_key_is_refused(api: Api) -> None:
    ids = delivered_once(api)
    test = "POST /api/v1/webhooks/{id}/test"
    api(test, {"type": "video.ready"}, key="once", **ids)

    assert api(test, {"type": "video.failed"}, key="once", **ids).body["code"] == "idempotency_key_reused"


@pytest.mark.parametrize(
    ("route", "body"),
    [
        ("GET /api/v1/webhooks/{id}", None),
        ("PATCH /api/v1/webhooks/{id}", {"enabled": False}),
        ("DELETE /api/v1/webhooks/{id}", None),
        ("POST /api/v1/webhooks/{id}/rotate", None),
        ("POST /api/v1/webhooks/{id}/test", None),
        ("POST /api/v1/webhooks/{id}/recover", {"since": "2027-01-15T08:00:00Z"}),
        ("GET /api/v1/webhooks/{id}/deliveries", None),
        ("POST /api/v1/webhooks/{id}/deliveries/{delivery_id}/resend", None),
    ],
)
def test_another_accounts_webhook_is_not_found(api: Api, route: str, body: Any) -> None:
    webhook_id = api.create().body["webhook"]["id"]
    api.webhooks.event("video.ready")
    api.webhooks.run()
    (delivery,) = api.webhooks.all_of(webhook_id)
    before = str(api.webhooks.tables)
    api.account_id = OTHER_ACCOUNT

    answer = api(route, body, id=webhook_id, delivery_id=delivery.id)

    assert (answer.status, answer.body["code"]) == (404, "not_found")
    assert str(api.webhooks.tables) == before
    assert api("GET /api/v1/webhooks").body == {"webhooks": [], "next_cursor": None}


def test_the_21st_webhook_of_an_account_is_refused(api: Api) -> None:
    created = [api.create() for _ in range(20)]
    refused = api.create()

    assert {answer.status for answer in created} == {201}
    assert (refused.status, refused.body["details"]) == (409, {"webhooks_max": 20})
    assert len(api.webhooks.tables.subscriptions) == 20
    assert api("DELETE /api/v1/webhooks/{id}", id=created[0].body["webhook"]["id"]).status == 204
    assert api.create().status == 201


def test_a_recovery_reaches_back_14_days_at_most(api: Api) -> None:
    webhook_id = api.create().body["webhook"]["id"]

    refused = api("POST /api/v1/webhooks/{id}/recover", {"since": "2026-12-31T07:59:59Z"}, id=webhook_id)

    assert_refused(refused, "since", "at most 14 days ago")


def test_a_replay_in_the_other_mode_tells_no_secret(api: Api) -> None:
    """A test key that sends a live request again begins one of its own: it is told no live secret."""
    told = []
    for api.test in (False, True):
        webhook_id = api.create(key="k").body["webhook"]["id"]
        rotated = api("POST /api/v1/webhooks/{id}/rotate", key="k", id=webhook_id).body["secret"]
        told += [rotated, api("POST /v1/webhook-secret", key="k").body["data"]["secret"]]
    assert len(set(told)) == 4

    live = next(each for each in api.webhooks.tables.subscriptions.values() if not each.test)
    assert api("POST /api/v1/webhooks/{id}/rotate", key="k", id=live.id).status == 404
