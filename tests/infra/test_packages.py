"""The zips hold what Lambda's Python 3.13 loads, and the same content makes the same zip."""

from __future__ import annotations

import json
import re
import zipfile
from pathlib import Path

import pytest

from infra import bytecode, layer, packages
from infra.bytecode import CompileFailed
from infra.stack import ShoalStack
from infra.stage import LOCAL
from infra.synthesis import new_app

PYTHON_3_13_MAGIC = (3571).to_bytes(2, "little") + b"\r\n"
UNCHECKED_HASH = (1).to_bytes(4, "little")


@pytest.fixture
def source(tmp_path: Path) -> Path:
    """A small code base beside things that do not belong into a zip."""
    files = {
        "shoal/__init__.py": "",
        "shoal/job.py": "def job() -> int:\n    return 1\n",
        "shoal/catalog.toml": "[modes]\n",
        "shoal/cli/__init__.py": "import typer\n",
        "shoal/__pycache__/job.cpython-311.pyc": "old",
    }
    for name, content in files.items():
        path = tmp_path / "source" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(content, encoding="utf-8")
    return tmp_path / "source"


def test_the_functions_zip_holds_sources_and_bytecode_for_lambda(
    source: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(packages, "BUILD", tmp_path / "build")
    with zipfile.ZipFile(packages.functions_zip(source)) as archive:
        assert archive.namelist() == [
            "shoal/__init__.py",
            "shoal/__pycache__/__init__.cpython-313.pyc",
            "shoal/__pycache__/job.cpython-313.pyc",
            "shoal/catalog.toml",
            "shoal/job.py",
        ]
        compiled = archive.read("shoal/__pycache__/job.cpython-313.pyc")
    assert compiled[:4] == PYTHON_3_13_MAGIC
    assert compiled[4:8] == UNCHECKED_HASH
    assert b"/var/task/shoal/job.py" in compiled


def test_the_local_stage_gets_the_code_as_it_is_without_the_operators_command(tmp_path: Path) -> None:
    app = new_app(outdir=tmp_path)
    ShoalStack(app, stage=LOCAL, packages=packages.source_packages())
    app.synth()
    (asset,) = tmp_path.glob("asset.*")
    shipped = {path.relative_to(asset).as_posix() for path in asset.rglob("*") if path.is_file()}
    assert {"shoal/settings.py", "shoal/catalog.toml", "shoal/handlers/http/submit_job.py"} <= shipped
    assert not [name for name in shipped if "/cli/" in name or "__pycache__" in name]


def test_the_same_code_is_built_once(source: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(packages, "BUILD", tmp_path / "build")
    first = packages.functions_zip(source)
    built_at = first.stat().st_mtime_ns
    assert packages.functions_zip(source) == first
    assert first.stat().st_mtime_ns == built_at
    (source / "shoal/job.py").write_text("def job() -> int:\n    return 2\n", encoding="utf-8")
    second = packages.functions_zip(source)
    assert second != first
    assert list(second.parent.glob("functions-*.zip")) == [second]


def test_code_that_does_not_compile_is_an_error(source: Path) -> None:
    (source / "shoal/job.py").write_text("def job(:\n", encoding="utf-8")
    with pytest.raises(CompileFailed, match="SyntaxError"):
        bytecode.precompile(source, prefix="/var/task")


def test_a_zip_depends_on_content_only(source: Path, tmp_path: Path) -> None:
    zips = []
    for name in ("first.zip", "second.zip"):
        packages.write_zip(source, tmp_path / name)
        zips.append((tmp_path / name).read_bytes())
        (source / "shoal/job.py").touch()
    assert zips[0] == zips[1]


def names_in(requirements: str) -> list[str]:
    return re.findall(r"^([\w-]+)==", requirements, re.MULTILINE)


def test_layers_hold_locked_and_hashed_packages_each_in_one_layer() -> None:
    texts = {name: layer.requirements(name) for name in layer.LAYERS}
    names = {name: names_in(text) for name, text in texts.items()}
    assert {"aws-lambda-powertools", "boto3", "pydantic", "python-ulid", "requests"} <= set(names["base"])
    assert names["media"] == ["pillow"]
    assert names["video"] == ["av", "espeakng-loader"]
    for text in texts.values():
        assert text.count("==") <= text.count("--hash=sha256:")


def test_a_layer_loses_what_no_function_needs(tmp_path: Path) -> None:
    kept = [
        "boto3/__init__.py",
        "botocore/data/_retry.json",
        "botocore/data/dynamodb/2012-08-10/service-2.json.gz",
        "python_ulid-4.1.0.dist-info/METADATA",
    ]
    lost = [
        ".lock",
        "bin/jp.py",
        "boto3/data/ec2/2016-11-15/resources-1.json",
        "botocore/data/ec2/2016-11-15/service-2.json.gz",
        "pydantic/__init__.pyi",
        "pydantic/py.typed",
        "pydantic/tests/test_all.py",
        "python_ulid-4.1.0.dist-info/RECORD",
        "python_ulid-4.1.0.dist-info/licenses/LICENSE",
    ]
    for name in (*kept, *lost):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).touch()
    layer.strip(tmp_path)
    assert sorted(str(p.relative_to(tmp_path)) for p in tmp_path.rglob("*") if p.is_file()) == sorted(kept)


def test_a_layer_keeps_the_endpoints_of_the_services_in_use_only(tmp_path: Path) -> None:
    endpoints = tmp_path / "botocore/data/endpoints.json"
    endpoints.parent.mkdir(parents=True)
    partition = {"partition": "aws", "services": {"states": {"endpoints": {}}, "ec2": {"endpoints": {}}}}
    endpoints.write_text(json.dumps({"partitions": [partition], "version": 3}), encoding="utf-8")
    layer.strip(tmp_path)
    trimmed = json.loads(endpoints.read_text(encoding="utf-8"))
    assert trimmed == {
        "partitions": [{"partition": "aws", "services": {"states": {"endpoints": {}}}}],
        "version": 3,
    }


def test_the_layer_keeps_every_service_the_code_makes_a_client_of() -> None:
    roots = (packages.FUNCTIONS / "shoal").glob("bootstrap*.py")
    sources = "".join(path.read_text(encoding="utf-8") for path in roots)
    used = set(re.findall(r'\bclient\("(\w+)"\)', sources))
    assert used
    assert used <= layer.AWS_SERVICES


def test_the_layer_keeps_every_service_that_an_adapter_takes_a_client_of() -> None:
    adapters = (packages.FUNCTIONS / "shoal/adapters").rglob("*.py")
    code = "".join(path.read_text(encoding="utf-8") for path in adapters)
    used = {name.replace("_", "-") for name in re.findall(r"from mypy_boto3_(\w+) import", code)}
    assert {"bedrock-runtime", "polly"} <= used
    assert used <= layer.AWS_SERVICES
