"""Pages use what their visit was given: no function of theirs looks anything up in composition."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

from shoal.handlers import web

ROOM = "shoal.composition"
MODULES = sorted(Path(web.__file__).parent.rglob("*.py"))


def lookups(source: str) -> Iterator[str]:
    """What functions name of composition, apart from the types that they say they take and answer."""
    tree = ast.parse(source)
    named = {name for node in ast.walk(tree) for name in _names(node)}
    for function in ast.walk(tree):
        if not isinstance(function, ast.FunctionDef | ast.AsyncFunctionDef):
            continue
        for node in (inner for line in function.body for inner in ast.walk(line)):
            if (isinstance(node, ast.Name) and node.id in named) or any(_names(node)):
                yield f"{function.name}: {ast.unparse(node)}"


def _names(node: ast.AST) -> Iterator[str]:
    """What an import of composition, or of something in it, is called from there on."""
    if isinstance(node, ast.ImportFrom):
        for alias in node.names:
            if f"{node.module}.{alias.name}.".startswith(f"{ROOM}."):
                yield alias.asname or alias.name
    if isinstance(node, ast.Import):
        for alias in node.names:
            if f"{alias.name}.".startswith(f"{ROOM}."):
                yield alias.asname or alias.name.partition(".")[0]


@pytest.mark.parametrize(
    ("source", "found"),
    [
        ("from shoal.composition import jobs as j\ndef show():\n    return j.list_jobs()", "show: j"),
        ("from shoal import composition\ndef show():\n    composition.jobs()", "show: composition"),
        ("import shoal.composition.jobs\ndef show():\n    shoal.composition.jobs.ids", "show: shoal"),
        ("from shoal.composition.jobs import ids\nclass A:\n    def b(self):\n        ids.new()", "b: ids"),
        (
            "def show():\n    from shoal.composition import jobs",
            "show: from shoal.composition import jobs",
        ),
    ],
)
def test_a_function_that_looks_something_up_is_found(source: str, found: str) -> None:
    assert found in list(lookups(source))


def test_types_and_the_line_that_wires_are_no_lookups() -> None:
    source = "from shoal.composition import a\ndef show(use: a.B) -> a.C: ...\nhandler = wire(a.build, show)"

    assert list(lookups(source)) == []


def test_no_page_looks_anything_up() -> None:
    assert {"visit.py", "show_dashboard.py", "wallet.py"} <= {path.name for path in MODULES}
    assert {path.name: found for path in MODULES if (found := list(lookups(path.read_text())))} == {}
