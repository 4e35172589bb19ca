"""Money: whole micro-dollars in and out of text."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shoal.domain.money import (
    AMOUNT_MAX,
    Asset,
    decimal_amount,
    decimal_usd,
    format_usd,
    parse_usd,
)


@pytest.mark.parametrize(
    ("text", "micros"),
    [
        ("10.00", 10_000_000),
        ("$0.0125", 12_500),
        ("7", 7_000_000),
        ("0.000001", 1),
        ("0.1", 100_000),
        ("999999999.999999", 999_999_999_999_999),
    ],
)
def test_an_amount_is_read_to_the_micro_dollar(text: str, micros: int) -> None:
    assert parse_usd(text) == micros


@pytest.mark.parametrize(
    "text",
    [
        "",
        "$",
        "1.",
        ".5",
        "-1",
        "+1",
        "1e3",
        "1,00",
        "1.0000001",
        " 1",
        "1 ",
        "1\n",
        "٣",
        "NaN",
        "$$1",
        "1_0",
    ],
)
def test_anything_else_is_no_amount(text: str) -> None:
    with pytest.raises(ValueError, match="form"):
        parse_usd(text)


@pytest.mark.parametrize(
    ("micros", "text"),
    [
        (0, "$0.00"),
        (10_000, "$0.01"),
        (20_000, "$0.02"),
        (12_500, "$0.0125"),
        (1, "$0.000001"),
        (1_200_000, "$1.20"),
        (-1_000_000, "-$1.00"),
        (-1, "-$0.000001"),
    ],
)
def test_dollars_show_two_decimals_or_as_many_as_needed(micros: int, text: str) -> None:
    assert format_usd(micros) == text


def test_a_dialect_may_ask_for_more_decimals() -> None:
    assert format_usd(10_000, decimals_min=4) == "$0.0100"
    assert format_usd(12_345, decimals_min=4) == "$0.012345"


@given(st.integers(0, AMOUNT_MAX - 1))
def test_what_is_shown_reads_back_as_the_same_amount(micros: int) -> None:
    assert parse_usd(format_usd(micros)) == micros
    assert parse_usd(decimal_usd(micros)) == micros


@given(st.integers(1 - AMOUNT_MAX, AMOUNT_MAX - 1), st.integers(2, 6))
def test_a_sign_and_trailing_zeros_never_change_an_amount(micros: int, decimals_min: int) -> None:
    shown = format_usd(micros, decimals_min=decimals_min)

    sign = -1 if shown.startswith("-") else 1
    assert sign * parse_usd(shown.removeprefix("-")) == micros
    assert decimals_min <= len(shown.partition(".")[2]) <= 6


def test_credits_are_whole_and_dollars_are_not() -> None:
    assert decimal_amount(Asset.CREDIT, 20) == "20"
    assert decimal_amount(Asset.TEST_CREDIT, 0) == "0"
    assert decimal_amount(Asset.USD, 20) == "0.00002"
    assert decimal_amount(Asset.TEST_USD, 20_000) == "0.02"
