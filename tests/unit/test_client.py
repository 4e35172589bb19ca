"""The Python client: what it sends, what it tries again, what it raises."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
import requests
from requests.adapters import BaseAdapter
from requests.structures import CaseInsensitiveDict

from shoal_client import (
    ApiError,
    Conflict,
    ConnectionFailed,
    Forbidden,
    InvalidRequest,
    JobFailed,
    NotFound,
    PaymentRequired,
    RateLimited,
    ServerError,
    Shoal,
    SignatureInvalid,
    Unauthorized,
    WaitTimedOut,
    verify,
)
from shoal_client.errors import api_error
from shoal_client.resources import File

URL = "https://api.example.com"
KEY = "sk_live_0123456789abcdefghijABCDEFGHIJKL"
ACCEPTED = {"job_id": "job_1", "status": "queued", "estimated_cost": "$0.02"}
DETAILS = {"details": {"credits": 2}}
VECTORS = Path(__file__).parent.parent / "vectors" / "webhook_signatures.json"


def answer(status: int, body: Any = None, **headers: str) -> requests.Response:
    made = requests.Response()
    made.status_code = status
    made.headers.update({name.replace("_", "-"): value for name, value in headers.items()})
    made._content = b"" if body is None else body if isinstance(body, bytes) else json.dumps(body).encode()
    return made


def job(status: str, **more: Any) -> dict[str, Any]:
    return {"job_id": "job_1", "status": status, "error": None, "image_url": None, **more}


@dataclass
class Api(BaseAdapter):
    """Gives its answers in turn; an exception is a connection that breaks."""

    answers: list[requests.Response | Exception]
    sent: list[requests.PreparedRequest] = field(default_factory=list)
    proxies: list[Mapping[str, str]] = field(default_factory=list)

    def send(self, request: requests.PreparedRequest, *_: Any, **more: Any) -> requests.Response:
        self.sent.append(request)
        self.proxies.append(more["proxies"])
        given = self.answers.pop(0)
        if isinstance(given, Exception):
            raise given
        given.request = request
        return given

    def close(self) -> None:
        pass

    def headers(self, header: str) -> list[str | None]:
        return [request.headers.get(header) for request in self.sent]


@dataclass
class World:
    """A client over an API that is played, and the pauses it made, in seconds."""

    api: Api
    shoal: Shoal
    pauses: list[float]


def world(*answers: requests.Response | Exception, random: float = 0.5) -> World:
    api, session = Api(list(answers)), requests.Session()
    pauses: list[float] = []
    session.mount("https://", api)
    session.trust_env = False
    keys = iter(f"key-{number}" for number in range(100))
    shoal = Shoal(
        KEY,
        URL,
        session=session,
        sleep=pauses.append,
        random=lambda: random,
        clock=lambda: sum(pauses),
        new_key=lambda: next(keys),
    )
    return World(api, shoal, pauses)


def test_a_submit_says_who_asks_for_what_and_can_be_repeated() -> None:
    played = world(answer(202, ACCEPTED))

    assert played.shoal.generate("A shark", mode="1k", seed=7) == ACCEPTED

    (request,) = played.api.sent
    assert (request.method, request.url) == ("POST", f"{URL}/v1/generate")
    assert json.loads(request.body or b"") == {"mode": "1k", "prompt": "A shark", "seed": 7}
    assert request.headers["Authorization"] == f"Bearer {KEY}"
    assert request.headers["Idempotency-Key"] == "key-0"


@pytest.mark.parametrize(
    "spend",
    [
        lambda shoal: shoal.generate("A shark"),
        lambda shoal: shoal.tasks.create("flux", "A shark"),
        lambda shoal: shoal.videos.create("Sharks", category="story", duration=8),
        lambda shoal: shoal.webhooks.create("https://hooks.example.com", ["*"]),
        lambda shoal: shoal.webhooks.rotate("wh_1"),
    ],
)
def test_whatever_spends_is_sent_again_with_the_key_it_had(spend: Callable[[Shoal], Any]) -> None:
    body = {**ACCEPTED, "data": {}, "video": {}, "webhook": {}, "secret": ""}
    broken = requests.ConnectionError("reset")
    played = world(broken, answer(503, None, Retry_After="1"), answer(202, body))

    spend(played.shoal)

    assert played.api.headers("Idempotency-Key") == ["key-0"] * 3


def test_a_key_of_the_callers_own_is_used() -> None:
    played = world(answer(202, ACCEPTED))
    played.shoal.generate("A shark", idempotency_key="order-42")
    assert played.api.headers("Idempotency-Key") == ["order-42"]


def test_pauses_grow_and_jitter_over_all_of_their_length() -> None:
    broken = requests.ConnectionError("reset")

    full, none = world(*[broken] * 5, random=1.0), world(*[broken] * 5, random=0.0)
    for played in (full, none):
        with pytest.raises(ConnectionFailed):
            played.shoal.wallet()

    assert full.pauses == [0.5, 1.0, 2.0, 4.0]
    assert none.pauses == [0.0] * 4


@pytest.mark.parametrize("status", [429, 503])
def test_retry_after_is_the_least_that_is_waited(status: int) -> None:
    played = world(
        answer(status, None, Retry_After="7"), answer(200, {"credits_remaining": 1, "credits_held": 0})
    )

    assert played.shoal.credits() == {"credits_remaining": 1, "credits_held": 0}
    assert played.pauses == [7 + 0.5 * 0.5]


def test_an_idempotent_request_in_flight_is_waited_for() -> None:
    in_flight = answer(409, {"error": {"code": "IDEMPOTENCY_IN_FLIGHT"}}, Retry_After="1")
    played = world(in_flight, answer(202, ACCEPTED))
    assert played.shoal.generate("A shark") == ACCEPTED


def test_an_hour_is_not_slept_through() -> None:
    played = world(answer(503, {"error": {"code": "unavailable"}}, Retry_After="3600"))

    with pytest.raises(ServerError) as caught:
        played.shoal.wallet()
    assert caught.value.retry_after_s == 3600
    assert played.pauses == []


def test_retries_end() -> None:
    played = world(*[answer(429, None, Retry_After="1") for _ in range(5)])
    with pytest.raises(RateLimited):
        played.shoal.wallet()
    assert len(played.api.sent) == 5


def test_what_may_have_been_done_already_is_not_repeated_without_a_key() -> None:
    played = world(requests.ConnectionError("reset"))
    with pytest.raises(ConnectionFailed, match="reset"):
        played.shoal.webhooks.test("wh_1")


@pytest.mark.parametrize(
    ("status", "kind"),
    [
        (400, InvalidRequest),
        (401, Unauthorized),
        (402, PaymentRequired),
        (403, Forbidden),
        (404, NotFound),
        (409, Conflict),
        (413, InvalidRequest),
        (302, ServerError),
        (422, InvalidRequest),
        (501, ServerError),
    ],
)
def test_a_refusal_is_an_error_of_its_own_and_final(status: int, kind: type[ApiError]) -> None:
    played = world(answer(status, {"error": {"code": "SOME_CODE", "message": "No.", "status": status}}))

    with pytest.raises(kind) as caught:
        played.shoal.wallet()
    assert (caught.value.status, caught.value.code, caught.value.message) == (status, "some_code", "No.")
    assert played.pauses == []


@pytest.mark.parametrize(
    "body",
    [
        {"error": {"code": "INSUFFICIENT_CREDITS", "message": "Need 6.", "details": {"credits": 2}}},
        {
            "data": None,
            "error": {"code": "insufficient_credits", "message": "Need 6.", "details": {"credits": 2}},
        },
        {"code": "insufficient_credits", "message": "Need 6.", "docs_url": URL, "details": {"credits": 2}},
    ],
    ids=["image", "tasks", "video"],
)
def test_every_dialect_of_an_error_reads_the_same(body: Mapping[str, Any]) -> None:
    played = world(answer(402, body, X_Request_Id="r-1"))

    with pytest.raises(PaymentRequired) as caught:
        played.shoal.wallet()
    error = caught.value
    assert (error.code, error.message, error.details) == ("insufficient_credits", "Need 6.", {"credits": 2})
    assert str(error) == "402 insufficient_credits: Need 6. (request r-1)"


GATEWAY = [500, 502, 504, 520, 524]


@pytest.mark.parametrize("status", GATEWAY)
@pytest.mark.parametrize(
    "ask",
    [
        lambda shoal: shoal.generate("A shark"),
        lambda shoal: shoal.wallet(),
        lambda shoal: shoal.webhooks.change("wh_1", enabled=False),
        lambda shoal: shoal.download("https://cdn.example.com/0.png"),
    ],
    ids=["with a key", "a read", "a change", "a download"],
)
def test_an_unknown_outcome_is_asked_again_where_that_does_no_harm(
    ask: Callable[[Shoal], Any], status: int
) -> None:
    played = world(answer(status, b"<html>"), answer(200, {**ACCEPTED, "webhook": {}}))
    ask(played.shoal)
    assert len(played.api.sent) == 2


@pytest.mark.parametrize("status", GATEWAY)
def test_an_unknown_outcome_is_told_where_asking_again_could_do_harm(status: int) -> None:
    played = world(answer(status, b"<html>"))
    with pytest.raises(ServerError):
        played.shoal.webhooks.test("wh_1")


@pytest.mark.parametrize("body", [b"<html>Sign in to the network</html>", b"", b"[]", b'"ok"', b"\xff"])
def test_a_success_that_is_not_the_api_s_is_an_error_of_the_tree(body: bytes) -> None:
    played = world(*[answer(200, body, Content_Type="text/html")] * 5)
    with pytest.raises(ConnectionFailed, match="answered 200 with text/html"):
        played.shoal.wallet()
    assert len(played.api.sent) == 5


SENT_AT = "Mon, 05 Jan 2026 10:00:00 GMT"


@pytest.mark.parametrize(
    ("value", "seconds"),
    [
        ("7", 7),
        (" 7 ", 7),
        ("Mon, 05 Jan 2026 10:00:30 GMT", 30),
        ("Monday, 05-Jan-26 10:00:30 GMT", 30),
        ("Mon Jan  5 10:00:30 2026", 30),
        ("Mon, 05 Jan 2026 09:00:00 GMT", 0),
        ("9" * 5_000, 2**31),
        ("soon", None),
        ("-1", None),
        ("", None),
    ],
)
def test_a_retry_after_is_seconds_or_a_date(value: str, seconds: int | None) -> None:
    error = api_error(503, CaseInsensitiveDict({"retry-after": value, "date": SENT_AT}), None)
    assert error.retry_after_s == seconds


def test_a_key_in_other_letters_is_sent_and_refused() -> None:
    played = world(answer(401))
    shoal = Shoal("sk_live_…", URL, session=played.shoal._transport.session)
    with pytest.raises(Unauthorized):
        shoal.wallet()
    assert played.api.headers("Authorization") == ["Bearer sk_live_…".encode().decode("latin-1")]


def test_a_netrc_replaces_no_key_and_goes_nowhere(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    netrc = tmp_path / "netrc"
    netrc.write_text("default login me password of-another-service\n")
    monkeypatch.setenv("NETRC", str(netrc))
    monkeypatch.setenv("HTTPS_PROXY", "http://proxy.example.com:3128")
    moved = answer(302, b"", Location="https://elsewhere.example.com/0.png")
    played = world(answer(200, {}), moved, answer(200, b"PNG"))
    played.shoal._transport.session.trust_env = True

    played.shoal.wallet()
    assert played.shoal.download("https://cdn.example.com/images/0.png") == b"PNG"

    assert played.api.headers("Authorization") == [f"Bearer {KEY}", None, None]
    assert [proxies["https"] for proxies in played.api.proxies] == ["http://proxy.example.com:3128"] * 3


def test_a_name_that_python_keeps_is_written_with_an_underscore() -> None:
    played = world(answer(200, {"requests": [], "next_cursor": None}))
    played.shoal.usage(from_="2026-01-01", to="2026-02-01")
    assert played.api.sent[0].url == f"{URL}/v1/usage?from=2026-01-01&to=2026-02-01"


@pytest.mark.parametrize("body", [b"<html>Bad gateway</html>", b"", b"[]", {"message": "Forbidden"}])
def test_an_answer_from_something_on_the_way_is_an_error_too(body: Any) -> None:
    with pytest.raises(ServerError):
        world(*[answer(502, body)] * 5).shoal.wallet()


def test_a_job_is_polled_until_it_is_complete() -> None:
    done = job("complete", image_url=f"{URL}/images/0.png")
    played = world(answer(200, job("queued")), answer(200, job("processing")), answer(200, done))
    seen: list[str] = []

    found = played.shoal.wait("job_1", on_poll=lambda each: seen.append(each["status"]))

    assert found == done
    assert seen == ["queued", "processing", "complete"]
    assert played.pauses == [2.0, 2.0]


def test_a_job_that_fails_says_why() -> None:
    played = world(answer(200, job("failed", error="The provider failed.")))
    with pytest.raises(JobFailed, match=r"The provider failed\.") as caught:
        played.shoal.wait(ACCEPTED)  # type: ignore[arg-type]
    assert caught.value.job["job_id"] == "job_1"


def test_waiting_ends() -> None:
    played = world(*[answer(200, job("processing"))] * 3)
    with pytest.raises(WaitTimedOut, match="still processing after 5 s"):
        played.shoal.wait("job_1", timeout_s=5)
    assert sum(played.pauses) <= 5


def test_a_task_is_waited_for_by_the_api_itself() -> None:
    task: dict[str, Any] = {"id": "gen_1", "status": "completed", "error": None}
    played = world(answer(200, {"data": task, "error": None}))

    assert played.shoal.tasks.wait("gen_1") == task
    assert played.api.headers("Prefer") == ["wait=20"]


def test_a_video_that_fails_tells_its_error() -> None:
    video = {"id": "vid_1", "status": "failed", "error": {"code": "canceled", "message": "You did."}}
    with pytest.raises(JobFailed, match="You did"):
        world(answer(200, {"video": video})).shoal.videos.wait("vid_1")


def test_the_key_is_not_sent_to_where_outputs_lie() -> None:
    played = world(answer(200, b"PNG"))
    assert played.shoal.download("https://cdn.example.com/images/0.png") == b"PNG"
    assert played.api.headers("Authorization") == [None]


@pytest.mark.parametrize(
    "ask",
    [
        lambda shoal, id_: shoal.job(id_),
        lambda shoal, id_: shoal.cancel(id_),
        lambda shoal, id_: shoal.tasks.get(id_),
        lambda shoal, id_: shoal.videos.cancel(id_),
        lambda shoal, id_: shoal.webhooks.delete(id_),
        lambda shoal, id_: shoal.webhooks.resend("wh_1", id_),
    ],
)
def test_an_id_leads_to_no_other_address(ask: Callable[[Shoal, str], Any]) -> None:
    """An id out of somebody's request, sent on as it came."""
    played = world(answer(404))

    with pytest.raises(NotFound):
        ask(played.shoal, "../../v1/wallet?x=/y#z")

    assert "/..%2F..%2Fv1%2Fwallet%3Fx%3D%2Fy%23z" in str(played.api.sent[0].url)


def test_pages_are_asked_for_by_what_is_given() -> None:
    played = world(answer(200, {"data": [], "next_cursor": None, "error": None}))
    assert played.shoal.tasks.list(status="failed", limit=5) == ([], None)
    assert played.api.sent[0].url == f"{URL}/v1/tasks?limit=5&status=failed"


CASES = json.loads(VECTORS.read_text(encoding="utf-8"))["cases"]


@pytest.mark.parametrize("case", [case for case in CASES if case["body"]], ids=lambda case: case["name"])
def test_a_genuine_webhook_is_read(case: dict[str, Any]) -> None:
    headers = {
        "Webhook-Id": case["event_id"],
        "Webhook-Timestamp": str(case["at_s"]),
        "Webhook-Signature": case["webhook_signature"],
    }
    body, secret = case["body"].encode(), case["secrets"][0]

    assert verify(secret, headers, body, now_s=case["at_s"] + 299) == json.loads(body)
    broken: tuple[dict[str, Any], ...] = (
        {"now_s": case["at_s"] + 301},
        {"body": body + b" "},
        {"headers": headers | {"Webhook-Id": "evt_other"}},
        {"headers": headers | {"Webhook-Signature": ""}},
        {"headers": {}},
        {"secret": "whsec_AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA="},
    )
    for changes in broken:
        given: dict[str, Any] = {"secret": secret, "headers": headers, "body": body, "now_s": case["at_s"]}
        with pytest.raises(SignatureInvalid):
            verify(**given | changes)


FILE: File = {
    "id": "file_1",
    "status": "ready",
    "name": "a.png",
    "content_type": "image/png",
    "size_bytes": 5,
    "sha256": None,
    "metadata": None,
    "created_at": "2026-05-08T10:30:00Z",
    "expires_at": "2026-05-09T10:30:00Z",
}
LARGE = bytes(4_000_001)
UPLOAD = {"url": "https://files.example.com/x?sig=1", "method": "PUT", "headers": {"If-None-Match": "*"}}


def test_a_file_is_brought_by_form_and_repeated_with_its_key() -> None:
    played = world(requests.ConnectionError(), answer(201, {"data": FILE, "error": None}))

    assert played.shoal.files.upload(b"shark", name="a.png", metadata={"n": 1}) == FILE
    first, second = played.api.sent
    for each in (first, second):
        assert isinstance(each.body, bytes)
        assert b'name="file"; filename="a.png"' in each.body
        assert b'{"n": 1}' in each.body
        assert b"shark" in each.body
    assert first.headers["Idempotency-Key"] == second.headers["Idempotency-Key"]


@pytest.mark.parametrize("status", [200, 412])
def test_a_large_file_goes_to_its_own_address_without_the_key(status: int) -> None:
    ordered = answer(201, {"data": {**FILE, "upload": UPLOAD}, "error": None})
    played = world(ordered, answer(status), answer(200, {"data": FILE, "error": None}))

    assert played.shoal.files.upload(LARGE, content_type="video/mp4") == FILE
    order, sent, _ = played.api.sent
    assert json.loads(order.body or "")["size_bytes"] == len(LARGE)
    assert (sent.method, sent.url, sent.body) == ("PUT", UPLOAD["url"], LARGE)
    assert "Authorization" not in sent.headers
    assert sent.headers["If-None-Match"] == "*"


def test_a_large_file_that_is_not_taken_is_an_error() -> None:
    ordered = answer(201, {"data": {**FILE, "upload": UPLOAD}, "error": None})
    with pytest.raises(Forbidden):
        world(ordered, answer(403)).shoal.files.upload(LARGE, content_type="video/mp4")
    with pytest.raises(ValueError, match="content_type"):
        world().shoal.files.upload(LARGE)


def test_files_are_read_listed_and_deleted() -> None:
    page = {"data": [FILE], "next_cursor": "c", "error": None}
    played = world(answer(200, {"data": FILE, "error": None}), answer(200, page), answer(204))

    assert played.shoal.files.get("file_1") == FILE
    assert played.shoal.files.list(limit=1) == ([FILE], "c")
    played.shoal.files.delete("file/1")
    assert str(played.api.sent[2].url).endswith("/v1/files/file%2F1")
