"""What leaves this repository is under known licences; copyleft is where it may be; the page says so."""

from __future__ import annotations

import hashlib
import json
import tomllib
import zipfile
from importlib.metadata import PathDistribution
from pathlib import Path, PurePath

import pytest

from infra import licences
from infra.build import layer
from infra.build.layer import LayerFailed
from infra.licence_facts import Facts, facts
from infra.licences import Component, findings, from_npm, permissive, read_licence

ROOT = Path(__file__).parents[3]
NOT_NEEDED = "is an exception that nothing needs"


@pytest.fixture(scope="module")
def found() -> list[Component]:
    return list(licences.components())


def component(place: str, name: str, licence: str) -> Component:
    return Component(place=place, name=name, version="1.0", licence=licence)


def problems(*found: Component, known: Facts | None = None) -> list[str]:
    """The findings, but for those of exceptions that these few do not need."""
    return [line for line in findings(found, known or facts()) if NOT_NEEDED not in line]


def test_every_package_is_under_a_licence_that_it_may_be_under_where_it_goes(found: list[Component]) -> None:
    assert findings(found, facts()) == []
    assert list(licences.unknown_libraries()) == []
    assert list(licences.find_outdated(found)) == []


def test_every_place_is_looked_at(found: list[Component]) -> None:
    assert {each.place for each in found} == set(licences.PLACES)
    assert set(layer.LAYERS) <= set(licences.PLACES)
    names = {place: {each.name for each in found if each.place == place} for place in licences.PLACES}
    assert names["browser"] == {"htmx.org"}
    assert {"av", "av: libx264"} <= names["video"]
    assert {"boto3", "typer", "stripe"} <= names["operate"]
    assert {"aws-cdk-lib", "uv"} <= names["deploy"]
    assert names["client"] == {"certifi", "charset-normalizer", "idna", "requests", "urllib3"}


def test_copyleft_is_in_three_layers_and_no_voice_is_in_any_other(found: list[Component]) -> None:
    assert {each.place for each in found if "GPL" in each.licence and not allowed(each)} == {
        *("media", "video", "voice")
    }
    assert {each.place for each in found if "espeak" in each.name} == {"voice"}


def allowed(each: Component) -> bool:
    return permissive(each.licence, facts().permissive)


@pytest.mark.parametrize(
    ("place", "name", "licence"),
    [
        ("base", "readline", "GPL-3.0-only"),
        ("web", "ghostscript", "AGPL-3.0-or-later"),
        ("base", "requests", "Apache-2.0 AND GPL-2.0-only"),
        ("video", "espeakng-loader", "GPL-3.0-or-later"),
        ("media", "av: libx264", "GPL-2.0-or-later"),
        ("base", "certifi", "GPL-3.0-only"),
        ("browser", "axe-core", "MPL-2.0"),
        ("base", "source-available", "BUSL-1.1"),
        ("base", "no-such-licence", "Do-What-You-Like"),
    ],
)
def test_what_is_neither_permissive_nor_an_exception_there_is_found(
    place: str, name: str, licence: str
) -> None:
    (line,) = problems(component(place, name, licence))

    assert line.startswith(f"{place}: {name} is under {licence}")


def test_a_package_without_a_licence_is_found() -> None:
    (line,) = problems(component("base", "mystery", ""))

    assert line == "base: mystery tells no licence: write it into infra/licences.toml"


@pytest.mark.parametrize("licence", ["MIT", "MIT OR GPL-3.0-only", "Apache-2.0 AND (MIT OR LGPL-2.1-only)"])
def test_what_can_be_taken_under_a_permissive_licence_is_no_problem(licence: str) -> None:
    assert problems(component("base", "anything", licence)) == []


def test_an_exception_that_nothing_needs_is_found(found: list[Component]) -> None:
    without = [each for each in found if each.name != "espeakng-loader"]

    assert findings(without, facts()) == [f"voice: espeakng-loader {NOT_NEEDED}"]


def test_a_library_that_a_wheel_did_not_bring_before_is_found() -> None:
    files = ("av/_core.abi3.so", "av.libs/libx264-d6533a8d.so.165", "av.libs/libx266-00c0ffee.so.3.1")

    assert facts().unknown_libraries("av", map(PurePath, files)) == ["libx266"]
    assert facts().unknown_libraries("requests", [PurePath("requests/libssl.so.3")]) == ["libssl"]
    assert facts().unknown_libraries("pillow", [PurePath("PIL/_imaging.cpython-313-darwin.so")]) == []


METADATA = {
    "License-Expression: MIT": "MIT",
    "License: BSD-3-Clause\nClassifier: License :: OSI Approved :: BSD License": "BSD-3-Clause",
    "License: Apache 2.0\nClassifier: License :: OSI Approved :: Apache Software License": "Apache-2.0",
    "Classifier: License :: OSI Approved :: ISC License (ISCL)": "ISC",
    "Classifier: License :: OSI Approved :: BSD License": "",
    "Classifier: License :: OSI Approved :: MIT License\nClassifier: License :: DFSG approved": "MIT",
    "Classifier: License :: OSI Approved :: MIT License\n"
    "Classifier: License :: OSI Approved :: GNU General Public License v3 (GPLv3)": "",
    "Classifier: License :: OSI Approved\nLicense: Apache-2.0": "Apache-2.0",
    "License: see the file": "",
    "Summary: nothing": "",
}


@pytest.mark.parametrize("lines", METADATA)
def test_metadata_old_and_new_is_read(tmp_path: Path, lines: str) -> None:
    folder = tmp_path / "thing-1.0.dist-info"
    folder.mkdir()
    (folder / "METADATA").write_text(f"Metadata-Version: 2.4\nName: thing\nVersion: 1.0\n{lines}\n")

    assert read_licence(PathDistribution(folder)) == METADATA[lines]


def test_a_package_that_is_not_installed_tells_nothing() -> None:
    assert licences.licence_of("not-installed-at-all") == ""


def test_npms_packages_are_told_apart() -> None:
    lock = {
        "packages": {
            "": {"name": "ours"},
            "node_modules/shown": {"version": "1.0.0", "license": "0BSD"},
            "node_modules/tool/node_modules/part": {"version": "2.0.0", "dev": True},
        }
    }

    assert [(each.name, each.licence) for each in from_npm(lock, "browser")] == [("shown", "0BSD")]
    assert [(each.name, each.licence) for each in from_npm(lock, "tools")] == [("part", "")]


def test_the_check_fails_and_says_why(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    lock = json.loads(licences.NPM_LOCK.read_text())
    lock["packages"]["node_modules/copied"] = {"version": "9.0.0", "license": "AGPL-3.0-only"}
    (tmp_path / "package-lock.json").write_text(json.dumps(lock))
    monkeypatch.setattr(licences, "NPM_LOCK", tmp_path / "package-lock.json")
    monkeypatch.setattr("sys.argv", ["licences"])

    assert licences.main() == 1
    said = capsys.readouterr().out
    assert "browser: copied is under AGPL-3.0-only" in said
    assert "docs/licences.md says something else" in said


def test_a_layer_is_not_built_of_a_wheel_with_an_unknown_library(tmp_path: Path) -> None:
    wheel = tmp_path / "thing-1.0-py3-none-any.whl"
    with zipfile.ZipFile(wheel, "w") as archive:
        archive.writestr("thing.libs/libnew-00c0ffee.so.1", b"")
        archive.writestr("thing-1.0.dist-info/METADATA", "Metadata-Version: 2.1\nName: thing\nVersion: 1.0\n")
        archive.writestr("thing-1.0.dist-info/WHEEL", "Wheel-Version: 1.0\nTag: py3-none-any\n")
        archive.writestr("thing-1.0.dist-info/RECORD", "")
    digest = hashlib.sha256(wheel.read_bytes()).hexdigest()

    with pytest.raises(LayerFailed, match="libnew: write"):
        layer.install(f"thing @ {wheel.as_uri()} --hash=sha256:{digest}\n", tmp_path / "layer")


def test_every_package_of_ours_is_under_the_licence_in_it() -> None:
    text = (ROOT / "LICENSE").read_text()
    assert "Apache License" in text
    for folder in (ROOT, ROOT / "clients/python"):
        project = tomllib.loads((folder / "pyproject.toml").read_text())["project"]
        assert (project["license"], project["license-files"]) == ("Apache-2.0", ["LICENSE", "NOTICE"])
        assert (folder / "LICENSE").read_text() == text
        assert (folder / "NOTICE").read_text().startswith("Shoal")
    for name in ("package.json", "package-lock.json"):
        read = json.loads((ROOT / name).read_text())
        assert read.get("packages", {"": read})[""]["license"] == "Apache-2.0"
