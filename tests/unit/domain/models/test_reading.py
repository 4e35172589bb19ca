"""A catalog's folder: what is wrong is told with its file and line."""

from __future__ import annotations

import json
import re
import shutil
from pathlib import Path

import pytest

from shoal.dialects.parameters import refusals
from shoal.domain.catalog import load_catalog
from shoal.domain.models.files import CATALOG, MODELS, PACKAGED, read_document
from shoal.domain.models.lines import lines_of
from shoal.domain.models.reading import check_folder

PROVIDERS = {route.provider for route in load_catalog().all_routes()}
TEXT = """title = "M" # [x]
outputs = { media = ["image/png"],
  max = 1 }
note = \"\"\"
[not.a.table]
key = 1
\"\"\"
"quoted key" = 1

[input.properties]
prompt = { type = "string" }
a.b = 1

[[tariff]]
per = "output"

[[tariff]] # again
micros = [
  1,
]
[tariff.more]
x = 1
"""


@pytest.mark.parametrize(
    ("field", "line"),
    [
        (("title",), 1),
        (("outputs", "max"), 2),
        (("quoted key",), 8),
        (("input",), 1),
        (("input", "properties", "prompt", "type"), 11),
        (("input", "properties", "a", "b"), 12),
        (("tariff",), 14),
        (("tariff", 0), 14),
        (("tariff", 0, "per"), 15),
        (("tariff", 1, "micros", 0), 18),
        (("tariff", 1, "more", "x"), 22),
        (("tariff", 1, "per"), 17),
        (("nothing",), 1),
    ],
)
def test_a_field_has_its_line(field: tuple[str | int, ...], line: int) -> None:
    assert lines_of(TEXT).of(field) == line


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return shutil.copytree(CATALOG, tmp_path / "catalog")


def wrong_in(folder: Path) -> list[str]:
    found = check_folder(folder, refusals, PROVIDERS)
    return [str(each).removeprefix(f"{folder}/") for each in found]


def test_the_catalog_that_ships_is_right(folder: Path) -> None:
    assert wrong_in(folder) == []


@pytest.mark.parametrize(
    ("file", "old", "new", "said"),
    [
        (
            "models/flux.toml",
            "micros = 25_000\n\n",
            "micros = 0.025\n\n",
            "models/flux.toml:28: tariff[0].micros: ",
        ),
        ("models/flux.toml", '"fal"', '"nobody"', "models/flux.toml:31: routes[0].provider: there is no"),
        ("models/flux.toml", '"1:1" =', '"1:1" = = ', "models/flux.toml:17: Invalid value (at line 17"),
        ("catalog.toml", '"2k"', '"8k"', "catalog.toml:1: default_mode '8k' is not a mode"),
        ("catalog.toml", "credits = 10\n", "credits = 0\n", "catalog.toml:23: top_up.packs[0].credits: "),
    ],
)
def test_what_is_wrong_is_told_with_its_line(folder: Path, file: str, old: str, new: str, said: str) -> None:
    path = folder / file
    text = path.read_text(encoding="utf-8")
    assert old in text
    path.write_text(text.replace(old, new, 1), encoding="utf-8")

    told = wrong_in(folder)

    assert told
    assert told[0].startswith(said)


def test_what_is_packaged_is_read_as_it_is(folder: Path) -> None:
    document = json.loads(read_document(folder))
    del document[MODELS]["flux"]
    (folder / PACKAGED).write_text(json.dumps(document))

    assert set(load_catalog(CATALOG).models) - set(load_catalog(folder).models) == {"flux"}


def test_the_file_of_the_page_breaks_no_rule(folder: Path) -> None:
    page = Path("docs/how-to/add-a-model.md").read_text(encoding="utf-8")
    (file,) = re.findall(r"```toml\n(.*?)```", page, re.DOTALL)
    (folder / MODELS / "seedance-1-pro.toml").write_text(file, encoding="utf-8")

    assert wrong_in(folder) == []
