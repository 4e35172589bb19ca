"""Looks for known vulnerabilities in the locked packages.

Needs an index that knows of vulnerabilities. A mere mirror, or none at all, is said loudly and is no failure.
"""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

AUDIT = (
    *(str(Path(sys.executable).with_name("pip-audit")), "--local", "--skip-editable"),
    *("--format", "json", "--progress-spinner", "off"),
)
UNREACHABLE = ("ConnectionError", "ServiceError", "ConnectTimeout", "Max retries exceeded")


def main() -> None:
    """Exits with 1 when a package has a known vulnerability."""
    result = subprocess.run(AUDIT, check=False, capture_output=True, text=True)  # noqa: S603 our own program
    if not result.stdout:
        if not any(sign in result.stderr for sign in UNREACHABLE):
            sys.exit(result.stderr)
        return _warn("the vulnerability database can't be reached")
    packages: list[dict[str, Any]] = json.loads(result.stdout)["dependencies"]
    audited = [package for package in packages if "vulns" in package]
    if not audited:
        return _warn(f"this package index tells nothing about any of {len(packages)} packages")
    for package in audited:
        for vulnerability in package["vulns"]:
            fixed = ", ".join(vulnerability["fix_versions"]) or "no version"
            print(f"{package['name']} {package['version']}: {vulnerability['id']}, fixed in {fixed}")
    print(f"Audited {len(audited)} of {len(packages)} packages for known vulnerabilities.")
    sys.exit(any(package["vulns"] for package in audited))


def _warn(why: str) -> None:
    print(f"!!! NOT AUDITED for known vulnerabilities: {why}. Run `make check` again where it is. !!!")


if __name__ == "__main__":
    main()
