"""The catalog of a stage, checked before anything is deployed with it."""

from __future__ import annotations

import tomllib
from pathlib import Path

from pydantic import ValidationError

from shoal.domain.catalog import load_catalog

from .errors import SynthesisError


class InvalidCatalog(SynthesisError):
    """A function could not read the catalog; the message has a line for each thing that is wrong with it."""


def check_catalog(file: Path) -> None:
    """Raises `InvalidCatalog`."""
    try:
        load_catalog(file)
    except (OSError, tomllib.TOMLDecodeError) as error:
        raise InvalidCatalog(f"{file}: {error}") from None
    except ValidationError as error:
        wrong = (f"{'.'.join(map(str, each['loc'])) or 'catalog'}: {each['msg']}" for each in error.errors())
        raise InvalidCatalog("\n".join(f"{file}: {each}" for each in wrong)) from None
