"""Where what the stacks are made of lies, in a checkout of Shoal or in the installed `shoal_infra`."""

from __future__ import annotations

from pathlib import Path

import shoal

PACKAGE = Path(__file__).parent
ROOT = PACKAGE.parent
"""The root of the checkout. Nothing that is installed uses it."""
INSTALLED = not (ROOT / "pyproject.toml").exists()

FUNCTIONS = Path(shoal.__file__).parents[1]
"""The folder of the package that the functions run, `shoal`."""
STATE_MACHINES = (PACKAGE if INSTALLED else ROOT) / "statemachines"
LOCKED = PACKAGE / "locked" if INSTALLED else ROOT
"""The folder of the files that lock packages: those of the functions, and those of the build."""
BUILD = Path.cwd() / ".shoal" if INSTALLED else ROOT / ".local" / "build"
"""Where packages are kept once they are built."""
