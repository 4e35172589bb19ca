"""The stages whose files the project brings."""

from __future__ import annotations

from pathlib import Path

from infra.checks import OWNER
from infra.stage import load_stage

FOLDER = Path(__file__).parents[2] / "stages"
LOCAL, DEV, PROD = (load_stage(FOLDER / f"{name}.toml", owner=OWNER) for name in ("local", "dev", "prod"))
