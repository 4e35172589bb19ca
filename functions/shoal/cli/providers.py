"""`shoal providers`: the keys of providers, a test call to each, and how their routes do."""

from __future__ import annotations

import sys
from typing import Annotated, Any

import typer

from shoal.cli import console
from shoal.domain.money import format_usd
from shoal.ports.routing import KEY, WEBHOOK_SECRET
from shoal.use_cases.providers.manage_providers import RouteStatus, Tested

app = typer.Typer(help="Set keys of providers, test them, see how they do.", no_args_is_help=True)

NameArgument = Annotated[str, typer.Argument(metavar="NAME", help="Provider, such as openai.")]
OptionalName = Annotated[str | None, typer.Argument(metavar="NAME", help="Provider, such as openai.")]
AllOption = Annotated[bool, typer.Option("--all", help="Every provider this stage can ask.")]
SecretOption = Annotated[
    bool, typer.Option("--webhook-secret", help="What it signs its webhooks with, not the API key.")
]


@app.command("set-key")
def set_key(
    context: typer.Context,
    name: NameArgument,
    webhook_secret: SecretOption = False,
    stage: console.StageOption = None,
) -> None:
    """Keep a provider's key. It is asked for, or read from stdin: an argument would stay in the history.

    Functions use a new key within five minutes; no deployment is needed.
    """
    manage = console.operator(context, stage).providers()
    value = _ask(name) if sys.stdin.isatty() else sys.stdin.readline()
    manage.set_key(name, WEBHOOK_SECRET if webhook_secret else KEY, value)
    typer.echo(f"Kept the {'webhook secret' if webhook_secret else 'key'} of {name}.")


@app.command("set-address")
def set_address(
    context: typer.Context,
    name: NameArgument,
    address: Annotated[str, typer.Argument(metavar="URL", help="Where it is: https://…")],
    stage: console.StageOption = None,
) -> None:
    """Keep where a worker of your own (`http` or `http-NAME`) is called. Its secret is set by set-key."""
    console.operator(context, stage).providers().set_address(name, address)
    typer.echo(f"Kept the address of {name}.")


@app.command("remove-key")
def remove_key(context: typer.Context, name: NameArgument, stage: console.StageOption = None) -> None:
    """Forget a provider's key: its routes are passed over from then on."""
    console.operator(context, stage).providers().remove_key(name)
    typer.echo(f"Removed the key of {name}.")


@app.command("test")
def call_provider(
    context: typer.Context,
    name: OptionalName = None,
    everyone: AllOption = False,
    as_json: console.JsonOption = False,
    stage: console.StageOption = None,
) -> None:
    """Make one cheap call to a provider with the stage's key. Exit code 1 if it fails."""
    if (name is None) != everyone:
        raise typer.BadParameter("give the name of a provider, or --all")
    manage = console.operator(context, stage).providers()
    tested = list(manage.test_all()) if name is None else [manage.test(name)]
    if as_json:
        console.print_json({"providers": [_test_row(each) for each in tested]})
    else:
        console.print_table(
            ["Provider", "Result", "Took", "Said"],
            [
                [each.provider, "ok" if each.good else "failed", f"{each.duration_ms} ms", each.said]
                for each in tested
            ],
        )
    if not all(each.good for each in tested):
        raise typer.Exit(1)


@app.command()
def status(
    context: typer.Context, as_json: console.JsonOption = False, stage: console.StageOption = None
) -> None:
    """Show every route: its breaker, and its calls, failures, latency and cost of the last 24 hours."""
    at = console.operator(context, stage)
    found = at.providers().status()
    now_ms = at.now_ms()
    if as_json:
        console.print_json({"routes": [_resource(each, now_ms) for each in found]})
        return
    console.print_table(
        ["Route", "Key", "Breaker", "Calls", "Failed", "Outputs", "Mean latency", "Cost", "Opened because"],
        [_row(each, now_ms) for each in found],
    )


def _ask(name: str) -> str:
    value: str = typer.prompt(f"Key of {name}", hide_input=True)
    return value


def _test_row(tested: Tested) -> dict[str, Any]:
    return {
        "provider": tested.provider,
        "ok": tested.good,
        "duration_ms": tested.duration_ms,
        "said": tested.said,
    }


def _row(status: RouteStatus, now_ms: int) -> list[str]:
    stats, until_ms = status.stats, status.breaker.open_until_ms
    breaker = str(status.breaker.state(now_ms))
    if until_ms is not None and until_ms > now_ms:
        breaker += f" until {console.moment(until_ms)}"
    latency = "" if stats.latency_ms is None else f"{stats.latency_ms} ms"
    return [
        status.route.name,
        "yes" if status.ready else "no",
        breaker,
        str(stats.calls),
        str(stats.failures),
        str(stats.outputs),
        latency,
        format_usd(stats.cost_micros) if stats.cost_micros else "",
        status.breaker.reason,
    ]


def _resource(status: RouteStatus, now_ms: int) -> dict[str, Any]:
    stats, breaker = status.stats, status.breaker
    return {
        "route": status.route.name,
        "ready": status.ready,
        "breaker": breaker.state(now_ms),
        "open_until": console.moment(breaker.open_until_ms),
        "reason": breaker.reason or None,
        "calls": stats.calls,
        "failures": stats.failures,
        "outputs": stats.outputs,
        "latency_ms": stats.latency_ms,
        "cost_micros": stats.cost_micros,
    }
