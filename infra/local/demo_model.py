"""`make demo-model`: a model of one page, published to the running stage and paid for by the second."""

from __future__ import annotations

import os
import shutil
import sys
import time
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import requests
from rich.table import Table

from infra.local.cloud import LocalCloud
from infra.local.demo import JOB_SECONDS_MAX, Client, tell_errors
from infra.local.processes import ROOT, LocalCloudError, run
from infra.local.run import FOLDER, SHOAL, Local, console, demo_client, step
from shoal.domain.models.files import CATALOG, MODELS
from shoal_client.resources import Quote, Task

PAGE = ROOT / "examples" / "models" / "reef-clip.toml"
REQUEST: dict[str, Any] = {"prompt": "A shark turning above a reef", "duration": 5, "resolution": "1080p"}
KNOWN_SECONDS_MAX = 60.0
PAUSE_SECONDS = 1.0


@dataclass(frozen=True)
class Sold:
    """One job of the model: what was quoted, what was held while it ran, and the task at its end."""

    quote: Quote
    held: str
    task: Task

    @property
    def rows(self) -> list[tuple[str, str]]:
        """What happened to the money, in its order."""
        (file,) = self.task["files"]
        size = f"{file.get('width')} x {file.get('height')}, {file.get('seconds')} s, {file['bytes']:,} bytes"
        return [
            ("Quoted", f"{self.quote['upper_bound']} ({self.quote.get('sentence', '')})"),
            ("Held", self.held),
            ("Measured", size),
            ("Captured", self.task["cost"]),
        ]


def publish(page: Path, config: Path) -> None:
    """Sell by Shoal's own catalog and this page. Raises `LocalCloudError`."""
    with TemporaryDirectory() as folder:
        catalog = Path(folder, "catalog")
        shutil.copytree(CATALOG, catalog)
        shutil.copy(page, catalog / MODELS)
        run(
            [str(SHOAL), "catalog", "publish", str(catalog), "--note", f"demo of {page.name}"],
            env={**os.environ, "SHOAL_CONFIG": str(config)},
            log=FOLDER / "shoal.log",
        )


def wait_until_sold(client: Client, model: str) -> float:
    """Seconds until the API sells the model. Raises `LocalCloudError` after a minute."""
    began = time.monotonic()
    with tell_errors():
        while model not in [each["id"] for each in client.shoal.models()]:
            if time.monotonic() - began > KNOWN_SECONDS_MAX:
                raise LocalCloudError(f"the stage does not know {model} after {KNOWN_SECONDS_MAX:.0f} s")
            time.sleep(PAUSE_SECONDS)
    return time.monotonic() - began


def sell(client: Client, model: str, request: dict[str, Any]) -> Sold:
    """Quote a job, run it, and see what becomes of the money. Raises `LocalCloudError`."""
    with tell_errors():
        quote = client.shoal.quote(model=model, **request)
        accepted = client.shoal.tasks.create(model, **request)
        held = client.wallet()["held"]
        task = client.shoal.tasks.wait(accepted, timeout_s=JOB_SECONDS_MAX, pause_s=PAUSE_SECONDS)
    return Sold(quote, held, task)


def main() -> None:
    """Exits with 1 and a clear message when a step fails."""
    local = Local(
        front_port=int(os.environ.get("SHOAL_PORT", "8787")),
        cloud_port=int(os.environ.get("SHOAL_CLOUD_PORT", "4566")),
    )
    model = PAGE.stem
    try:
        cloud: LocalCloud = local.up()
        client = demo_client(local, cloud)
        with step(f"Publishing {PAGE.relative_to(ROOT)}"):
            publish(PAGE, local.config)
        with step(f"Waiting for {model} in GET /v1/models"):
            wait_until_sold(client, model)
        with step(f"Making {REQUEST['duration']} seconds of {REQUEST['resolution']}"):
            sold = sell(client, model, REQUEST)
    except (LocalCloudError, requests.RequestException) as error:
        console.print("[red]✗[/red]", end=" ")
        console.print(str(error), markup=False, soft_wrap=True)
        sys.exit(1)
    except KeyboardInterrupt:
        sys.exit(130)  # as a shell reports SIGINT
    table = Table(show_header=False, box=None)
    for row in sold.rows:
        table.add_row(*row)
    console.print(table)
    console.print(f"Take it back with `{SHOAL.name} catalog rollback`.")


if __name__ == "__main__":
    main()
