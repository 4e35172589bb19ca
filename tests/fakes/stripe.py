"""Stripe as an HTTP server: its API over `Books`, the pages to pay on, and the posting of signed events.

Strict where Stripe is, and stricter: what no client of ours has to send is refused. `problems` keeps every
refusal that a test did not order by `expects`.
"""

from __future__ import annotations

import hashlib
import hmac
import json
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import urlsplit

import requests

from tests.fakes.stripe_books import Books, Json
from tests.fakes.stripe_requests import Refused, bearer, form, invalid, missing, order, take

API_KEY = "sk_test_51Shoal"
WEBHOOK_SECRET = "whsec_nothing_real_0123456789"
POST_SECONDS_MAX = 30
PAGE = """<!doctype html><html lang="en"><title>Pay</title><link rel="icon" href="data:,">
<h1>Pay ${amount}</h1>
<form method="post"><button>Pay</button></form><a href="{cancel}">Back</a>"""


class FakeStripe:
    """A context: the server runs within. `endpoint` is where the events of a paid checkout are posted."""

    def __init__(self) -> None:
        self.books, self.problems, self.endpoint = Books(), list[str](), ""
        self.requests: list[tuple[str, str]] = []
        self._answered: dict[str, tuple[str, Json]] = {}
        self._faults: list[Refused | None] = []
        self._lock = threading.Lock()
        self._server = _Server(self)

    def __enter__(self) -> FakeStripe:
        threading.Thread(target=self._server.serve_forever, args=(0.05,), daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._server.server_close()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self._server.server_port}"

    def will(self, *faults: Refused | None) -> None:
        """What the next requests to the API are answered with; None breaks the connection off."""
        self._faults += faults

    @contextmanager
    def expects(self, problem: str) -> Iterator[None]:
        """A refusal that the test is about."""
        yield
        assert problem in self.problems.pop()

    def post(self, event: Json, url: str = "", secret: str = WEBHOOK_SECRET) -> requests.Response:
        """Post an event as Stripe does, signed now."""
        body = json.dumps(event, indent=2)
        headers = {
            "Content-Type": "application/json; charset=utf-8",
            "Stripe-Signature": signed(body, secret),
        }
        return requests.post(url or self.endpoint, body, headers=headers, timeout=POST_SECONDS_MAX)

    def pay(self, session_id: str) -> str:
        """The payer pays; the events are posted to the endpoint if there is one. Returns the payment's id."""
        with self._lock:
            before = len(self.books.events)
            payment_id = self.books.pay(session_id)
        for event in self.books.events[before:] if self.endpoint else ():
            self.post(event).raise_for_status()
        return payment_id

    def heal(self) -> None:
        """Nothing goes wrong any more."""
        self._faults.clear()

    def call(self, method: str, url: str, headers: Any, body: str) -> tuple[int, Json]:
        """One request to the API, and its answer."""
        path, query = urlsplit(url).path, urlsplit(url).query
        with self._lock:
            self.requests.append((method, path))
            if self._faults and (fault := self._faults.pop(0)):
                return fault.status, {"error": fault.error}
            try:
                bearer(headers, API_KEY)
                return 200, self._route(method, path, form(body if method == "POST" else query), headers)
            except Refused as refused:
                self.problems.append(f"{method} {path}: {refused}")
                return refused.status, {"error": refused.error}

    def breaks_off(self) -> bool:
        """Whether the next request gets no answer."""
        with self._lock:
            if not self._faults or self._faults[0] is not None:
                return False
            self._faults.pop(0)
            return True

    def _route(self, method: str, path: str, given: Json, headers: Any) -> Json:
        match method, path.strip("/").split("/"):
            case "POST", ["v1", "checkout", "sessions"]:
                return self._open(given, headers)
            case "GET", ["v1", "checkout", "sessions"]:
                take(given, {"limit": str}, ("starting_after",))
                newest = [self.books.session(each) for each in reversed(self.books.sessions)]
                return _page("checkout/sessions", newest, given)
            case "GET", ["v1", "checkout", "sessions", session_id]:
                take(given, {})
                return self._found(self.books.sessions, session_id, "checkout.session")
            case "GET", ["v1", "payment_intents", payment_id]:
                take(given, {})
                return self._found(self.books.payments, payment_id, "payment_intent")
            case "GET", ["v1", ("refunds" | "disputes") as things]:
                return self._list(things, given)
        raise Refused(
            404, type="invalid_request_error", message=f"Unrecognized request URL ({method}: {path})"
        )

    def _open(self, given: Json, headers: Any) -> Json:
        key, asked = headers.get("Idempotency-Key", ""), json.dumps(given, sort_keys=True)
        if not 0 < len(key) <= 255:
            raise invalid("an idempotency key was expected")
        if key not in self._answered:
            self._answered[key] = asked, self.books.open(order(given), f"{self.url}/pay")
        earlier, answer = self._answered[key]
        if earlier != asked:
            message = "Keys for idempotent requests can only be used with the same parameters"
            raise Refused(400, type="idempotency_error", message=message)
        return answer

    def _found(self, things: dict[str, Json], thing_id: str, what: str) -> Json:
        if thing_id not in things:
            raise missing(what)
        return {name: value for name, value in things[thing_id].items() if name[0] != "_"}

    def _list(self, things: str, given: Json) -> Json:
        take(given, {"payment_intent": str, "limit": str}, ("starting_after",))
        if given["payment_intent"] not in self.books.payments:
            raise missing("payment_intent")
        found = self.books.of_payment(getattr(self.books, things), given["payment_intent"])
        return _page(things, found, given)


def _page(things: str, found: list[Json], given: Json) -> Json:
    ids, limit = [thing["id"] for thing in found], int(given["limit"])
    first = ids.index(given["starting_after"]) + 1 if "starting_after" in given else 0
    data = found[first : first + limit]
    more = first + limit < len(found)
    return {"object": "list", "url": f"/v1/{things}", "has_more": more, "data": data}


def signed(body: str, secret: str, at_s: int | None = None) -> str:
    """The header that proves where an event comes from (docs.stripe.com/webhooks, "Verify manually")."""
    at_s = int(time.time()) if at_s is None else at_s
    return f"t={at_s},v1={hmac.new(secret.encode(), f'{at_s}.{body}'.encode(), hashlib.sha256).hexdigest()}"


class _Server(ThreadingHTTPServer):
    daemon_threads = True

    def __init__(self, stripe: FakeStripe) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.stripe = stripe


class _Handler(BaseHTTPRequestHandler):
    server: _Server
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True

    def do_GET(self) -> None:
        if self.path.startswith("/pay/"):
            session = self.server.stripe.books.session(self.path.removeprefix("/pay/"))
            amount = f"{session['amount_total'] / 100:.2f}"
            page = PAGE.format(amount=amount, cancel=session["cancel_url"])
            self._send(200, page.encode(), "text/html; charset=utf-8")
        else:
            self._call()

    def do_POST(self) -> None:
        if self.path.startswith("/pay/"):
            self._body()
            session_id = self.path.removeprefix("/pay/")
            self.server.stripe.pay(session_id)
            target = self.server.stripe.books.session(session_id)["success_url"]
            self._send(303, b"", "text/plain", target.replace("{CHECKOUT_SESSION_ID}", session_id))
        else:
            self._call()

    def _call(self) -> None:
        body = self._body()
        if self.server.stripe.breaks_off():
            self.close_connection = True
            return
        status, answer = self.server.stripe.call(self.command, self.path, self.headers, body)
        self._send(status, json.dumps(answer).encode(), "application/json")

    def _body(self) -> str:
        return self.rfile.read(int(self.headers.get("Content-Length") or 0)).decode()

    def _send(self, status: int, body: bytes, content_type: str, location: str = "") -> None:
        self.send_response(status)
        self.send_header("Content-Type", content_type)
        self.send_header("Content-Length", str(len(body)))
        self.send_header("Request-Id", "req_fake")
        if location:
            self.send_header("Location", location)
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: Any) -> None:
        """The test's output is its own."""
