"""The rooms of the house: none is too full to be looked through, and what the documents name is there."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
CODE = ("functions", "infra", "bench", "clients", "tests")
FILES_MAX = 35
QUESTIONS = Path(__file__).with_name("house_questions.toml")
LINK = re.compile(r"\]\((?!https?:|#|mailto:)([^)#\s]+)(?:#[^)]*)?\)")
PAGES = [
    path
    for folder in (ROOT, *map(ROOT.joinpath, ("docs", "examples", "clients")))
    for path in (folder.glob("*.md") if folder == ROOT else folder.rglob("*.md"))
]


def test_no_folder_of_code_is_too_full_to_be_looked_through() -> None:
    files = [path for name in CODE for path in (ROOT / name).rglob("*.py") if "__pycache__" not in path.parts]
    assert len(files) > 500
    folders = {path.parent: 0 for path in files}
    for path in files:
        folders[path.parent] += 1
    assert {str(folder.relative_to(ROOT)): n for folder, n in folders.items() if n > FILES_MAX} == {}


def test_every_answer_of_the_house_is_a_file() -> None:
    answers = tomllib.loads(QUESTIONS.read_text(encoding="utf-8"))["answers"]
    assert len(answers) == 30
    assert [name for names in answers.values() for name in names if not (ROOT / name).is_file()] == []


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_every_link_of_a_page_leads_to_a_file(page: Path) -> None:
    links = LINK.findall(page.read_text(encoding="utf-8"))
    assert [link for link in links if not (page.parent / link).exists()] == []
