"""Idempotency keys: their form, and which bodies count as the same."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shoal.domain.errors import IdempotencyKeyReused, ValidationFailed
from shoal.domain.idempotency import IdempotencyKey, IdempotencyRecord, fingerprint
from tests.support.factories import ACCOUNT, JOB

ROUTE = "POST /v1/generate"


def bodies(values: st.SearchStrategy[Any]) -> st.SearchStrategy[dict[str, Any]]:
    return st.dictionaries(st.text(max_size=5), values, max_size=4)


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | bodies(inner),
    max_leaves=6,
)


def a_key(text: str = "order-1", body: dict[str, Any] | None = None) -> IdempotencyKey:
    return IdempotencyKey.of(ACCOUNT, ROUTE, text, body or {})


@pytest.mark.parametrize("text", ["a", "x" * 255, "order 1", "pedido-ñ", "🦈" * 255])
def test_a_key_of_1_to_255_printable_characters_is_taken(text: str) -> None:
    assert a_key(text).key == text


@pytest.mark.parametrize("text", ["", "x" * 256, "tab\there", "line\n", "nul\0", "\ud800", "\u200b"])
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


def test_a_record_answers_the_same_request_again() -> None:
    record = IdempotencyRecord(a_key(body={"mode": "2k"}), JOB, 202, {"job_id": JOB}, expires_at_ms=9)

    assert record.replay(a_key(body={"mode": "2k"})) is record


def test_a_record_refuses_another_body_under_its_key() -> None:
    record = IdempotencyRecord(a_key(body={"mode": "2k"}), JOB, 202, {}, expires_at_ms=9)

    with pytest.raises(IdempotencyKeyReused):
        record.replay(a_key(body={"mode": "4k"}))
    with pytest.raises(IdempotencyKeyReused):
        record.replay(replace(record.key, fingerprint=""))
