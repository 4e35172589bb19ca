"""The Chromium that an npm package carries, for machines where nobody may install one: it needs no root.

The package is an optional one of the lock file, fetched here and by no other `npm ci`. It is made for Linux
on x86-64, and brings the libraries and a font that a machine without a desktop lacks.
"""

from __future__ import annotations

import json
import os
import platform
import shutil
import subprocess
import sys
from pathlib import Path
from tempfile import TemporaryDirectory

from infra import NODE, NPM

ROOT = Path(__file__).parents[2]
FOLDER = ROOT / ".local" / "browser"
NAME = "@sparticuz/chromium"
PLATFORM = ("Linux", "x86_64")
SECONDS_MAX = 600
LOCKED = ("package.json", "package-lock.json", ".npmrc")
START = """#!/bin/sh
# Starts this Chromium with the libraries and the font beside it; the rest of the system does not see them.
here=${0%/*}
LD_LIBRARY_PATH="$here/al2023/lib" FONTCONFIG_FILE="$here/fonts.conf" exec "$here/chromium" "$@"
"""
FONTS = """<?xml version="1.0"?>
<!DOCTYPE fontconfig SYSTEM "fonts.dtd">
<fontconfig>
  <include ignore_missing="yes">/etc/fonts/fonts.conf</include>
  <dir prefix="relative">fonts</dir>
  <cachedir prefix="xdg">fontconfig</cachedir>
</fontconfig>
"""


class NpmFailed(Exception):
    """The package could not be fetched or unpacked; the message says why."""


def executable() -> Path:
    """Where the locked version is started, once it is unpacked."""
    return FOLDER / _locked_version() / "start"


def unpack() -> Path:
    """Fetch and unpack it, in place of other versions; returns `executable()`. Raises `NpmFailed`."""
    if (platform.system(), platform.machine()) != PLATFORM:
        raise NpmFailed(f"{NAME} is made for {' on '.join(PLATFORM)}")
    print(f"Unpacking {NAME} below {FOLDER}", file=sys.stderr, flush=True)
    shutil.rmtree(FOLDER, ignore_errors=True)
    FOLDER.mkdir(parents=True)
    with TemporaryDirectory(dir=FOLDER) as work:
        fetched, unpacked = Path(work) / "fetched", Path(work) / "unpacked"
        fetched.mkdir()
        for name in LOCKED:
            shutil.copy(ROOT / name, fetched)
        _run([*NPM, "ci", "--omit=dev", "--ignore-scripts", "--loglevel=error"], fetched)
        unpacked.mkdir()
        script = Path(__file__).with_name("unpack.mjs")
        _run([NODE, str(script), str(fetched / "node_modules" / NAME)], unpacked)
        (unpacked / "fonts.conf").write_text(FONTS, encoding="utf-8")
        (unpacked / "fonts" / "fonts.conf").unlink()
        (unpacked / "start").write_text(START, encoding="utf-8")
        (unpacked / "start").chmod(0o755)
        unpacked.rename(executable().parent)
    return executable()


def _locked_version() -> str:
    locked = json.loads((ROOT / "package-lock.json").read_text(encoding="utf-8"))
    version: str = locked["packages"][f"node_modules/{NAME}"]["version"]
    return version


def _run(command: list[str], folder: Path) -> None:
    """Run a program of Node in a folder that is also the one for its temporary files."""
    try:
        subprocess.run(  # noqa: S603 - the project's own Node, no outside input
            command,
            cwd=folder,
            env={**os.environ, "TMPDIR": str(folder)},
            capture_output=True,
            text=True,
            check=True,
            timeout=SECONDS_MAX,
        )
    except subprocess.CalledProcessError as error:
        raise NpmFailed(error.stderr.strip()) from error
    except subprocess.TimeoutExpired as error:
        raise NpmFailed(f"{command[1]} took more than {SECONDS_MAX} s") from error
