"""The simulator's pictures: exact sizes, the same bytes every time, and no prompt that breaks them."""

import hashlib
import io
import random
import subprocess
import sys

import pytest
from PIL import Image, ImageChops

from shoal.media.drawing import SCENES, SIDE_PX_MAX, SIDE_PX_MIN, draw

RATIOS = {
    "1:1": (256, 256),
    "16:9": (256, 144),
    "9:16": (144, 256),
    "4:3": (256, 192),
    "3:4": (192, 256),
    "3:2": (255, 170),
    "2:3": (170, 255),
    "21:9": (252, 108),
}
PROMPTS = ("a shark", "a planet", "a rainy city", "a forest", "a desert", "a mountain", "joy", "a green mug")
SHARKS = ("a shark", "two sharks")
TEXTS = {
    "empty": "",
    "japanese": "深海を泳ぐサメ",
    "emoji": "🦈🌊👩‍👩‍👧‍👦🏴‍☠️",
    "right to left": "قرش يسبح في المحيط \u202eזברה\u202c",
    "combining": "e\u0301\u0301\u0301",
    "controls and surrogates": "a\x00b\x1b[31m\ud800\udfff\uffff\r\n\t",
    "one character that becomes many": "ﷺ" * 4_000,
    "one long word": "W" * 4_000,
    "a pattern": "(a|b)*[c-\\d.+?{3}",
}
PRINT_FINGERPRINT = """
import hashlib
from shoal.media.drawing import draw
print(hashlib.sha256(draw(prompt="a shark 🦈", seed=7, width_px=200, height_px=120)).hexdigest())
"""


def opened(png: bytes) -> Image.Image:
    """The decoded picture, every byte of it read."""
    image = Image.open(io.BytesIO(png))
    image.load()
    return image


@pytest.mark.parametrize("size", RATIOS.values(), ids=RATIOS)
def test_a_picture_is_a_png_of_exactly_the_asked_size(size: tuple[int, int]) -> None:
    image = opened(draw(prompt="mountains at dawn", seed=1, width_px=size[0], height_px=size[1]))

    assert (image.format, image.mode, image.size) == ("PNG", "RGB", size)


def test_another_process_draws_the_same_bytes() -> None:
    here = draw(prompt="a shark 🦈", seed=7, width_px=200, height_px=120)

    command = [sys.executable, "-c", PRINT_FINGERPRINT]
    there = subprocess.run(command, capture_output=True, text=True, check=True)  # noqa: S603 - our own script

    assert there.stdout.strip() == hashlib.sha256(here).hexdigest()


def test_drawing_neither_uses_nor_moves_the_global_generator() -> None:
    random.seed(1)
    before = random.getstate()
    first = draw(prompt="a nebula in space", seed=3, width_px=96, height_px=96)
    assert random.getstate() == before

    random.seed(2)
    assert draw(prompt="a nebula in space", seed=3, width_px=96, height_px=96) == first


@pytest.mark.parametrize("prompt", PROMPTS)
def test_another_seed_visibly_changes_the_picture(prompt: str) -> None:
    one, other = (opened(draw(prompt=prompt, seed=seed, width_px=96, height_px=96)) for seed in (1, 2))

    assert mean_difference(one, other) > 4


def test_different_prompts_give_visibly_different_pictures() -> None:
    images = [opened(draw(prompt=prompt, seed=1, width_px=96, height_px=96)) for prompt in PROMPTS]

    pairs = [(a, b) for index, a in enumerate(images) for b in images[:index]]
    assert min(mean_difference(a, b) for a, b in pairs) > 8


def test_prompts_of_one_scene_differ_too() -> None:
    one, other = (opened(draw(prompt=prompt, seed=1, width_px=96, height_px=96)) for prompt in SHARKS)

    assert mean_difference(one, other) > 4


@pytest.mark.parametrize("words", [words for _, words, _ in SCENES], ids=lambda words: words.split()[0])
@pytest.mark.parametrize("size", [(16, 16), (16, 130)])
def test_every_scene_fits_odd_sizes(words: str, size: tuple[int, int]) -> None:
    assert opened(draw(prompt=words, seed=0, width_px=size[0], height_px=size[1])).size == size


@pytest.mark.parametrize("prompt", TEXTS.values(), ids=TEXTS)
def test_any_text_can_be_drawn(prompt: str) -> None:
    assert opened(draw(prompt=prompt, seed=-(2**63), width_px=128, height_px=72)).size == (128, 72)


@pytest.mark.parametrize(
    ("width_px", "height_px"),
    [(SIDE_PX_MIN - 1, 64), (64, SIDE_PX_MIN - 1), (SIDE_PX_MAX + 1, 64), (64, 0), (-64, 64)],
)
def test_a_side_out_of_bounds_is_refused(width_px: int, height_px: int) -> None:
    with pytest.raises(ValueError, match="16 to 8192 px"):
        draw(prompt="a shark", seed=1, width_px=width_px, height_px=height_px)


def test_the_longest_side_is_allowed() -> None:
    assert opened(draw(prompt="a mug", seed=1, width_px=SIDE_PX_MAX, height_px=32)).size == (SIDE_PX_MAX, 32)


def test_the_picture_says_at_its_bottom_edge_that_it_is_simulated() -> None:
    image = opened(draw(prompt="\U0001e923", seed=1, width_px=512, height_px=512)).convert("L")

    left, right = image.crop((0, 490, 256, 512)), image.crop((420, 490, 512, 512))
    assert brightest(right) > 150
    assert brightest(left) < 100


@pytest.mark.parametrize("prompt", ["Łódź", "深海を泳ぐサメ", "قرش يسبح", "ฉลาม"])
def test_the_prompt_stands_at_the_bottom_edge_in_any_script(prompt: str) -> None:
    image = opened(draw(prompt=prompt, seed=1, width_px=512, height_px=512)).convert("L")

    assert brightest(image.crop((0, 490, 256, 512))) > 150


def mean_difference(one: Image.Image, other: Image.Image) -> float:
    """How far two pictures' colours are apart on average, in levels of 255."""
    histogram = ImageChops.difference(one, other).convert("L").histogram()
    return sum(level * pixels for level, pixels in enumerate(histogram)) / (one.width * one.height)


def brightest(grey: Image.Image) -> int:
    """The highest level a grey picture has."""
    return max(level for level, pixels in enumerate(grey.histogram()) if pixels)
