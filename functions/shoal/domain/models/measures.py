"""How much of each unit a request can come to: what bounds a price before anything is made."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from shoal.domain.models.inputs import Inputs, Values, whole_of, word_of
from shoal.domain.models.roles import Role
from shoal.domain.models.tariff import MILLI, Unit, thousands_of_pixels

SIZE = re.compile(r"([1-9][0-9]{0,4})x([1-9][0-9]{0,4})")
PIXELS_MAX = 99_999
"""A side of a picture."""
_BOUNDS: Mapping[Unit, tuple[Role, ...]] = {
    Unit.STEP: (Role.STEPS,),
    Unit.CHARACTER: (Role.TEXT,),
    Unit.INPUT_IMAGE: (Role.IMAGE,),
}


@dataclass(frozen=True, slots=True)
class Staged:
    """What the header of a staged input says; 0 for what it says nothing of."""

    role: Role
    width_px: int = 0
    height_px: int = 0
    duration_ms: int = 0


@dataclass(frozen=True, slots=True)
class Measures:
    """A model's parameters, and the sizes in pixels that go with the parameters in `by`, by their words."""

    inputs: Inputs
    by: tuple[str, ...] = ()
    sizes: Mapping[tuple[str, ...], tuple[int, int]] = field(default_factory=dict)

    @classmethod
    def from_document(cls, inputs: Inputs, told: Mapping[str, Any]) -> Measures:
        """Of the table `[sizes]` of a document that was checked."""
        sizes = {
            tuple(each.strip() for each in words.split(",")): told[words] for words in told if words != "by"
        }
        return cls(inputs, tuple(told.get("by", ())), {words: pixels(text) for words, text in sizes.items()})

    def size(self, values: Values, staged: Sequence[Staged] = ()) -> tuple[int, int] | None:
        """Width and height in pixels of an output; None if nothing tells."""
        if self.by:
            return self.sizes[tuple(word_of(values[name]) for name in self.by)]
        width, height = (self._whole(role, values) for role in (Role.WIDTH, Role.HEIGHT))
        if width and height:
            return width, height
        if isinstance(size := self._value(Role.SIZE, values), str) and SIZE.fullmatch(size):
            return pixels(size)
        first = next((each for each in staged if each.width_px), None)
        scale = self._whole(Role.SCALE, values) or 1
        return (first.width_px * scale, first.height_px * scale) if first else None

    def most(self, unit: Unit, values: Values, staged: Sequence[Staged] = ()) -> int:
        """Thousandths of a unit, of one output or of the request, at most."""
        if unit in (Unit.OUTPUT, Unit.REQUEST):
            return MILLI
        if unit is Unit.MEGAPIXEL:
            size = self.size(values, staged)
            return thousands_of_pixels(*size) if size else 0
        if unit is Unit.INPUT_MEGAPIXEL:
            return sum(thousands_of_pixels(each.width_px, each.height_px) for each in staged)
        heard = sum(each.duration_ms for each in staged)
        if unit is Unit.INPUT_SECOND:
            return heard
        if unit is Unit.SECOND:
            return MILLI * seconds if (seconds := self._whole(Role.SECONDS, values)) else heard
        return MILLI * sum(_count(self._value(role, values)) for role in _BOUNDS[unit])

    def is_bounded(self, unit: Unit) -> bool:
        """Whether a request can be told the most of a unit before anything is made."""
        if unit in (Unit.OUTPUT, Unit.REQUEST):
            return True
        if unit is Unit.MEGAPIXEL:
            return bool(self.by) or self._sizes_bounded() or (self._has(Role.IMAGE) and self._scale_bounded())
        if unit is Unit.INPUT_MEGAPIXEL:
            return self._has(Role.IMAGE)
        if unit is Unit.INPUT_SECOND:
            return self._has(Role.VIDEO) or self._has(Role.AUDIO)
        if unit is Unit.SECOND:
            own = self.inputs.of_role(Role.SECONDS)
            return self.is_bounded(Unit.INPUT_SECOND) if own is None else own.most is not None
        roles = [self.inputs.of_role(role) for role in _BOUNDS[unit]]
        return any(
            each is not None and (each.kind == "string" or each.most is not None) for each in roles
        ) and all(each is None or each.role is Role.IMAGE or each.most is not None for each in roles)

    def _sizes_bounded(self) -> bool:
        sides = [self.inputs.of_role(role) for role in (Role.WIDTH, Role.HEIGHT)]
        size = self.inputs.of_role(Role.SIZE)
        if all(side is not None and side.most is not None for side in sides):
            return True
        return size is not None and all(SIZE.fullmatch(str(each)) for each in size.values or ("",))

    def _scale_bounded(self) -> bool:
        scale = self.inputs.of_role(Role.SCALE)
        return scale is None or scale.most is not None

    def _has(self, role: Role) -> bool:
        return self.inputs.of_role(role) is not None

    def _value(self, role: Role, values: Values) -> Any:
        found = self.inputs.of_role(role)
        return None if found is None else values.get(found.name)

    def _whole(self, role: Role, values: Values) -> int:
        return whole_of(self._value(role, values)) or 0


def pixels(text: str) -> tuple[int, int]:
    """Of `1024x768`. Raises `ValueError`."""
    match = SIZE.fullmatch(text)
    if match is None:
        raise ValueError(f"{text!r} is no size such as 1024x768")
    return int(match[1]), int(match[2])


def _count(value: Any) -> int:
    """A number is that many; a text has its characters, a list its items; one file is one."""
    if value is None:
        return 0
    return whole if (whole := whole_of(value)) is not None and not isinstance(value, str) else _length(value)


def _length(value: Any) -> int:
    return len(value)
