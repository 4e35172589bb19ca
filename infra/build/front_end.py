"""`python -m infra.build.front_end`: bring what browsers load from npm's folder into the package.

The lock file says which versions; the dashboard gives each file an address that names its content.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from ..errors import SynthesisError
from ..one_at_a_time import one_at_a_time
from ..paths import FUNCTIONS, INSTALLED, ROOT

ASSETS = FUNCTIONS / "shoal" / "handlers" / "web" / "assets"
FILES: Mapping[str, Path] = {"htmx.min.js": ROOT / "node_modules" / "htmx.org" / "dist" / "htmx.min.js"}


class FrontEndMissing(SynthesisError):
    """npm's packages are not installed yet."""


def bring() -> None:
    """Copy what is missing or of another version. Raises `FrontEndMissing` before `npm ci` has run.

    The installed package brings them already.
    """
    if INSTALLED:
        return
    with one_at_a_time(ROOT / ".local" / "front_end.lock"):
        for name, source in FILES.items():
            if not source.exists():
                raise FrontEndMissing(
                    f"{name} is missing: `make synth` fetches it with the other Node packages."
                )
            target, content = ASSETS / name, source.read_bytes()
            if not target.exists() or target.read_bytes() != content:
                target.write_bytes(content)


if __name__ == "__main__":
    bring()
