"""The embedded script writer: scenes and lines from an idea, without a model, the same every time.

Its sentences are English whatever the language of the idea (they are spoken by that language's voice): who
needs other languages takes a hosted writer. What it says is in `script.toml`.
"""

from __future__ import annotations

import re
import tomllib
import unicodedata
from collections.abc import Iterable, Iterator, Sequence
from functools import lru_cache
from pathlib import Path
from random import Random
from typing import Any, Final, NamedTuple

from shoal.domain.script import SceneText, without_markers
from shoal.media.words import count

WORDS_MIN: Final = 14
WORDS_MAX: Final = 20
"""How long a line is: five to seven seconds of speech."""
TOPIC_WORDS_MAX: Final = 8
SUBJECT_WORDS_MAX: Final = 16
LOOK_CHARACTERS_MAX: Final = 200
"""How much of an idea may say how it is to look: it stands in the prompt of every scene."""
CHARACTERS_PER_WORD_MAX: Final = 8
"""A phrase is at most this long for each word it may have: scripts without spaces have few long words."""

_SPOKEN: Final = frozenset(" .,:'’-–%&$€£°")
_REQUEST: Final = re.compile(
    r"^(?:please\s+)?(?:(?:make|create|generate|write|produce|show|give|tell|explain|describe)\s+(?:(?:to\s+)?me\s+)?)?"
    r"(?:(?:(?:an?|the)\s+)?(?:(?:short|quick|brief|cinematic|animated|funny|epic)\s+)*"
    r"(?:video|story|tale|explainer|documentary|film|movie|clip|animation)\s+(?:about|on|of|explaining)\s+)?",
    re.IGNORECASE,
)
_STYLE: Final = re.compile(
    r"style|animat|cinematic|explainer|documentary|anime|pixar|cartoon|realis|watercolou?r|3d|render|noir",
    re.I,
)
_OPENER: Final = re.compile(
    "an?|the|why|how|what|when|where|who|which|my|our|your|his|her|their|this|that|these|those|if|it", re.I
)
_WEAK: Final = re.compile(
    "an?|the|and|or|but|of|in|on|at|to|for|from|with|by|as|that|who|which|because|than|into|about|is|was",
    re.I,
)
_QUESTION: Final = re.compile(
    r"(?:(?:why|how|what|when|where|who|which)\s+)?"
    r"(?:is|are|was|were|does|did|can|could|will|would|should|has|have|had)\b",
    re.I,
)
_CLAUSE: Final = re.compile(r"(?:why|how|what|when|where|who|which|if|that)\b", re.I)
_SENTENCE: Final = re.compile(r"(.+?)([.!?;…]+(?:\s+|$)|[。！？]+|$)")
"""A sentence and what ends it."""


class Idea(NamedTuple):
    """An idea taken apart: a topic or else the sentences it tells, and how it is to look."""

    topic: str
    told: tuple[str, ...]
    look: str

    def suits(self, sentence: str) -> bool:
        """Whether a sentence of `script.toml` makes sense of this idea."""
        if self.told:
            return "{" not in sentence
        return "{topic}" not in sentence or not _CLAUSE.match(self.topic)

    def opens_and_closes(self, sentence: str) -> bool:
        """Whether a sentence may come first or last: the topic has to be named there."""
        return self.suits(sentence) and bool(self.told or "{" in sentence)


def write_script(
    *, idea: str, category: str, scene_count: int, style: str | None, language: str, seed: int
) -> tuple[SceneText, ...]:
    """Write the scenes of a video: a hook, what develops, a close. KeyError for an unknown category.

    Every line has 14 to 20 words. A language other than English changes nothing here.
    """
    del language
    idea = unicodedata.normalize("NFC", without_markers(idea))
    words, rng = _words(), Random(f"{seed} {category} {idea}".encode("utf-8", "surrogatepass"))  # noqa: S311
    plan = words["categories"][category]
    parts = _take_apart(idea, plan["subject"])
    lines = _lines(parts, plan, words["tones"][plan["tone"]], scene_count, rng)
    prompts = _prompts(idea, parts, plan["settings"], scene_count, style, rng)
    return tuple(SceneText(*scene) for scene in zip(prompts, lines, strict=True))


@lru_cache(maxsize=1)
def _words() -> dict[str, Any]:
    return tomllib.loads((Path(__file__).with_name("script.toml")).read_text(encoding="utf-8"))


def _take_apart(idea: str, subject: str) -> Idea:
    head, *tails = re.split(r"\s+[—–|-]+\s+", idea)
    looks = [tail for tail in tails if _STYLE.search(tail)]
    content = ". ".join([head, *(tail for tail in tails if tail not in looks)]).strip()
    told = [
        f"{phrase}{'?' if {'?', '？'} & set(end) or _QUESTION.match(phrase) else '.'}"
        for phrase, end in ((_speakable(found[1]), found[2]) for found in _SENTENCE.finditer(content))
        if phrase
    ]
    topic = _topic(told[0][:-1]) if told else ""
    # One phrase without a full stop is what the video is about; anything else is what happens in it.
    tells = len(told) > 1 or content.endswith((".", "!", "。", "！")) or bool(_QUESTION.match(topic))
    look = ", ".join(map(_clean, looks))[:LOOK_CHARACTERS_MAX].rstrip(" ,")
    return Idea(topic or subject, tuple(told) if tells else (), look)


def _speakable(text: str) -> str:
    """What of a text can be read aloud; nothing if no letter or digit is among it."""
    kept = (char if unicodedata.category(char)[0] in "LMN" or char in _SPOKEN else " " for char in text)
    words = "".join(kept).split()
    return " ".join(words) if any(char.isalnum() for char in "".join(words)) else ""


def _clean(text: str) -> str:
    """A text without what does not print."""
    return " ".join("".join(char if char.isprintable() else " " for char in text).split())


def _topic(phrase: str) -> str:
    """A phrase as it stands in the middle of a sentence: no request before it, no opening capital."""
    bare = _REQUEST.sub("", phrase, count=1) or phrase
    words = _cut(bare, TOPIC_WORDS_MAX).split()
    if words and _OPENER.fullmatch(words[0]):
        words[0] = words[0].casefold()
    if words[:1] and _CLAUSE.match(words[0]) and words[1:2] == ["do"]:
        del words[1]  # “how do bees dance” is “how bees dance”
    return " ".join(words).strip(" .,:-–")


def _cut(phrase: str, words_max: int) -> str:
    """The phrase's first words, not ending on one that asks for more."""
    words = phrase.split()
    kept = words[:words_max]
    while len(kept) < len(words) and len(kept) > 1 and _WEAK.fullmatch(kept[-1].strip(",")):
        kept.pop()
    return " ".join(kept)[: words_max * CHARACTERS_PER_WORD_MAX].rstrip(" ,:-–")


def _lines(
    parts: Idea, plan: dict[str, Any], tone: dict[str, Any], scenes: int, rng: Random
) -> Iterator[str]:
    hooks, closes = (list(filter(parts.opens_and_closes, plan[name])) for name in ("hooks", "closes"))
    middles = list(filter(parts.suits, _shuffle(plan["middles"], rng) + _shuffle(tone["middles"], rng)))
    cores = [rng.choice(hooks), *(middles[at % len(middles)] for at in range(scenes - 2)), rng.choice(closes)]
    cores = cores[:scenes] if scenes > 1 else cores[:1]
    room = max(1, scenes - 1)  # the close is never given away
    for at in range(min(room, len(parts.told))):
        sentence = parts.told[at if len(parts.told) <= room else at * len(parts.told) // room]
        cores[at] = _cut(sentence[:-1], WORDS_MAX) + sentence[-1]
    asides, endings = (_shuffle(tone[name], rng) for name in ("asides", "endings"))
    for at, core in enumerate(cores):
        line = core.replace("{topic}", parts.topic).replace("{what}", parts.topic)
        yield _fill(line[:1].upper() + line[1:], endings if 0 < at == scenes - 1 else asides)


def _fill(line: str, asides: list[str]) -> str:
    """The line with asides that bring it to a length that fits; an aside that was used goes to the end."""
    while (words := len(line.split())) < WORDS_MIN:
        missing, room = WORDS_MIN - words, WORDS_MAX - words
        whole = (aside for aside in asides if missing <= len(aside.split()) <= room)
        part = (aside for aside in asides if len(aside.split()) <= room)
        aside = next(whole, None) or next(part)
        asides.remove(aside)
        asides.append(aside)
        line = f"{line} {aside}"
    return line


def _prompts(
    idea: str, parts: Idea, defaults: Sequence[str], scenes: int, style: str | None, rng: Random
) -> Iterator[str]:
    settings = _words()["settings"]
    fitting = {name: count(setting["words"], idea.casefold()) for name, setting in settings.items()}
    asked = sorted((name for name in fitting if fitting[name]), key=lambda name: -fitting[name])
    # An idea that names no place is set where its category likes to be.
    main, other = (asked * 2 or _shuffle(defaults, rng))[:2]
    look = ", ".join(filter(None, (_clean(style or ""), parts.look))) or "cinematic, rich colours"
    subjects = (
        [parts.topic] if not parts.told else [_cut(told[:-1], SUBJECT_WORDS_MAX) for told in parts.told]
    )
    moods = {name: _shuffle(settings[name]["moods"], rng) for name in (main, other)}
    places = {name: _shuffle(settings[name]["places"], rng) for name in (main, other)}
    for at in range(scenes):
        # Every third scene leaves for the other place, but the first and the last are at home.
        here = other if at % 3 == 2 and at < scenes - 1 else main
        place, mood = (some[here][at % len(some[here])] for some in (places, moods))
        yield f"{_shot(at, scenes)} of {place}, {mood}: {subjects[at * len(subjects) // scenes]}. {look}"


def _shot(at: int, scenes: int) -> str:
    if at == 0:
        return "Wide establishing shot"
    if at == scenes - 1:
        return "Slow closing shot"
    return ("Slow tracking shot", "Low-angle shot", "View from above", "Quiet close-up")[at % 4]


def _shuffle(some: Iterable[str], rng: Random) -> list[str]:
    order = list(some)
    rng.shuffle(order)
    return order
