"""Bytecode for Lambda's Python, made ahead: without it every cold start compiles what it imports."""

from __future__ import annotations

import subprocess
from pathlib import Path

from infra import NODE
from infra.errors import SynthesisError

ROOT = Path(__file__).parents[1]
SCRIPT = Path(__file__).with_suffix(".mjs")


class CompileFailed(SynthesisError):
    """Some file could not be compiled; the message is the compiler's."""


def precompile(folder: Path, *, prefix: str) -> None:
    """Put a `.pyc` beside each Python file below `folder`, never checked against its source at import.

    `prefix`: where the folder's content lies in Lambda, for the paths in tracebacks. Raises `CompileFailed`.
    """
    if not (ROOT / "node_modules" / "pyodide").is_dir():
        raise CompileFailed("Pyodide is missing: `make synth` fetches it with the other Node packages.")
    command = [NODE, str(SCRIPT), str(folder.resolve()), prefix]
    result = subprocess.run(  # noqa: S603 - the project's own Node, no outside input
        command, capture_output=True, text=True, check=False, cwd=ROOT
    )
    if result.returncode != 0:
        raise CompileFailed(result.stdout + result.stderr)
