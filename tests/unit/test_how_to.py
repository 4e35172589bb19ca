"""The worked changes of docs/how-to: each applies to the code as it is, costs what it says, and works."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
FILES_MAX = {"add-a-provider": 3, "add-a-dialect": 5, "add-a-field": 4}


@pytest.mark.parametrize("name", FILES_MAX)
def test_a_worked_change_costs_what_its_page_says_and_works(name: str, tmp_path: Path) -> None:
    page = (ROOT / "docs" / "how-to" / f"{name}.md").read_text(encoding="utf-8")
    (change,) = re.findall(r"```diff\n(.*?)```", page, re.DOTALL)
    (check,) = re.findall(r"```python\n(.*?)```", page, re.DOTALL)
    for folder in ("functions", "infra"):
        shutil.copytree(ROOT / folder, tmp_path / folder, ignore=shutil.ignore_patterns("__pycache__"))
    applied = subprocess.run(
        ["git", "apply", "-C1", "--recount", "--verbose", "-"],  # noqa: S607
        cwd=tmp_path,
        input=change,
        text=True,
        capture_output=True,
        check=False,
    )
    assert applied.returncode == 0, applied.stderr
    changed = re.findall(r"^diff --git a/(\S+)", change, re.MULTILINE)
    assert len(changed) == len(set(changed)) <= FILES_MAX[name]
    environment = os.environ | {"PYTHONPATH": os.pathsep.join((str(tmp_path / "functions"), str(tmp_path)))}
    works = subprocess.run(  # noqa: S603
        [sys.executable, "-c", check],
        cwd=tmp_path,
        env=environment,
        text=True,
        capture_output=True,
        check=False,
    )
    assert works.returncode == 0, works.stderr
