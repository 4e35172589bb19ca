"""Asks a worker whether it keeps to the contract of docs/how-to/own-worker.md. It makes one work.

    SHOAL_SECRET=whsec_… python conformance.py http://127.0.0.1:9000 --model NAME --input '{"prompt": "a"}'

Prints a line for each rule; exit code 1 if one is broken. `--callback-host` is by what name the worker
reaches this machine, where it does not run on it; `--no-callback` is for workers that are only asked.
"""

import argparse
import base64
import hashlib
import hmac
import json
import os
import sys
import threading
import time
import urllib.error
import urllib.request
import uuid
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

STATUSES = {"working", "done", "failed", "refused", "canceled", "unknown"}
KEY = base64.b64decode(os.environ["SHOAL_SECRET"].removeprefix("whsec_"))
broken: list[str] = []


def rule(said: str, kept: bool, found: object = "") -> None:
    print(f"{'ok    ' if kept else 'BROKEN'} {said}" + ("" if kept else f": {found!r}"[:300]))
    if not kept:
        broken.append(said)


def signature(key: bytes, message_id: str, at: str, body: bytes) -> str:
    signed = hmac.new(key, f"{message_id}.{at}.".encode() + body, hashlib.sha256).digest()
    return "v1," + base64.b64encode(signed).decode()


class Direct(urllib.request.HTTPRedirectHandler):
    def redirect_request(self, *_: object) -> None:
        """None is followed, as Shoal follows none."""


def ask(url: str, told: dict, *, key: bytes = KEY, age_s: int = 0) -> tuple[int, dict]:
    """Status and answer of one call; 0 if nothing came that could be read."""
    body, at = json.dumps(told).encode(), str(int(time.time()) - age_s)
    message_id = f"{told['id']}.{told['type']}"
    headers = {
        "Content-Type": "application/json",
        "webhook-id": message_id,
        "webhook-timestamp": at,
        "webhook-signature": "v1,bm90aGluZw== " + signature(key, message_id, at, body),
    }
    try:
        request = urllib.request.Request(url, body, headers)  # noqa: S310 - its author chose the address
        with urllib.request.build_opener(Direct).open(request, timeout=30) as answer:
            said = json.loads(answer.read(2**26))
            return answer.status, said if isinstance(said, dict) else {"answer": said}
    except urllib.error.HTTPError as error:
        return error.code, {}
    except (OSError, ValueError) as error:
        return 0, {"error": str(error)}


class Listener(BaseHTTPRequestHandler):
    came: list[tuple[bool, dict]]
    arrived = threading.Event()

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        message_id, at = self.headers.get("webhook-id", ""), self.headers.get("webhook-timestamp", "0")
        genuine = signature(KEY, message_id, at, body) in self.headers.get("webhook-signature", "").split(" ")
        self.came.append((genuine and abs(time.time() - int(at)) < 300, json.loads(body)))
        self.send_response(204)
        self.end_headers()
        self.arrived.set()

    def log_message(self, *_: object) -> None:
        """Nothing: the rules are printed."""


def check_signatures(url: str, start: dict) -> None:
    for said, how in (
        ("a wrong signature is 401", {"key": b"somebody else's"}),
        ("a call that is ten minutes old is 401", {"age_s": 600}),
        ("a call from the future is 401", {"age_s": -600}),
    ):
        status, _ = ask(url, start, **how)
        rule(said, status == 401, status)
    _, answer = ask(url, {"type": "check", "id": start["id"]})
    rule("what was refused was not started", answer.get("status") == "unknown", answer)


def check_work(url: str, start: dict, patience_s: float) -> None:
    answers: list[tuple[int, dict]] = []
    twice = [threading.Thread(target=lambda: answers.append(ask(url, start))) for _ in range(2)]
    for thread in twice:
        thread.start()
    for thread in twice:
        thread.join()
    good = all(status in (200, 202) and said.get("status") in STATUSES for status, said in answers)
    rule("two starts under one id at once are both answered", good, answers)
    ends_at, check = time.monotonic() + patience_s, {"type": "check", "id": start["id"]}
    status, first = ask(url, check)
    while first.get("status") == "working" and time.monotonic() < ends_at:
        time.sleep(0.2)
        status, first = ask(url, check)
    rule("the work ends as done", (status, first.get("status")) == (200, "done"), first)
    outputs = first.get("outputs")
    fit = isinstance(outputs, list) and outputs and all("data" in each or "url" in each for each in outputs)
    rule("it has outputs, each with data or a url", bool(fit), outputs)
    _, again = ask(url, check)
    rule("a second check says the same", again == first, again)
    _, started = ask(url, start | {"input": {"prompt": "something else"}})
    rule("a start under the id of a work that ended makes no other", started == first, started)
    status, _ = ask(url, {"type": "cancel", "id": start["id"]})
    _, after = ask(url, check)
    rule("a cancel of what is done changes nothing", status in (200, 202) and after == first, after)


def check_ids(url: str, start: dict) -> None:
    unknown = str(uuid.uuid4())
    status, answer = ask(url, {"type": "check", "id": unknown})
    rule("a work that nobody started is unknown", (status, answer.get("status")) == (200, "unknown"), answer)
    status, _ = ask(url, {"type": "cancel", "id": unknown})
    rule("its cancel is harmless", status in (200, 202), status)
    other = start | {"id": str(uuid.uuid4())}
    ask(url, other)
    ask(url, {"type": "cancel", "id": other["id"]})
    status, _ = ask(url, {"type": "cancel", "id": other["id"]})
    rule("a cancel may be repeated", status in (200, 202), status)


def main() -> None:
    parser = argparse.ArgumentParser(description="Check a worker.")
    parser.add_argument("url")
    parser.add_argument("--model", required=True)
    parser.add_argument("--input", default='{"prompt": "a reef"}', type=json.loads)
    parser.add_argument("--patience-seconds", default=60.0, type=float)
    parser.add_argument("--callback-host", default="127.0.0.1")
    parser.add_argument("--no-callback", action="store_true")
    options = parser.parse_args()
    Listener.came = []
    listener = ThreadingHTTPServer(("0.0.0.0", 0), Listener)  # noqa: S104 - for workers elsewhere
    threading.Thread(target=listener.serve_forever, daemon=True).start()
    callback_url = f"http://{options.callback_host}:{listener.server_port}/ended"
    start = {"type": "start", "id": str(uuid.uuid4()), "model": options.model, "input": options.input}
    start["callback_url"] = callback_url
    check_signatures(options.url, start)
    check_work(options.url, start, options.patience_seconds)
    if not options.no_callback:
        Listener.arrived.wait(options.patience_seconds)
        fit = [genuine and told == {"type": "ended", "id": start["id"]} for genuine, told in Listener.came]
        rule("it called back, signed", bool(fit) and all(fit), Listener.came)
    check_ids(options.url, start)
    sys.exit(1 if broken else 0)


if __name__ == "__main__":
    main()
