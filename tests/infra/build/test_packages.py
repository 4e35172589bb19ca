"""The zips hold what Lambda's Python 3.13 loads, and the same content makes the same zip."""

from __future__ import annotations

import json
import re
import shutil
import zipfile
from pathlib import Path

import botocore
import pytest
from botocore import xform_name
from botocore.awsrequest import AWSPreparedRequest
from botocore.loaders import Loader
from botocore.session import Session

from infra.build import bytecode, layer, packages
from infra.build.bytecode import CompileFailed
from infra.paths import FUNCTIONS
from infra.stacks.shoal_stage import ShoalStage
from infra.synthesis import new_app
from shoal.domain.models.files import CATALOG, MODELS
from tests.infra.stages import LOCAL

PYTHON_3_13_MAGIC = (3571).to_bytes(2, "little") + b"\r\n"
OPERATORS = "statistics"
"""The adapter that the operator's command alone has: it runs where boto3 is whole."""
UNCHECKED_HASH = (1).to_bytes(4, "little")


@pytest.fixture
def source(tmp_path: Path) -> Path:
    """A small code base beside things that do not belong into a zip."""
    files = {
        "shoal/__init__.py": "",
        "shoal/job.py": "def job() -> int:\n    return 1\n",
        "shoal/catalog/catalog.toml": "[modes]\n",
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
            "shoal/catalog/catalog.json",
            "shoal/documents/api.html",
            "shoal/documents/asyncapi.json",
            "shoal/documents/events.html",
            "shoal/documents/events.md",
            "shoal/documents/index.json",
            "shoal/documents/llms.txt",
            "shoal/documents/openapi.json",
            "shoal/job.py",
        ]
        compiled = archive.read("shoal/__pycache__/job.cpython-313.pyc")
    assert compiled[:4] == PYTHON_3_13_MAGIC
    assert compiled[4:8] == UNCHECKED_HASH
    assert b"/var/task/shoal/job.py" in compiled


def test_the_local_stage_gets_the_code_as_it_is_without_the_operators_command(tmp_path: Path) -> None:
    app = new_app(outdir=tmp_path)
    ShoalStage(app, "Shoal", stage=LOCAL, packages=packages.source_packages())
    app.synth()
    (asset,) = tmp_path.glob("asset.*.zip")
    with zipfile.ZipFile(asset) as archive:
        shipped = set(archive.namelist())
    assert {"shoal/settings.py", "shoal/catalog/catalog.json", "shoal/handlers/http/submit_job.py"} <= shipped
    assert "shoal/documents/openapi.json" in shipped
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
    for n in range(packages.KEPT_MAX):
        (source / "shoal/job.py").write_text(f"def job() -> int:\n    return {3 + n}\n", encoding="utf-8")
        newest = packages.functions_zip(source)
    kept = set(second.parent.glob("functions-*.zip"))
    assert len(kept) == packages.KEPT_MAX
    assert newest in kept
    assert not {first, second} & kept


def test_two_catalogs_are_two_zips_each_of_which_stays(
    source: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(packages, "BUILD", tmp_path / "build")
    team = shutil.copytree(CATALOG, tmp_path / "catalog")
    model = team / MODELS / "nanobanana.toml"
    model.write_text(model.read_text(encoding="utf-8").replace("Nano Banana", "Plantain"))
    zips = [packages.functions_zip(source, catalog) for catalog in (CATALOG, team)]
    for path, title in zip(zips, ("Nano Banana", "Plantain"), strict=True):
        with zipfile.ZipFile(path) as archive:
            assert title in archive.read("shoal/catalog/catalog.json").decode()


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


def test_packages_that_lambda_would_refuse_are_not_built(tmp_path: Path) -> None:
    half = tmp_path / "half.zip"
    with zipfile.ZipFile(half, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("zeros", bytes(packages.UNPACKED_BYTES_MAX // 2))
    packages.check_size(packages.Packages(functions=half, base=half))

    with pytest.raises(packages.TooLarge, match="Lambda takes 262,144,000"):
        packages.check_size(packages.Packages(functions=half, base=half, voice=half))


def names_in(requirements: str) -> list[str]:
    return re.findall(r"^([\w-]+)==", requirements, re.MULTILINE)


def test_layers_hold_locked_and_hashed_packages_each_in_one_layer() -> None:
    texts = {name: layer.requirements(name) for name in layer.LAYERS}
    names = {name: names_in(text) for name, text in texts.items()}
    assert {"aws-lambda-powertools", "botocore", "pydantic", "requests"} <= set(names["base"])
    assert names["media"] == ["budoux", "manimgx-fonts", "manimgx-fonts-cjk", "pillow", "pyvips-binary"]
    assert names["video"] == ["av"]
    assert names["voice"] == ["espeakng-loader"]
    assert names["stripe"] == ["stripe"]
    assert {"jinja2", "markupsafe", "pyjwt", "cryptography"} <= set(names["web"])
    assert {"mcp", "mcp-types", "httpx2", "anyio", "starlette"} <= set(names["mcp"])
    assert not set(names["mcp"]) & set(names["base"])
    for text in texts.values():
        assert text.count("==") <= text.count("--hash=sha256:")


def test_a_layer_loses_what_no_function_needs(tmp_path: Path) -> None:
    kept = [
        "botocore/__init__.py",
        "botocore/data/_retry.json",
        "botocore/data/dynamodb/2012-08-10/paginators-1.json",
        "opentelemetry_api-1.45.2.dist-info/entry_points.txt",
        "pydantic-2.14.3.dist-info/METADATA",
        "pydantic-2.14.3.dist-info/licenses/LICENSE",
        "six-1.17.0.dist-info/LICENSE",
    ]
    lost = [
        ".lock",
        "bin/jp.py",
        "botocore/data/dynamodb/2012-08-10/examples-1.json",
        "botocore/data/ec2/2016-11-15/service-2.json.gz",
        "pydantic/__init__.pyi",
        "pydantic/py.typed",
        "pydantic/tests/test_all.py",
        "pydantic-2.14.3.dist-info/RECORD",
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
    roots = [path for path in (FUNCTIONS / "shoal/composition").glob("*.py") if path.stem != "operator"]
    assert roots
    used = set(re.findall(r'\bclient\("([\w-]+)"\)', "".join(root.read_text("utf-8") for root in roots)))
    assert used
    assert used <= layer.AWS_SERVICES


def test_the_layer_keeps_every_service_that_an_adapter_takes_a_client_of() -> None:
    adapters = [path for path in (FUNCTIONS / "shoal/adapters").rglob("*.py") if path.stem != OPERATORS]
    assert adapters
    code = "".join(path.read_text(encoding="utf-8") for path in adapters)
    used = {name.replace("_", "-") for name in re.findall(r"from mypy_boto3_(\w+) import", code)}
    assert {"bedrock-runtime", "polly"} <= used
    assert used <= layer.AWS_SERVICES


def test_stripping_changes_no_file_that_others_share(tmp_path: Path) -> None:
    kept = tmp_path / "cache.json"
    kept.write_text(json.dumps({"partitions": [{"services": {"ec2": {}}}]}), encoding="utf-8")
    linked = tmp_path / "layer/botocore/data/endpoints.json"
    linked.parent.mkdir(parents=True)
    linked.hardlink_to(kept)
    layer.strip(tmp_path / "layer")
    assert "ec2" in kept.read_text(encoding="utf-8")
    assert "ec2" not in linked.read_text(encoding="utf-8")


@pytest.fixture(scope="module")
def stripped(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """botocore's data as a layer has it."""
    folder = tmp_path_factory.mktemp("layer")
    source = Path(botocore.__file__).parent / "data"
    for name in (*layer.AWS_SERVICES, "endpoints.json", "partitions.json", "_retry.json"):
        copy = shutil.copytree if (source / name).is_dir() else shutil.copy
        (folder / "botocore/data").mkdir(parents=True, exist_ok=True)
        copy(source / name, folder / "botocore/data" / name)
    shutil.copy(source / "sdk-default-configuration.json", folder / "botocore/data")
    layer.strip(folder)
    return folder / "botocore/data"


@pytest.mark.parametrize("service", sorted(layer.AWS_SERVICES - {"bedrock-runtime"}))
def test_botocore_speaks_to_a_service_by_what_the_layer_keeps(service: str, stripped: Path) -> None:
    whole, trimmed = Session(), Session()
    loader = Loader([str(stripped)], include_default_search_paths=False)
    trimmed.register_component("data_loader", loader)
    assert request_of(trimmed, service) == request_of(whole, service)


class Sent(Exception):
    """A request that would have been sent."""


def request_of(session: Session, service: str) -> tuple[str, str, bytes]:
    """Method, address and body of a service's first operation that needs no parameters."""
    client = session.create_client(
        service, region_name="eu-west-1", aws_access_key_id="a", aws_secret_access_key="b"
    )

    def send(request: AWSPreparedRequest, **_: object) -> None:
        raise Sent(request.method, request.url, request.body)

    client.meta.events.register("before-send", send)
    model = client.meta.service_model
    operation = next(
        name
        for name in model.operation_names
        if not (shape := model.operation_model(name).input_shape) or not shape.required_members
    )
    with pytest.raises(Sent) as sent:
        getattr(client, xform_name(operation))()
    method, url, body = sent.value.args
    return method, url, body
