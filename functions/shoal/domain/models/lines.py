"""Where the fields of a TOML file stand: tomllib tells no lines."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass

from shoal.domain.models.problems import Field

_HEADER = re.compile(r"\s*(\[\[?)\s*([^\]]+?)\s*\]\]?\s*(?:#.*)?$")
_KEY = re.compile(
    r"""\s*((?:[A-Za-z0-9_-]+|"[^"]*"|'[^']*')(?:\s*\.\s*(?:[A-Za-z0-9_-]+|"[^"]*"|'[^']*'))*)\s*="""
)
_PART = re.compile(r"""[A-Za-z0-9_-]+|"([^"]*)"|'([^']*)'""")
_TEXT = re.compile(r""""(?:[^"\\]|\\.)*"|'[^']*'|#.*""")


@dataclass(frozen=True, slots=True)
class Lines:
    """The line, from 1, of each key and table of a file."""

    of_fields: Mapping[Field, int]

    def of(self, field: Field) -> int:
        """The line of a field, or of the innermost table around it that has a line of its own."""
        while field and field not in self.of_fields:
            field = field[:-1]
        return self.of_fields.get(field, 1)


def lines_of(text: str) -> Lines:
    """Of a file that tomllib reads: values over several lines count as where they begin."""
    found: dict[Field, int] = {}
    lists: dict[Field, int] = {}
    table: Field = ()
    depth, quoted = 0, ""
    for number, line in enumerate(text.splitlines(), 1):
        if quoted:
            quoted = "" if quoted in line else quoted
            continue
        if not depth:
            if header := _HEADER.match(line):
                table = _table(_parts(header[2]), lists, opens=header[1] == "[[")
                found[table] = number
                if header[1] == "[[":
                    found.setdefault(table[:-1], number)
                continue
            if key := _KEY.match(line):
                found[(*table, *_parts(key[1]))] = number
        quoted = next((mark for mark in ('"""', "'''") if line.count(mark) % 2), "")
        plain = _TEXT.sub("", line)
        depth = max(
            0, depth + sum(plain.count(each) for each in "[{") - sum(plain.count(each) for each in "]}")
        )
    return Lines(found)


def _table(way: Field, lists: dict[Field, int], *, opens: bool) -> Field:
    """The way to a table, with the numbers of the lists that it is in."""
    told: Field = ()
    for at, part in enumerate(way):
        told = (*told, part)
        if at == len(way) - 1 and opens:
            lists[told] = lists.get(told, -1) + 1
        if told in lists:
            told = (*told, lists[told])
    return told


def _parts(text: str) -> Field:
    return tuple(match[1] or match[2] or match[0] for match in _PART.finditer(text))
