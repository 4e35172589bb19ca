"""Values go into the table and come back as they were, in the form boto3 gives them too."""

from __future__ import annotations

from typing import Any

import pytest
from boto3.dynamodb.types import TypeSerializer
from hypothesis import given
from hypothesis import strategies as st

from shoal.adapters.dynamodb.values import marshal, unmarshal

SCALARS = st.text() | st.booleans() | st.integers(-(10**37), 10**37)
VALUES = st.recursive(
    SCALARS,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(min_size=1), inner, max_size=4),
) | st.sets(st.text(), min_size=1)
ITEMS = st.dictionaries(st.text(min_size=1), VALUES, max_size=6)


@given(ITEMS)
def test_what_went_in_comes_out(item: dict[str, Any]) -> None:
    assert unmarshal(marshal(item)) == item


@given(ITEMS)
def test_boto3_writes_the_same(item: dict[str, Any]) -> None:
    theirs = {name: TypeSerializer().serialize(value) for name, value in item.items()}

    assert _in_order(marshal(item)) == _in_order(theirs)


def test_what_is_none_is_left_out_of_an_item() -> None:
    assert marshal({"ttl_s": None, "failure": {"scene": None}}) == {
        "failure": {"M": {"scene": {"NULL": True}}}
    }
    assert unmarshal({"failure": {"M": {"scene": {"NULL": True}}}}) == {"failure": {"scene": None}}


@pytest.mark.parametrize("value", [1.5, b"bytes", object(), set(), {1, 2}])
def test_what_no_item_holds_is_refused(value: object) -> None:
    with pytest.raises(TypeError, match="an item holds no"):
        marshal({"value": value})


def test_a_kind_no_item_holds_is_refused() -> None:
    with pytest.raises(TypeError, match="no item holds a B"):
        unmarshal({"value": {"B": b""}})


def _in_order(attributes: Any) -> Any:
    """Sets have no order of their own."""
    if isinstance(attributes, dict):
        return {
            name: sorted(value) if name == "SS" and isinstance(value, list) else _in_order(value)
            for name, value in attributes.items()
        }
    return [_in_order(value) for value in attributes] if isinstance(attributes, list) else attributes
