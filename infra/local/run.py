"""`make run` and `make down`: Shoal on this machine, deployed by the real CDK, left running.

State is in `.local/`, which only its owner can read: pid, port and log of the cloud and its front, the
credentials of this run, the CDK's logs, `shoal.json` for the operator's command, and the pictures. The cloud
keeps everything in memory: `down` forgets it.
"""

from __future__ import annotations

import argparse
import json
import os
import secrets
import shutil
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from decimal import Decimal
from pathlib import Path

import requests
from rich.console import Console
from rich.progress import Progress, SpinnerColumn, TextColumn, TimeElapsedColumn

from infra import NODE
from infra.local import aws
from infra.local.assembly import outputs, source_hash
from infra.local.cloud import LocalCloud, start_cloud, start_front, temporary_folder
from infra.local.demo import REQUEST, Client
from infra.local.login import allow_in
from infra.local.processes import ROOT, LocalCloudError, Service, require_free, run

FOLDER = ROOT / ".local"
CDK = ROOT / "node_modules" / "aws-cdk" / "bin" / "cdk"
OVERRIDES = ("SHOAL_PROVIDER_DEADLINE_S", "SHOAL_CLIP_DEADLINE_S", "SHOAL_WEBHOOK_RETRY_S")
"""What the environment may change of the local stage."""
SHOAL = Path(sys.executable).with_name("shoal")
PASSWORD_BYTES = 12
DEMO_EMAIL, DEMO_USD = "demo@example.com", "10.00"
CREATE = ("accounts", "create", "--reason", "a demo", "--json")
DEMO_USD_MIN = Decimal("0.02")  # the price of the demo's picture
console = Console(highlight=False)


@dataclass(frozen=True)
class Local:
    """The one local cloud of this checkout."""

    front_port: int
    cloud_port: int
    cloud: Service = field(default=Service("cloud", FOLDER))
    front: Service = field(default=Service("front", FOLDER))
    config: Path = FOLDER / "shoal.json"
    credentials: Path = FOLDER / "credentials.json"
    deployed: Path = FOLDER / "deployed"  # the hash of the sources that run

    def up(self) -> LocalCloud:
        """Boot what doesn't run, deploy what has changed. Raises `LocalCloudError`."""
        self._require_ports()
        if self.cloud.find_process() is None:
            self.front.stop()
            self._forget()
            with step("Booting the local cloud"):
                self.credentials.touch(0o600)
                self.credentials.write_text(json.dumps(asdict(aws.Credentials.fresh())))
                start_cloud(self.cloud, self._endpoint())
        endpoint = self._endpoint()
        self._deploy(endpoint)
        if self.front.find_process() is None:
            with step("Opening the front"):
                start_front(self.front, port=self.front_port, endpoint=endpoint)
        return LocalCloud(api_url=self.api_url, endpoint=endpoint, folder=FOLDER, outputs=outputs(endpoint))

    def down(self) -> None:
        """Stop front and cloud."""
        for service in (self.front, self.cloud):
            pid = service.stop()
            console.print(f"{service.name}: {'not running' if pid is None else f'stopped (pid {pid})'}")
        self._forget()

    @property
    def api_url(self) -> str:
        return f"http://localhost:{self.front_port}"

    def _endpoint(self) -> aws.Endpoint:
        """The cloud that runs, with the credentials it was booted with. Raises `LocalCloudError`."""
        if not self.credentials.exists():
            raise LocalCloudError("the cloud that runs is of another version: `make down` stops it")
        credentials = aws.Credentials(**json.loads(self.credentials.read_text()))
        return aws.Endpoint(f"http://localhost:{self.cloud_port}", credentials)

    def _forget(self) -> None:
        """What described a cloud that has gone."""
        self.credentials.unlink(missing_ok=True)
        self.deployed.unlink(missing_ok=True)
        self.config.unlink(missing_ok=True)
        shutil.rmtree(temporary_folder(self.cloud), ignore_errors=True)

    def _require_ports(self) -> None:
        """Nothing is started before all ports are known to be ours."""
        for service, port in ((self.cloud, self.cloud_port), (self.front, self.front_port)):
            record = service.find_process()
            if record is None:
                require_free(port, service.name)
            elif record["port"] != port:
                raise LocalCloudError(
                    f"the {service.name} runs on port {record['port']}, not on {port}: `make down` stops it"
                )

    def _deploy(self, endpoint: aws.Endpoint) -> None:
        chosen = {name: os.environ[name] for name in OVERRIDES if os.environ.get(name)}
        settings = {"SHOAL_LOCAL_URL": self.api_url, **chosen}
        digest = source_hash(settings)
        deployed = self.deployed.read_text() if self.deployed.exists() else None
        if deployed == digest:
            return
        env = {**os.environ, **endpoint.environment(), **settings, **CDK_ENVIRONMENT}
        if deployed is None:
            with step("cdk bootstrap"):
                # Not in this project's folder, where the CDK would synthesize the stack for nothing.
                cdk("bootstrap", f"aws://{aws.ACCOUNT}/{aws.REGION}", env=env, cwd=FOLDER)
        with step(f"cdk deploy -c stage={aws.STAGE}"):
            cdk(
                *("deploy", "--all", "-c", f"stage={aws.STAGE}"),
                # Nobody looks at change sets here, and making them takes as long as the deployment.
                *("--require-approval", "never", "--method", "direct"),
                env=env,
            )
        self.deployed.write_text(digest)


CDK_ENVIRONMENT = {
    "CDK_DEFAULT_ACCOUNT": aws.ACCOUNT,
    "CDK_DEFAULT_REGION": aws.REGION,
    "CDK_DISABLE_CLI_TELEMETRY": "true",
}


def cdk(*arguments: str, env: Mapping[str, str], cwd: Path = ROOT) -> None:
    """Run the CDK's command line. Raises `LocalCloudError` with the end of what it said."""
    run(
        [NODE, str(CDK), *arguments, "--no-notices"], env=env, log=FOLDER / f"cdk-{arguments[0]}.log", cwd=cwd
    )


def demo_client(local: Local, cloud: LocalCloud) -> Client:
    """A client with a key of an account that can pay: the last run's, or that of a new one."""
    if local.config.exists():
        config = json.loads(local.config.read_text())
        client = Client(cloud.api_url, config["api_key"])
        if config["api_key"] and dollars(client.wallet()["available"]) >= DEMO_USD_MIN:
            return client
    local.config.write_text(json.dumps(cloud.config(), indent=2))
    with step(f"Creating a demo account with ${DEMO_USD}"):
        created = run(
            [str(SHOAL), *CREATE, "--email", DEMO_EMAIL, "--usd", DEMO_USD],
            env={**os.environ, "SHOAL_CONFIG": str(local.config)},
            log=FOLDER / "shoal.log",
        )
    account = json.loads(created)
    config = cloud.config(api_key=account["api_key"], account_id=account["account_id"])
    config["password"] = secrets.token_urlsafe(PASSWORD_BYTES)
    local.config.write_text(json.dumps(config, indent=2))
    return Client(cloud.api_url, account["api_key"])


def dollars(text: str) -> Decimal:
    """The amount in `$0.02`."""
    return Decimal(text.replace("$", ""))


def play(client: Client, password: str) -> None:
    """Make one picture as the quick start says, and tell how to make the next one."""
    before = client.wallet()
    with progress() as shown:
        task = shown.add_task(f"POST /v1/generate {json.dumps(REQUEST)}")
        job_id = client.submit(REQUEST)
        job = client.wait(job_id, lambda status: shown.update(task, description=f"{job_id}: {status}"))
    console.print(f"[green]✓[/green] {job_id}: {job['status']}, cost {job['cost']}")
    picture = client.save(job["image_url"], FOLDER / "pictures" / f"{job_id}.png")
    after = client.wallet()
    curl = (
        f"curl -X POST {client.api_url}/v1/generate -H 'Authorization: Bearer {client.api_key}'"
        f" -H 'Content-Type: application/json' -d '{json.dumps(REQUEST)}'"
    )
    rows = {
        "Picture": str(picture.relative_to(ROOT)),
        "Wallet": f"{before['available']} before, {after['available']} after",
        "API": client.api_url,
        "Key": client.api_key,
        "Dashboard": f"{client.api_url}/dashboard",
        "Sign in": f"{DEMO_EMAIL} with the password {password}",
        "Try": curl,
    }
    console.print()
    for name, value in rows.items():
        console.print(f"[bold]{name:9}[/bold] {value}", soft_wrap=True, markup=True)
    console.print("\nEverything keeps running; `make down` stops it.")


def progress() -> Progress:
    """A line that shows what is being waited for, and for how long."""
    columns = (SpinnerColumn(), TextColumn("{task.description}"), TimeElapsedColumn())
    return Progress(*columns, console=console, transient=True, disable=not console.is_terminal)


@contextmanager
def step(name: str) -> Iterator[None]:
    """Show a step with its time while it runs, and a line of it once it is done."""
    with progress() as shown:
        task = shown.add_task(name)
        yield
        seconds = shown.tasks[task].elapsed or 0.0
    console.print(f"[green]✓[/green] {name} [dim]{seconds:.1f} s[/dim]")


def main() -> None:
    """Exits with 1 and a clear message when a step fails."""
    parser = argparse.ArgumentParser(prog="python -m infra.local.run")
    parser.add_argument("command", choices=["up", "down"])
    parser.add_argument("--port", type=int, default=int(os.environ.get("SHOAL_PORT", "8787")))
    parser.add_argument("--cloud-port", type=int, default=int(os.environ.get("SHOAL_CLOUD_PORT", "4566")))
    options = parser.parse_args()
    local = Local(front_port=options.port, cloud_port=options.cloud_port)
    try:
        if options.command == "down":
            local.down()
        else:
            cloud = local.up()
            client = demo_client(local, cloud)
            config = json.loads(local.config.read_text())
            allow_in(cloud, email=DEMO_EMAIL, password=config["password"], account_id=config["account_id"])
            play(client, config["password"])
    except (LocalCloudError, requests.RequestException) as error:
        console.print("[red]✗[/red]", end=" ")
        console.print(str(error), markup=False, soft_wrap=True)
        sys.exit(1)
    except KeyboardInterrupt:
        sys.exit(130)  # as a shell reports SIGINT


if __name__ == "__main__":
    main()
