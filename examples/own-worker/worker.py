"""A worker of your own for Shoal, by the contract of docs/how-to/own-worker.md.

    SHOAL_SECRET=whsec_… python worker.py --port 9000 --store works.db

What it accepted is in a file before it answers: it may be killed at any time, and goes on when it is
started again. Put your model into `make`, and a proxy with a certificate in front of it.
"""

import argparse
import base64
import contextlib
import hashlib
import hmac
import json
import os
import sqlite3
import struct
import threading
import time
import urllib.error
import urllib.request
import zlib
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

TOLERANCE_S = 300
BODY_BYTES_MAX = 64 * 2**20
CALL_AGAIN_S = (1, 5, 30, 120)
KEY = base64.b64decode(os.environ["SHOAL_SECRET"].removeprefix("whsec_"))


def make(model: str, given: dict) -> list[dict]:
    """The outputs of one work: this is yours. Here it is a small picture, its colour made of the input."""
    red, green, blue = hashlib.sha256(f"{model} {given.get('prompt')}".encode()).digest()[:3]
    rows = (b"\0" + bytes((red, green, blue)) * 64) * 64

    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    head = struct.pack(">IIBBBBB", 64, 64, 8, 2, 0, 0, 0)
    png = (
        b"\x89PNG\r\n\x1a\n"
        + chunk(b"IHDR", head)
        + chunk(b"IDAT", zlib.compress(rows))
        + chunk(b"IEND", b"")
    )
    return [{"data": base64.b64encode(png).decode(), "content_type": "image/png"}]


def signature(message_id: str, timestamp: str, body: bytes) -> str:
    signed = hmac.new(KEY, f"{message_id}.{timestamp}.".encode() + body, hashlib.sha256).digest()
    return "v1," + base64.b64encode(signed).decode()


class Works:
    """What was asked for, by Shoal's id of it: the file is the truth, each change one transaction."""

    def __init__(self, path: str) -> None:
        self._path = path
        with self._open() as db:
            db.execute(
                "CREATE TABLE IF NOT EXISTS work (id TEXT PRIMARY KEY, asked TEXT NOT NULL,"
                ' answer TEXT NOT NULL DEFAULT \'{"status": "working"}\', told INTEGER NOT NULL DEFAULT 0)'
            )

    def accept(self, work_id: str, asked: dict) -> None:
        """The same id again changes nothing."""
        with self._open() as db:
            db.execute("INSERT OR IGNORE INTO work (id, asked) VALUES (?, ?)", (work_id, json.dumps(asked)))

    def answer(self, work_id: str) -> dict:
        with self._open() as db:
            found = db.execute("SELECT answer FROM work WHERE id = ?", (work_id,)).fetchone()
        return json.loads(found[0]) if found else {"status": "unknown"}

    def end(self, work_id: str, answer: dict) -> None:
        """The first end stays: what is made of a canceled work is not used."""
        with self._open() as db:
            db.execute(
                "UPDATE work SET answer = ? WHERE id = ? AND json_extract(answer, '$.status') = 'working'",
                (json.dumps(answer), work_id),
            )

    def note_told(self, work_id: str) -> None:
        with self._open() as db:
            db.execute("UPDATE work SET told = 1 WHERE id = ?", (work_id,))

    def untold(self) -> list[tuple[str, dict]]:
        """What is not made yet, or made and not told of."""
        with self._open() as db:
            rows = db.execute("SELECT id, asked FROM work WHERE told = 0 ORDER BY rowid").fetchall()
        return [(work_id, json.loads(asked)) for work_id, asked in rows]

    @contextlib.contextmanager
    def _open(self):
        with contextlib.closing(sqlite3.connect(self._path, timeout=30)) as db, db:
            yield db


def call_back(url: str, work_id: str) -> bool:
    """Tell Shoal that a work ended. It asks then how: a lost callback costs time and nothing else."""
    body, now = json.dumps({"type": "ended", "id": work_id}).encode(), str(int(time.time()))
    message_id = f"{work_id}.ended"
    headers = {
        "Content-Type": "application/json",
        "webhook-id": message_id,
        "webhook-timestamp": now,
        "webhook-signature": signature(message_id, now, body),
    }
    try:
        with urllib.request.urlopen(urllib.request.Request(url, body, headers), timeout=30):  # noqa: S310
            return True
    except urllib.error.HTTPError as error:
        return error.code == 404  # Shoal knows no such job: nobody waits for it
    except OSError:
        return False


def work(works: Works, wake: threading.Event) -> None:
    """Make and tell, one work after the other, also what was left by a worker that was killed."""
    tries = 0
    while True:
        wake.clear()
        for work_id, asked in works.untold():
            if works.answer(work_id)["status"] == "working":
                try:
                    works.end(work_id, {"status": "done", "outputs": make(asked["model"], asked["input"])})
                except Exception as error:  # noqa: BLE001 - whatever the model does, the next work is made
                    works.end(work_id, {"status": "failed", "message": str(error)})
            if call_back(asked["callback_url"], work_id):
                works.note_told(work_id)
        tries = tries + 1 if works.untold() else 0
        wake.wait(CALL_AGAIN_S[min(tries, len(CALL_AGAIN_S)) - 1] if tries else None)


class Handler(BaseHTTPRequestHandler):
    works: Works
    wake: threading.Event

    def do_POST(self) -> None:
        size = int(self.headers.get("Content-Length") or 0)
        if size > BODY_BYTES_MAX:
            return self._say(413, {"error": "too large"})
        body = self.rfile.read(size)
        if not self._is_shoals(body):
            return self._say(401, {"error": "the signature or its time does not hold"})
        told = json.loads(body)
        if told["type"] == "start":
            self.works.accept(told["id"], {name: told[name] for name in ("model", "input", "callback_url")})
            self.wake.set()
        elif told["type"] == "cancel":
            self.works.end(told["id"], {"status": "canceled"})
        elif told["type"] != "check":
            return self._say(422, {"error": "no such call"})
        return self._say(200, self.works.answer(told["id"]))

    def _is_shoals(self, body: bytes) -> bool:
        message_id, at = self.headers.get("webhook-id", ""), self.headers.get("webhook-timestamp", "")
        if not at.isdigit() or abs(time.time() - int(at)) > TOLERANCE_S:
            return False
        expected = signature(message_id, at, body).encode()
        offered = self.headers.get("webhook-signature", "").split(" ")
        return any(hmac.compare_digest(expected, each.encode()) for each in offered)

    def _say(self, status: int, answer: dict) -> None:
        body = json.dumps(answer).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)


def main() -> None:
    parser = argparse.ArgumentParser(description="A worker for Shoal.")
    parser.add_argument("--port", type=int, default=9000)
    parser.add_argument("--store", default="works.db")
    options = parser.parse_args()
    Handler.works, Handler.wake = Works(options.store), threading.Event()
    threading.Thread(target=work, args=(Handler.works, Handler.wake), daemon=True).start()
    server = ThreadingHTTPServer(("127.0.0.1", options.port), Handler)
    print(f"listening on port {server.server_port}", flush=True)
    server.serve_forever()


if __name__ == "__main__":
    main()
