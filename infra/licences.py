"""`python -m infra.licences`: the licences of the packages that leave this repository, and where they go.

Fails when something is under a licence that is neither permissive nor an exception where it is, when a
licence or a native library is unknown, and when docs/licences.md is out of date; `--write` writes that page.
"""

from __future__ import annotations

import json
import re
import sys
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from importlib.metadata import Distribution, PackageNotFoundError, distribution
from typing import Any

from license_expression import ExpressionError, get_spdx_licensing  # type: ignore[import-untyped]
from packaging.requirements import Requirement

from .build import layer
from .licence_facts import Facts, facts
from .paths import ROOT

PAGE = ROOT / "docs" / "licences.md"
NPM_LOCK = ROOT / "package-lock.json"
LAMBDA: Mapping[str, str] = {
    "implementation_name": "cpython",
    "os_name": "posix",
    "platform_machine": "aarch64",
    "platform_python_implementation": "CPython",
    "platform_system": "Linux",
    "python_full_version": f"{layer.PYTHON_VERSION}.0",
    "python_version": layer.PYTHON_VERSION,
    "sys_platform": "linux",
}
"""Whose packages are listed on every machine: those of the functions."""
PLACES: Mapping[str, str] = {
    "base": "Layer `base`, on every function",
    "media": "Layer `media`, on functions that draw or check pictures",
    "video": "Layer `video`, on functions that make or check clips and sound",
    "voice": "Layer `voice`, on the function that narrates, where a stage asks for espeak-ng",
    "stripe": "Layer `stripe`, on functions that take payments",
    "web": "Layer `web`, on the functions of the dashboard",
    "mcp": "Layer `mcp`, on the function of the tools for agents",
    "browser": "In the functions' own zip, served to browsers",
    "operate": "With `pip install shoal[operate]`, on an operator's machine",
    "deploy": "What deploys a stage, on an operator's machine",
    "client": "With `pip install shoal-client`, at a caller's",
    "tools": "From npm, for the build and the tests; nothing of it is deployed",
}
ELSEWHERE: Mapping[str, tuple[str, ...]] = {
    "operate": ("--extra", "operate"),
    "deploy": ("--extra", "deploy"),
    "client": ("--package", "shoal-client"),
}
"""What uv exports for the places that are no layers."""
BY_CLASSIFIER: Mapping[str, str] = {
    "License :: OSI Approved :: Apache Software License": "Apache-2.0",
    "License :: OSI Approved :: ISC License (ISCL)": "ISC",
    "License :: OSI Approved :: MIT License": "MIT",
    "License :: OSI Approved :: Mozilla Public License 2.0 (MPL 2.0)": "MPL-2.0",
    "License :: OSI Approved :: Python Software Foundation License": "PSF-2.0",
}
"""Classifiers that name one licence; "BSD" names three."""
CLASSIFIER = re.compile(r"License :: (OSI Approved :: )?(?!OSI Approved$|DFSG approved$).+")
"""One that names a licence."""
SPDX = get_spdx_licensing()


@dataclass(frozen=True, kw_only=True)
class Component:
    """A package, or a native library inside one ("av: libx264"). `licence` is SPDX's, "" if nobody tells."""

    place: str
    name: str
    version: str
    licence: str


def main() -> int:
    """Check, or write the page. Returns the exit status."""
    found = list(components())
    if "--write" in sys.argv[1:]:
        PAGE.write_text(page(found), encoding="utf-8")
        print(f"Wrote {PAGE.relative_to(ROOT)}")
    problems = [*findings(found, facts()), *unknown_libraries(), *find_outdated(found)]
    print(f"{'failed' if problems else 'ok':8}licences", *problems, sep="\n        ")
    return 1 if problems else 0


def components() -> Iterator[Component]:
    """Everything that goes somewhere, by place and name."""
    for place in PLACES:
        yield from sorted(_of_place(place), key=lambda component: component.name.lower())


def _of_place(place: str) -> Iterator[Component]:
    if place in ("browser", "tools"):
        return from_npm(json.loads(NPM_LOCK.read_text(encoding="utf-8")), place)
    return from_lock(place, _requirements(place), facts())


@cache
def _requirements(place: str) -> tuple[tuple[str, str], ...]:
    """Names and versions of the locked packages of a place."""
    if place in layer.LAYERS:
        entries = re.findall(r"^\S.*$", layer.requirements(place), re.MULTILINE)
    else:
        entries = [entry.partition("\n")[0] for entry in layer.locked_requirements(*ELSEWHERE[place])]
    required = [Requirement(entry.rstrip("\\ ")) for entry in entries]
    return tuple(
        (each.name, str(each.specifier).removeprefix("=="))
        for each in required
        if each.marker is None or each.marker.evaluate(dict(LAMBDA))
    )


def from_lock(place: str, packages: Iterable[tuple[str, str]], known: Facts) -> Iterator[Component]:
    """Locked packages with the licences that their metadata or `known` tells, and what they bundle."""
    for name, version in packages:
        licence = known.told.get(name) or licence_of(name)
        yield Component(place=place, name=name, version=version, licence=licence)
        for library, its_licence in known.bundled.get(name, {}).items():
            yield Component(place=place, name=f"{name}: {library}", version="", licence=its_licence)


def from_npm(lock: Mapping[str, Any], place: str) -> Iterator[Component]:
    """npm's packages: those for browsers, or the tools."""
    for path, package in lock["packages"].items():
        # The one optional package is the browser of the tests.
        tool = package.get("dev", False) or package.get("optional", False)
        if path and tool == (place == "tools"):
            name = path.rpartition("node_modules/")[2]
            licence = package.get("license", "")
            yield Component(place=place, name=name, version=package["version"], licence=licence)


def licence_of(name: str) -> str:
    """What an installed package's metadata says, as an SPDX expression; "" if it says nothing clear."""
    found = _find_distribution(name)
    return "" if found is None else read_licence(found)


def read_licence(package: Distribution) -> str:
    """Metadata that has no SPDX expression is read by its classifiers, if they name one licence."""
    metadata = package.metadata.json
    said = str(metadata.get("license_expression") or metadata.get("license") or "")
    if _parse(said) is not None:
        return said
    classified = {each for each in metadata.get("classifier", ()) if CLASSIFIER.fullmatch(each)}
    return BY_CLASSIFIER.get(classified.pop(), "") if len(classified) == 1 else ""


def _find_distribution(name: str) -> Distribution | None:
    try:
        return distribution(name)
    except PackageNotFoundError:
        return None


def findings(found: Iterable[Component], known: Facts) -> list[str]:
    """What is under no known licence, or may not be where it is under its licence; unused exceptions."""
    lines, used = [], set()
    for component in found:
        name, licence, place = component.name, component.licence, component.place
        if not licence:
            lines.append(f"{place}: {name} tells no licence: write it into infra/licences.toml")
        elif not permissive(licence, known.permissive):
            leave = known.leave(name, licence, place)
            used.add((leave, name, place))
            if leave is None:
                said = f"{place}: {name} is under {licence}"
                lines.append(f"{said}, which is neither permissive nor an exception there")
    return lines + [
        f"{place}: {name} is an exception that nothing needs"
        for leave in known.exceptions
        for name in leave.components
        for place in leave.places
        if (leave, name, place) not in used
    ]


def permissive(licence: str, allowed: frozenset[str]) -> bool:
    """Whether one may take the licence of an expression so that all its parts are allowed."""
    parsed = _parse(licence)
    return parsed is not None and _permissive(parsed, allowed)


def _permissive(parsed: Any, allowed: frozenset[str]) -> bool:
    if isinstance(parsed, SPDX.OR):
        return any(_permissive(part, allowed) for part in parsed.args)
    if isinstance(parsed, SPDX.AND):
        return all(_permissive(part, allowed) for part in parsed.args)
    return str(parsed) in allowed


def _parse(licence: str) -> Any:
    """The expression; None if it is none, or names a licence that SPDX does not list."""
    try:
        return SPDX.parse(licence, validate=True, strict=True)
    except ExpressionError:
        return None


def unknown_libraries() -> Iterator[str]:
    """Native libraries of installed packages whose licence nobody has looked up."""
    python = [place for place in PLACES if place not in ("browser", "tools")]
    for name in sorted({name for place in python for name, _ in _requirements(place)}):
        package = _find_distribution(name)
        files = package.files or [] if package else []
        for library in facts().unknown_libraries(name, files):
            yield f"{name} brings {library}: write its licence into infra/licences.toml"


def find_outdated(found: Iterable[Component]) -> Iterator[str]:
    if not PAGE.exists() or PAGE.read_text(encoding="utf-8") != page(found):
        yield "docs/licences.md says something else: run `python -m infra.licences --write`"


def page(found: Iterable[Component]) -> str:
    """The list of licences, as a page for people."""
    listed = list(found)
    parts = [INTRODUCTION.strip(), _exceptions()]
    for place, title in PLACES.items():
        rows = [f"| {c.name} | {c.version} | {c.licence} |" for c in listed if c.place == place]
        parts.append("\n".join((f"## {title}\n", "| package | version | licence |\n|---|---|---|", *rows)))
    return "\n\n".join(parts) + "\n"


def _exceptions() -> str:
    rows = []
    for leave in facts().exceptions:
        cells = map(", ".join, (leave.components, leave.licences, leave.places))
        rows.append(f"| {' | '.join(cells)} | {leave.because} |")
    return "\n".join(("| what | licence | where | why |\n|---|---|---|---|", *rows))


INTRODUCTION = """\
# Licences

Shoal is under the [Apache License 2.0](../LICENSE). This page lists what others wrote and what goes
somewhere with Shoal, by where it goes. `python -m infra.licences --write` makes it from the lock files, the
packages' metadata and [infra/licences.toml](../infra/licences.toml). `make check-licences` fails when a
package, or a library inside a wheel, is under a licence that is neither permissive nor an exception where
it is, and when this page is out of date. What only checks and tests Shoal is not listed.

A function has what is in its layers, and nothing else. Layers keep the licence files of their packages.
Deploying layers to your own AWS account hands them to nobody. **If you hand a built layer `video` or
`voice` to others, you pass on programs under the GPL**, and owe them its terms and the source.

- **espeak-ng** (GPL-3.0-or-later) is loaded into the process of the function that narrates. On AWS it is
  not there: Amazon Polly speaks, and the layer is neither fetched nor built unless a stage sets `espeak`.
- **PyAV**'s wheel brings FFmpeg (LGPL), libx264 and libx265 (GPL-2.0-or-later). They are in the layer
  `video`, so on the functions that make or check clips, and on no others.

## What is not permissive
"""


if __name__ == "__main__":
    sys.exit(main())
