"""Schemathesis reads the OpenAPI document and tries everything: no 5xx, nothing undocumented."""

from __future__ import annotations

import io
import os
import subprocess
import sys
from collections.abc import Iterable
from pathlib import Path

import pytest
from PIL import Image

from shoal.domain.money import parse_usd
from tests.support.deployed import Deployed
from tests.support.receiver import Piece, Received, Receiver, reply

HERE = Path(__file__).parent
ROOT = HERE.parents[1]
RUN_SECONDS_MAX = 600  # on two idle cores it takes a minute or two


def receive(received: Received) -> Iterable[Piece]:
    """Takes events, and answers a GET with a picture."""
    return (reply(200, picture()) if received.method == "GET" else reply(204))(received)


def picture() -> bytes:
    content = io.BytesIO()
    Image.new("RGB", (64, 64), "teal").save(content, "PNG")
    return content.getvalue()


@pytest.mark.timeout(RUN_SECONDS_MAX + 60)
def test_schemathesis_finds_nothing(deployed: Deployed, tmp_path: Path) -> None:
    account, _ = deployed.accounts.open("fuzz@example.com", usd_micros=parse_usd("1000.00"), credits=3)
    key, _ = deployed.key_of(account.id)
    with Receiver(receive) as receiver:
        run = subprocess.run(  # noqa: S603 - a package of this environment, no outside input
            [
                *(sys.executable, "-m", "schemathesis.cli", f"--config-file={HERE / 'schemathesis.toml'}"),
                *("run", f"{deployed.cloud.api_url}/api/v1/openapi.json"),
                *("--header", f"Authorization: Bearer {key}"),
                "--no-color",
            ],
            cwd=tmp_path,
            env={
                **os.environ,
                "PYTHONPATH": str(ROOT),
                "SCHEMATHESIS_HOOKS": "tests.e2e.fuzz_hooks",
                "SHOAL_FUZZ_RECEIVER": receiver.url("/fuzz"),
            },
            capture_output=True,
            text=True,
            timeout=RUN_SECONDS_MAX,
            check=False,
        )
    assert run.returncode == 0, run.stdout + run.stderr
