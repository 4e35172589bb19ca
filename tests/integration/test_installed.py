"""The packages as people get them: built, installed into an empty environment, and run."""

from __future__ import annotations

import json
import subprocess
import tarfile
import zipfile
from pathlib import Path

import pytest

from infra import release
from infra.build import front_end
from infra.local.cloud import LocalCloud
from infra.paths import ROOT
from shoal.cli.stage import LOCAL_FILE_VARIABLE

SECONDS_MAX = 60


def installed(dist: Path, folder: Path, extras: str) -> Path:
    """The command `shoal` of an empty environment with the wheel and what extras need."""
    return release.install_built(dist, folder, extras).with_name("shoal")


@pytest.fixture(scope="module")
def shoal(dist: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return installed(dist, tmp_path_factory.mktemp("operator") / "venv", "[operate]")


def run(*command: str | Path, **environment: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(  # noqa: S603 our own program
        command, check=False, env=environment, capture_output=True, text=True, timeout=SECONDS_MAX
    )


def test_the_installed_command_runs(shoal: Path) -> None:
    helped, told = run(shoal, "--help"), run(shoal, "--version")

    assert (helped.returncode, helped.stderr) == (0, "")
    assert "Operate a stage of Shoal." in helped.stdout
    assert (told.returncode, told.stdout) == (0, f"shoal {release.version_of(ROOT)}\n")


def test_what_the_command_imports_late_is_installed_too(shoal: Path) -> None:
    late = (
        "stripe.processor",
        "dynamodb.board",
        "providers.openai.images",
        "providers.polly.speech",
        "providers.bedrock.images",
    )
    imports = "; ".join(f"import shoal.adapters.{name}" for name in late)

    assert run(shoal.with_name("python"), "-c", imports).returncode == 0


def test_the_installed_command_operates_a_stage(shoal: Path, cloud: LocalCloud, tmp_path: Path) -> None:
    file = tmp_path / "shoal.json"
    file.write_text(json.dumps(cloud.config()))

    created = run(
        *(shoal, "accounts", "create", "--email", "wheel@example.com"),
        *("--usd", "3", "--reason", "a test", "--json"),
        **{LOCAL_FILE_VARIABLE: str(file)},
    )
    account = json.loads(created.stdout)["account_id"]
    shown = run(shoal, "wallet", "show", account, "--json", **{LOCAL_FILE_VARIABLE: str(file)})

    assert json.loads(shown.stdout)["usd"]["balance"] == "3.00"


def test_the_command_without_its_packages_says_how_to_get_them(dist: Path, tmp_path: Path) -> None:
    bare = run(installed(dist, tmp_path / "venv", ""), "--help")

    assert (bare.returncode, bare.stdout, bare.stderr.count("\n")) == (1, "", 1)
    assert 'pip install "shoal[operate]"' in bare.stderr


def test_the_wheel_holds_all_of_the_package_and_its_licence(dist: Path) -> None:
    listed = ["git", "-C", str(ROOT), "ls-files", "functions/shoal"]
    ours = subprocess.run(listed, check=True, capture_output=True, text=True).stdout.split()  # noqa: S603
    assets = front_end.ASSETS.relative_to(ROOT)
    expected = {*ours, *(f"{assets}/{name}" for name in front_end.FILES)}

    with zipfile.ZipFile(release.wheel(dist, "shoal")) as archive:
        names = set(archive.namelist())

    assert {name.removeprefix("functions/") for name in expected} <= names
    assert not [name for name in names if not name.startswith("shoal")]
    assert {name.rpartition("/")[2] for name in names if "/licenses/" in name} == {"LICENSE", "NOTICE"}


def test_the_client_and_the_source_archives_hold_their_licence(dist: Path) -> None:
    with zipfile.ZipFile(release.wheel(dist, "shoal_client")) as archive:
        assert [name for name in archive.namelist() if name.endswith("/licenses/LICENSE")]
    sources = sorted(dist.glob("*.tar.gz"))
    assert len(sources) == 2
    for source in sources:
        with tarfile.open(source) as archive_of_source:
            top = archive_of_source.getnames()[0].partition("/")[0]
            assert {f"{top}/LICENSE", f"{top}/NOTICE"} <= set(archive_of_source.getnames())
