"""Go, which comes as a Python package; its standard library is built once, into a cache below `.local`."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

from infra.one_at_a_time import one_at_a_time

GO = Path(sys.executable).with_name("go")
CACHE = Path(__file__).parents[2] / ".local" / "go-build"
USED = ("crypto/hmac", "crypto/sha256", "encoding/base64", "encoding/json")
"""Packages of the standard library that take long to build, and that are used by Go programs of the tests."""


def environment() -> dict[str, str]:
    """What Go needs of this machine's environment; it fetches nothing."""
    return {"PATH": os.environ["PATH"], "GOCACHE": str(CACHE), "GOTOOLCHAIN": "local", "GOPROXY": "off"}


def build_library() -> None:
    """Takes seconds at the first time. Raises `CalledProcessError`; the reason is on standard error."""
    with one_at_a_time(CACHE.with_suffix(".lock")):
        if not CACHE.exists():
            print("Building Go's library", file=sys.stderr, flush=True)
        subprocess.run([GO, "build", *USED], env=environment(), check=True)  # noqa: S603 our own program
