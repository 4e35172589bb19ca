"""`shoal catalog`: publish, look, go back."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from shoal.domain.catalog import CATALOG_FILE
from tests.support.operator_command import Shoal
from tests.worlds.world import World


@pytest.fixture
def shoal(world: World) -> Shoal:
    return Shoal(world)


@pytest.fixture
def file(tmp_path: Path) -> Path:
    """Another catalog."""
    text = CATALOG_FILE.read_text(encoding="utf-8")
    path = tmp_path / "catalog.toml"
    path.write_text(text.replace('price_version = "', 'price_version = "x', 1), encoding="utf-8")
    return path


def test_a_catalog_is_published_listed_and_taken_back(shoal: Shoal, file: Path) -> None:
    assert "the same" in shoal("catalog", "status").output

    published = shoal("catalog", "publish", str(file), "--note", "Prices of December")

    assert published.exit_code == 0
    assert "30 seconds" in published.output
    (first,) = json.loads(shoal("catalog", "list", "--json").output)["publications"]
    assert (first["number"], first["note"]) == (1, "Prices of December")
    assert first["by"] == "arn:aws:iam::123456789012:user/operator"
    assert "another one" in shoal("catalog", "status").output
    assert json.loads(shoal("catalog", "status", "--json").output)["current"] == first["version"]
    assert "Prices of December" in shoal("catalog", "list").output

    assert shoal("catalog", "rollback", "--note", "Too dear").exit_code == 0
    status = json.loads(shoal("catalog", "status", "--json").output)
    assert status["current"] == status["packaged"] == first["previous"]


def test_the_same_again_changes_nothing(shoal: Shoal) -> None:
    assert "nothing changed" in shoal("catalog", "publish").output


@pytest.mark.parametrize("text", ["models = 1", "[", ""])
def test_what_is_no_catalog_is_refused_in_one_line(shoal: Shoal, tmp_path: Path, text: str) -> None:
    path = tmp_path / "catalog.toml"
    path.write_text(text, encoding="utf-8")

    refused = shoal("catalog", "publish", str(path))

    assert refused.exit_code == 2
    assert "is no catalog" in refused.output
    assert json.loads(shoal("catalog", "list", "--json").output) == {"publications": []}


def test_there_is_nothing_to_go_back_to(shoal: Shoal) -> None:
    assert shoal("catalog", "rollback").exit_code == 1
