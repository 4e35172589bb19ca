"""What the audit says, and with which exit code: for a hole, for none, and where nobody knows."""

from __future__ import annotations

import json
import subprocess
from typing import Any

import pytest

from infra import audit

HOLE = {"id": "PYSEC-2026-1", "fix_versions": ["2.0"]}
CLEAN = {"name": "idna", "version": "3.15", "vulns": []}
HOLED = {"name": "jinja2", "version": "1.0", "vulns": [HOLE]}
UNKNOWN = {"name": "shoal", "skip_reason": "Dependency not found on PyPI and could not be audited"}


def audited(patch: pytest.MonkeyPatch, *packages: dict[str, Any], stderr: str = "") -> str | int | None:
    """How a run ends whose audit finds these packages: the argument of `sys.exit`, None without one."""
    stdout = json.dumps({"dependencies": packages, "fixes": []}) if packages else ""
    done = subprocess.CompletedProcess(audit.AUDIT, 1, stdout, stderr)
    patch.setattr(subprocess, "run", lambda *_, **__: done)
    try:
        audit.main()
    except SystemExit as end:
        return end.code
    return None


def test_a_known_hole_is_named_and_is_a_failure(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert audited(monkeypatch, CLEAN, HOLED, UNKNOWN) == 1
    assert capsys.readouterr().out.splitlines() == [
        "jinja2 1.0: PYSEC-2026-1, fixed in 2.0",
        "Audited 2 of 3 packages for known vulnerabilities.",
    ]


def test_what_was_audited_is_counted(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert not audited(monkeypatch, CLEAN, UNKNOWN)
    assert capsys.readouterr().out == "Audited 1 of 2 packages for known vulnerabilities.\n"


@pytest.mark.parametrize(
    ("packages", "stderr"), [([UNKNOWN], ""), ([], "requests.exceptions.ConnectionError: nobody there")]
)
def test_where_nobody_knows_it_says_so_and_is_no_failure(
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    packages: list[dict[str, Any]],
    stderr: str,
) -> None:
    assert not audited(monkeypatch, *packages, stderr=stderr)
    said = capsys.readouterr().out
    assert "NOT AUDITED" in said
    assert "Audited" not in said


def test_an_audit_that_breaks_is_a_failure(monkeypatch: pytest.MonkeyPatch) -> None:
    assert audited(monkeypatch, stderr="pip-audit: error: unrecognized arguments") == (
        "pip-audit: error: unrecognized arguments"
    )
