"""What the Lambdas run: Shoal's code and the third-party packages, as folders or zips for the CDK."""

from __future__ import annotations

import hashlib
import shutil
import sys
import tempfile
import zipfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from importlib.metadata import version
from pathlib import Path

from shoal.domain.catalog import load_catalog
from shoal.domain.models.files import CATALOG, PACKAGED, read_document

from .. import documents
from ..documents import build
from ..errors import SynthesisError
from ..one_at_a_time import one_at_a_time
from ..paths import BUILD, FUNCTIONS, STATE_MACHINES
from ..stage import Stage
from . import bytecode, front_end, layer

RECIPE = (Path(__file__), Path(layer.__file__), Path(bytecode.__file__), bytecode.SCRIPT)
DOCUMENTS = Path(documents.__file__).parent
CODE = "shoal"
"""The folder of the package, in its source and in the zip."""
EXCLUDED = ("__pycache__", "cli", "__main__.py")
"""The operator's command is part of the package `shoal`, but no function runs it."""
UNPACKED_BYTES_MAX = 250 * 2**20
"""What a function and its layers may have together on Lambda, unpacked."""
KEPT_MAX = 4
"""Builds of a zip that are kept: stages may differ in their catalogs, and be synthesized at once."""
EPOCH = (1980, 1, 1, 0, 0, 0)
MODE = 0o644


class TooLarge(SynthesisError):
    """The packages of one function are more than Lambda takes."""


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


def packages_of(stage: Stage, catalog: Path = CATALOG) -> Packages:
    """What the functions of a stage run. Raises `SynthesisError`."""
    return build_packages(catalog, espeak=stage.espeak) if stage.layers else source_packages(catalog)


def source_packages(catalog: Path = CATALOG) -> Packages:
    """The code as it is with a catalog, and the documents, without layers."""
    front_end.bring()
    content = _content_of(FUNCTIONS / CODE, DOCUMENTS, catalog)
    return Packages(functions=_build_zip("source", content, _fill_functions(FUNCTIONS, catalog)))


def unbuilt_packages(*, layers: bool) -> Packages:
    """What stands for the packages where a template is looked at and never deployed."""
    source = Packages(functions=FUNCTIONS, exclude=tuple(f"**/{pattern}" for pattern in EXCLUDED))
    if not layers:
        return source
    one = STATE_MACHINES
    return replace(source, base=one, media=one, video=one, voice=one, stripe=one, web=one, mcp=one)


def build_packages(catalog: Path = CATALOG, *, espeak: bool) -> Packages:
    """Zips with bytecode, taken from an earlier build where nothing they are made of has changed.

    `espeak`: whether the stage asks for the layer `voice`, which is not even fetched otherwise.
    """
    front_end.bring()
    built = Packages(
        functions=functions_zip(FUNCTIONS, catalog),
        base=_layer_zip("base"),
        media=_layer_zip("media"),
        video=_layer_zip("video"),
        voice=_layer_zip("voice") if espeak else None,
        stripe=_layer_zip("stripe"),
        web=_layer_zip("web"),
        mcp=_layer_zip("mcp"),
    )
    check_size(built)
    return built


def check_size(built: Packages) -> None:
    """Raises `TooLarge` if the functions that carry most, those of videos, would not fit into Lambda."""
    carried = (built.functions, built.base, built.media, built.video, built.voice)
    unpacked = sum(entry.file_size for path in carried if path for entry in zipfile.ZipFile(path).infolist())
    if unpacked > UNPACKED_BYTES_MAX:
        raise TooLarge(
            f"The functions of videos would be {unpacked:,} bytes: Lambda takes {UNPACKED_BYTES_MAX:,}."
        )


def functions_zip(source: Path, catalog: Path = CATALOG) -> Path:
    """The zip of the functions' code, which lies in /var/task on Lambda."""
    copy = _fill_functions(source, catalog)

    def fill(folder: Path) -> None:
        copy(folder)
        bytecode.precompile(folder, prefix="/var/task")

    return _build_zip("functions", _content_of(source / CODE, DOCUMENTS, catalog), fill)


def _fill_functions(source: Path, catalog: Path) -> Callable[[Path], None]:
    """What puts the functions' code and catalog into a folder, and the documents that tell of both."""

    def fill(folder: Path) -> None:
        ignored = shutil.ignore_patterns(*EXCLUDED, CATALOG.name)
        shutil.copytree(source / CODE, folder / CODE, ignore=ignored)
        packaged = folder / CODE / CATALOG.name / PACKAGED
        packaged.parent.mkdir()
        packaged.write_bytes(read_document(catalog))
        build.write(folder, load_catalog(catalog))

    return fill


def _layer_zip(name: str) -> Path:
    requirements = layer.requirements(name)

    def fill(folder: Path) -> None:
        layer.install(requirements, folder / "python")
        bytecode.precompile(folder, prefix="/opt")

    return _build_zip(f"layer-{name}", requirements.encode(), fill)


def _build_zip(name: str, content: bytes, fill: Callable[[Path], None]) -> Path:
    """The zip of what `fill` puts into a folder, made once for the same content and recipe."""
    recipe = b"".join(path.read_bytes() for path in RECIPE)
    target = BUILD / f"{name}-{hashlib.sha256(recipe + content).hexdigest()[:16]}.zip"
    with one_at_a_time(BUILD / f"{name}.lock"):
        if not target.exists():
            _build(name, target, fill)
    return target


def _build(name: str, target: Path, fill: Callable[[Path], None]) -> None:
    """Make the zip, and remove those of earlier contents."""
    print(f"Building {target.name}", file=sys.stderr)
    with tempfile.TemporaryDirectory(dir=BUILD) as work:
        folder = Path(work) / "content"
        folder.mkdir()
        fill(folder)
        unfinished = Path(work) / target.name
        write_zip(folder, unfinished)
        unfinished.replace(target)
        newest_first = sorted(BUILD.glob(f"{name}-*.zip"), key=lambda path: -path.stat().st_mtime_ns)
        for outdated in newest_first[KEPT_MAX:]:
            outdated.unlink(missing_ok=True)


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
    """A digest of files and folders, and of the version, which the documents tell."""
    digest = hashlib.sha256(version("shoal").encode())
    for source in sources:
        paths = _files(source) if source.is_dir() else iter((source,))
        for path in (path for path in paths if "__pycache__" not in path.parts):
            digest.update(path.relative_to(source).as_posix().encode() + b"\0" + path.read_bytes())
    return digest.digest()
