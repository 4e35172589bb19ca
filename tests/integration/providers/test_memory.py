"""A long answer passes through the disk: what waits for providers is too small to hold one whole."""

from __future__ import annotations

import base64
import json
import struct
import threading
import tracemalloc
import zlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from uuid import uuid4

import pytest

from infra.local.aws import Endpoint
from shoal.adapters.aws.s3 import S3Staging
from shoal.adapters.http.vetted_http import VettedHttp
from shoal.adapters.outputs.check import check_file
from shoal.adapters.outputs.fetcher import VettedOutputFetcher
from shoal.adapters.providers.bedrock.images import BedrockImages
from shoal.adapters.providers.gemini.http import gemini_http
from shoal.adapters.providers.gemini.images import GeminiImages
from shoal.adapters.providers.gemini.video import GeminiVideos
from shoal.adapters.providers.kit import body
from shoal.adapters.providers.openai.http import OpenAiHttp
from shoal.adapters.providers.openai.images import OpenAiBackground, OpenAiImages
from shoal.adapters.providers.stability import Stability
from shoal.domain.addresses import LOCAL_RULES
from shoal.domain.errors import ProviderFailed
from shoal.domain.provider import Answer, Done
from shoal.use_cases.jobs.prepare_submission import INPUT_BYTES_MAX
from tests.fakes.providers.media import MP4
from tests.integration.providers.aws import opened, set_credentials
from tests.support.factories import REQUEST, a_job
from tests.support.providers import asking

LONG = 25 * 2**20
HELD_BYTES_MAX = 20 * 2**20
"""Half of it is a new client of AWS, much of the rest the part that a picture's size is looked for in."""

PART_BYTES = 64 * 1024
CLIP_JOB = a_job(request=REQUEST | {"type": "video_generate"})
ASKED = asking(provider_model="m")
REF = "0" * 64
Ask = Callable[[str], Answer]


def long_picture() -> bytes:
    """A PNG of which nothing but its length is unusual."""

    def chunk(name: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))

    size = struct.pack(">IIBBBBB", 1024, 1024, 8, 2, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", size) + chunk(b"IDAT", bytes(LONG)) + chunk(b"IEND", b"")


def long_clip() -> bytes:
    return MP4 + struct.pack(">I", LONG) + b"free" + bytes(LONG - 8)


def within(document: Any, data: bytes) -> bytes:
    """JSON with the bytes in place of `DATA`."""
    return json.dumps(document).encode().replace(b"DATA", base64.b64encode(data))


def openai(url: str) -> OpenAiHttp:
    return OpenAiHttp(lambda: "key", url)


def background(url: str) -> Answer:
    provider = OpenAiBackground(openai(url), writer_model="w", webhook_secret=str)
    return provider.check("resp_1", ASKED)


def clip(url: str) -> Answer:
    provider = GeminiVideos(gemini_http(lambda: "key", url), webhook_secret=str)
    return provider.check("v1_1", ASKED)


def bedrock(url: str) -> Answer:
    with opened("bedrock-runtime", url) as client:
        return BedrockImages(client).start(ASKED)


JSON, PNG = "application/json", "image/png"
INTERACTION = {
    "id": "v1_1",
    "status": "completed",
    "steps": [{"type": "model_output", "content": [{"type": "video", "data": "DATA"}]}],
}
ANSWERS: dict[str, tuple[Ask, str, Any]] = {
    "openai": (lambda url: OpenAiImages(openai(url)).start(ASKED), JSON, {"data": [{"b64_json": "DATA"}]}),
    "openai-background": (
        background,
        JSON,
        {
            "id": "resp_1",
            "status": "completed",
            "output": [{"type": "image_generation_call", "result": "DATA"}],
        },
    ),
    "gemini": (
        lambda url: GeminiImages(gemini_http(lambda: "key", url)).start(ASKED),
        JSON,
        {
            "candidates": [
                {"content": {"parts": [{"inlineData": {"mimeType": PNG, "data": "DATA"}}]}},
            ]
        },
    ),
    "gemini-video": (clip, JSON, INTERACTION),
    "stability": (lambda url: Stability(lambda: "key", url).check(REF, ASKED), PNG, None),
    "bedrock": (bedrock, JSON, {"images": ["DATA"], "finish_reasons": [None]}),
}


@contextmanager
def answering(kind: str, answer: bytes) -> Iterator[str]:
    """A server that gives the same answer to everything, a part at a time."""

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            length = int(self.headers["Content-Length"] or 0)
            while length > 0:
                length -= len(self.rfile.read(min(length, PART_BYTES)))
            self.send_response(200)
            self.send_header("Content-Type", kind)
            self.send_header("Content-Length", str(len(answer)))
            self.end_headers()
            parts = memoryview(answer)
            for at in range(0, len(answer), PART_BYTES):
                self.wfile.write(parts[at : at + PART_BYTES])

        do_GET = do_POST  # noqa: N815 the base's names

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002 the base's signature
            """Nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_address[1]}"
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


@contextmanager
def held_at_most(bytes_max: int) -> Iterator[None]:
    """Fails where more memory than that is held inside at once."""
    tracemalloc.start()
    try:
        yield
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert peak < bytes_max


@pytest.fixture
def staging(endpoint: Endpoint) -> tuple[Any, str]:
    s3, bucket = endpoint.client("s3"), f"staging-{uuid4().hex}"
    s3.create_bucket(Bucket=bucket)
    return s3, bucket


def kept(staging: tuple[Any, str], key: str) -> bytes:
    data: bytes = staging[0].get_object(Bucket=staging[1], Key=key)["Body"].read()
    return data


@pytest.mark.parametrize("name", ANSWERS)
def test_a_long_answer_is_staged_without_being_held_whole(
    name: str, staging: tuple[Any, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    set_credentials(monkeypatch)
    ask, kind, document = ANSWERS[name]
    job, data = (CLIP_JOB, long_clip()) if name == "gemini-video" else (a_job(), long_picture())
    answer = within(document, data) if document else data

    with answering(kind, answer) as url, held_at_most(HELD_BYTES_MAX):
        done = ask(url)
        assert isinstance(done, Done)
        assert done.output.file is not None
        with done.output.file as file:
            check_file(job, file)
            key = S3Staging(*staging).put(job, 0, file)

    assert kept(staging, key) == data


def test_a_long_file_is_fetched_without_being_held_whole(staging: tuple[Any, str]) -> None:
    data = long_picture()
    fetcher = VettedOutputFetcher(VettedHttp(LOCAL_RULES), *staging)

    with answering(PNG, data) as url, held_at_most(HELD_BYTES_MAX):
        key = fetcher.fetch(a_job(), 0, url)

    assert kept(staging, key) == data


@pytest.mark.parametrize("name", ["gemini", "openai"])
def test_pictures_to_edit_are_held_as_they_are_and_once_more_at_most(name: str) -> None:
    _, kind, document = ANSWERS[name]
    pictures = tuple(bytes(INPUT_BYTES_MAX) for _ in range(4))
    spelled_bytes = 0 if name == "gemini" else 4 * INPUT_BYTES_MAX

    with answering(kind, within(document, MP4)) as url, held_at_most(HELD_BYTES_MAX + spelled_bytes):
        if name == "gemini":
            GeminiImages(gemini_http(lambda: "key", url)).start(asking(inputs=pictures))
        else:
            OpenAiImages(openai(url)).start(asking(inputs=pictures))


@pytest.mark.parametrize("name", ANSWERS)
def test_an_answer_is_refused_by_its_bytes(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    set_credentials(monkeypatch)
    ask, kind, document = ANSWERS[name]
    data = bytes(body.BYTES_MAX // 4 * 3)
    answer = within(document, data) if document else bytes(body.BYTES_MAX + 1)

    with answering(kind, answer) as url, held_at_most(HELD_BYTES_MAX), pytest.raises(ProviderFailed):
        ask(url)
