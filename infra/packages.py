"""What the Lambdas run: Shoal's code and the third-party packages, as folders or zips for the CDK."""

from __future__ import annotations

import hashlib
import shutil
import sys
import tempfile
import zipfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path

from infra import bytecode, documents, front_end, layer
from infra.documents import build
from infra.stage import Stage

ROOT = Path(__file__).parents[1]
FUNCTIONS = ROOT / "functions"
BUILD = ROOT / ".local" / "build"
RECIPE = (Path(__file__), Path(layer.__file__), Path(bytecode.__file__), bytecode.SCRIPT)
DOCUMENTS = Path(documents.__file__).parent
EXCLUDED = ("__pycache__", "cli")
"""The operator's command is part of the package `shoal`, but no function runs it."""
LAYER_STAND_IN = ROOT / "statemachines"
EPOCH = (1980, 1, 1, 0, 0, 0)
MODE = 0o644


@dataclass(frozen=True, kw_only=True)
class Packages:
    """`functions` is Shoal's code; the others are layers, none where the runtime has what is in them.

    `exclude`: globs of what is left out of `functions` when it is a folder.
    """

    functions: Path
    base: Path | None = None
    media: Path | None = None
    video: Path | None = None
    voice: Path | None = None
    stripe: Path | None = None
    web: Path | None = None
    mcp: Path | None = None
    exclude: tuple[str, ...] = ()


def packages_of(stage: Stage) -> Packages:
    """What the functions of a stage run."""
    return built_packages(espeak=stage.espeak) if stage.layers else source_packages()


def source_packages() -> Packages:
    """The code as it is and the documents, without layers."""
    front_end.bring()
    return Packages(functions=_built("source", _content_of(FUNCTIONS, DOCUMENTS), _fill_functions(FUNCTIONS)))


def unbuilt_packages(*, layers: bool) -> Packages:
    """What stands for the packages where a template is looked at and never deployed."""
    source = Packages(functions=FUNCTIONS, exclude=tuple(f"**/{pattern}" for pattern in EXCLUDED))
    if not layers:
        return source
    one = LAYER_STAND_IN
    return replace(source, base=one, media=one, video=one, voice=one, stripe=one, web=one, mcp=one)


def built_packages(*, espeak: bool) -> Packages:
    """Zips with bytecode, taken from an earlier build where nothing they are made of has changed.

    `espeak`: whether the stage asks for the layer `voice`, which is not even fetched otherwise.
    """
    front_end.bring()
    return Packages(
        functions=functions_zip(FUNCTIONS),
        base=_layer_zip("base"),
        media=_layer_zip("media"),
        video=_layer_zip("video"),
        voice=_layer_zip("voice") if espeak else None,
        stripe=_layer_zip("stripe"),
        web=_layer_zip("web"),
        mcp=_layer_zip("mcp"),
    )


def functions_zip(source: Path) -> Path:
    """The zip of the functions' code, which lies in /var/task on Lambda."""

    copy = _fill_functions(source)

    def fill(folder: Path) -> None:
        copy(folder)
        bytecode.precompile(folder, prefix="/var/task")

    return _built("functions", _content_of(source, DOCUMENTS), fill)


def _fill_functions(source: Path) -> Callable[[Path], None]:
    """What puts the functions' code into a folder, and the documents it serves."""

    def fill(folder: Path) -> None:
        shutil.copytree(source, folder, ignore=shutil.ignore_patterns(*EXCLUDED), dirs_exist_ok=True)
        build.write(folder)

    return fill


def _layer_zip(name: str) -> Path:
    requirements = layer.requirements(name)

    def fill(folder: Path) -> None:
        layer.install(requirements, folder / "python")
        bytecode.precompile(folder, prefix="/opt")

    return _built(f"layer-{name}", requirements.encode(), fill)


def _built(name: str, content: bytes, fill: Callable[[Path], None]) -> Path:
    """The zip of what `fill` puts into a folder, made once for the same content and recipe."""
    recipe = b"".join(path.read_bytes() for path in RECIPE)
    target = BUILD / f"{name}-{hashlib.sha256(recipe + content).hexdigest()[:16]}.zip"
    if target.exists():
        return target
    print(f"Building {target.name}", file=sys.stderr)
    BUILD.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=BUILD) as work:
        folder = Path(work) / "content"
        folder.mkdir()
        fill(folder)
        unfinished = Path(work) / target.name
        write_zip(folder, unfinished)
        for outdated in set(BUILD.glob(f"{name}-*.zip")) - {target}:
            outdated.unlink(missing_ok=True)
        unfinished.replace(target)
    return target


def write_zip(folder: Path, target: Path) -> None:
    """Zip a folder so that the same content gives the same bytes, and so the same asset, on any day."""
    with zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED, compresslevel=9) as archive:
        for path in _files(folder):
            entry = zipfile.ZipInfo(path.relative_to(folder).as_posix(), date_time=EPOCH)
            entry.compress_type = zipfile.ZIP_DEFLATED
            entry.external_attr = MODE << 16
            archive.writestr(entry, path.read_bytes())


def _files(folder: Path) -> Iterator[Path]:
    return (path for path in sorted(folder.rglob("*")) if path.is_file())


def _content_of(*sources: Path) -> bytes:
    digest = hashlib.sha256()
    for source in sources:
        for path in (path for path in _files(source) if "__pycache__" not in path.parts):
            digest.update(path.relative_to(source).as_posix().encode() + b"\0" + path.read_bytes())
    return digest.digest()
