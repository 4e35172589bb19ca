"""Drafts of models from providers' documents: right by every rule, and open where a person decides."""

from __future__ import annotations

import json
import tomllib
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from shoal.cli import app
from shoal.cli.drafts import Provider, drafts_of, toml_of
from tests.support.models.catalogs import a_catalog, wrong_in
from tests.support.models.published import FAL, REPLICATE, fal_document, replicate_document


def drafted(document: dict[str, Any], provider: Provider) -> dict[str, dict[str, Any]]:
    """The drafts as files are read, by their endpoints."""
    return {each.endpoint: tomllib.loads(toml_of(each)) for each in drafts_of(document, provider)}


def fal(endpoint: str) -> dict[str, Any]:
    return drafted(fal_document(endpoint), "fal")[endpoint]


def replicate(name: str) -> dict[str, Any]:
    return drafted(replicate_document(name), "replicate")[name]


@pytest.mark.parametrize("endpoint", FAL)
def test_a_draft_of_fals_breaks_no_rule(endpoint: str) -> None:
    assert wrong_in(a_catalog(models={"m": fal(endpoint)})) == {}


@pytest.mark.parametrize("name", REPLICATE)
def test_a_draft_of_replicates_breaks_no_rule(name: str) -> None:
    told = replicate(name)
    told["routes"][0]["provider"] = "fal"  # the test's catalog has few providers
    assert wrong_in(a_catalog(models={"m": told})) == {}


def test_one_document_may_describe_many_endpoints() -> None:
    assert len(FAL) > 10
    assert len(REPLICATE) > 10
    assert list(drafted(fal_document(*FAL), "fal")) == list(FAL)
    listed = {"results": [replicate_document(name) for name in REPLICATE]}
    assert list(drafted(listed, "replicate")) == list(REPLICATE)


def test_a_picture_of_fals_is_drafted_with_its_roles_bounds_and_defaults() -> None:
    told = fal("fal-ai/reef/dev")

    properties = told["input"]["properties"]
    assert next(iter(properties)) == "prompt"
    assert {name: each["role"] for name, each in properties.items() if "role" in each} == {
        "prompt": "prompt",
        "num_images": "count",
        "num_inference_steps": "steps",
        "seed": "seed",
    }
    assert properties["image_size"]["enum"][0] == "square_hd"
    assert properties["image_size"]["default"] == "landscape_16_9"
    assert properties["guidance_scale"] == {"type": "number", "minimum": 1, "maximum": 20, "default": 3.5}
    assert (told["type"], told["outputs"]) == ("image_generate", {"media": ["image/png"], "max": 4})
    (route,) = told["routes"]
    assert (route["provider"], route["model"]) == ("fal", "fal-ai/reef/dev")
    assert route["outputs"] == [{"path": "images[*].url"}]
    assert "num_images" not in route["input"]
    assert route["input"]["seed"] == "{seed}"


def test_a_name_that_is_taken_is_changed_and_handed_on_as_it_was() -> None:
    clip, mesh = fal("fal-ai/current/v2/text-to-video"), fal("fal-ai/coral/image-to-3d")

    assert "its_mode" in clip["input"]["properties"]
    assert clip["routes"][0]["input"]["mode"] == "{its_mode}"
    assert {"its_type", "its_seed"} <= mesh["input"]["properties"].keys()
    assert replicate("whale/speech-audio")["routes"][0]["input"]["cleanup-voice"] == "{its_cleanup_voice}"


@pytest.mark.parametrize(
    ("told", "type_", "media", "paths"),
    [
        (lambda: fal("fal-ai/reef/dev/image-to-image"), "image_edit", "image/png", ["images[*].url"]),
        (lambda: fal("fal-ai/current/v2/text-to-video"), "video_generate", "video/mp4", ["video.url"]),
        (lambda: fal("fal-ai/tide/upscale"), "image_upscale", "image/png", ["image.url"]),
        (lambda: fal("fal-ai/whale/text-to-speech"), "speech_generate", "audio/mpeg", ["audio.url"]),
        (lambda: fal("fal-ai/whale/music"), "audio_generate", "audio/mpeg", ["audio.url"]),
        (lambda: fal("fal-ai/pearl/lipsync"), "video_edit", "video/mp4", ["video.url"]),
        (lambda: fal("fal-ai/pearl/caption"), "text_generate", "text/plain", ["output"]),
        (lambda: replicate("reef/kontext"), "image_edit", "image/png", ["output"]),
        (lambda: replicate("reef/schnell"), "image_generate", "image/png", ["output[*]"]),
        (lambda: replicate("whale/music-audio"), "audio_generate", "audio/mpeg", ["output"]),
    ],
)
def test_the_type_and_the_outputs_are_guessed(told: Any, type_: str, media: str, paths: list[str]) -> None:
    model = told()

    assert (model["type"], model["outputs"]["media"]) == (type_, [media])
    assert [each["path"] for each in model["routes"][0]["outputs"]] == paths


def test_files_beside_an_output_are_extra() -> None:
    assert fal("fal-ai/coral/image-to-3d")["routes"][0]["outputs"] == [
        {"path": "model_mesh.url"},
        {"path": "rendered_image.url", "extra": True},
    ]
    assert replicate("coral/mesh")["routes"][0]["outputs"][1] == {"path": "output.color_video", "extra": True}


@pytest.mark.parametrize(
    ("document", "provider", "said"),
    [
        (fal_document("fal-ai/current/v2/image-to-video"), "fal", "dynamic_masks has no form"),
        (fal_document("fal-ai/whale/music"), "fal", "duration says no maximum"),
        (fal_document("fal-ai/reef/dev"), "fal", "prompt says no maxLength"),
        (replicate_document("pearl/caption-text"), "replicate", "extra has no form"),
    ],
)
def test_what_a_person_decides_is_marked(document: dict[str, Any], provider: Provider, said: str) -> None:
    (draft,) = drafts_of(document, provider)

    marked = [line for line in toml_of(draft).splitlines() if "# DECIDE: " in line]
    assert any(said in line for line in marked)
    assert any("what it sells for" in line for line in marked)


def test_the_command_prints_drafts_or_writes_them(tmp_path: Path) -> None:
    file, folder = tmp_path / "openapi.json", tmp_path / "models"
    file.write_text(json.dumps(fal_document("fal-ai/reef/dev", "fal-ai/tide/upscale")))

    printed = CliRunner().invoke(app, ["catalog", "import", "fal", str(file)])
    written = CliRunner().invoke(app, ["catalog", "import", "fal", str(file), "--to", str(folder)])

    assert printed.stdout.startswith("# reef-dev.toml\n# DECIDE: ")
    assert written.exit_code == 0
    assert sorted(each.name for each in folder.iterdir()) == ["reef-dev.toml", "tide-upscale.toml"]


@pytest.mark.parametrize("text", ["", "[]", "{}", '{"paths": {"/x": {"get": {}}}}', '{"components": {}}'])
@pytest.mark.parametrize("provider", ["fal", "replicate"])
def test_a_document_of_another_form_is_an_error(tmp_path: Path, provider: str, text: str) -> None:
    file = tmp_path / "openapi.json"
    file.write_text(text)

    result = CliRunner().invoke(app, ["catalog", "import", provider, str(file)])

    assert (result.exit_code, result.stderr.count("\n")) == (1, 1)
    assert f"is no document of {provider}" in result.stderr
