"""A release is refused until all that names its version agrees; its tag says what CHANGELOG.md says."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from infra import release
from infra.build import front_end
from infra.paths import ROOT
from infra.release import ReleaseRefused, check, notes_of, tag, version_of

VERSION = version_of(ROOT)
CHANGELOG = "CHANGELOG.md"


@pytest.fixture
def repository(tmp_path: Path) -> Path:
    """A repository with what a release is checked by, committed on main and ready."""
    root = tmp_path / "repository"
    for name in ("pyproject.toml", "clients/python/pyproject.toml"):
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(ROOT / name, root / name)
    (root / CHANGELOG).write_text(
        f"# Changelog\n\n## [Unreleased]\n\n## [{VERSION}] - 2026-11-30\n\n### Added\n- Reefs.\n\n"
        "## [0.0.9] - 2026-11-01\n\n- Sand.\n"
    )
    git(root, "init", "--quiet", "--initial-branch=main")
    commit(root)
    return root


def git(root: Path, *arguments: str) -> str:
    identity = ("-c", "user.name=Ann", "-c", "user.email=ann@example.com")
    command = ["git", *identity, "-C", str(root), *arguments]
    result = subprocess.run(command, check=True, capture_output=True, text=True)  # noqa: S603 git, on our own
    return result.stdout


def commit(root: Path) -> None:
    git(root, "add", "--all")
    git(root, "commit", "--quiet", "--message=reefs")


def rewrite(root: Path, name: str, pattern: str, text: str) -> None:
    before = (root / name).read_text()
    after = re.sub(pattern, text, before, count=1)
    assert after != before
    (root / name).write_text(after)
    commit(root)


def test_this_repository_agrees_on_its_version() -> None:
    assert list(release._versions(ROOT)) == []
    assert list(release._changelog(ROOT)) == []


def test_a_repository_that_is_ready_is_released(
    repository: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    for role in ("AUTHOR", "COMMITTER"):
        monkeypatch.setenv(f"GIT_{role}_NAME", "Ann")
        monkeypatch.setenv(f"GIT_{role}_EMAIL", "ann@example.com")

    tag(repository)

    name = f"v{VERSION}"
    assert f"Tagged {name}" in capsys.readouterr().out
    assert git(repository, "cat-file", "-t", name).strip() == "tag"
    said = git(repository, "tag", "--list", "--format=%(contents)", name)
    assert said.strip() == f"Shoal {VERSION}\n\n### Added\n- Reefs."
    with pytest.raises(ReleaseRefused, match=f"{name} is tagged already"):
        tag(repository)


def test_the_notes_of_a_version_are_its_section_and_no_other(repository: Path) -> None:
    assert notes_of(repository) == "### Added\n- Reefs."


def dirty(root: Path) -> None:
    (root / "new.txt").touch()


def elsewhere(root: Path) -> None:
    git(root, "switch", "--quiet", "--create=reefs")


def older_client(root: Path) -> None:
    rewrite(root, "clients/python/pyproject.toml", r'(?m)^version = ".*"', 'version = "0.0.8"')


def newer_project(root: Path) -> None:
    rewrite(root, "pyproject.toml", r'(?m)^version = ".*"', 'version = "99.0.0"')


def no_section(root: Path) -> None:
    rewrite(root, CHANGELOG, rf"## \[{VERSION}\].*", "")


def empty_section(root: Path) -> None:
    rewrite(root, CHANGELOG, "### Added\n- Reefs.\n", "")


def no_date(root: Path) -> None:
    rewrite(root, CHANGELOG, " - 2026-11-30", "")


def a_date_to_come(root: Path) -> None:
    rewrite(root, CHANGELOG, "2026-11-30", "2999-01-01")


def left_over(root: Path) -> None:
    rewrite(root, CHANGELOG, r"\[Unreleased\]\n", "[Unreleased]\n\n- Kelp.\n")


@pytest.mark.parametrize(
    ("spoil", "reason"),
    [
        (dirty, "changes that are not committed"),
        (elsewhere, "the branch 'reefs'"),
        (older_client, f"clients/python has version 0.0.8, pyproject.toml has {VERSION}"),
        (newer_project, f"the OpenAPI document has version {VERSION}, pyproject.toml has 99.0.0"),
        (newer_project, "its newest version is not 99.0.0"),
        (no_section, f"its newest version is not {VERSION}"),
        (empty_section, "or says nothing"),
        (no_date, "has no date"),
        (a_date_to_come, "yet to come"),
        (left_over, r"move what is under \[Unreleased\]"),
    ],
)
def test_what_is_not_ready_is_refused(repository: Path, spoil: Callable[[Path], None], reason: str) -> None:
    check(repository)
    spoil(repository)

    with pytest.raises(ReleaseRefused, match=reason):
        tag(repository)
    assert git(repository, "tag", "--list") == ""


def test_no_package_is_built_without_what_browsers_load(tmp_path: Path) -> None:
    for name in ("pyproject.toml", "uv.lock", "package-lock.json", "README.md", "LICENSE", "NOTICE"):
        shutil.copy(ROOT / name, tmp_path / name)
    for name in ("functions", "infra", "statemachines"):
        shutil.copytree(ROOT / name, tmp_path / name, ignore=shutil.ignore_patterns(*front_end.FILES))

    refused = run(tmp_path, "-m", "hatchling", "build", "--target", "wheel")

    assert refused.returncode == 1
    assert "htmx.min.js comes from npm" in refused.stderr
    assert not list((tmp_path / "dist").glob("*.whl"))
    # A checkout is installed before npm has run.
    editable = "from hatchling.build import build_editable; print(build_editable('dist'))"
    assert run(tmp_path, "-c", editable).stdout.strip() == f"shoal-{VERSION}-py3-none-any.whl"


def run(folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    command = (sys.executable, *arguments)
    return subprocess.run(  # noqa: S603 our own program
        command, check=False, capture_output=True, text=True, cwd=folder
    )
