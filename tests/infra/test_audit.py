"""What the audit says, and with which exit code: for a hole, for none, and where nobody knows."""

from __future__ import annotations

import json
import sys
import threading
from collections.abc import Iterator
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

from infra import audit
from infra.local.processes import free_port

HOLE = {"id": "PYSEC-2026-1", "fix_versions": ["2.0"]}
CLEAN = {"name": "idna", "version": "3.15", "vulns": []}
HOLED = {"name": "jinja2", "version": "1.0", "vulns": [HOLE]}
UNKNOWN = {"name": "anyio", "skip_reason": "Dependency not found on PyPI and could not be audited"}
ADVISORY = {
    "id": 1,
    "url": "https://github.com/advisories/GHSA-1",
    "title": "Runs what it should show",
    "severity": "high",
    "vulnerable_versions": "*",
}
PYTHON_AUDITED = "Audited 1 of 1 Python packages."
LOCKED = json.loads((audit.ROOT / "package-lock.json").read_text(encoding="utf-8"))["packages"]
NPM_AUDITED = f"Audited {len(LOCKED) - 1} of {len(LOCKED) - 1} npm packages."


class Advisories(ThreadingHTTPServer):
    """An npm registry that knows nothing but these advisories, by the name of the package."""

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Registry)
        self.status = HTTPStatus.OK
        self.known: dict[str, Any] = {}


class Registry(BaseHTTPRequestHandler):
    server: Advisories

    def do_POST(self) -> None:
        assert self.path == "/-/npm/v1/security/advisories/bulk"
        self.rfile.read(int(self.headers["content-length"]))
        self._answer(self.server.status, json.dumps(self.server.known).encode())

    def do_GET(self) -> None:
        self._answer(HTTPStatus.NOT_FOUND, b"{}")

    def _answer(self, status: HTTPStatus, body: bytes) -> None:
        self.send_response(status)
        self.send_header("content-length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        """Tell nobody."""


@pytest.fixture(autouse=True)
def npm(monkeypatch: pytest.MonkeyPatch) -> Iterator[Advisories]:
    """What the real `npm audit` asks. It knows of no hole."""
    with Advisories() as registry:
        monkeypatch.setenv("npm_config_registry", f"http://127.0.0.1:{registry.server_port}/")
        threading.Thread(target=registry.serve_forever, daemon=True).start()
        yield registry
        registry.shutdown()


def run(
    patch: pytest.MonkeyPatch, folder: Path, *packages: dict[str, Any], stderr: str = ""
) -> str | int | None:
    """How a run ends whose pip-audit finds these packages: the argument of `sys.exit`."""
    stdout = json.dumps({"dependencies": packages, "fixes": []}) if packages else ""
    program = folder / "pip_audit.py"
    program.write_text(
        f"import sys\nsys.stdout.write({stdout!r})\nsys.stderr.write({stderr!r})\nsys.exit(1)\n",
        encoding="utf-8",
    )
    patch.setattr(audit, "PIP_AUDIT", [sys.executable, str(program)])
    with pytest.raises(SystemExit) as end:
        audit.main()
    return end.value.code


def test_a_known_hole_is_named_and_is_a_failure(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(monkeypatch, tmp_path, CLEAN, HOLED, UNKNOWN) == 1
    assert capsys.readouterr().out.splitlines() == [
        "jinja2 1.0: PYSEC-2026-1, fixed in 2.0",
        "Audited 2 of 3 Python packages.",
        NPM_AUDITED,
        "!!! NOT AUDITED for known vulnerabilities: 1 of 3 Python packages. !!!",
    ]


def test_a_known_hole_of_an_npm_package_is_a_failure(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str], npm: Advisories
) -> None:
    npm.known = {"htmx.org": [ADVISORY]}
    assert run(monkeypatch, tmp_path, CLEAN) == 1
    assert capsys.readouterr().out.splitlines() == [
        PYTHON_AUDITED,
        "htmx.org: high, https://github.com/advisories/GHSA-1",
        NPM_AUDITED,
    ]


def test_what_was_audited_is_counted(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    ours = {**UNKNOWN, "name": "shoal"}
    assert not run(monkeypatch, tmp_path, CLEAN, ours)
    assert capsys.readouterr().out.splitlines() == [PYTHON_AUDITED, NPM_AUDITED]


def test_packages_that_nobody_knows_of_are_warned_of(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert not run(monkeypatch, tmp_path, CLEAN, UNKNOWN)
    last = capsys.readouterr().out.splitlines()[-1]
    assert last == "!!! NOT AUDITED for known vulnerabilities: 1 of 2 Python packages. !!!"


@pytest.mark.parametrize(
    ("packages", "stderr"),
    [
        ([UNKNOWN], ""),
        ([], "requests.exceptions.ConnectionError: nobody there"),
        # What pip-audit makes of a time-out: pip_audit/_service/pypi.py.
        ([], "ERROR:pip_audit._cli:Could not connect to PyPI's vulnerability feed"),
    ],
)
def test_where_nobody_knows_of_python_the_last_line_says_so(
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    packages: list[dict[str, Any]],
    stderr: str,
) -> None:
    assert not run(monkeypatch, tmp_path, *packages, stderr=stderr)
    audited, warning = capsys.readouterr().out.splitlines()
    assert audited == NPM_AUDITED
    assert warning.startswith("!!! NOT AUDITED for known vulnerabilities: Python packages (")


@pytest.mark.parametrize("status", [HTTPStatus.METHOD_NOT_ALLOWED, HTTPStatus.NOT_FOUND])
def test_where_nobody_knows_of_npm_the_last_line_says_so(
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    npm: Advisories,
    status: HTTPStatus,
) -> None:
    npm.status = status
    assert not run(monkeypatch, tmp_path, CLEAN)
    audited, warning = capsys.readouterr().out.splitlines()
    assert audited == PYTHON_AUDITED
    assert warning.startswith("!!! NOT AUDITED for known vulnerabilities: npm packages (")


def test_without_a_network_one_line_says_so(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("npm_config_registry", f"http://127.0.0.1:{free_port()}/")
    monkeypatch.setenv("npm_config_fetch_retries", "0")
    assert not run(monkeypatch, tmp_path, stderr="requests.exceptions.ConnectionError: nobody there")
    (warning,) = capsys.readouterr().out.splitlines()
    assert "Python packages (" in warning
    assert "npm packages (" in warning


def test_a_hole_is_a_failure_though_the_others_are_not_audited(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, npm: Advisories
) -> None:
    npm.status = HTTPStatus.NOT_FOUND
    assert run(monkeypatch, tmp_path, HOLED) == 1


def test_an_audit_that_breaks_is_a_failure(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(monkeypatch, tmp_path, stderr="pip-audit: error: unrecognized arguments") == 1
    assert "pip-audit: error: unrecognized arguments" in capsys.readouterr().out


def test_an_audit_of_npm_that_breaks_is_a_failure(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(audit, "ROOT", tmp_path)  # where there is no lock file
    assert run(monkeypatch, tmp_path, CLEAN) == 1
    assert "requires an existing lockfile" in capsys.readouterr().out
