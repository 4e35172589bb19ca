"""What a cold start imports, as folders for this machine: the layer's content, and what it is compared with.

Lambda's own zips hold code for arm64 and Python 3.13. These hold the same locked versions for the Python that
runs the bench, stripped alike, with bytecode alike.
"""

from __future__ import annotations

import compileall
import hashlib
import py_compile
import re
import shutil
from dataclasses import dataclass
from pathlib import Path

from infra.build import layer
from infra.build.packages import EXCLUDED
from infra.paths import BUILD, FUNCTIONS

BOTO3 = ("boto3", "botocore", "jmespath", "python-dateutil", "s3transfer", "six", "urllib3")
RUNTIME = ("awslambdaric", "simplejson", "snapshot-restore-py")


@dataclass(frozen=True)
class Folders:
    """`runtime`: AWS's runtime interface client. `layer` and `functions`: Shoal. `boto3`: it, as it comes."""

    runtime: Path
    layer: Path
    functions: Path
    boto3: Path


def build() -> Folders:
    """Install what is not there yet. Raises `infra.build.layer.LayerFailed`."""
    functions = BUILD / "bench-functions"
    shutil.rmtree(functions, ignore_errors=True)
    shutil.copytree(FUNCTIONS, functions, ignore=shutil.ignore_patterns(*EXCLUDED))
    _compile(functions)
    everything = layer.locked_requirements("--all-groups", "--extra", "operate")
    return Folders(
        runtime=_install("runtime", _those(everything, RUNTIME), strip=False),
        layer=_install("layer", layer.requirements("base"), strip=True),
        functions=functions,
        boto3=_install("boto3", _those(everything, BOTO3), strip=False),
    )


def _those(requirements: list[str], names: tuple[str, ...]) -> str:
    return "".join(entry for entry in requirements if re.match(r"[\w-]+", entry)[0] in names)  # type: ignore[index]


def _install(name: str, requirements: str, *, strip: bool) -> Path:
    recipe = Path(layer.__file__).read_bytes()
    folder = BUILD / f"bench-{name}-{hashlib.sha256(recipe + requirements.encode()).hexdigest()[:16]}"
    if not folder.exists():
        for outdated in BUILD.glob(f"bench-{name}-*"):
            shutil.rmtree(outdated)
        unfinished = BUILD / f"bench-unfinished-{name}"
        shutil.rmtree(unfinished, ignore_errors=True)
        layer.install_here(requirements, unfinished)
        if strip:
            layer.strip(unfinished)
        _compile(unfinished)
        unfinished.rename(folder)
    return folder


def _compile(folder: Path) -> None:
    mode = py_compile.PycInvalidationMode.UNCHECKED_HASH
    compileall.compile_dir(str(folder), quiet=2, force=True, invalidation_mode=mode)
