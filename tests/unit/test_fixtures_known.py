"""Whatever this code keeps or hands on was recorded, and the recordings are fit to be kept."""

from __future__ import annotations

import re
from copy import deepcopy

import pytest

from tests.fixtures.coverage import AWAITED, key_words, missing, recorded
from tests.fixtures.files import FAMILIES, FOLDER, load, versions

KILOBYTES_MAX = 300
PLACES = re.compile(r"/(?:home|root|Users|tmp|work)/")
"""Folders of the machine that recorded."""


def test_every_kind_that_the_code_knows_was_recorded() -> None:
    assert set(missing(recorded())) == AWAITED, "record the next version, or await it in coverage.AWAITED"


@pytest.mark.parametrize(
    ("family", "case", "told"),
    [
        ("items", "breaker.", "items: BREAKER"),
        ("items", "entry.dispute_reversal", "entries: dispute_reversal"),
        ("events", "video.scene_ready", "events: video.scene_ready"),
        ("messages", "close_execution.", "consumers: close_execution"),
        ("tasks", "render_video.Narrate", "tasks: render_video.Narrate"),
        ("results", "generate.StoreOutput", "results: generate.StoreOutput"),
        ("executions", "generate_batch", "executions: generate_batch"),
        ("schedules", "", "schedules: nothing at all"),
    ],
)
def test_what_was_not_recorded_is_named(family: str, case: str, told: str) -> None:
    families = deepcopy(recorded())
    families[family] = {name: each for name, each in families[family].items() if not name.startswith(case)}
    assert told in missing(families)


def test_the_tables_keys_are_found_in_the_adapters() -> None:
    assert {"JOB", "ENTRY", "IDEMPOTENCY", "SLOTS", "SCENE", "RUNS", "ACCOUNTS", "FAILED"} <= key_words()


@pytest.mark.parametrize("version", versions())
def test_a_version_is_small_whole_and_tells_of_nobodys_machine(version: str) -> None:
    files = sorted((FOLDER / version).iterdir())
    assert [path.stem for path in files] == sorted(FAMILIES)
    assert sum(path.stat().st_size for path in files) <= KILOBYTES_MAX * 1024
    assert all(load(version, family) for family in FAMILIES)
    assert [path.name for path in files if PLACES.search(path.read_text(encoding="utf-8"))] == []
