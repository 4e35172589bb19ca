"""Bodies nobody should send: a clear 4xx, nothing written, and never a 5xx."""

from __future__ import annotations

import gzip
import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.support.api import Api, Response
from tests.support.events import event
from tests.worlds.world import Customer, World

NOT_JSON = [
    "",
    " ",
    "{",
    "mode=2k&prompt=A+shark",
    "{'mode': '2k'}",
    '{"mode": "2k",}',
    '{"mode": "2k"} {"mode": "2k"}',
    '{"mode": "2k", "prompt": NaN}',
    '{"mode": "2k", "prompt": "A shark", "metadata": {"n": Infinity}}',
    '{"mode": "2k", "prompt": "A shark", "metadata": {"n": -Infinity}}',
    '{"mode": "2k", "prompt": "A shark", "metadata": {"n": 1e999}}',
    '{"mode": "2k", "prompt": "A \\ud83d shark"}',
    '{"mode": "2k", "prompt": "A shark", "metadata": {"\\udc00": 1}}',
    '{"mode": "2k", "prompt": "A shark", "seed": ' + "9" * 309 + "}",
    '{"mode": "2k", "prompt": "A shark", "metadata": {"n": -' + "9" * 5_000 + "}}",
    '{"mode": "2k", "prompt": "line\nbreak"}',
    "[" * 100_000,
    '{"a":' * 100_000,
]


def is_refused(answer: Response, world: World, status: int, code: str) -> None:
    """The neutral shape, and nothing written."""
    assert answer.status == status
    assert answer.json["data"] is None
    assert (answer.error["code"], answer.error["status"]) == (code, status)
    assert nothing_written(world)


def nothing_written(world: World) -> bool:
    entries = {entry.kind for entries in world.tables.entries.values() for entry in entries.values()}
    return not world.tables.jobs and not world.tables.records and entries == {"top_up"}


@pytest.mark.parametrize("body", NOT_JSON)
def test_what_is_no_json_is_refused(api: Api, customer: Customer, body: str) -> None:
    is_refused(api.generate(customer, body), api.world, 400, "invalid_json")


@pytest.mark.parametrize(
    "body",
    [
        *(b"", b"\xff", b'{"mode": "\xff"}', b"\xff\xfe\x00", b"\x00", b"\xed\xa0\x80"),
        *('{"mode": "2k", "prompt": "A shark"}'.encode(other) for other in ("utf-16", "utf-16-be", "utf-32")),
    ],
)
def test_bytes_that_are_no_json_are_refused(api: Api, customer: Customer, body: bytes) -> None:
    is_refused(api.generate(customer, body), api.world, 400, "invalid_json")


def test_a_byte_order_mark_is_no_part_of_a_body(api: Api, customer: Customer) -> None:
    assert api.generate(customer, '\ufeff{"mode": "2k", "prompt": "A shark"}'.encode()).status == 202


def test_a_body_that_is_no_base64_is_refused(api: Api, customer: Customer) -> None:
    sent = event("http_post_generate") | {"body": "not base64!", "isBase64Encoded": True}
    sent["headers"]["authorization"] = f"Bearer {customer.key}"

    is_refused(api.send(sent), api.world, 400, "invalid_json")


@pytest.mark.parametrize("body", ["null", "true", "7", '"mode"', "[]", '[{"mode": "2k"}]'])
def test_json_that_is_no_object_is_refused(api: Api, customer: Customer, body: str) -> None:
    is_refused(api.generate(customer, body), api.world, 422, "validation_error")


@pytest.mark.parametrize(
    "content_type",
    ["text/plain", "application/x-www-form-urlencoded", "multipart/form-data; boundary=x", "json", "", "é"],
)
def test_another_content_type_is_refused(api: Api, customer: Customer, content_type: str) -> None:
    answer = api.generate(customer, '{"mode":"2k","prompt":"A shark"}', content_type=content_type)

    is_refused(answer, api.world, 415, "unsupported_media_type")


@pytest.mark.parametrize("coding", ["gzip", "br", "deflate, gzip"])
def test_a_compressed_body_is_told_what_is_taken(api: Api, customer: Customer, coding: str) -> None:
    """RFC 9110, section 15.5.16."""
    body = gzip.compress(b'{"mode":"2k","prompt":"A shark"}')
    answer = api.generate(customer, body, content_encoding=coding)

    is_refused(answer, api.world, 415, "unsupported_media_type")
    assert answer.headers["Accept-Encoding"] == "identity"
    assert "identity" in answer.error["message"]


def test_a_body_that_is_declared_as_it_is_is_taken(api: Api, customer: Customer) -> None:
    assert api.generate(customer, {"mode": "2k", "prompt": "A"}, content_encoding="identity").status == 202


@pytest.mark.parametrize(
    "broken", [b"\xff", b"\xe2\x82", b"\xed\xa0\x80", b"\xf0\x9f\xa6", "\ufffd".encode()]
)
@pytest.mark.parametrize("told", [True, False])
def test_a_broken_byte_that_the_gateway_replaced_is_refused(
    api: Api, customer: Customer, broken: bytes, told: bool
) -> None:
    """API Gateway hands JSON over as text, with U+FFFD for what is no UTF-8, a shark without its end too."""
    sent = b'{"mode":"2k","prompt":"A ' + broken + b' shark"}'
    length = str(len(sent)) if told else None

    answer = api.generate(customer, sent.decode(errors="replace"), content_length=length)

    is_refused(answer, api.world, 400, "invalid_json")


def test_a_replacement_character_that_is_meant_is_taken(api: Api, customer: Customer) -> None:
    assert api.generate(customer, r'{"mode":"2k","prompt":"A \ufffd shark"}').status == 202
    assert api.generate(customer, '{"mode":"2k","prompt":"A \ufffd shark"}'.encode()).status == 202


@pytest.mark.parametrize("cut", [1, 2, 3])
def test_a_character_that_is_cut_is_refused_where_its_bytes_are_known(
    api: Api, customer: Customer, cut: int
) -> None:
    body = b'{"mode":"2k","prompt":"A ' + "\U0001f988".encode()[:cut] + b'"}'

    is_refused(api.generate(customer, body), api.world, 400, "invalid_json")


def of_size(size: int) -> str:
    frame = '{"mode":"2k","prompt":""}'
    return frame[:-2] + "x" * (size - len(frame)) + frame[-2:]


@pytest.mark.parametrize("encode", [str, str.encode])
def test_a_body_over_1_mb_is_refused(api: Api, customer: Customer, encode: Any) -> None:
    is_refused(api.generate(customer, encode(of_size(1_000_001))), api.world, 413, "payload_too_large")
    assert api.generate(customer, encode(of_size(1_000_000))).error["code"] == "VALIDATION_ERROR"


def test_a_body_of_one_megabyte_is_measured_in_bytes_not_characters(api: Api, customer: Customer) -> None:
    is_refused(api.generate(customer, "é" * 600_000), api.world, 413, "payload_too_large")


@pytest.mark.parametrize("idempotency_key", [None, "order-1"])
@pytest.mark.parametrize("shape", ["[{}]", '{{"a":{}}}'])
def test_no_depth_of_nesting_breaks_anything(
    api: Api, customer: Customer, shape: str, idempotency_key: str | None
) -> None:
    opening, closing = shape.replace("{{", "{").replace("}}", "}").split("{}")
    for depth in (*range(25, 40), *range(970, 1_000), 2_000, 10_000):
        metadata = opening * depth + "1" + closing * depth
        body = '{"mode":"2k","prompt":"A shark","metadata":{"x":' + metadata + "}}"

        answer = api.generate(customer, body, idempotency_key=idempotency_key and f"order-{depth}")

        # The body and metadata itself are two levels more.
        assert answer.status == 202 if depth <= 30 else answer.status in (400, 422), depth
        api.world.clock.pass_seconds(60)


def test_a_number_a_computer_cannot_count_to_is_no_seed(api: Api, customer: Customer) -> None:
    answer = api.generate(customer, '{"mode":"2k","prompt":"A shark","seed":' + "9" * 300 + "}")

    assert answer.status == 422
    assert answer.error["details"]["fields"][0]["field"] == "seed"
    assert nothing_written(api.world)


def test_a_megabyte_of_unknown_fields_gets_a_short_answer(api: Api, customer: Customer) -> None:
    body = json.dumps({"mode": "2k"} | dict.fromkeys(map(str, range(80_000)), 0))

    answer = api.generate(customer, body)

    assert answer.status == 422
    assert len(answer.text) < 20_000


JSON: st.SearchStrategy[Any] = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(st.characters(), max_size=20),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=8), inner, max_size=4),
    max_leaves=12,
)
FIELDS = st.fixed_dictionaries(
    {},
    optional={
        "mode": st.sampled_from(["1k", "2k", "4k"]) | JSON,
        "prompt": st.text(min_size=1) | JSON,
        "aspect_ratio": st.sampled_from(["1:1", "16:9"]) | JSON,
        "seed": st.integers() | JSON,
        "metadata": st.dictionaries(st.text(), JSON, max_size=3) | JSON,
        "model": JSON,
    },
)


def sent_anyhow(body: str | bytes, route: str, idempotency_key: str | None) -> None:
    """Whatever comes: no 5xx, and what is not accepted leaves no trace."""
    world = World()
    customer = world.customer()
    headers = {"idempotency-key": idempotency_key}
    answer = Api(world).call(route, customer, body=body, headers=headers)
    # 404: it names a model, and one that there is not.
    assert answer.status in (202, 400, 404, 413, 415, 422)
    if answer.status == 202:
        assert len(world.tables.jobs) == 1
    else:
        assert answer.error["message"]
        assert nothing_written(world)
        assert world.workflow.started == []


ROUTES = st.sampled_from(["http_post_generate", "http_post_image"])


@given(FIELDS | JSON, ROUTES, st.none() | st.just("order-1"))
def test_no_json_whatever_breaks_anything(body: Any, route: str, idempotency_key: str | None) -> None:
    sent_anyhow(json.dumps(body), route, idempotency_key)


@given(st.binary() | st.text().map(str.encode), ROUTES)
def test_no_bytes_whatever_break_anything(body: bytes, route: str) -> None:
    sent_anyhow(body, route, None)


@given(st.text(st.characters(), max_size=300))
def test_no_idempotency_key_whatever_breaks_anything(idempotency_key: str) -> None:
    sent_anyhow('{"mode":"2k","prompt":"A shark"}', "http_post_generate", idempotency_key)
