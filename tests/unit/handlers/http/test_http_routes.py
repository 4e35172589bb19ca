"""Callbacks, health, addresses there are not, and what no route does without a key."""

from __future__ import annotations

from typing import Any
from urllib.parse import urljoin

import pytest

from shoal.domain.errors import CallbackRefused
from shoal.domain.job import Job
from shoal.domain.provider import Pending
from shoal.handlers.http.endpoint import Request
from shoal.handlers.http.routes import ROUTES
from tests.support.api import Api, Response
from tests.support.events import event
from tests.unit.handlers.http.test_webhook_routes import WEBHOOK_ROUTES
from tests.worlds.world import Customer, World


def call_back(api: Api, of: Job, **path: str) -> Response:
    sent = event("http_post_callback")
    sent["pathParameters"] = {
        "provider": "simulator",
        "job": f"{of.account_id}.{of.id}.0.1",
        "mac": "mac-of-simulator",
    } | path
    return api.send(sent)


def test_a_genuine_callback_is_taken_without_a_word(api: Api, customer: Customer) -> None:
    job = api.world.asked(api.world.processing(customer))
    api.world.provider.callback = Pending("ref-1", 0)

    answer = call_back(api, job)

    assert (answer.status, answer.text) == (204, "")
    assert len(api.world.poll_queue.messages) == 1
    headers, body, _ = api.world.provider.callbacks[0]
    assert headers["webhook-id"] == "sim_1763980800123"
    assert body == event("http_post_callback")["body"].encode()


def test_a_late_callback_is_taken_too_and_changes_nothing(api: Api, customer: Customer) -> None:
    job = api.world.completed(customer)
    api.world.provider.callback = Pending("ref-1", 0)

    assert call_back(api, job).status == 204
    assert api.world.poll_queue.messages == []


@pytest.mark.parametrize(
    "path",
    [
        {"mac": "forged"},
        {"mac": ""},
        {"provider": "unknown"},
        {"provider": "unknown", "mac": "mac-of-unknown"},
        {"job": "x", "mac": "mac-of-simulator"},
        {"mac": "\ud83d"},
    ],
)
def test_a_callback_that_proves_nothing_is_told_nothing(
    api: Api, customer: Customer, path: dict[str, str]
) -> None:
    answer = call_back(api, api.world.processing(customer), **path)

    assert answer.status == 404
    assert set(answer.json) == {"data", "error"}
    assert api.world.poll_queue.messages == []


def test_an_unsigned_callback_gets_the_same_answer_as_a_forged_address(api: Api, customer: Customer) -> None:
    job = api.world.processing(customer)
    api.world.provider.callback = CallbackRefused("the signature does not hold")

    unsigned, forged = call_back(api, job), call_back(api, job, mac="forged")

    assert (unsigned.status, unsigned.text) == (forged.status, forged.text)
    assert "signature" not in unsigned.text


def test_health_needs_no_key(api: Api) -> None:
    answer = api.call("http_get_health")

    assert (answer.status, answer.json) == (200, {"status": "ok", "stage": "unit"})
    assert api.world.network.calls == []


@pytest.mark.parametrize("method", ["GET", "POST", "HEAD", "OPTIONS"])
@pytest.mark.parametrize(
    ("path", "in_the_words_of_videos"),
    [
        ("/", False),
        ("/v1", False),
        ("/v2/generate", False),
        ("//evil.example/", False),
        ("/v1/jobs//", False),
        ("/v1/jobs/a/b/c", False),
        ("/dev/v1/wallet", False),
        ("/api/v1/videos/vid_1/scenes", True),
        ("/api/v1/webhooks/wh_1/a/b", True),
    ],
)
def test_an_address_there_is_not_is_not_found(
    api: Api, method: str, path: str, in_the_words_of_videos: bool
) -> None:
    sent: dict[str, Any] = event("http_default") | {"rawPath": path}
    sent["requestContext"]["http"] |= {"method": method, "path": path}

    answer = api.send(sent)

    assert answer.status == 404
    assert "Allow" not in answer.headers
    if method == "HEAD":
        assert answer.text == ""
    elif in_the_words_of_videos:
        assert answer.json.keys() == {"code", "message", "docs_url", "details"}
        assert answer.json["docs_url"] == "https://api.test/docs/api#not_found"
    else:
        assert answer.json["data"] is None
        assert answer.error["code"] == "not_found"


@pytest.mark.parametrize("method", ["GET", "POST", "HEAD"])
@pytest.mark.parametrize(
    ("path", "query", "location"),
    [
        ("/v1/generate/", "", "../generate"),
        ("/v1/jobs/job_1/", "", "../job_1"),
        ("/api/v1/videos/", "limit=2&cursor=a%20b", "../videos?limit=2&cursor=a%20b"),
    ],
)
def test_a_slash_too_many_is_redirected_with_method_and_body(
    api: Api, method: str, path: str, query: str, location: str
) -> None:
    sent: dict[str, Any] = event("http_default") | {"rawPath": path, "rawQueryString": query}
    sent["requestContext"]["http"] |= {"method": method, "path": path}

    answer = api.send(sent)

    assert (answer.status, answer.headers["Location"]) == (308, location)
    assert urljoin(f"https://api.test{path}", location).partition("?")[0] == f"https://api.test{path[:-1]}"


@pytest.mark.parametrize("name", ["nanobanana", "google/imagen", "nobody"])
@pytest.mark.parametrize("method", ["GET", "HEAD"])
def test_a_slash_after_a_models_name_is_redirected(
    api: Api, customer: Customer, name: str, method: str
) -> None:
    """API Gateway takes the slash for a part of `{id+}`."""
    sent: dict[str, Any] = event("http_get_model") | {"rawPath": f"/v1/models/{name}/", "rawQueryString": ""}
    sent["pathParameters"]["id"] = f"{name}/"
    sent["headers"]["authorization"] = f"Bearer {customer.key}"
    sent["requestContext"]["http"] |= {"method": method, "path": sent["rawPath"]}

    answer = api.send(sent)

    assert answer.status == 308
    at = urljoin(f"https://api.test{sent['rawPath']}", answer.headers["Location"])
    assert at == f"https://api.test/v1/models/{name}"


@pytest.mark.parametrize(
    ("handed_over", "id_"), [("a/b", "a/b"), ("a b", "a b"), ("100%25", "100%"), ("a%252Fb", "a%2Fb")]
)
def test_the_id_of_a_model_is_decoded_once(api: Api, customer: Customer, handed_over: str, id_: str) -> None:
    """API Gateway decodes every escape but `%25` before it looks for a route."""
    answer = api.call("http_get_model", customer, job_id=handed_over)

    assert (answer.status, answer.error["code"]) == (404, "not_found")
    assert f"There is no model '{id_}'." in answer.error["message"]
    assert "nearest" in answer.error["details"]


NEED_A_KEY = [
    "http_post_generate",
    "http_post_image",
    "http_get_job",
    "http_get_api_job",
    "http_post_cancel",
    "http_post_api_cancel",
    "http_get_wallet",
    "http_get_api_wallet",
    "http_get_usage",
    "http_get_api_usage",
    "http_get_task",
    "http_get_tasks",
    "http_post_task_cancel",
    "http_get_models",
    "http_get_model",
    "http_post_quote",
    "http_get_usage_summary",
    "http_post_files",
    "http_get_files",
    "http_get_file",
    "http_delete_file",
    "http_post_video",
    "http_get_video",
    "http_get_videos",
    "http_post_video_cancel",
    "http_get_credits",
]
TASKS, VIDEOS = set(NEED_A_KEY[10:21]), set(NEED_A_KEY[21:])


@pytest.mark.parametrize("name", NEED_A_KEY)
@pytest.mark.parametrize(
    "authorization",
    [None, "", "Bearer", "Bearer sk_live_0123456789abcdefghijABCDEFGHIJKL", "Basic c2hhcms6Ymx1ZQ=="],
)
def test_without_a_valid_key_no_route_says_more_than_401(
    api: Api, name: str, authorization: str | None
) -> None:
    answer = api.call(name, headers={"authorization": authorization})

    error = {"code": "UNAUTHORIZED", "message": "Missing or invalid API key.", "status": 401}
    if name in TASKS:
        assert answer.json == {"data": None, "error": error | {"code": "unauthorized", "details": {}}}
    elif name in VIDEOS:
        assert answer.json == {
            "code": "unauthorized",
            "message": error["message"],
            "docs_url": "https://api.test/docs/api#unauthorized",
            "details": {},
        }
    else:
        assert answer.json == {"error": error}
    assert answer.status == 401


@pytest.mark.parametrize("name", NEED_A_KEY)
def test_a_revoked_key_opens_no_route(api: Api, customer: Customer, name: str) -> None:
    api.world.keys.revoke(customer.account_id, customer.stored_key.id, api.world.clock.now_ms())

    assert api.call(name, customer).status == 401


@pytest.mark.parametrize(
    ("body", "code"),
    [
        ('{"mode":"2k","prompt":"A"}', "UNAUTHORIZED"),
        ('{"model":"flux"}', "unauthorized"),
        ('{"mode":"2k","model":"flux"}', "unauthorized"),
        ("{}", "unauthorized"),
        ("{", "unauthorized"),
        ("", "unauthorized"),
    ],
)
def test_the_body_says_in_whose_words_a_key_is_refused(api: Api, body: str, code: str) -> None:
    answer = api.call("http_post_generate", body=body, headers={"authorization": None})

    assert (answer.status, answer.error["code"]) == (401, code)
    assert ("data" in answer.json) == (code == "unauthorized")
    assert ("details" in answer.error) == ('"model"' in body and '"mode"' not in body)


@pytest.mark.parametrize("name", NEED_A_KEY)
def test_a_key_without_the_scope_is_forbidden(api: Api, world: World, name: str) -> None:
    answer = api.call(name, world.customer(scopes=frozenset()))

    code = answer.json["code"] if name in VIDEOS else answer.error["code"]
    assert (answer.status, code.upper()) == (403, "FORBIDDEN")
    assert ("data" in answer.json) == (name in TASKS)


@pytest.mark.parametrize("name", NEED_A_KEY)
def test_every_answer_to_a_known_key_tells_its_limit(api: Api, customer: Customer, name: str) -> None:
    polls = ROUTES[route_of(event(name))].polls
    told = api.call(name, customer).headers["RateLimit-Policy"]
    assert told == f'"key";q={600 if polls else 60};w=60'


DOCUMENTS = [
    "http_get_openapi",
    "http_get_well_known_openapi",
    "http_get_docs",
    "http_get_llms",
    "http_get_docs_llms",
    "http_get_events",
    "http_get_events_md",
    "http_get_asyncapi",
]


def route_of(sent: dict[str, Any]) -> str:
    return Request(sent, lambda: 0).route


def test_every_route_has_an_event_that_the_tests_send() -> None:
    others = ["http_post_mcp", "http_post_callback", "http_post_stripe_webhook"]
    others += ["http_get_health", "http_default", *DOCUMENTS]
    routed = {route_of(event(name)) for name in [*NEED_A_KEY, *others]}

    pages = {route for route in ROUTES if " /dashboard" in route}  # `site.py` browses those

    assert routed == set(ROUTES) - set(WEBHOOK_ROUTES) - pages
