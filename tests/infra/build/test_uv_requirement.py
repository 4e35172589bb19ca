"""pip fetches the uv of the lock file and no other, and checks its hash."""

from __future__ import annotations

import subprocess
import sys
import zipfile
from importlib.metadata import version
from pathlib import Path

from infra.uv_requirement import uv_requirement


def test_the_version_is_that_of_the_lock_file() -> None:
    requirement, *hashes = uv_requirement().split()
    assert requirement == f"uv=={version('uv')}"
    assert len(hashes) > 10
    assert all(each.startswith("--hash=sha256:") for each in hashes)


def test_a_uv_with_other_content_is_refused(tmp_path: Path) -> None:
    about = f"uv-{version('uv')}.dist-info"
    with zipfile.ZipFile(tmp_path / f"uv-{version('uv')}-py3-none-any.whl", "w") as wheel:
        wheel.writestr(f"{about}/METADATA", f"Metadata-Version: 2.1\nName: uv\nVersion: {version('uv')}\n")
        wheel.writestr(f"{about}/WHEEL", "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n")
        wheel.writestr(f"{about}/RECORD", "")
    requirements = tmp_path / "uv.txt"
    requirements.write_text(uv_requirement(), encoding="utf-8")
    refused = subprocess.run(  # noqa: S603 our own program
        [
            *(sys.executable, "-m", "pip", "--isolated", "install", "--no-index", "--find-links", tmp_path),
            *("--require-hashes", "--target", tmp_path / "installed", "--requirement", requirements),
        ],
        capture_output=True,
        text=True,
        check=False,
    )
    assert refused.returncode == 1
    assert "DO NOT MATCH THE HASHES" in refused.stderr
    assert not (tmp_path / "installed").exists()
