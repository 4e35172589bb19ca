"""The layers of third-party packages: locked versions, built for Lambda on any machine, without Docker."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import uv

ROOT = Path(__file__).parents[1]
PLATFORM = "aarch64-manylinux_2_28"
PYTHON_VERSION = "3.13"

AWS_SERVICES = frozenset(
    {
        "bedrock-runtime",
        "dynamodb",
        "events",
        "kms",
        "polly",
        "s3",
        "scheduler",
        "secretsmanager",
        "sqs",
        "stepfunctions",
        "sts",
    }
)
"""Folders of botocore's data that the functions use; the other four hundred would only cost time."""
ENDPOINT_PREFIXES = AWS_SERVICES | {"states"}
LAYERS = ("base", "media", "video")
"""Each after those it builds on; all but the first are named after their extra."""
BLOAT = ("**/tests", "**/*.pyi", "**/py.typed", "**/__pycache__", "bin", ".lock")


class LayerFailed(RuntimeError):
    """uv could not export the lock file or install from it; the message is uv's."""


def requirements(name: str) -> str:
    """Pinned and hashed requirements of the lock file: what a layer adds to those before it."""
    extras = LAYERS[: LAYERS.index(name) + 1][1:]
    before = _locked(*_with(extras[:-1])) if extras else []
    return "".join(entry for entry in _locked(*_with(extras)) if entry not in before)


def _with(extras: Sequence[str]) -> list[str]:
    return [option for extra in extras for option in ("--extra", extra)]


def install(requirements_text: str, target: Path) -> None:
    """Install wheels for Lambda's platform into `target` and strip what no function needs.

    Copies, not links: what is trimmed here in place would be trimmed in uv's cache, and in every environment
    that is linked to it.
    """
    _uv(
        "pip",
        "install",
        "--quiet",
        "--no-deps",
        "--link-mode=copy",
        "--require-hashes",
        "--only-binary=:all:",
        f"--python-platform={PLATFORM}",
        f"--python-version={PYTHON_VERSION}",
        f"--target={target}",
        "--requirements=-",
        stdin=requirements_text,
    )
    strip(target)


def strip(target: Path) -> None:
    """Remove tests, type stubs, installers' notes, and botocore's data of services that are not in use."""
    for pattern in BLOAT:
        for path in list(target.glob(pattern)):
            _remove(path)
    for path in list(target.glob("*.dist-info/*")):
        # Packages ask for their own version, some while they are imported.
        if path.name != "METADATA":
            _remove(path)
    for service in [*target.glob("botocore/data/*/"), *target.glob("boto3/data/*/")]:
        if service.name not in AWS_SERVICES:
            _remove(service)
    endpoints = target / "botocore" / "data" / "endpoints.json"
    if endpoints.exists():
        endpoints.write_text(json.dumps(_trimmed(json.loads(endpoints.read_text()))), encoding="utf-8")


def _remove(path: Path) -> None:
    if path.is_dir():
        shutil.rmtree(path)
    else:
        path.unlink()


def _trimmed(endpoints: dict[str, Any]) -> dict[str, Any]:
    """Only the endpoints of the services in use; botocore parses this file, 1.25 MB, at every cold start."""
    for partition in endpoints["partitions"]:
        partition["services"] = {
            name: service for name, service in partition["services"].items() if name in ENDPOINT_PREFIXES
        }
    return endpoints


def _locked(*options: str) -> list[str]:
    """Entries of the exported lock file, each a requirement with the lines of its hashes."""
    quiet = ("--quiet", "--no-header", "--no-annotate")
    text = _uv("export", "--locked", "--no-default-groups", "--no-emit-project", *quiet, *options)
    return re.findall(r"^\S.*\n(?:[ \t].*\n)*", text, re.MULTILINE)


def _uv(*arguments: str, stdin: str = "") -> str:
    command = [uv.find_uv_bin(), *arguments]
    result = subprocess.run(  # noqa: S603 - the project's own uv, no outside input
        command, input=stdin, capture_output=True, text=True, check=False, cwd=ROOT
    )
    if result.returncode != 0:
        raise LayerFailed(f"{' '.join(command)}\n{result.stderr}")
    return result.stdout
