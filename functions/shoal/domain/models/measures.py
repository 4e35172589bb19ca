"""How much of each unit a request can come to: what bounds a price before anything is made."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, TypeGuard

from shoal.domain.models.inputs import Inputs, Property, Values, whole_of, word_of
from shoal.domain.models.roles import Role
from shoal.domain.models.tariff import MILLI, Unit, thousands_of_pixels

SIZE = re.compile(r"([1-9][0-9]{0,4})x([1-9][0-9]{0,4})")
PIXELS_MAX = 99_999
"""A side of a picture."""
_COUNTED = {Unit.CHARACTER: Role.TEXT, Unit.INPUT_IMAGE: Role.IMAGE}


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
        first = next((each for each in staged if each.role is Role.IMAGE), None)
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
            pictures = [each for each in staged if each.role is Role.IMAGE]
            return sum(thousands_of_pixels(each.width_px, each.height_px) for each in pictures)
        heard = _heard(staged)
        if unit is Unit.INPUT_SECOND:
            return heard
        if unit is Unit.SECOND:
            return MILLI * seconds if (seconds := self._whole(Role.SECONDS, values)) else heard
        if unit is Unit.INPUT_IMAGE:
            images = self._value(Role.IMAGE, values)
            return MILLI * (1 if isinstance(images, str) else len(images or ()))
        if unit is Unit.CHARACTER:
            return MILLI * len(self._value(Role.TEXT, values) or "")
        return MILLI * self._whole(Role.STEPS, values)

    def is_bounded(self, unit: Unit) -> bool:
        """Whether a request can be told the most of a unit before anything is made."""
        if unit in (Unit.OUTPUT, Unit.REQUEST):
            return True
        if unit is Unit.MEGAPIXEL:
            return bool(self.by) or self._sizes_bounded() or self._scale_bounded()
        if unit is Unit.INPUT_MEGAPIXEL:
            return self._has(Role.IMAGE)
        if unit is Unit.INPUT_SECOND:
            return self._has(Role.VIDEO) or self._has(Role.AUDIO)
        if unit is Unit.SECOND:
            if self._has(Role.SECONDS):
                return self._is_told(Role.SECONDS)
            return any(self._is_required(role) for role in (Role.VIDEO, Role.AUDIO))
        if unit is Unit.STEP:
            return self._is_told(Role.STEPS)
        own = self.inputs.of_role(_COUNTED[unit])
        return own is not None and (own.most is not None or (own.role is Role.IMAGE and own.kind == "string"))

    def _sizes_bounded(self) -> bool:
        if self._is_told(Role.WIDTH) and self._is_told(Role.HEIGHT):
            return True
        size = self.inputs.of_role(Role.SIZE)
        return self._is_there(size) and all(SIZE.fullmatch(str(each)) for each in size.values or ("",))

    def _scale_bounded(self) -> bool:
        """Of the first picture that is given."""
        return self._is_required(Role.IMAGE) and (not self._has(Role.SCALE) or self._is_told(Role.SCALE))

    def _is_told(self, role: Role) -> bool:
        """Whether every request has such a number, and it has a most."""
        own = self.inputs.of_role(role)
        return self._is_there(own) and own.most is not None

    def _is_required(self, role: Role) -> bool:
        own = self.inputs.of_role(role)
        return own is not None and own.required

    @staticmethod
    def _is_there(own: Property | None) -> TypeGuard[Property]:
        return own is not None and (own.required or own.default is not None)

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


def _heard(staged: Sequence[Staged]) -> int:
    """Milliseconds of the longest input; those of one role follow one another."""
    of_roles = dict.fromkeys((each.role for each in staged), 0)
    for each in staged:
        of_roles[each.role] += each.duration_ms
    return max(of_roles.values(), default=0)
