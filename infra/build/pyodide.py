"""Pyodide, which is CPython 3.13 built for WebAssembly: where npm put it; fetched first if need be."""

from __future__ import annotations

import json
import shutil
import subprocess
from pathlib import Path
from typing import Any

from .. import NPM
from ..errors import SynthesisError
from ..one_at_a_time import one_at_a_time
from ..paths import BUILD, INSTALLED, LOCKED, ROOT

NAME = "pyodide"
PROJECT = {"name": "shoal-build", "version": "0.0.0"}


class Missing(SynthesisError):
    """There is no Pyodide, or npm could not fetch it; the message says what to do or what npm said."""


def folder() -> Path:
    """The package's folder. Raises `Missing`."""
    if not INSTALLED:
        found = ROOT / "node_modules" / NAME
        if not found.is_dir():
            raise Missing("Pyodide is missing: `make synth` fetches it with the other Node packages.")
        return found
    fetched = BUILD / "node"
    with one_at_a_time(BUILD / "node.lock"):
        if not fetched.is_dir():
            unfinished = BUILD / "node-unfinished"
            shutil.rmtree(unfinished, ignore_errors=True)  # of a process that was ended while it fetched
            _fetch(unfinished)
            unfinished.replace(fetched)
    return fetched / "node_modules" / NAME


def _fetch(target: Path) -> None:
    """Have npm install what the lock file says of Pyodide, and nothing else of it."""
    locked = json.loads((LOCKED / "package-lock.json").read_text(encoding="utf-8"))
    root = {**PROJECT, "dependencies": {NAME: _entry(locked, NAME)["version"]}}
    needed = {f"node_modules/{name}": _entry(locked, name) for name in _needs(locked, NAME)}
    target.mkdir(parents=True)
    _write(target / "package.json", root)
    _write(target / "package-lock.json", {**PROJECT, "lockfileVersion": 3, "packages": {"": root, **needed}})
    command = [*NPM, "ci", "--loglevel=error", "--ignore-scripts"]
    result = subprocess.run(  # noqa: S603 - Node's own installer, no outside input
        command, cwd=target, capture_output=True, text=True, check=False
    )
    if result.returncode != 0:
        raise Missing(f"npm could not fetch Pyodide:\n{result.stdout}{result.stderr}")


def _write(file: Path, content: object) -> None:
    file.write_text(json.dumps(content), encoding="utf-8")


def _needs(locked: dict[str, Any], name: str) -> set[str]:
    """A package and all that it needs."""
    return {name}.union(*(_needs(locked, each) for each in _entry(locked, name).get("dependencies", {})))


def _entry(locked: dict[str, Any], name: str) -> dict[str, Any]:
    entry: dict[str, Any] = locked["packages"][f"node_modules/{name}"]
    return {key: value for key, value in entry.items() if key != "dev"}
