"""`python infra/uv_requirement.py`: the uv of the lock file, as pip wants it to check its hash.

Runs before anything is installed: pip fetches this uv, which installs the rest.
"""

from __future__ import annotations

import tomllib
from pathlib import Path

LOCK_FILE = Path(__file__).parents[1] / "uv.lock"


def uv_requirement() -> str:
    """A line of a requirements file with the locked version and the hashes of its wheels."""
    packages = tomllib.loads(LOCK_FILE.read_text(encoding="utf-8"))["package"]
    (uv,) = (package for package in packages if package["name"] == "uv")
    return " ".join([f"uv=={uv['version']}", *(f"--hash={wheel['hash']}" for wheel in uv["wheels"])])


if __name__ == "__main__":
    print(uv_requirement())
