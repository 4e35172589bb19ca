"""`shoal catalog`: which catalog a stage sells by, and another one in its place, without a deployment."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import Annotated

import typer

from shoal.cli import console
from shoal.cli.catalog import WrongCatalog, wrong_with
from shoal.domain.models.files import read_document
from shoal.domain.models.versions import SHORT, Published, version_of

app = typer.Typer(help="See, publish and roll back the catalog of a stage.", no_args_is_help=True)

FileArgument = Annotated[
    Path | None,
    typer.Argument(metavar="PATH", help="The catalog's folder. Default: the one that came with Shoal."),
]
NoteOption = Annotated[str, typer.Option("--note", help="Why, for who looks at it later.")]
VersionArgument = Annotated[
    str | None,
    typer.Argument(metavar="VERSION", help="Its first letters. Default: the one before the current."),
]
WITHIN = "Functions go by it within 30 seconds; jobs under way are finished by their own version."


@app.command()
def status(
    context: typer.Context, as_json: console.JsonOption = False, stage: console.StageOption = None
) -> None:
    """Tell which catalog holds, and whether it is the one that came with the code."""
    catalogs = console.operator(context, stage).catalogs()
    published, document = catalogs.current()
    packaged, current = version_of(catalogs.packaged), version_of(document)
    if as_json:
        told = asdict(published) if published else None
        console.print_json({"current": current, "packaged": packaged, "published": told})
        return
    console.print_fields(
        {
            "Current": current[:SHORT],
            "Packaged": packaged[:SHORT] + (" (the same)" if packaged == current else " (another one)"),
            "Published": _when(published) if published else "never: the packaged one holds",
        }
    )


@app.command("list")
def list_publications(
    context: typer.Context, as_json: console.JsonOption = False, stage: console.StageOption = None
) -> None:
    """List what was published, the newest first."""
    history = console.operator(context, stage).catalogs().history()
    if as_json:
        console.print_json({"publications": [asdict(each) for each in history]})
        return
    console.print_table(
        ["Number", "Version", "Instead of", "When", "By", "Note"],
        [
            [
                str(each.number),
                each.version[:SHORT],
                each.previous[:SHORT],
                console.moment(each.at_ms) or "",
                each.by,
                each.note,
            ]
            for each in history
        ],
    )


@app.command()
def publish(
    context: typer.Context,
    path: FileArgument = None,
    note: NoteOption = "",
    stage: console.StageOption = None,
) -> None:
    """Check a catalog and sell by it from now on."""
    operator = console.operator(context, stage)
    catalogs = operator.catalogs()
    document = _checked(path) if path else catalogs.packaged
    _tell(catalogs(document, by=operator.who(), note=note))


@app.command()
def rollback(
    context: typer.Context,
    version: VersionArgument = None,
    note: NoteOption = "",
    stage: console.StageOption = None,
) -> None:
    """Sell by an earlier catalog again."""
    operator = console.operator(context, stage)
    _tell(operator.catalogs().roll_back(version, by=operator.who(), note=note))


def _checked(folder: Path) -> bytes:
    """The document of a folder's files. Raises `WrongCatalog`, once each rule that is broken is printed."""
    wrong = wrong_with(folder)
    for each in wrong:
        typer.echo(str(each))
    if wrong:
        raise WrongCatalog(f"{folder} is wrong in {len(wrong)} places: nothing is published.")
    return read_document(folder)


def _tell(published: Published | None) -> None:
    if published is None:
        typer.echo("That is what the stage sells by already: nothing changed.")
        return
    typer.echo(f"Published {published.version[:SHORT]} instead of {published.previous[:SHORT]}. {WITHIN}")


def _when(published: Published) -> str:
    note = f": {published.note}" if published.note else ""
    return f"{console.moment(published.at_ms)} by {published.by}{note}"
