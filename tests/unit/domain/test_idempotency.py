"""Idempotency keys: their form, and which bodies count as the same."""

from __future__ import annotations

import hashlib
import json
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shoal.domain.errors import IdempotencyKeyReused, ValidationFailed
from shoal.domain.idempotency import IdempotencyKey, IdempotencyRecord, fingerprint
from tests.support.factories import ACCOUNT, JOB

ROUTE = "POST /v1/generate"


TEXTS = st.text("abñ\u0663🦈", max_size=5)
"""Each in one spelling: how Unicode spells the same letter makes no other body."""


def bodies(values: st.SearchStrategy[Any]) -> st.SearchStrategy[dict[str, Any]]:
    return st.dictionaries(TEXTS, values.filter(lambda value: value is not None), max_size=4)


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | TEXTS,
    lambda inner: st.lists(inner, max_size=3) | bodies(inner),
    max_leaves=6,
)


def a_key(text: str = "order-1", body: dict[str, Any] | None = None) -> IdempotencyKey:
    return IdempotencyKey.of(ACCOUNT, ROUTE, text, body or {})


@pytest.mark.parametrize("text", ["a", "x" * 255, "order 1", "pedido-ñ", "🦈" * 255])
def test_a_key_of_1_to_255_printable_characters_is_taken(text: str) -> None:
    assert a_key(text).key == text


@pytest.mark.parametrize(
    "text", ["", "x" * 256, "tab\there", "line\n", "nul\0", "\ud800", "\u200b", '""', "\u0301"]
)
def test_any_other_key_is_refused_by_name(text: str) -> None:
    with pytest.raises(ValidationFailed) as refused:
        a_key(text)

    assert refused.value.details["fields"][0]["field"] == "Idempotency-Key"


@given(bodies(JSON))
def test_the_order_of_fields_makes_no_difference(body: dict[str, Any]) -> None:
    assert fingerprint(dict(reversed(body.items()))) == fingerprint(body)


@given(bodies(JSON), bodies(JSON))
def test_another_body_has_another_fingerprint(one: dict[str, Any], other: dict[str, Any]) -> None:
    if one != other:
        assert fingerprint(one) != fingerprint(other)


def test_a_number_is_not_the_text_of_it() -> None:
    assert len({fingerprint({"seed": seed}) for seed in (1, "1", True, None, [1])}) == 5


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ('{"duration":8,"idea":"x"}', '{"duration":8.0,"idea":"x"}'),
        ('{"duration":8}', '{"duration":8e0}'),
        ('{"metadata":{"n":[1,2]}}', '{"metadata":{"n":[1.0,20e-1]}}'),
        ('{"prompt":"x"}', '{"prompt":"x","seed":null,"webhook_url":null}'),
        ('{"prompt":"caf\\u00e9"}', '{"prompt":"cafe\\u0301"}'),
    ],
)
def test_what_says_the_same_is_the_same_body(one: str, other: str) -> None:
    assert fingerprint(json.loads(one)) == fingerprint(json.loads(other))


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ({"seed": 8}, {"seed": 8.5}),
        ({"metadata": {"a": None}}, {"metadata": {}}),
        ({"seed": 2**53}, {"seed": 2**53 + 1}),
        ({"prompt": "caf\u00e9"}, {"prompt": "cafe"}),
    ],
)
def test_what_says_something_else_is_not(one: dict[str, Any], other: dict[str, Any]) -> None:
    assert fingerprint(one) != fingerprint(other)


@pytest.mark.parametrize(
    ("sent", "meant"),
    [
        ('"k"', "k"),
        ("k", "k"),
        (r'"say \"k\" \\!"', r'say "k" \!'),
        ('"k', '"k'),
        ('"a"b"', '"a"b"'),
        ("pedido-n\u0303", "pedido-\u00f1"),
    ],
)
def test_a_quoted_key_is_the_key_without_its_quotes(sent: str, meant: str) -> None:
    """As the draft of the header spells it: a string of RFC 9651."""
    assert a_key(sent).key == meant


def test_a_record_of_0_1_answers_the_body_it_was_made_of() -> None:
    """Version 0.1 hashed the body letter by letter, and its records are good for a day."""
    body = {"duration": 8.0, "seed": None}
    text = json.dumps(body, sort_keys=True, separators=(",", ":"))
    stored = replace(a_key(body=body), fingerprint=hashlib.sha256(text.encode()).hexdigest())
    record = IdempotencyRecord(stored, JOB, 202, {}, expires_at_ms=9)

    assert record.replay(a_key(body=body)) is record
    with pytest.raises(IdempotencyKeyReused):
        record.replay(a_key(body={"duration": 16}))


def test_a_key_that_says_something_else_names_both() -> None:
    record = IdempotencyRecord(a_key(body={"mode": "2k"}), JOB, 202, {}, expires_at_ms=9)

    with pytest.raises(IdempotencyKeyReused) as refused:
        record.replay(a_key(body={"mode": "4k"}))

    assert JOB in refused.value.message
    assert refused.value.details == {
        "idempotency_key": "order-1",
        "made": JOB,
        "first_body": fingerprint({"mode": "2k"}),
        "this_body": fingerprint({"mode": "4k"}),
    }


def test_a_record_answers_the_same_request_again() -> None:
    record = IdempotencyRecord(a_key(body={"mode": "2k"}), JOB, 202, {"job_id": JOB}, expires_at_ms=9)

    assert record.replay(a_key(body={"mode": "2k"})) is record


def test_a_record_refuses_another_body_under_its_key() -> None:
    record = IdempotencyRecord(a_key(body={"mode": "2k"}), JOB, 202, {}, expires_at_ms=9)

    with pytest.raises(IdempotencyKeyReused):
        record.replay(a_key(body={"mode": "4k"}))
    with pytest.raises(IdempotencyKeyReused):
        record.replay(replace(record.key, fingerprint="", exact=""))
