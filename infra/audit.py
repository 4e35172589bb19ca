"""Looks for known vulnerabilities in the locked packages of Python and of npm.

Needs an index of each that tells of vulnerabilities. Where there is none, or a mirror without them, the last
line says so, and that is no failure.
"""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from . import NPM

ROOT = Path(__file__).parents[1]
PIP_AUDIT = (
    *(str(Path(sys.executable).with_name("pip-audit")), "--local", "--skip-editable"),
    *("--format", "json", "--progress-spinner", "off"),
)
NPM_AUDIT = (*NPM, "audit", "--package-lock-only", "--json")
UNREACHABLE = (
    "Could not connect to",
    "ConnectionError",
    "ConnectTimeout",
    "Max retries exceeded",
    "Read timed out",
    "ServiceError",
    "not redirecting properly",
)
"""What pip-audit says where nobody answers it (pip_audit/_service/pypi.py), or what requests does."""
OURS = frozenset({"shoal", "shoal-client"})
"""Editable, so in no index."""


class NotAudited(Exception):
    """Nobody tells of vulnerabilities here; the message says why."""


class AuditBroken(Exception):
    """The program that audits failed by itself; the message is the program's."""


@dataclass(frozen=True)
class Audited:
    """How many packages were looked at, of how many, and a line for each known vulnerability."""

    packages: int
    of: int
    vulnerabilities: Sequence[str]


def main() -> None:
    """Exits with 1 when a package has a known vulnerability, or when an audit breaks."""
    not_audited = []
    failed = False
    for kind, audit in {"Python": audit_python, "npm": audit_npm}.items():
        try:
            found = audit()
        except NotAudited as reason:
            not_audited.append(f"{kind} packages ({reason})")
        except AuditBroken as error:
            failed = True
            print(error)
        else:
            failed = failed or bool(found.vulnerabilities)
            said = f"Audited {found.packages} of {found.of} {kind} packages."
            print(*found.vulnerabilities, said, sep="\n")
            if found.packages < found.of:
                not_audited.append(f"{found.of - found.packages} of {found.of} {kind} packages")
    if not_audited:
        print(f"!!! NOT AUDITED for known vulnerabilities: {'; '.join(not_audited)}. !!!")
    sys.exit(failed)


def audit_python() -> Audited:
    """What is installed here, of which the layers are a part. Raises `NotAudited` and `AuditBroken`."""
    result = _run(PIP_AUDIT)
    if not result.stdout:
        if any(sign in result.stderr for sign in UNREACHABLE):
            raise NotAudited("the database of vulnerabilities can't be reached")
        raise AuditBroken(result.stderr)
    packages: list[dict[str, Any]] = json.loads(result.stdout)["dependencies"]
    packages = [package for package in packages if package["name"] not in OURS]
    audited = [package for package in packages if "vulns" in package]
    if not audited:
        raise NotAudited(f"the index tells nothing about any of {len(packages)}")
    holes = [
        f"{package['name']} {package['version']}: {hole['id']}, fixed in {_fix_versions(hole)}"
        for package in audited
        for hole in package["vulns"]
    ]
    return Audited(len(audited), len(packages), holes)


def audit_npm() -> Audited:
    """What package-lock.json holds. Raises `NotAudited` and `AuditBroken`."""
    result = _run(NPM_AUDIT)
    report: dict[str, Any] = json.loads(result.stdout or "{}")
    if "vulnerabilities" in report:
        packages: int = report["metadata"]["dependencies"]["total"]
        return Audited(packages, packages, [_hole(each) for each in report["vulnerabilities"].values()])
    # npm gives no code to the failures of the index, and one to all others.
    if "message" in report and not report.get("error", {}).get("code"):
        raise NotAudited("the index tells nothing, or can't be reached")
    raise AuditBroken(result.stderr)


def _fix_versions(hole: dict[str, Any]) -> str:
    return ", ".join(hole["fix_versions"]) or "no version"


def _hole(vulnerable: dict[str, Any]) -> str:
    """An npm package and why it is vulnerable: an advisory, or another package that it needs."""
    causes = (via if isinstance(via, str) else via["url"] for via in vulnerable["via"])
    return f"{vulnerable['name']}: {vulnerable['severity']}, {', '.join(causes)}"


def _run(command: Sequence[str]) -> subprocess.CompletedProcess[str]:
    return subprocess.run(command, check=False, capture_output=True, text=True, cwd=ROOT)  # noqa: S603 our own


if __name__ == "__main__":
    main()
