"""The layers of third-party packages: locked versions, built for Lambda on any machine, without Docker."""

from __future__ import annotations

import gzip
import json
import re
import shutil
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import uv

from ..errors import SynthesisError
from ..licence_facts import facts, libraries_among
from ..paths import LOCKED

PLATFORM = "aarch64-manylinux_2_28"
PYTHON_VERSION = "3.13"

AWS_SERVICES = frozenset(
    {
        "bedrock-runtime",
        "cognito-idp",
        "dynamodb",
        "events",
        "kms",
        "polly",
        "s3",
        "sagemaker-runtime",
        "scheduler",
        "secretsmanager",
        "sqs",
        "stepfunctions",
        "sts",
    }
)
"""Folders of botocore's data that the functions use; the other four hundred would only cost time."""
ENDPOINT_PREFIXES = AWS_SERVICES | {"states"}
LAYERS: Mapping[str, tuple[str, ...]] = {
    "base": (),
    "media": (),
    "video": ("media",),
    "voice": (),
    "stripe": (),
    "web": (),
    "mcp": (),
}
"""Layers, with those they build on beside the base; all but the base are named after their extra."""
LICENCE_FILE = re.compile(r"licen[cs]e|copying|notice|authors", re.IGNORECASE)
"""Files of a package's metadata, and the folder `licenses` of newer ones, that go wherever it goes."""
BLOAT = (
    "botocore/data/*/*/examples-1.json*",
    "**/tests",
    "**/*.pyi",
    "**/py.typed",
    "**/__pycache__",
    "bin",
    ".lock",
)


class LayerFailed(SynthesisError):
    """A layer cannot be made as the lock file says; the message is mostly uv's."""


def requirements(name: str) -> str:
    """Pinned and hashed requirements of the lock file: what a layer adds to those it builds on."""
    if name == "base":
        return "".join(locked_requirements())
    below = _with(LAYERS[name])
    before = {_pin(entry) for entry in locked_requirements(*below)}
    return "".join(
        entry for entry in locked_requirements(*below, *_with((name,))) if _pin(entry) not in before
    )


def _pin(entry: str) -> str:
    """An entry's name and version, without the marker, which tells who asks for the package."""
    return entry.split()[0]


def locked_requirements(*options: str) -> list[str]:
    """Entries of the exported lock file, each a requirement with the lines of its hashes."""
    quiet = ("--quiet", "--no-header", "--no-annotate")
    text = _uv("export", "--frozen", "--no-default-groups", "--no-emit-project", *quiet, *options)
    return re.findall(r"^\S.*\n(?:[ \t].*\n)*", text, re.MULTILINE)


def _with(extras: Sequence[str]) -> list[str]:
    return [option for extra in extras for option in ("--extra", extra)]


def install(requirements_text: str, target: Path) -> None:
    """Install wheels for Lambda's platform into `target` and strip what no function needs.

    Raises `LayerFailed` where uv cannot, or where a wheel brings a native library whose licence is not known:
    the wheels of other platforms, which `make check-licences` sees, need not bring the same.
    """
    _install(
        requirements_text,
        target,
        "--only-binary=:all:",
        f"--python-platform={PLATFORM}",
        f"--python-version={PYTHON_VERSION}",
    )
    strip(target)
    if unknown := libraries_among(target.rglob("*")) - facts().libraries:
        raise LayerFailed(f"{', '.join(sorted(unknown))}: write their licences into infra/licences.toml")


def install_here(requirements_text: str, target: Path) -> None:
    """The same packages for this machine's Python, not stripped."""
    _install(requirements_text, target, f"--python={sys.executable}")


def _install(requirements_text: str, target: Path, *options: str) -> None:
    # A copy: what is stripped must not be the cache's own.
    where = ("--link-mode=copy", f"--target={target}", "--requirements=-")
    _uv(
        *("pip", "install", "--quiet", "--no-deps", "--require-hashes", *options, *where),
        stdin=requirements_text,
    )


def strip(target: Path) -> None:
    """Remove tests, type stubs, installers' notes, and of botocore's data what describes services to people,
    or describes services that are not in use. Licences stay: 80 kB, zipped, of all layers together.
    """
    for pattern in BLOAT:
        for path in list(target.glob(pattern)):
            _remove(path)
    for path in list(target.glob("*.dist-info/*")):
        # Packages ask for their own version and for their plug-ins, some while they are imported.
        if path.name not in ("METADATA", "entry_points.txt") and not LICENCE_FILE.match(path.name):
            _remove(path)
    for service in list(target.glob("botocore/data/*/")):
        if service.name not in AWS_SERVICES:
            _remove(service)
    for model in target.glob("botocore/data/*/*/service-2.json.gz"):
        described = json.loads(gzip.decompress(model.read_bytes()))
        described |= {part: _strip_texts(described[part]) for part in ("operations", "shapes")}
        _rewrite(model, gzip.compress(json.dumps(described).encode(), mtime=0))
    endpoints = target / "botocore" / "data" / "endpoints.json"
    if endpoints.exists():
        _rewrite(endpoints, json.dumps(_trim(json.loads(endpoints.read_text()))).encode())


def _rewrite(path: Path, content: bytes) -> None:
    """Put a new file in place of one that may be shared: installers link what they have in their caches."""
    path.unlink()
    path.write_bytes(content)


def _remove(path: Path) -> None:
    if path.is_dir():
        shutil.rmtree(path)
    else:
        path.unlink()


def _strip_texts(described: Any) -> Any:
    """A part of a service's model without its texts: most of what botocore would parse to make a client."""
    if isinstance(described, dict):
        return {
            name: _strip_texts(value)
            for name, value in described.items()
            # A member may have this name as well; it is described by an object.
            if name != "documentation" or not isinstance(value, str)
        }
    return [_strip_texts(value) for value in described] if isinstance(described, list) else described


def _trim(endpoints: dict[str, Any]) -> dict[str, Any]:
    """Only the endpoints of the services in use; botocore parses this file, 1.25 MB, at every cold start."""
    for partition in endpoints["partitions"]:
        partition["services"] = {
            name: service for name, service in partition["services"].items() if name in ENDPOINT_PREFIXES
        }
    return endpoints


def _uv(*arguments: str, stdin: str = "") -> str:
    command = [uv.find_uv_bin(), *arguments]
    result = subprocess.run(  # noqa: S603 - the project's own uv, no outside input
        command, input=stdin, capture_output=True, text=True, check=False, cwd=LOCKED
    )
    if result.returncode != 0:
        raise LayerFailed(f"{' '.join(command)}\n{result.stderr}")
    return result.stdout
