"""The shared local cloud as the command `shoal` finds it."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from infra.local.cloud import LocalCloud
from shoal.cli.stage import LOCAL_FILE_VARIABLE


@pytest.fixture
def at_local_stage(cloud: LocalCloud, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> LocalCloud:
    """The cloud, which is the stage `local` of commands that run in this test."""
    file = tmp_path / "shoal.json"
    file.write_text(json.dumps(cloud.config()))
    monkeypatch.setenv(LOCAL_FILE_VARIABLE, str(file))
    return cloud
