"""The format says what providers sell: twelve kinds of model, priced and asked for as providers want."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from shoal.composition.upstreams import PROVIDERS
from shoal.dialects.parameters import read, refusals
from shoal.domain.catalog import Catalog, load_catalog
from shoal.domain.models.measures import Staged
from shoal.domain.models.reading import check_folder
from shoal.domain.models.roles import Role
from shoal.domain.models.tariff import measured_quantities
from shoal.domain.models.template import find

FOLDER = Path("tests/catalog_models")
IMAGE, VIDEO, AUDIO = "https://x.test/i.png", "https://x.test/v.mp4", "https://x.test/a.mp3"
PICTURE = Staged(Role.IMAGE, width_px=800, height_px=500)
FACE, VOICE = Staged(Role.VIDEO, duration_ms=10_400), Staged(Role.AUDIO, duration_ms=12_500)


@pytest.fixture(scope="module")
def catalog() -> Catalog:
    return load_catalog(FOLDER)


def test_every_rule_holds_for_them(catalog: Catalog) -> None:
    assert [str(each) for each in check_folder(FOLDER, refusals, PROVIDERS)] == []
    assert len(catalog.models) == 12


@pytest.mark.parametrize(
    ("name", "asked", "staged", "micros"),
    [
        ("gpt-image-sizes", {"quality": "high", "size": "1536x1024"}, [], 316_000),
        ("gpt-image-sizes", {}, [], 53_000),
        ("veo", {"duration": 6, "audio": False}, [], 6 * 250_000),
        ("veo", {"resolution": "1080p"}, [], 8 * 450_000),
        ("kling", {"duration": "10", "tier": "pro"}, [], 1_120_000),
        ("seedance", {"duration": 12, "resolution": "1080p", "audio": True}, [], 12 * 150_000),
        ("seedance", {"image_url": IMAGE}, [PICTURE], 5 * 62_000 + 1_000),
        ("flux-edit", {"image_url": IMAGE, "width": 1_024, "height": 1_024}, [PICTURE], 70_000),
        ("speech", {"text": "Sharks are old."}, [], 450),
        ("speech", {"text": "Hi"}, [], 100),
        ("music", {"seconds": 61}, [], 120 * 14_000),
        ("upscaler", {"image_url": IMAGE, "scale": 4}, [PICTURE], 12_800),
        ("upscaler", {"image_url": IMAGE}, [PICTURE], 5_000),
        ("background-removal", {"image_url": IMAGE}, [PICTURE], 20_000),
        ("lip-sync", {"video_url": VIDEO, "audio_url": AUDIO}, [FACE, VOICE], 150_000),
        ("mesh", {"image_url": IMAGE, "texture": "detailed"}, [PICTURE], 500_000),
        ("sdxl", {"steps": 50}, [], 10_500),
    ],
)
def test_one_output_comes_to_its_price_at_most(
    catalog: Catalog, name: str, asked: dict[str, Any], staged: list[Staged], micros: int
) -> None:
    assert catalog.models[name].terms(_values(catalog, name, asked), staged).price_of(1) == micros


def test_a_clip_is_charged_for_the_seconds_that_came(catalog: Catalog) -> None:
    asked = _values(catalog, "seedance", {"resolution": "1080p", "duration": 5})
    terms = catalog.models["seedance"].terms(asked)

    came = [measured_quantities(width_px=1_920, height_px=1_080, duration_ms=ms) for ms in (5_040, 4_200)]
    assert [terms.cost_of([each]) for each in came] == [5 * 124_000, 520_800]


@pytest.mark.parametrize(
    ("name", "asked", "route", "wanted"),
    [
        (
            "gpt-image-sizes",
            {"n": 2},
            "openai/gpt-image-2",
            {"prompt": "A shark", "quality": "medium", "size": "1024x1024", "background": "opaque"},
        ),
        (
            "veo",
            {"duration": 6},
            "gemini-video/veo-3.1",
            {
                "instances": [{"prompt": "A shark"}],
                "parameters": {
                    "durationSeconds": 6,
                    "resolution": "720p",
                    "aspectRatio": "16:9",
                    "generateAudio": True,
                },
            },
        ),
        (
            "kling",
            {"image_url": IMAGE},
            "fal/fal-ai/kling-video/v2.5/image-to-video",
            {"prompt": "A shark", "duration": "5", "mode": "std", "start_image_url": IMAGE},
        ),
        (
            "seedance",
            {"aspect_ratio": "9:16", "audio": True},
            "fal/fal-ai/bytedance/seedance/v1/pro/text-to-video",
            {
                "prompt": "A shark",
                "video": {"duration": "5s"},
                "resolution": "720p",
                "image_size": {"width": 720, "height": 1_280},
                "sound": "on",
                "enable_safety_checker": True,
            },
        ),
        (
            "flux-edit",
            {"image_url": IMAGE},
            "fal/fal-ai/flux/dev/image-to-image",
            {
                "prompt": "A shark",
                "image_url": IMAGE,
                "image_size": {"width": 1_024, "height": 1_024},
                "strength": 0.8,
            },
        ),
        (
            "speech",
            {"text": "Hi", "voice": "amy"},
            "replicate/minimax/speech-02-hd",
            {"text": "Hi", "voice_id": "English_Amy", "speed": 1},
        ),
        (
            "music",
            {"seconds": 61},
            "fal/fal-ai/elevenlabs/music",
            {"prompt": "A shark", "duration_seconds": 61, "force_instrumental": False},
        ),
        ("upscaler", {"image_url": IMAGE, "scale": 4}, "fal/fal-ai/esrgan", {"image_url": IMAGE, "scale": 4}),
        (
            "background-removal",
            {"image_url": IMAGE},
            "fal/fal-ai/bria/background/remove",
            {"image_url": IMAGE, "sync_mode": False},
        ),
        (
            "lip-sync",
            {"video_url": VIDEO, "audio_url": AUDIO},
            "replicate/sync/lipsync-2",
            {"video": VIDEO, "audio": AUDIO, "sync_mode": "cut_off"},
        ),
        (
            "mesh",
            {"image_url": IMAGE, "texture": "detailed"},
            "fal/tripo3d/tripo/v2.5/image-to-3d",
            {"image_url": IMAGE, "texture": "HD", "face_limit": 30_000},
        ),
        (
            "sdxl",
            {"seed": 7},
            "replicate/stability-ai/sdxl",
            {
                "prompt": "A shark",
                "num_inference_steps": 25,
                "width": 1_024,
                "height": 1_024,
                "scheduler": "K_EULER",
                "seed": 7,
            },
        ),
    ],
)
def test_its_provider_is_asked_in_its_own_words(
    catalog: Catalog, name: str, asked: dict[str, Any], route: str, wanted: dict[str, Any]
) -> None:
    model, values = catalog.models[name], _values(catalog, name, asked)

    first = model.routes_for(values)[0]

    assert first.name == route
    assert model.input_for(first, values) == wanted


def test_the_largest_clips_of_veo_are_8_seconds(catalog: Catalog) -> None:
    said = refusals(catalog.models["veo"], {"prompt": "x", "resolution": "1080p", "duration": 6})

    assert {each.field for each in said} == {("resolution",), ("duration",)}


def test_a_mesh_has_a_preview_beside_it(catalog: Catalog) -> None:
    (template,) = catalog.models["mesh"].templates.values()
    answer = {"model_mesh": {"url": "mesh"}, "rendered_image": {"url": "preview"}}

    found = [(path.extra, find(answer, path.path)) for path in template.outputs]

    assert found == [(False, ["mesh"]), (True, ["preview"])]


def _values(catalog: Catalog, name: str, asked: dict[str, Any]) -> dict[str, Any]:
    model = catalog.models[name]
    prompt = {"prompt": "A shark"} if "prompt" in model.inputs.properties else {}
    given = read(model, {"model": name, **prompt, **asked}, ())
    return model.inputs.filled({own: given[own] for own in model.inputs.properties})
