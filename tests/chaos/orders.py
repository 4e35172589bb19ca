"""Orders as clients place them: with a key, patiently, and looking at what they get."""

from __future__ import annotations

import io
import random
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any
from uuid import uuid4

import av
import requests
from PIL import Image

from tests.support.client import Client, Json
from tests.support.tasks import MODEL
from tests.support.videos import video_request

PATIENCE_SECONDS_MAX = 90.0
"""How long a client repeats a request that gets no answer of the API."""
END_SECONDS_MAX = 420.0
CALL_SECONDS_MAX = 40.0
PAUSE_SECONDS = 1.0
DONE = ("complete", "completed", "ready")
OPEN = ("queued", "processing", "pending", "rendering")


class Unanswered(Exception):
    """The API gave no answer in all this time."""


@dataclass(frozen=True)
class Kind:
    """What is ordered: where, with which body, where it is read. `cancels` it after so many seconds."""

    path: str
    body: Mapping[str, Any]
    read: str
    outputs: int = 1
    cancels: float | None = None

    @property
    def image(self) -> bool:
        """Whether it is held to the image API's promise of time."""
        return self.read == "/api/v1/jobs"


def image(prompt: str, **more: Any) -> Kind:
    return Kind("/v1/generate", {"mode": "1k", "prompt": prompt}, "/api/v1/jobs", **more)


KINDS: Mapping[str, tuple[int, Kind]] = {
    "image": (8, image("A shark")),
    "image, polled": (6, image("A shark [poll]")),
    "image, slow": (4, image("A shark [slow:8]")),
    "image, called back": (2, image("A shark [callback]")),
    "task of four": (
        3,
        Kind("/v1/generate", {"model": MODEL, "prompt": "A mug [poll]", "num_outputs": 4}, "/v1/tasks", 4),
    ),
    "image, canceled": (3, image("A shark [slow:20]", cancels=2.0)),
    "image, billed and canceled": (2, image("A shark [slow:10][billed]", cancels=4.0)),
    "video": (1, Kind("/api/v1/videos", video_request("Why sharks glow", 1), "/api/v1/videos")),
}
"""With how often each is ordered, compared with the others."""


@dataclass
class Order:
    """One order and what became of it. `seconds` run from its acceptance to the end that the client saw."""

    name: str
    kind: Kind
    placed_at_s: float = field(default_factory=time.monotonic)
    job_id: str = ""
    status: str = ""
    seconds: float = 0.0
    problem: str = ""

    @property
    def ended(self) -> bool:
        return bool(self.status or self.problem)

    @property
    def failed_unasked(self) -> bool:
        return bool(self.problem) or (self.kind.cancels is None and self.status not in DONE)


def draw(chance: random.Random) -> tuple[str, Kind]:
    """The name and kind of the next order."""
    names = list(KINDS)
    (name,) = chance.choices(names, [KINDS[each][0] for each in names])
    return name, KINDS[name][1]


def carry_out(order: Order, client: Client) -> None:
    """Place the order, wait for its end, look at all outputs. What goes wrong is the order's `problem`."""
    try:
        order.job_id = _id_of(_place(order, client))
        accepted_s = time.monotonic()
        if order.kind.cancels is not None:
            time.sleep(order.kind.cancels)
            _answered(client, "POST", f"{order.kind.read}/{order.job_id}/cancel", (200, 202, 409))
        job = _end(order, client)
        order.seconds = time.monotonic() - accepted_s
        order.problem = _look(order, job)
        order.status = job["status"]
        if order.failed_unasked and not order.problem:
            order.problem = f"{order.status}: {job.get('error')}"
    except (Unanswered, OSError, ValueError, KeyError) as error:
        order.problem = f"{type(error).__name__}: {error}"


def _place(order: Order, client: Client) -> Json:
    headers = {"Idempotency-Key": uuid4().hex}
    return _answered(client, "POST", order.kind.path, (202,), json=order.kind.body, headers=headers)


def _id_of(answer: Json) -> str:
    resource: Json = answer.get("data") or answer.get("video") or {"id": answer["job_id"]}
    return str(resource["id"])


def _end(order: Order, client: Client) -> Json:
    until_s = time.monotonic() + END_SECONDS_MAX
    while True:
        answer = _answered(client, "GET", f"{order.kind.read}/{order.job_id}", (200,))
        job: Json = answer.get("data") or answer.get("video") or answer
        if job["status"] not in OPEN:
            return job
        if time.monotonic() > until_s:
            raise Unanswered(f"{order.job_id} is still {job['status']}")
        time.sleep(PAUSE_SECONDS)


def _look(order: Order, job: Json) -> str:
    """What is wrong with the outputs, if anything."""
    if job["status"] not in DONE:
        return ""
    if order.kind.read == "/api/v1/videos":
        return _broken(job["final_video_url"], _play)
    output = job.get("output") or {}
    urls = output.get("urls") or [job.get("image_url")]
    if len(urls) != order.kind.outputs:
        return f"{len(urls)} outputs of {order.kind.outputs}"
    return next((problem for url in urls if (problem := _broken(url, _show))), "")


def _broken(url: str | None, use: Callable[[bytes], object]) -> str:
    if not url:
        return "an output has no address"
    try:
        answer = requests.get(url, timeout=CALL_SECONDS_MAX)
        answer.raise_for_status()
        use(answer.content)
    except (requests.RequestException, OSError, av.FFmpegError) as error:
        return f"{url}: {error}"
    return ""


def _show(data: bytes) -> None:
    Image.open(io.BytesIO(data)).load()


def _play(data: bytes) -> None:
    with av.open(io.BytesIO(data), mode="r") as video:
        if not any(True for _ in video.decode(video=0)):
            raise OSError("a video without a picture")


def _answered(client: Client, method: str, path: str, expected: tuple[int, ...], **more: Any) -> Json:
    """An expected answer of the API; where none comes, or one that says to wait, it asks again."""
    until_s, last = time.monotonic() + PATIENCE_SECONDS_MAX, ""
    while time.monotonic() < until_s:
        try:
            answer = client.request(method, path, **more)
        except requests.RequestException as error:
            last = str(error)
        else:
            if answer.status_code in expected:
                found: Json = answer.json()
                return found
            last = f"{answer.status_code} {answer.text[:200]}"
            if answer.status_code < 500 and answer.status_code not in (409, 429):
                break
        time.sleep(PAUSE_SECONDS)
    raise Unanswered(f"{method} {path}: {last}")
