"""The catalog of a stage, checked before anything is deployed with it."""

from __future__ import annotations

from pathlib import Path

from shoal.composition.upstreams import PROVIDERS
from shoal.dialects.parameters import refusals
from shoal.domain.models.reading import check_folder
from shoal.domain.provider import SIMULATOR

from .errors import SynthesisError


class InvalidCatalog(SynthesisError):
    """The catalog breaks a rule; the message has a line for each thing that is wrong with it."""


def check_catalog(folder: Path) -> None:
    """Raises `InvalidCatalog`."""
    try:
        wrong = [str(each) for each in check_folder(folder, refusals, {*PROVIDERS, SIMULATOR})]
    except OSError as error:
        raise InvalidCatalog(f"{folder}: {error}") from None
    if wrong:
        raise InvalidCatalog("\n".join(wrong))
