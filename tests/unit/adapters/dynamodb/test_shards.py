"""Where a job lies in the index of open jobs."""

from __future__ import annotations

import json
import re
from collections import Counter
from pathlib import Path
from random import Random

from shoal.adapters.dynamodb.items import OPEN_SHARDS, open_shard
from shoal.domain.ids import ulid

ROOT = Path(__file__).parents[4]
JOBS = 64_000
SIX_SIGMA = 190
"""Of a thousand jobs a shard: six standard deviations from an even spread."""


def test_jobs_are_spread_evenly() -> None:
    random = Random(1)  # noqa: S311 - the same jobs each time
    counts = Counter(open_shard(ulid(1_800_000_000_000 + n, random.randbytes(10))) for n in range(JOBS))

    assert set(counts) == set(OPEN_SHARDS)
    assert len(OPEN_SHARDS) == 64
    assert max(abs(count - JOBS // 64) for count in counts.values()) < SIX_SIGMA


def test_a_job_lies_where_every_process_looks() -> None:
    assert open_shard("01KTWH1S00EBRYRGH1S3V0E7WR") == open_shard("01KTWH1S00EBRYRGH1S3V0E7WR")
    assert open_shard("01KTWH1S00EBRYRGH1S3V0E7WR") == "OPEN#2"


def test_what_others_wrote_lies_in_a_shard_that_is_read() -> None:
    """Version 0.1, and the state machines, which name a shard themselves."""
    recorded = json.loads((ROOT / "tests/fixtures/0.1/items.json").read_text(encoding="utf-8"))
    written = {item["open_shard"]["S"] for item in recorded.values() if "open_shard" in item}
    machines = [path.read_text(encoding="utf-8") for path in (ROOT / "statemachines").glob("*.json")]
    named = {shard for machine in machines for shard in re.findall(r'"(OPEN#\w+)"', machine)}

    assert written >= {"OPEN#0", "OPEN#2", "OPEN#3"}
    assert named == {"OPEN#0"}
    assert written | named <= set(OPEN_SHARDS)
