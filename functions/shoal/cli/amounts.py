"""Amounts as an operator types them. Malformed ones are usage errors."""

from __future__ import annotations

from typing import Annotated

import typer

from shoal.domain.money import AMOUNT_MAX, parse_usd


def micros(text: str) -> int:
    """Micro-dollars of `10.00`."""
    try:
        return parse_usd(text)
    except ValueError as error:
        raise typer.BadParameter(f"{text!r}: {error}") from None


UsdOption = Annotated[
    int | None, typer.Option("--usd", parser=micros, metavar="AMOUNT", help="Dollars, such as 10.00.")
]
CreditsOption = Annotated[
    int | None, typer.Option("--credits", min=0, max=AMOUNT_MAX, metavar="N", help="Whole credits.")
]
