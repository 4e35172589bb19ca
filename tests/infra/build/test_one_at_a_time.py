"""What several processes need is made once: the others wait for the first."""

from __future__ import annotations

import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from infra import one_at_a_time
from infra.build import packages


def start(lock: Path, command: str) -> subprocess.Popen[str]:
    """A process that runs a line of shell under the lock."""
    return subprocess.Popen(  # noqa: S603 our own program
        [sys.executable, one_at_a_time.__file__, str(lock), "/bin/sh", "-c", command],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        stdin=subprocess.PIPE,
        text=True,
        cwd=lock.parent,
    )


def test_the_second_process_waits_for_the_first(tmp_path: Path) -> None:
    lock = tmp_path / "lock"
    with start(lock, "echo started; read line; echo made > made") as first:
        assert first.stdout
        assert first.stdout.readline() == "started\n"
        with start(lock, "cat made") as second:
            assert second.stderr
            assert second.stderr.readline() == f"Waiting for another process, which holds {lock}\n"
            first.communicate("go on\n")
            assert second.communicate()[0] == "made\n"


def test_the_lock_ends_with_its_process(tmp_path: Path) -> None:
    lock = tmp_path / "lock"
    with start(lock, "echo started; exec sleep 60") as killed:
        assert killed.stdout
        assert killed.stdout.readline() == "started\n"
        killed.kill()
    with start(lock, "exit 3") as after:
        assert after.communicate() == ("", "")
    assert after.returncode == 3


def test_a_zip_that_two_need_at_once_is_built_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(packages, "BUILD", tmp_path)
    with ThreadPoolExecutor(2) as pool:
        first, second = (
            building.result() for building in [pool.submit(packages.source_packages) for _ in range(2)]
        )
    assert first == second
    assert capsys.readouterr().err.count("Building source-") == 1
