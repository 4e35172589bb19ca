"""Refuses to build packages that lack what browsers load. hatchling runs it before each build."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface

EDITABLE = "editable"


class FrontEndHook(BuildHookInterface[Any]):
    """An editable package is the working tree itself, which may get these files later."""

    def initialize(self, version: str, _build_data: dict[str, Any]) -> None:
        """Raises FileNotFoundError where one of the project's artifacts is missing."""
        artifacts = self.build_config.build_config["artifacts"] if version != EDITABLE else []
        for name in artifacts:
            if not Path(self.root, name).is_file():
                raise FileNotFoundError(
                    f"{name} comes from npm: run `python -m infra.build.front_end` after `npm ci`"
                )
