"""What handlers and the operator's command work with is given to them: they look nothing up."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.handlers import MODULES

SHOAL = Path(__file__).parents[3] / "functions/shoal"
ROOMS = ("handlers", "cli")
COMPOSITION = "shoal.composition"
CONNECTS = SHOAL / "cli/stage.py"
"""Makes the command's operator."""

Imported = ast.Import | ast.ImportFrom
Function = ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda


def modules() -> list[Path]:
    return sorted(path for room in ROOMS for path in (SHOAL / room).rglob("*.py"))


def parsed(path: Path) -> ast.Module:
    return ast.parse(path.read_text(encoding="utf-8"))


def of_composition(imported: Imported) -> bool:
    names = [alias.name for alias in imported.names]
    if isinstance(imported, ast.ImportFrom):
        names = [f"{imported.module}.{name}" for name in names]
    return any(f"{name}.".startswith(f"{COMPOSITION}.") for name in names)


def composed(tree: ast.Module) -> set[str]:
    """What a module calls composition, and what it takes from there."""
    found = [node for node in ast.walk(tree) if isinstance(node, Imported) and of_composition(node)]
    return {(alias.asname or alias.name).partition(".")[0] for node in found for alias in node.names}


def within_functions(tree: ast.Module) -> Iterator[ast.AST]:
    """All that a call runs: neither signatures nor what a module does when it is imported."""
    for function in (node for node in ast.walk(tree) if isinstance(node, Function)):
        for statement in function.body if isinstance(function.body, list) else [function.body]:
            yield from ast.walk(statement)


def looked_up(tree: ast.Module) -> set[str]:
    """What of composition is named where a function runs."""
    names = composed(tree)
    run = list(within_functions(tree))
    imported = {"import" for node in run if isinstance(node, Imported) and of_composition(node)}
    return imported | {node.id for node in run if isinstance(node, ast.Name) and node.id in names}


@pytest.mark.parametrize("path", modules(), ids=lambda path: str(path.relative_to(SHOAL)))
def test_only_what_makes_the_operator_looks_into_composition(path: Path) -> None:
    assert bool(looked_up(parsed(path))) == (path == CONNECTS)


def test_every_function_is_wired_in_its_module() -> None:
    files = [SHOAL.parent / f"{name.replace('.', '/')}.py" for name in MODULES.values()]
    wired = {path.stem for path in files if composed(parsed(path))}
    assert len(files) > 30
    assert {path.stem for path in files} - wired == {"reject_route"}, "which needs nothing"


@pytest.mark.parametrize(
    "code",
    [
        "from shoal.composition import jobs\ndef run(event):\n    jobs.sweep_jobs()()",
        "from shoal.composition import jobs as made\nrun = lambda event: made.sweep_jobs()()",
        "from shoal.composition.jobs import sweep_jobs\ndef run(event):\n    return [sweep_jobs()()]",
        "import shoal.composition.jobs\ndef run(event):\n    shoal.composition.jobs.sweep_jobs()()",
        "def run(event):\n    from shoal.composition import jobs",
        "def run(event):\n    from shoal import composition",
    ],
)
def test_a_function_that_looks_something_up_is_noticed(code: str) -> None:
    assert looked_up(ast.parse(code))
