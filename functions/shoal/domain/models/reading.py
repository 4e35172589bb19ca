"""A catalog's folder as it is checked: each problem with its file and line."""

from __future__ import annotations

import tomllib
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from shoal.domain.models.checks import Refusals
from shoal.domain.models.files import MODELS, PRICE_LISTS, SHARED
from shoal.domain.models.lines import lines_of
from shoal.domain.models.problems import Problem, field_text
from shoal.domain.models.rules import check_catalog


@dataclass(frozen=True, slots=True)
class Refused:
    """One thing that is wrong in a file; `line` is from 1."""

    file: Path
    line: int
    field: str
    reason: str

    def __str__(self) -> str:
        at = f"{self.file}:{self.line}: "
        return f"{at}{self.field}: {self.reason}" if self.field else f"{at}{self.reason}"


def check_folder(folder: Path, refusals: Refusals, providers: Collection[str]) -> Iterator[Refused]:
    """Everything that is wrong with the catalog of a folder. Raises `OSError` where it cannot be read."""
    document: dict[str, Any] = {MODELS: {}, PRICE_LISTS: {}}
    unreadable = False
    for file, way in _files(folder):
        try:
            told = tomllib.loads(file.read_text(encoding="utf-8"))
        except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
            unreadable = True
            yield Refused(file, _line_of(error), "", str(error))
        else:
            _place(document, way, told)
    if not unreadable:
        yield from (_refused(folder, each) for each in check_catalog(document, refusals, providers))


def _files(folder: Path) -> Iterator[tuple[Path, tuple[str, ...]]]:
    yield folder / SHARED, ()
    for part in (MODELS, PRICE_LISTS):
        for file in sorted((folder / part).glob("*.toml")):
            yield file, (part, file.stem)


def _place(document: dict[str, Any], way: tuple[str, ...], told: dict[str, Any]) -> None:
    if not way:
        document |= told | {MODELS: {}, PRICE_LISTS: {}}
    else:
        document[way[0]][way[1]] = told


def _refused(folder: Path, problem: Problem) -> Refused:
    file, field = folder / SHARED, problem.field
    if len(field) > 1 and field[0] in (MODELS, PRICE_LISTS):
        own = folder / str(field[0]) / f"{field[1]}.toml"
        if own.exists():
            file, field = own, field[2:]
    return Refused(
        file, lines_of(file.read_text(encoding="utf-8")).of(field), field_text(field), problem.reason
    )


def _line_of(error: ValueError) -> int:
    """tomllib tells it in words."""
    before, _, after = str(error).rpartition("at line ")
    digits = after.partition(",")[0]
    return int(digits) if before and digits.isdigit() else 1
