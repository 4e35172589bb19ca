"""Packages of the system, installed with apt-get where nobody needs to be asked for a password."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import time

SECONDS_MAX = 600.0
"""For all of it, waiting for other users of apt included."""
PAUSE_SECONDS = 1.0
LOCKED = re.compile("Could not get lock|Unable to acquire the dpkg|locked by another process")


class AptFailed(Exception):
    """It could not be installed; the message says why."""


def install(package: str) -> None:
    """Install a package of the system, once no other process uses apt. Raises `AptFailed`."""
    if shutil.which("apt-get") is None:
        raise AptFailed("there is no apt-get")
    if os.geteuid() != 0:
        raise AptFailed("only root may install packages")
    print(f"Installing {package} with apt-get", file=sys.stderr, flush=True)
    deadline = time.monotonic() + SECONDS_MAX
    # One source of packages that fails is no reason to stop: another may have this one.
    _apt_get(["update"], deadline)
    said = _apt_get(["install", "--yes", "--no-install-recommends", package], deadline)
    if said is not None:
        raise AptFailed(said)


def _apt_get(arguments: list[str], deadline: float) -> str | None:
    """Returns what it said if it failed; while another process holds a lock, it is tried again.

    apt can wait for dpkg's lock by itself, but not for the locks of its lists and of its downloads.
    """
    while True:
        try:
            result = subprocess.run(  # noqa: S603 - a program of the system, no outside input
                ["apt-get", "--quiet", *arguments],  # noqa: S607 - where it is, is the system's affair
                capture_output=True,
                text=True,
                check=False,
                timeout=max(deadline - time.monotonic(), PAUSE_SECONDS),
                stdin=subprocess.DEVNULL,
                env={**os.environ, "DEBIAN_FRONTEND": "noninteractive", "LC_ALL": "C"},
            )
        except subprocess.TimeoutExpired:
            return f"apt-get {arguments[0]} took too long"
        if result.returncode == 0:
            return None
        if not LOCKED.search(result.stderr) or time.monotonic() > deadline:
            return result.stderr.strip() or result.stdout.strip()
        time.sleep(PAUSE_SECONDS)
