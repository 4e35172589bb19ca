"""Random models and requests of them, the same again for the same seed."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import product
from random import Random
from typing import Any

from shoal.domain.models.inputs import word_of
from shoal.domain.models.measures import Staged
from shoal.domain.models.model import Model, model_of
from shoal.domain.models.roles import Role
from shoal.domain.models.tariff import Quantities, Unit, measured_quantities
from tests.support.models.catalogs import a_model

ENUMERATED: dict[str, dict[str, Any]] = {
    "resolution": {"enum": ["480p", "720p", "1080p"], "default": "720p", "role": "resolution"},
    "audio": {"type": "boolean", "default": False},
    "quality": {"type": "integer", "enum": [1, 2, 3], "default": 1},
}
COUNTED: dict[str, Any] = {
    "duration": {"type": "integer", "minimum": 1, "maximum": 60, "default": 5, "role": "seconds"},
    "width": {"type": "integer", "minimum": 64, "maximum": 4_096, "default": 512, "role": "width"},
    "height": {"type": "integer", "minimum": 64, "maximum": 4_096, "default": 512, "role": "height"},
    "steps": {"type": "integer", "minimum": 1, "maximum": 50, "default": 25, "role": "steps"},
    "text": {"type": "string", "maxLength": 500, "default": "a", "role": "text"},
    "image_urls": {"type": "array", "items": {"type": "string"}, "maxItems": 4, "role": "image"},
    "video_url": {"type": "string", "role": "video"},
}
COUNT = {"type": "integer", "minimum": 1, "maximum": 4, "default": 1, "role": "count"}


@dataclass(frozen=True, slots=True)
class Asked:
    """A request of a model, with what its inputs' headers say, and the files that came of it."""

    model: Model
    values: dict[str, Any]
    staged: tuple[Staged, ...]
    count: int
    measured: tuple[Quantities, ...]


def a_random_model(random: Random) -> dict[str, Any]:
    """A model's document, with rows of any units whose amounts depend on anything."""
    rows = [_row(random, unit) for unit in random.sample(list(Unit), random.randint(1, 4))]
    return a_model(
        {**ENUMERATED, **COUNTED, "n": COUNT}, outputs={"media": ["image/png"], "max": 4}, tariff=rows
    )


def requests(random: Random, count: int, each: int) -> Iterator[Asked]:
    """So many requests, so many of each random model."""
    for at in range(count):
        if at % each == 0:
            model = model_of("m", a_random_model(random))
        yield _asked(random, model)


def _row(random: Random, unit: Unit) -> dict[str, Any]:
    row: dict[str, Any] = {"per": unit.value, "micros": _amount(random)}
    if random.random() < 0.5:
        by = random.sample(list(ENUMERATED), random.randint(1, 2))
        listed = [ENUMERATED[name].get("enum", [False, True]) for name in by]
        row["micros"] = {"by": by} | {
            ",".join(map(word_of, words)): _amount(random) for words in product(*listed)
        }
    if random.random() < 0.3:
        row["round_up"] = random.choice([1, 5, 60])
    if random.random() < 0.3:
        row["included"] = random.randint(1, 3)
    if random.random() < 0.2:
        row["minimum"] = _amount(random)
    if random.random() < 0.2:
        row["maximum"] = row.get("minimum", 0) + _amount(random)
    return row


def _amount(random: Random) -> int:
    return random.choice([0, 1, random.randint(1, 99), random.randint(1, 500_000)])


def _asked(random: Random, model: Model) -> Asked:
    values: dict[str, Any] = {
        "prompt": "x",
        "resolution": random.choice(["480p", "720p", "1080p"]),
        "audio": random.random() < 0.5,
        "quality": random.randint(1, 3),
        "duration": random.randint(1, 60),
        "width": random.randint(64, 4_096),
        "height": random.randint(64, 4_096),
        "steps": random.randint(1, 50),
        "text": "x" * random.randint(0, 500),
        "image_urls": ["x"] * random.randint(0, 4),
    }
    pictures = [_picture(random) for _ in values["image_urls"]]
    films = [Staged(Role.VIDEO, duration_ms=random.randint(1, 90_000))] if random.random() < 0.5 else []
    count = random.randint(1, 4)
    delivered = tuple(_measured(random, values) for _ in range(random.randint(0, count)))
    return Asked(model, values, (*pictures, *films), count, delivered)


def _picture(random: Random) -> Staged:
    return Staged(Role.IMAGE, width_px=random.randint(1, 4_096), height_px=random.randint(1, 4_096))


def _measured(random: Random, values: dict[str, Any]) -> Quantities:
    """About what was asked for, less of it, more of it, or nothing that can be told."""
    asked = random.choice([0, 50, 97, 100, 101, 250])
    return measured_quantities(
        width_px=values["width"] * asked // 100,
        height_px=values["height"],
        duration_ms=values["duration"] * 10 * asked,
    )
