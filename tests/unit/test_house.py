"""The rooms of the house: none is too full to be looked through, and what the documents name is there."""

from __future__ import annotations

import ast
import re
import tomllib
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
CODE = ("functions", "infra", "bench", "clients", "tests")
LANGUAGES = (".py", ".html", ".css", ".js")
NOT_OURS = {"__pycache__", "node_modules", "fixtures"}
FILES_MAX = 35
SHORT = ("functions", "infra", "bench", "tests/support")
LINES_MAX = 50
PATCH = re.compile(r"^ +monkeypatch\.setattr\(|\bpatch(?:\.object)?\(", re.MULTILINE)
PATCHES_MAX = 38
"""Nearly all of them shrink a limit or stand for a machine. It only becomes less: give a fake instead."""
QUESTIONS = Path(__file__).with_name("house_questions.toml")
LINK = re.compile(r"\]\((?!https?:|#|mailto:)([^)#\s]+)(?:#[^)]*)?\)")
PAGES = [
    path
    for folder in (ROOT, *map(ROOT.joinpath, ("docs", "examples", "clients")))
    for path in (folder.glob("*.md") if folder == ROOT else folder.rglob("*.md"))
]


def test_no_folder_of_code_is_too_full_to_be_looked_through() -> None:
    files = [
        path
        for name in CODE
        for path in (ROOT / name).rglob("*")
        if path.suffix in LANGUAGES and not NOT_OURS.intersection(path.parts)
    ]
    assert len(files) > 500
    assert {path.suffix for path in files} >= {".py", ".html", ".js"}
    folders = {path.parent: 0 for path in files}
    for path in files:
        folders[path.parent] += 1
    assert {str(folder.relative_to(ROOT)): n for folder, n in folders.items() if n > FILES_MAX} == {}


def test_no_function_is_too_long_to_be_seen_at_once() -> None:
    functions = [
        (node.end_lineno - node.lineno + 1, f"{path.relative_to(ROOT)}: {node.name}")
        for name in SHORT
        for path in (ROOT / name).rglob("*.py")
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) and node.end_lineno is not None
    ]
    assert len(functions) > 2_000
    assert [function for lines, function in functions if lines > LINES_MAX] == []


def test_no_more_attributes_are_patched_than_were() -> None:
    files = [path for path in (ROOT / "tests").rglob("*.py") if path != Path(__file__)]
    assert sum(len(PATCH.findall(path.read_text(encoding="utf-8"))) for path in files) <= PATCHES_MAX


def test_every_answer_of_the_house_is_a_file() -> None:
    answers = tomllib.loads(QUESTIONS.read_text(encoding="utf-8"))["answers"]
    assert len(answers) == 30
    assert [name for names in answers.values() for name in names if not (ROOT / name).is_file()] == []


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_every_link_of_a_page_leads_to_a_file(page: Path) -> None:
    links = LINK.findall(page.read_text(encoding="utf-8"))
    assert [link for link in links if not (page.parent / link).exists()] == []
