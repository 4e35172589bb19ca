"""Bytecode for Lambda's Python, made ahead: without it every cold start compiles what it imports."""

from __future__ import annotations

import subprocess
from pathlib import Path

from .. import NODE
from ..errors import SynthesisError
from . import pyodide

SCRIPT = Path(__file__).with_suffix(".mjs")


class CompileFailed(SynthesisError):
    """Some file could not be compiled; the message is the compiler's."""


def precompile(folder: Path, *, prefix: str) -> None:
    """Put a `.pyc` beside each Python file below `folder`, never checked against its source at import.

    `prefix`: where the folder's content lies in Lambda, for the paths in tracebacks. Raises `CompileFailed`,
    and `pyodide.Missing`.
    """
    command = [NODE, str(SCRIPT), str(folder.resolve()), prefix, str(pyodide.folder() / "pyodide.mjs")]
    result = subprocess.run(  # noqa: S603 - the project's own Node, no outside input
        command, capture_output=True, text=True, check=False
    )
    if result.returncode != 0:
        raise CompileFailed(result.stdout + result.stderr)
