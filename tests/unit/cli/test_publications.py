"""`shoal catalog`: publish, look, go back."""

from __future__ import annotations

import json
import re
from pathlib import Path
from shutil import copytree

import pytest

from shoal.domain.models.files import CATALOG, SHARED
from tests.support.operator_command import Shoal
from tests.worlds.world import World


@pytest.fixture
def shoal(world: World) -> Shoal:
    return Shoal(world)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Another catalog."""
    folder = tmp_path / "catalog"
    copytree(CATALOG, folder)
    shared = folder / SHARED
    text = shared.read_text(encoding="utf-8")
    shared.write_text(text.replace('price_version = "', 'price_version = "x', 1), encoding="utf-8")
    return folder


def test_a_catalog_is_published_listed_and_taken_back(shoal: Shoal, folder: Path) -> None:
    assert "the same" in shoal("catalog", "status").output

    published = shoal("catalog", "publish", str(folder), "--note", "Prices of December")

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


@pytest.mark.parametrize(("was", "is_"), [("default_mode", "default_mood"), ("[low_balance]", "[[low")])
def test_what_breaks_a_rule_is_refused_with_file_and_line(
    shoal: Shoal, folder: Path, was: str, is_: str
) -> None:
    shared = folder / SHARED
    shared.write_text(shared.read_text(encoding="utf-8").replace(was, is_, 1), encoding="utf-8")

    refused = shoal("catalog", "publish", str(folder))

    assert refused.exit_code == 1
    assert re.search(r"catalog\.toml:\d+: ", refused.output)
    assert json.loads(shoal("catalog", "list", "--json").output) == {"publications": []}


def test_there_is_nothing_to_go_back_to(shoal: Shoal) -> None:
    assert shoal("catalog", "rollback").exit_code == 1
