"""Roles: what the engine understands of a model's parameters."""

from __future__ import annotations

from enum import StrEnum


class Role(StrEnum):
    """What a parameter means. One without a role is handed on as it is."""

    PROMPT = "prompt"
    NEGATIVE_PROMPT = "negative_prompt"
    TEXT = "text"
    """Spoken or written: its characters are counted."""
    SECONDS = "seconds"
    WIDTH = "width"
    HEIGHT = "height"
    SIZE = "size"
    """`1024x768`."""
    RESOLUTION = "resolution"
    ASPECT_RATIO = "aspect_ratio"
    SCALE = "scale"
    """So many times as wide and as high as the first picture."""
    STEPS = "steps"
    COUNT = "count"
    """How many outputs: each is a call of its own, and no provider is told."""
    SEED = "seed"
    IMAGE = "image"
    MASK = "mask"
    VIDEO = "video"
    AUDIO = "audio"

    @property
    def is_text(self) -> bool:
        """Whether it is moderated."""
        return self in _TEXTS

    @property
    def is_file(self) -> bool:
        """Whether it is fetched, checked and staged."""
        return self in _FILES

    @property
    def is_whole(self) -> bool:
        """Whether it prices or sizes something, and so must be a whole number."""
        return self in _WHOLE


_TEXTS = frozenset({Role.PROMPT, Role.NEGATIVE_PROMPT, Role.TEXT})
_FILES = frozenset({Role.IMAGE, Role.MASK, Role.VIDEO, Role.AUDIO})
_WHOLE = frozenset({Role.SECONDS, Role.WIDTH, Role.HEIGHT, Role.SCALE, Role.STEPS, Role.COUNT, Role.SEED})
