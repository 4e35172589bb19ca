"""JSON as it is stored: as many bytes as its letters have."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

from shoal.adapters.dynamodb.idempotency import record_put
from shoal.adapters.dynamodb.items import job_item
from shoal.domain.idempotency import IdempotencyKey, IdempotencyRecord
from shoal.domain.text import json_bytes, json_text
from tests.support.factories import ACCOUNT, JOB, REQUEST, a_job

SHOAL = Path(__file__).parents[3] / "functions" / "shoal"
ESCAPED_ON_PURPOSE = {
    "domain/idempotency.py": "fingerprints outlive a version",
    "domain/routing.py": "compared with what an earlier version stored; holds names of routes alone",
    "handlers/web/snippets.py": "shown to people",
}


@pytest.mark.parametrize("letter", ["ä", "ж", "ช", "鲨", "🦈"])
def test_a_request_is_stored_in_as_many_bytes_as_it_came_in(letter: str) -> None:
    request = REQUEST | {"prompt": letter * (36_000 // len(letter.encode()))}
    record = IdempotencyRecord(IdempotencyKey(ACCOUNT, "POST /v1/generate", "k", ""), JOB, 202, request, 0)

    stored = (job_item(a_job(request=request))["request"], record_put(record, 0).item["answer_body"])

    for text in stored:
        assert json_bytes(json.loads(text)) == len(text.encode()) < 36_300
        assert json.loads(text)["prompt"] == request["prompt"]


def test_what_a_queue_refuses_is_escaped() -> None:
    text = json_text({"prompt": "a\x00\x1f\ufffe\uffff\ufffd\U0010ffff"})

    assert re.fullmatch(r"[\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]*", text)  # SQS, SendMessage
    assert json.loads(text) == {"prompt": "a\x00\x1f\ufffe\uffff\ufffd\U0010ffff"}


def test_nothing_else_escapes_what_it_stores_or_sends() -> None:
    sources = [path for path in SHOAL.rglob("*.py") if "cli" not in path.parts]
    assert sources
    escaping = {
        path.relative_to(SHOAL).as_posix()
        for path in sources
        if re.search(r"json\.dumps\((?![^\n]*ensure_ascii=False)", path.read_text())
    }
    assert escaping == set(ESCAPED_ON_PURPOSE)
