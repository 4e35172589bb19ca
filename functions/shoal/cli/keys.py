"""`shoal keys`: what an account signs in with."""

from __future__ import annotations

from typing import Annotated, Any

import typer

from shoal.cli import console
from shoal.domain.api_key import ApiKey, KeyPrefix, Scope
from shoal.domain.rate_limit import BURST, REQUESTS_PER_MINUTE, RateLimit

app = typer.Typer(help="Create, list and revoke API keys.", no_args_is_help=True)

PrefixOption = Annotated[KeyPrefix, typer.Option("--prefix", help="sk_test_ keys spend play money only.")]
RateOption = Annotated[int, typer.Option("--rpm", metavar="N", help="Requests a minute.")]
BurstOption = Annotated[
    int | None,
    typer.Option(
        "--burst", metavar="B", help=f"Requests at once. Default: a third of the rate, {BURST} at least."
    ),
]
ScopeOption = Annotated[
    list[Scope] | None, typer.Option("--scope", help="May be given several times. Default: every scope.")
]
KeyArgument = Annotated[str, typer.Argument(metavar="KEY_ID", help="Key id, key_…")]


@app.command()
def create(
    context: typer.Context,
    account_id: console.AccountArgument,
    prefix: PrefixOption = KeyPrefix.LIVE,
    requests_per_minute: RateOption = REQUESTS_PER_MINUTE,
    burst: BurstOption = None,
    scopes: ScopeOption = None,
    as_json: console.JsonOption = False,
    stage: console.StageOption = None,
) -> None:
    """Make a key of an account. It is shown this once."""
    try:
        limit = RateLimit.of_rate(requests_per_minute, burst)
    except ValueError as error:
        raise typer.BadParameter(str(error)) from None
    allowed = frozenset(scopes or Scope)
    new = console.operator(context, stage).manage.create_key(account_id, prefix, limit, allowed)
    if as_json:
        console.print_json({"account_id": account_id, "api_key": new.secret, **_resource(new.key)})
        return
    console.print_fields({"Account": account_id, "Key id": new.key.id, "Key": new.secret})
    typer.echo("Keep the key now: it is not stored and cannot be shown again.")


@app.command("list")
def list_keys(
    context: typer.Context,
    account_id: console.AccountArgument,
    as_json: console.JsonOption = False,
    stage: console.StageOption = None,
) -> None:
    """List the keys of an account, oldest first."""
    keys = console.operator(context, stage).inspect.list_keys(account_id)
    if as_json:
        console.print_json({"keys": [_resource(key) for key in keys]})
        return
    console.print_table(
        ["Key id", "Key", "Scopes", "Per minute", "Burst", "Created", "State"],
        [
            [
                key.id,
                f"{key.prefix}…{key.last_four}",
                " ".join(sorted(key.scopes)),
                str(key.limit.requests_per_minute),
                str(key.limit.burst),
                console.moment(key.created_at_ms) or "",
                "revoked" if key.revoked else "active",
            ]
            for key in keys
        ],
    )


@app.command()
def revoke(
    context: typer.Context,
    account_id: console.AccountArgument,
    key_id: KeyArgument,
    as_json: console.JsonOption = False,
    stage: console.StageOption = None,
) -> None:
    """Make a key useless, at once and for good. Revoking it again changes nothing."""
    console.operator(context, stage).manage.revoke_key(account_id, key_id)
    if as_json:
        console.print_json({"account_id": account_id, "key_id": key_id, "revoked": True})
    else:
        typer.echo(f"Revoked {key_id} of {account_id}.")


def _resource(key: ApiKey) -> dict[str, Any]:
    return {
        "key_id": key.id,
        "prefix": key.prefix,
        "last_four": key.last_four,
        "scopes": sorted(key.scopes),
        "requests_per_minute": key.limit.requests_per_minute,
        "burst": key.limit.burst,
        "created_at": console.moment(key.created_at_ms),
        "revoked": key.revoked,
    }
