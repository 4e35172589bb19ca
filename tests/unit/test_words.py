"""The project's text is plain modern English: words on a short list appear nowhere in it."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
FOLDERS = ("functions", "infra", "bench", "clients", "docs", "examples", "stages", "statemachines", "tests")
SUFFIXES = {".py", ".md", ".toml", ".html", ".mjs"}
LEFT_OUT = {
    ROOT / "CHANGELOG.md",  # it says what was said then
    Path(__file__),
}
RECORDED = ROOT / "tests/fixtures/0.1"
"""What an earlier version wrote is never changed."""

PLAIN = {
    r"whoever|whom": "who, or name the actor",
    r"anew": "again, or new",
    r"let to": "may read, may call, reaches",
    r"in vain": "fails, is refused",
    r"hear[ds]? of": "gets an event, learns",
    r"the world": "name who is told; the class is the `World`",
    r"strangers?": "outsider, attacker, another account",
    r"(?:comes?|came) again": "is delivered again, is sent again",
    r"heed(?:s|ed)?": "accept, apply, honour",
    r"mend(?:s|ed|ing)?": "patch, repair, correct",
}
"""What is not said, and what is said instead."""


def pattern_of(words: str) -> re.Pattern[str]:
    """Finds the words also inside a name (`let_to`), and where a line of a comment ends between them."""
    between = words.replace(" ", r"[\s_#]+")
    return re.compile(rf"(?<![a-z])(?:{between})(?![a-z])", re.IGNORECASE)


PATTERNS = {pattern_of(words): instead for words, instead in PLAIN.items()}


def hits(text: str) -> Iterator[str]:
    """`line: what is said: what to say instead`."""
    for pattern, instead in PATTERNS.items():
        for found in pattern.finditer(text):
            yield f"{text.count(chr(10), 0, found.start()) + 1}: {found.group()!r}: {instead}"


def texts() -> list[Path]:
    """The files that people write and read."""
    inside = [path for folder in FOLDERS for path in (ROOT / folder).rglob("*") if path.suffix in SUFFIXES]
    machines = (ROOT / "statemachines").glob("*.asl.json")
    outside = [path for path in ROOT.iterdir() if path.suffix in SUFFIXES or path.name == "Makefile"]
    return [
        path
        for path in (*inside, *machines, *outside)
        if path not in LEFT_OUT and RECORDED not in path.parents and "node_modules" not in path.parts
    ]


def test_nothing_on_the_list_is_said() -> None:
    files = texts()
    assert len(files) > 800
    assert {path.name for path in files} >= {"Makefile", "README.md", "pyproject.toml", "generate.asl.json"}
    said = [f"{path.relative_to(ROOT)}:{hit}" for path in files for hit in hits(path.read_text("utf-8"))]
    assert not said, "\n".join(said)


def test_the_glossary_gives_each_word_one_meaning() -> None:
    glossary = (ROOT / "docs/glossary.md").read_text("utf-8")
    rows = [row for row in re.findall(r"^\| (.+?) \| (.+) \|$", glossary, re.MULTILINE) if row[0] != "word"]
    assert len(rows) > 80
    assert len({word for word, _ in rows}) == len(rows)
    assert len({meaning for _, meaning in rows}) == len(rows)


@pytest.mark.parametrize(
    ("text", "line", "said"),
    [
        ("Whoever asks is told.", 1, "Whoever"),
        ("one\ntwo: the account whom it happened to", 2, "whom"),
        ("def test_a_role_is_let_to_nothing() -> None:", 1, "let_to"),
        ("    # Events tell the\n    # world of it.", 1, "the\n    # world"),
        ("It mended the route.", 1, "mended"),
        ("the endpoint\nHEARS OF it", 2, "HEARS OF"),
    ],
)
def test_what_is_on_the_list_is_found_with_its_line(text: str, line: int, said: str) -> None:
    (hit,) = hits(text)
    assert hit.startswith(f"{line}: {said!r}: ")


@pytest.mark.parametrize(
    "text", ["We recommend an amendment.", "whole, outlet, renewal", "the `World`'s clock", "thewhomever"]
)
def test_words_that_only_contain_one_are_left_alone(text: str) -> None:
    assert list(hits(text)) == []
