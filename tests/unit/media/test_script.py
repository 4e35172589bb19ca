"""The embedded script writer: lines of the right length about the idea, prompts that steer the pictures."""

from __future__ import annotations

import random
import tomllib
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from shoal.domain.script import CATEGORIES, SceneText, without_markers
from shoal.media import script
from shoal.media.drawing import SCENES
from shoal.media.words import count

PERSIA = "Why the Persian Empire fell — Pixar-style animated explainer"
DATA = tomllib.loads(Path(script.__file__).with_name("script.toml").read_text(encoding="utf-8"))


def write(idea: str, *, category: str = "story", scenes: int = 2, seed: int = 1) -> tuple[SceneText, ...]:
    return script.write_script(
        idea=idea, category=category, scene_count=scenes, style=None, language="en", seed=seed
    )


def pictured(prompt: str) -> str:
    """The first word that the simulator knows the kind of picture by."""
    return max(SCENES, key=lambda scene: count(scene[1], prompt.casefold()))[1].split()[0]


@given(
    idea=st.text(min_size=1, max_size=1_000),
    category=st.sampled_from(CATEGORIES),
    scenes=st.integers(1, 15),
    seed=st.integers(0, 2**32),
)
@settings(max_examples=60, deadline=None)
def test_any_idea_gives_readable_lines(idea: str, category: str, scenes: int, seed: int) -> None:
    texts = write(idea, category=category, scenes=scenes, seed=seed)

    assert len(texts) == scenes
    for text in texts:
        assert 14 <= len(text.narration.split()) <= 20
        assert len(text.narration) <= 400
        assert text.narration.isprintable()
        assert text.prompt.isprintable()
        assert len(text.prompt) <= 1_400
        assert "{" not in text.narration


@pytest.mark.parametrize("category", CATEGORIES)
@pytest.mark.parametrize("idea", [PERSIA, "the fall of Rome"])
def test_the_first_and_the_last_line_name_the_topic(category: str, idea: str) -> None:
    for seed in range(12):
        first, *_, last = write(idea, category=category, scenes=4, seed=seed)

        topic = "the persian empire fell" if idea == PERSIA else "the fall of rome"
        assert topic in first.narration.casefold()
        assert topic in last.narration.casefold()


@pytest.mark.parametrize("category", CATEGORIES)
def test_each_category_can_open_and_close_clauses_and_told_stories(category: str) -> None:
    for name in ("hooks", "closes"):
        sentences = DATA["categories"][category][name]
        assert any("{what}" in one for one in sentences), name
        assert any("{" not in one for one in sentences), name


def test_the_categories_of_the_data_are_those_on_offer() -> None:
    assert set(DATA["categories"]) == set(CATEGORIES)
    used = {name for category in DATA["categories"].values() for name in category["settings"]}
    assert used <= set(DATA["settings"])


def test_a_story_that_is_told_is_told_in_its_order() -> None:
    texts = write("A boy finds a map! Is it real? He sails away. He meets a whale.", scenes=5)

    starts = ["A boy finds a map.", "Is it real?", "He sails away.", "He meets a whale."]
    for text, start in zip(texts, starts, strict=False):
        assert text.narration.startswith(start)


def test_a_story_longer_than_its_video_is_told_from_start_to_late() -> None:
    first, *middle, _ = write(" ".join(f"Thing {number} happens." for number in range(30)), scenes=5)

    assert first.narration.startswith("Thing 0 happens.")
    assert [text.narration.split()[1] for text in middle] == ["7", "15", "22"]


@pytest.mark.parametrize(
    ("idea", "topic"),
    [
        ("Make a short video about how Rome was built", "how Rome was built"),
        ("Tell me the story of Ada Lovelace", "Ada Lovelace"),
        ("The secret life of bees", "the secret life of bees"),
        ("How do bees dance", "how bees dance"),
        ("🦈🦈", "a story nobody had told before"),
    ],
)
def test_the_topic_is_worded_to_stand_in_a_sentence(idea: str, topic: str) -> None:
    assert topic in write(idea)[0].narration or topic in write(idea)[0].prompt
    assert all(topic in text.prompt for text in write(idea))


def test_markers_are_neither_spoken_nor_shown() -> None:
    idea = "A whale [fail:scene=2] sings [slow:3][nsfw] in 1066 [poll] [a note]"

    assert without_markers(idea) == "A whale sings in 1066 [a note]"
    assert write(idea) == write("A whale sings in 1066 [a note]")


def test_the_look_an_idea_asks_for_is_shown_and_not_spoken() -> None:
    for text in write(PERSIA, scenes=3):
        assert text.prompt.endswith("Pixar-style animated explainer")
        assert "Pixar" not in text.narration


def test_a_style_is_part_of_every_prompt() -> None:
    texts = script.write_script(
        idea="bees", category="nature", scene_count=3, style="watercolour\n", language="de", seed=1
    )

    assert all("watercolour" in text.prompt for text in texts)


@pytest.mark.parametrize(
    ("idea", "kind"),
    [
        ("whales", "ocean"),
        ("an astronaut on mars", "space"),
        ("a day in New York", "city"),
        ("the bees", "forest"),
        ("the pharaoh", "desert"),
        ("mount everest", "mountain"),
        ("coffee", "product"),
        ("the power of music", "abstract"),
    ],
)
def test_the_simulator_draws_what_the_idea_is_about(idea: str, kind: str) -> None:
    assert {pictured(text.prompt) for text in write(idea, scenes=6)} == {kind}


def test_every_place_is_drawn_as_its_kind() -> None:
    for name, setting in DATA["settings"].items():
        assert len({pictured(place) for place in setting["places"]}) == 1, name
    assert len({pictured(setting["places"][0]) for setting in DATA["settings"].values()}) == len(SCENES)


def test_the_same_seed_writes_the_same_script_and_another_a_different_one() -> None:
    state = random.getstate()

    assert write(PERSIA, scenes=5) == write(PERSIA, scenes=5)
    assert write(PERSIA, scenes=5) != write(PERSIA, scenes=5, seed=2)
    assert random.getstate() == state


def test_a_long_video_does_not_repeat_its_lines() -> None:
    for category in CATEGORIES:
        lines = [text.narration for text in write("the fall of Rome", category=category, scenes=15)]
        assert len(set(lines)) == 15


def test_categories_differ_in_what_they_say() -> None:
    assert len({write("the fall of Rome", category=category)[0].narration for category in CATEGORIES}) == 10


def test_an_unknown_category_is_an_error() -> None:
    with pytest.raises(KeyError):
        write("bees", category="opera")
