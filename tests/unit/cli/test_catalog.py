"""`shoal catalog`: what it prints, and that a wrong catalog is an error."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from shoal.cli import app
from shoal.domain.models.files import CATALOG


def shoal(*arguments: object) -> Result:
    return CliRunner().invoke(app, ["catalog", *map(str, arguments)])


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return shutil.copytree(CATALOG, tmp_path / "catalog")


def edit(file: Path, old: str, new: str) -> None:
    text = file.read_text(encoding="utf-8")
    assert old in text
    file.write_text(text.replace(old, new, 1), encoding="utf-8")


def test_a_right_catalog_is_a_table_of_prices_and_costs() -> None:
    result = shoal("check")

    assert result.exit_code == 0
    (flux,) = [line for line in result.stdout.splitlines() if line.startswith("flux ")]
    assert "$0.025 an output" in flux
    assert "$0.025 on fal/fal-ai/flux/dev" in flux
    losing = [line.split()[0] for line in result.stdout.splitlines() if line.rstrip().endswith("at a loss")]
    assert losing == ["nanobanana", "shoal-image"]


def test_a_wrong_catalog_is_an_error_with_a_line_for_each_thing(folder: Path) -> None:
    edit(folder / "models" / "flux.toml", "micros = 25_000\n\n", "micros = 24_000\n\n")

    result = shoal("check", folder)

    assert result.exit_code == 1
    said = (
        "tariff: sells for 24000 and costs 25000 micro-dollars on fal/fal-ai/flux/dev: at_a_loss must be true"
    )
    assert result.stdout == f"{folder}/models/flux.toml:26: {said}\n"
    assert "wrong in 1 place" in result.stderr


def test_what_is_wrong_can_be_read_by_machines(folder: Path) -> None:
    edit(folder / "models" / "flux.toml", '"fal"', '"nobody"')

    told = json.loads(shoal("check", folder, "--json").stdout)

    assert told["wrong"][0] | {"file": ""} == {
        "file": "",
        "line": 31,
        "field": "routes[0].provider",
        "reason": "there is no provider 'nobody'",
    }
    assert json.loads(shoal("check", "--json").stdout)["models"][0]["model"] == "clip"


def test_no_folder_is_an_error(tmp_path: Path) -> None:
    for command in (("check",), ("diff",), ("show", "flux")):
        result = shoal(*command, tmp_path / "none")
        assert (result.exit_code, result.stderr.count("\n")) == (1, 1)
        assert "is no catalog" in result.stderr


def test_a_diff_tells_models_fields_and_prices(folder: Path) -> None:
    models = folder / "models"
    (models / "clip.toml").rename(models / "clip-2.toml")
    edit(models / "flux.toml", "micros = 25_000\n\n", "micros = 30_000\n\n")
    edit(models / "gpt-image.toml", "micros = 40_000", "micros = 39_000")
    edit(models / "gpt-image.toml", '"GPT Image"', '"GPT"')
    edit(models / "stable-image.toml", 'cost = [{ per = "output", micros = 30_000 }]\n', "")
    edit(folder / "catalog.toml", 'default_mode = "2k"', 'default_mode = "4k"')

    assert shoal("diff", folder).stdout.splitlines() == [
        "removed: clip",
        "added: clip-2",
        "price up: flux: tariff[0].micros 25000 → 30000",
        "changed: gpt-image: title GPT Image → GPT",
        "price down: gpt-image: tariff[0].micros 40000 → 39000",
        "removed: stable-image: routes[0].cost[0].per (was output)",
        "removed: stable-image: routes[0].cost[0].micros (was 30000)",
        "changed: catalog: default_mode 2k → 4k",
    ]
    assert shoal("diff").stdout == "Nothing differs.\n"
    assert len(json.loads(shoal("diff", folder, "--json").stdout)["changes"]) == 8


def test_a_model_is_shown_with_its_parameters_price_and_routes() -> None:
    shown = shoal("show", "flux").stdout

    assert "aspect_ratio   1:1, 16:9" in shown
    assert "COST ON replicate/black-forest-labs/flux-schnell" in shown
    assert json.loads(shoal("show", "flux", "--json").stdout)["title"] == "FLUX"
    missing = shoal("show", "fluxx")
    assert missing.exit_code == 1
    assert "Did you mean flux" in missing.stderr
