"""What `licences.toml` holds: facts about licences that no metadata tells, and the exceptions."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterable, Mapping
from functools import cache
from pathlib import Path, PurePath

from pydantic import BaseModel, ConfigDict

FILE = Path(__file__).with_name("licences.toml")
LIBRARY = re.compile(r"(?P<name>.+?)(?:-[0-9a-f]{8})?(?:\.\d+)*\.(?:so(?:\.\d+)*|dylib|dll)")
"""A shared library's file. auditwheel puts eight digits of a digest behind the name."""
EXTENSION = re.compile(r"\.(?:cpython-|cp\d|abi3|pypy)")
"""In the names of Python's own modules, which are the package itself."""


class _Entry(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Leave(_Entry):
    """Leave for components to be in these places under one of these licences, none of which is permissive."""

    components: tuple[str, ...]
    licences: tuple[str, ...]
    places: tuple[str, ...]
    because: str


class Facts(_Entry):
    """`told`: licences by package. `bundled`: those of native libraries by the package that brings them."""

    permissive: frozenset[str]
    told: Mapping[str, str]
    bundled: Mapping[str, Mapping[str, str]]
    exceptions: tuple[Leave, ...]

    @property
    def libraries(self) -> frozenset[str]:
        """Names of all native libraries whose licence is known."""
        return frozenset[str]().union(*self.bundled.values())

    def leave(self, component: str, licence: str, place: str) -> Leave | None:
        """The exception that lets a component under this licence be in this place."""
        return next(
            (
                leave
                for leave in self.exceptions
                if component in leave.components and licence in leave.licences and place in leave.places
            ),
            None,
        )

    def unknown_libraries(self, package: str, files: Iterable[PurePath]) -> list[str]:
        """Names of the native libraries among a package's files that the facts do not know, sorted."""
        return sorted(libraries_among(files) - self.bundled.get(package, {}).keys())


@cache
def facts(file: Path = FILE) -> Facts:
    """Read and check the file. Raises `pydantic.ValidationError` or `tomllib.TOMLDecodeError`."""
    return Facts.model_validate(tomllib.loads(file.read_text(encoding="utf-8")))


def libraries_among(files: Iterable[PurePath]) -> set[str]:
    """Names of the shared libraries among files, without versions and digests."""
    names = (file.name for file in files if not EXTENSION.search(file.name))
    return {match["name"] for match in map(LIBRARY.fullmatch, names) if match}
