"""`shoal catalog`: check a catalog's files, compare them, show a model, draft one of a schema."""

from __future__ import annotations

import json
from collections.abc import Iterator
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Any

import typer

from shoal.cli import console
from shoal.cli.drafts import drafts_of, toml_of
from shoal.cli.stage import providers_of_routes
from shoal.dialects.parameters import parameters_of, refusals
from shoal.domain.catalog import Catalog, load_catalog
from shoal.domain.errors import ShoalError
from shoal.domain.models.comparing import changes
from shoal.domain.models.files import CATALOG, read_files
from shoal.domain.models.inputs import word_of
from shoal.domain.models.losses import Compared, compare
from shoal.domain.models.model import Model
from shoal.domain.models.pricing import Row
from shoal.domain.models.reading import Refused, check_folder
from shoal.domain.money import Asset, format_amount, format_usd

app = typer.Typer(help="Check, compare and show what a stage sells.", no_args_is_help=True)

PathArgument = Annotated[
    Path, typer.Argument(metavar="[PATH]", help="The catalog's folder. Default: the one that Shoal brings.")
]
AgainstOption = Annotated[Path, typer.Option("--against", help="The folder of the catalog before.")]
ModelArgument = Annotated[str, typer.Argument(metavar="MODEL", help="A model's id.")]
FileArgument = Annotated[Path, typer.Argument(metavar="FILE", help="Its OpenAPI document, as JSON.")]
ToOption = Annotated[
    Path | None, typer.Option("--to", metavar="FOLDER", help="Write a file for each model there.")
]
COLUMNS = ("MODEL", "TYPE", "PRICE", "COST", "LEAST MARGIN", "")
UNKNOWN = "unknown"


class Documented(StrEnum):
    """Providers whose documents can be read."""

    FAL = "fal"
    REPLICATE = "replicate"


ProviderArgument = Annotated[Documented, typer.Argument(metavar="PROVIDER", help="Whose document it is.")]


class WrongCatalog(ShoalError):
    """The catalog breaks rules; they are printed before."""


@app.command()
def check(path: PathArgument = CATALOG, as_json: console.JsonOption = False) -> None:
    """Check every rule, and show what models sell for and cost. Exit code 1 if a rule is broken."""
    wrong = wrong_with(path)
    if as_json:
        told = [{"file": str(e.file), "line": e.line, "field": e.field, "reason": e.reason} for e in wrong]
        console.print_json(
            {"wrong": told, "models": [] if wrong else list(_rows_as_json(load_catalog(path)))}
        )
    else:
        for each in wrong:
            typer.echo(str(each))
    if wrong:
        raise WrongCatalog(f"{path} is wrong in {len(wrong)} {'place' if len(wrong) == 1 else 'places'}.")
    if not as_json:
        console.print_table(COLUMNS, _rows(load_catalog(path)))


@app.command()
def diff(
    path: PathArgument = CATALOG, against: AgainstOption = CATALOG, as_json: console.JsonOption = False
) -> None:
    """Tell what differs from another catalog: models, fields, prices up and down."""
    before, after = _read(against), _read(path)
    found = list(changes(before, after))
    if as_json:
        console.print_json(
            {
                "changes": [
                    {"what": e.what, "of": e.of, "field": e.field, "before": e.before, "after": e.after}
                    for e in found
                ]
            }
        )
        return
    for each in found:
        typer.echo(str(each))
    if not found:
        typer.echo("Nothing differs.")


@app.command()
def show(model: ModelArgument, path: PathArgument = CATALOG, as_json: console.JsonOption = False) -> None:
    """Show a model: its parameters, its price in rows, and its routes with what they cost."""
    try:
        shown = load_catalog(path).model(model)
    except (OSError, ValueError) as error:
        raise WrongCatalog(f"{path} is no catalog: {error}") from None
    if as_json:
        console.print_json(dict(shown.document))
        return
    fields = {"id": shown.id, "title": shown.title, "type": shown.type, "makes": ", ".join(shown.media)}
    console.print_fields(fields | {"asset": shown.asset.value, "about": shown.description or "–"})
    schema = parameters_of(shown).model_json_schema()["properties"]
    console.print_table(
        ("PARAMETER", "TYPE", "ROLE", "DEFAULT"), [_parameter(shown, name) for name in schema]
    )
    console.print_table(("PRICE", "BY", "AMOUNT"), _prices(shown.rows, shown.asset))
    for route, rows in zip(shown.routes, shown.costs, strict=True):
        console.print_table((f"COST ON {route.name}", "BY", "AMOUNT"), _prices(rows or (), Asset.USD))


@app.command("import")
def draft(
    provider: ProviderArgument,
    file: FileArgument,
    to: ToOption = None,
) -> None:
    """Draft models of a provider's own OpenAPI document; lines with DECIDE are for a person."""
    try:
        found = list(drafts_of(json.loads(file.read_bytes()), provider.value))
    except (OSError, ValueError, AttributeError) as error:
        raise WrongCatalog(f"{file} is no document of {provider.value}: {error}") from None
    for each in found:
        if to is None:
            typer.echo(f"# {each.id}.toml\n{toml_of(each)}")
            continue
        to.mkdir(parents=True, exist_ok=True)
        (to / f"{each.id}.toml").write_text(toml_of(each), encoding="utf-8")
        typer.echo(f"{to / each.id}.toml: {len(each.open)} to decide, and the price")


def wrong_with(path: Path) -> list[Refused]:
    """Every rule that the catalog of a folder breaks. Raises `WrongCatalog` where there is none."""
    try:
        return list(check_folder(path, refusals, providers_of_routes()))
    except OSError as error:
        raise WrongCatalog(f"{path} is no catalog: {error}") from None


def _read(path: Path) -> dict[str, Any]:
    try:
        return read_files(path)
    except (OSError, ValueError) as error:
        raise WrongCatalog(f"{path} is no catalog: {error}") from None


def _rows(catalog: Catalog) -> Iterator[list[str]]:
    for model in catalog.models.values():
        least = _least_margin(model, catalog)
        yield [
            model.id,
            model.type,
            _sentence(model),
            UNKNOWN if least is None else f"{format_usd(least.cost_micros)} on {least.route.name}",
            "" if least is None else _margin(least),
            "at a loss" if model.at_a_loss else "",
        ]


def _rows_as_json(catalog: Catalog) -> Iterator[dict[str, Any]]:
    for model in catalog.models.values():
        least = _least_margin(model, catalog)
        yield {
            "model": model.id,
            "type": model.type,
            "price": _sentence(model),
            "at_a_loss": model.at_a_loss,
            "least_margin": least
            and {"micros": least.price_micros - least.cost_micros, "at": dict(least.combination)},
        }


def _least_margin(model: Model, catalog: Catalog) -> Compared | None:
    compared = compare(model, catalog.top_up.credit_micros_min)
    return min(compared, key=lambda each: each.price_micros - each.cost_micros, default=None)


def _margin(compared: Compared) -> str:
    margin = compared.price_micros - compared.cost_micros
    amount = format_usd(margin) if margin >= 0 else f"−{format_usd(-margin)}"
    at = ", ".join(f"{name} {word_of(value)}" for name, value in compared.combination.items())
    return f"{amount} at {at}" if at else amount


def _sentence(model: Model) -> str:
    """The price of a request that says nothing."""
    return model.sentence


def _parameter(model: Model, name: str) -> list[str]:
    own = model.inputs.properties[name]
    listed = ", ".join(map(word_of, own.values or ())) if own.is_enumerated else own.kind
    default = "required" if own.required else "–" if own.default is None else str(own.default)
    return [name, listed or own.kind, own.role.value if own.role else "–", default]


def _prices(rows: tuple[Row, ...], asset: Asset) -> Iterator[list[str]]:
    for row in rows:
        for words, amount in row.amounts.items():
            yield [f"per {row.per.words}", ", ".join(words) or "–", format_amount(asset, amount)]
