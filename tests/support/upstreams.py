"""A stage whose providers are the fakes: every key set by the operator's command, every address theirs."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from unittest.mock import patch

import requests
from typer.testing import CliRunner, Result

from infra.local.aws import ACCOUNT, REGION
from infra.local.cloud import LocalCloud, local_cloud
from shoal.cli import app
from shoal.cli.stage import LOCAL_FILE_VARIABLE
from tests.fakes.providers.bedrock import FakeBedrock
from tests.fakes.providers.fal import FakeFal
from tests.fakes.providers.gemini import FakeGemini
from tests.fakes.providers.openai import FakeOpenAi
from tests.fakes.providers.polly import FakePolly
from tests.fakes.providers.replicate import FakeReplicate
from tests.fakes.providers.server import FakeProvider
from tests.fakes.providers.stability import FakeStability
from tests.support.bus import BusLog
from tests.support.deployed import Deployed
from tests.support.fixtures import pause_sweeper

DEADLINE_S, CLIP_DEADLINE_S = 45, 90
"""Providers are asked again after 10 s, and a busy machine takes as long to start a function."""


@dataclass(frozen=True)
class Upstreams:
    """The stage and the fakes behind it."""

    deployed: Deployed
    openai: FakeOpenAi
    gemini: FakeGemini
    stability: FakeStability
    replicate: FakeReplicate
    fal: FakeFal
    bedrock: FakeBedrock
    polly: FakePolly

    def shoal(self, *arguments: str, stdin: str | None = None) -> Result:
        """The operator's command on this stage."""
        return operate(self.deployed.cloud, *arguments, stdin=stdin)

    def status(self, route: str) -> dict[str, Any]:
        """What the operator reads of a route."""
        result = self.shoal("providers", "status", "--json")
        assert result.exit_code == 0, result.output
        (found,) = [each for each in json.loads(result.stdout)["routes"] if each["route"] == route]
        status: dict[str, Any] = found
        return status


def operate(cloud: LocalCloud, *arguments: str, stdin: str | None = None) -> Result:
    """The operator's command on the stage in a cloud."""
    file = cloud.folder / "shoal.json"
    # By the functions' own key: it is the one that the fakes of AWS's services know.
    file.write_text(json.dumps(cloud.config() | {"access_key_id": ACCOUNT}))
    with patch.dict(os.environ, {LOCAL_FILE_VARIABLE: str(file)}):
        return CliRunner().invoke(app, arguments, input=stdin)


@contextmanager
def upstreams(folder: Path) -> Iterator[Upstreams]:
    """The stage in a cloud of its own; it ends with the context, and no fake may have found a fault."""
    with ExitStack() as stack:
        fakes = _fakes()
        for fake in fakes.values():
            stack.enter_context(fake)
        stack.enter_context(patch.dict(os.environ, {"SHOAL_PROVIDER_BASE_URLS": json.dumps(_urls(fakes))}))
        cloud = stack.enter_context(
            local_cloud(folder, provider_deadline_s=DEADLINE_S, clip_deadline_s=CLIP_DEADLINE_S)
        )
        for name in ("bedrock", "polly"):
            # What the local cloud gives its functions.
            fakes[name].key = f"{ACCOUNT}:{cloud.endpoint.credentials.secret_access_key}"
            fakes[name].region = REGION
        http = stack.enter_context(requests.Session())
        pause_sweeper(cloud)
        stage = Upstreams(Deployed(cloud, http, BusLog(cloud)), **fakes)
        stage.deployed.secrets.watch(http)
        for name in ("openai", "gemini", "stability", "replicate", "fal"):
            stage.deployed.secrets.seen.add(fakes[name].key)
            result = stage.shoal("providers", "set-key", name, stdin=f"{fakes[name].key}\n")
            assert result.exit_code == 0, result.output
        yield stage
        assert {name: fake.problems for name, fake in fakes.items() if fake.problems} == {}
        assert stage.deployed.troubles() == []


def _fakes() -> dict[str, Any]:
    fakes: dict[str, Any] = {
        "openai": FakeOpenAi(),
        "gemini": FakeGemini(),
        "stability": FakeStability(),
        "replicate": FakeReplicate(),
        "fal": FakeFal(),
        "bedrock": FakeBedrock(),
        "polly": FakePolly(),
    }
    fakes["fal"].states = ("COMPLETED",)
    return fakes


def _urls(fakes: dict[str, FakeProvider]) -> dict[str, str]:
    urls = {name: getattr(fake, "base_url", fake.url) for name, fake in fakes.items()}
    return urls | {"fal-keys": f"{fakes['fal'].url}/.well-known/jwks.json"}
