"""`python -m infra.release check | build | tag`: the steps of `make release`. Each refuses what is not ready.

The version is that of pyproject.toml. `check` compares it with all else that names it, `build` puts the
packages into dist and tries them in an empty environment, `tag` makes the annotated tag of this commit.
"""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from datetime import UTC, date, datetime
from pathlib import Path
from tempfile import TemporaryDirectory

import uv

from .build import front_end, layer
from .documents import openapi
from .paths import ROOT

DIST = ROOT / "dist"
BRANCH = "main"
SECTION = re.compile(r"^## \[(?P<name>[^]]+)\](?: - (?P<day>\S+))?\n(?P<text>.*?)(?=^## |\Z)", re.M | re.S)
UNRELEASED = "Unreleased"


class ReleaseRefused(RuntimeError):
    """The release is not ready; the message has a line for each reason."""


def main() -> None:
    """Do the step that is asked for. Exits with 1 and the reasons when it is refused."""
    steps = {"check": check, "build": build, "tag": tag}
    named = steps.get("".join(sys.argv[1:]))
    if named is None:
        sys.exit(f"usage: python -m infra.release {' | '.join(steps)}")
    try:
        named()
    except ReleaseRefused as refused:
        sys.exit(str(refused))


def check(root: Path = ROOT) -> None:
    """Raises `ReleaseRefused` with all that keeps this commit from being released."""
    if reasons := [*_tree(root), *_versions(root), *_find_unreleased(root), *_changelog(root)]:
        raise ReleaseRefused("\n".join(reasons))
    print(f"Ready to release {version_of(root)}")


def version_of(folder: Path) -> str:
    """The version in a folder's pyproject.toml."""
    project = tomllib.loads((folder / "pyproject.toml").read_text(encoding="utf-8"))
    return str(project["project"]["version"])


def _tree(root: Path) -> Iterator[str]:
    if _git(root, "status", "--porcelain"):
        yield "the working tree has changes that are not committed"
    if (branch := _git(root, "branch", "--show-current").strip()) != BRANCH:
        yield f"this is the branch {branch!r}: releases are made of {BRANCH}"
    if _git(root, "tag", "--list", f"v{version_of(root)}"):
        yield f"v{version_of(root)} is tagged already: raise the version in pyproject.toml"


def _versions(root: Path) -> Iterator[str]:
    version = version_of(root)
    others = {
        "clients/python": version_of(root / "clients" / "python"),
        "the OpenAPI document": str(openapi.document()["info"]["version"]),
    }
    for where, other in others.items():
        if other != version:
            yield f"{where} has version {other}, pyproject.toml has {version}"


def _sections(root: Path) -> list[re.Match[str]]:
    return list(SECTION.finditer((root / "CHANGELOG.md").read_text(encoding="utf-8")))


def _find_unreleased(root: Path) -> Iterator[str]:
    if any(each["name"] == UNRELEASED and each["text"].strip() for each in _sections(root)):
        yield f"CHANGELOG.md: move what is under [{UNRELEASED}] to the version it is released with"


def _changelog(root: Path) -> Iterator[str]:
    released = [section for section in _sections(root) if section["name"] != UNRELEASED]
    version = version_of(root)
    if not released or released[0]["name"] != version or not released[0]["text"].strip():
        yield f"CHANGELOG.md: its newest version is not {version}, or says nothing"
    elif not _is_past(released[0]["day"]):
        yield f"CHANGELOG.md: [{version}] has no date like 2026-11-30, or one that is yet to come"


def _is_past(day: str | None) -> bool:
    try:
        return date.fromisoformat(day or "") <= datetime.now(UTC).date()
    except ValueError:
        return False


def notes_of(root: Path) -> str:
    """What CHANGELOG.md says of the version."""
    sections = SECTION.finditer((root / "CHANGELOG.md").read_text(encoding="utf-8"))
    return next(section["text"].strip() for section in sections if section["name"] == version_of(root))


def build(target: Path = DIST) -> None:
    """Build wheels and source archives of both packages into a folder and try the wheels.

    Raises `ReleaseRefused` where that fails.
    """
    front_end.bring()
    shutil.rmtree(target, ignore_errors=True)
    _uv(
        "build",
        "--quiet",
        "--all-packages",
        "--no-build-isolation",
        f"--out-dir={target}",
        f"--python={sys.executable}",
    )
    with TemporaryDirectory() as folder:
        python = environment(Path(folder, "venv"))
        install(
            python, f"shoal[operate] @ {wheel(target, 'shoal').as_uri()}", str(wheel(target, "shoal_client"))
        )
        _run(str(python.with_name("shoal")), "--help")
        _run(str(python), "-c", "import shoal_client")
    print(*sorted(path.name for path in target.iterdir() if path.suffix in (".whl", ".gz")), sep="\n")


def wheel(folder: Path, name: str) -> Path:
    """The wheel of a package in a folder of built ones."""
    (found,) = folder.glob(f"{name}-*.whl")
    return found


def environment(folder: Path) -> Path:
    """Make an empty environment. Returns its Python."""
    _uv("venv", "--quiet", f"--python={sys.executable}", str(folder))
    return folder / "bin" / "python"


def install_built(target: Path, folder: Path, extras: str) -> Path:
    """Install the wheel of Shoal in a folder of built ones, with extras such as `[operate]`, into an empty
    environment. Returns the environment's Python.
    """
    python = environment(folder)
    install(python, f"shoal{extras} @ {wheel(target, 'shoal').as_uri()}")
    return python


def install(python: Path, *requirements: str) -> None:
    """Install requirements, and what they need in the locked versions: an index is asked for nothing new."""
    locked = "".join(layer.locked_requirements("--no-hashes", "--extra", "operate", "--extra", "deploy"))
    with TemporaryDirectory() as folder:
        constraints = Path(folder, "constraints.txt")
        constraints.write_text(locked, encoding="utf-8")
        _uv("pip", "install", "--quiet", f"--python={python}", f"--constraints={constraints}", *requirements)


def tag(root: Path = ROOT) -> None:
    """Tag the commit with what CHANGELOG.md says of its version. Raises `ReleaseRefused` as `check` does."""
    check(root)
    name = f"v{version_of(root)}"
    message = f"Shoal {version_of(root)}\n\n{notes_of(root)}\n"
    # Git would take the headings for comments.
    _git(root, "tag", "--annotate", "--cleanup=whitespace", f"--message={message}", name)
    print(f"Tagged {name}: git push origin {BRANCH} {name}")


def _git(root: Path, *arguments: str) -> str:
    return _run("git", "-C", str(root), *arguments)


def _uv(*arguments: str) -> str:
    return _run(uv.find_uv_bin(), *arguments, cwd=ROOT)


def _run(*command: str, cwd: Path | None = None) -> str:
    """What a program prints. Raises `ReleaseRefused` with what it complains of."""
    result = subprocess.run(command, check=False, capture_output=True, text=True, cwd=cwd)  # noqa: S603 our own
    if result.returncode != 0:
        raise ReleaseRefused(f"{' '.join(command)}\n{result.stdout}{result.stderr}")
    return result.stdout


if __name__ == "__main__":
    main()
