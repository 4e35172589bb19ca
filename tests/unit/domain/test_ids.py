"""Ids: derived ones repeat, all sort by time, and their form is checked strictly."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from ulid import ULID

from shoal.adapters.system import RandomIds
from shoal.domain.api_key import KeyPrefix, digest_of
from shoal.domain.ids import derived_id, first_ulid_at, job_ulid, moment_of, ulid
from tests.support.factories import JOB

MOMENTS = st.integers(0, 2**47)


@given(MOMENTS, st.binary(min_size=10, max_size=10))
def test_a_ulid_is_written_as_the_specifications_package_writes_it(at_ms: int, tail: bytes) -> None:
    assert ulid(at_ms, tail) == str(ULID.from_bytes(at_ms.to_bytes(6, "big") + tail))
    assert moment_of(f"job_{ulid(at_ms, tail)}") == at_ms


@given(MOMENTS, st.text(), st.text())
def test_a_derived_id_is_the_same_whenever_it_is_made_again(at_ms: int, one: str, other: str) -> None:
    made = derived_id("evt", at_ms, one, other)

    assert made == derived_id("evt", at_ms, one, other)
    assert len(made) == len("evt_") + 26


@given(MOMENTS, st.lists(st.text(), min_size=2, max_size=4, unique=True))
def test_other_parts_make_another_id(at_ms: int, parts: list[str]) -> None:
    assert len({derived_id("evt", at_ms, "job_1", part) for part in parts}) == len(parts)


def test_parts_do_not_run_into_each_other() -> None:
    assert derived_id("evt", 1, "ab", "c") != derived_id("evt", 1, "a", "bc")


@given(MOMENTS, MOMENTS, st.text(), st.text())
def test_ids_sort_by_their_moments(one_ms: int, other_ms: int, one: str, other: str) -> None:
    early, late = sorted((one_ms, other_ms))
    if early == late:
        return

    assert derived_id("job", early, one) < derived_id("job", late, other)
    assert RandomIds().new("job", early) < derived_id("job", late, other)


@given(MOMENTS, st.text())
def test_the_first_ulid_of_a_moment_bounds_its_ids_from_below(at_ms: int, part: str) -> None:
    made = derived_id("job", at_ms, part).removeprefix("job_")

    assert first_ulid_at(at_ms) <= made < first_ulid_at(at_ms + 1)


@pytest.mark.parametrize("prefix", ["job", "gen", "vid"])
def test_a_job_id_of_any_dialect_gives_its_ulid(prefix: str) -> None:
    assert job_ulid(f"{prefix}_{JOB[4:]}") == JOB[4:]


@pytest.mark.parametrize(
    "text",
    [
        "",
        "job_",
        "3a8f2c1d-7b4e-4f9a-b2d6-1c5e8f3a9b7d",
        JOB.lower(),
        JOB + "\n",
        JOB + "0",
        JOB[:-1],
        "evt_" + JOB[4:],
        "job_8" + JOB[5:],
        JOB.replace("V", "U"),
        JOB.replace("V", "#"),
    ],
)
def test_anything_else_is_no_job_id(text: str) -> None:
    assert job_ulid(text) is None


def test_random_ids_differ_and_random_secrets_make_well_formed_keys() -> None:
    ids = RandomIds()

    assert len({ids.new("job", 1) for _ in range(100)}) == 100
    assert job_ulid(ids.new("job", 1_763_980_800_123)) is not None
    assert all(digest_of(prefix + ids.secret(32)) for prefix in KeyPrefix)
