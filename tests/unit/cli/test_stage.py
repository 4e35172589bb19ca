"""Which stage the operator's command works on, and what it says when there is none."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from shoal.adapters.aws.client import client as client_of_this_process
from shoal.cli import app
from shoal.cli.stage import (
    CATALOG_VARIABLE,
    LOCAL_FILE,
    LOCAL_FILE_VARIABLE,
    OPTIONAL_OUTPUTS,
    OUTPUTS,
    StageNotFound,
    connect,
)
from shoal.composition.operator import Operator
from shoal.domain.errors import ShoalError
from shoal.domain.models.files import CATALOG, SHARED
from shoal.settings import OperatorSettings
from tests.support.factories import a_job

# As `make run` first writes it: before there is an account.
LOCAL = {
    "api_url": "http://localhost:8787",
    "endpoint_url": "http://localhost:4566",
    "access_key_id": "AKIALOCAL",
    "secret_access_key": "of-this-run",
    "region": "us-east-1",
    "stage": "local",
    "stage_kind": "local",
    "api_key": "",
    "account_id": "",
    "event_bus": "shoal-local",
    "table": "shoal-local-table",
    "outputs_bucket": "shoal-local-outputs",
    "catalog_bucket": "shoal-local-catalog",
    "staging_bucket": "shoal-local-staging",
    "videos_bucket": "shoal-local-videos",
    "signed_url_s": "3600",
    "poll_queue_url": "http://localhost:4566/000000000000/poll",
    "simulated_poll_queue_url": "http://localhost:4566/000000000000/simulated-poll",
    "grant_cap_usd": "0",
    "grant_cap_credits": "0",
    "keyless_providers": "embedded,simulator",
    "provider_base_urls": "{}",
    "state_machine_arn": "arn:aws:states:us-east-1:000000000000:stateMachine:shoal-local-generate",
    "public_url": "http://localhost:8787",
    "stripe_url": "https://api.stripe.com",
}


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Where the operator is: a folder with no stage in it or above it."""
    monkeypatch.delenv(LOCAL_FILE_VARIABLE, raising=False)
    monkeypatch.delenv(CATALOG_VARIABLE, raising=False)
    monkeypatch.chdir(tmp_path)
    return tmp_path


def shoal(*arguments: str) -> Result:
    return CliRunner().invoke(app, arguments)


def picture_of(operator: Operator) -> str:
    """Where the stage shows its pictures."""
    return operator.sweep.see_to_job.close_job.url_of("images/a/0.png")


def write(file: Path, text: str) -> Path:
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(text)
    return file


@pytest.mark.parametrize("arguments", [("--help",), ("accounts", "create", "--help"), ("audit", "--help")])
def test_help_needs_no_stage(arguments: tuple[str, ...]) -> None:
    result = shoal(*arguments)
    assert result.exit_code == 0
    assert "Deployed stage" in result.stdout


@pytest.mark.parametrize(
    ("arguments", "stage"),
    [
        (["audit"], None),
        (["audit", "--stage", "dev"], "dev"),
        (["--stage", "dev", "audit"], "dev"),
        (["--stage", "dev", "audit", "--stage", "prod"], "prod"),
    ],
)
def test_the_stage_may_be_named_before_or_after_the_command(arguments: list[str], stage: str | None) -> None:
    asked: list[str | None] = []

    def note(stage: str | None) -> Operator:
        asked.append(stage)
        raise ShoalError("that is all")

    assert CliRunner().invoke(app, arguments, obj=note).exit_code == 1
    assert asked == [stage]


@pytest.mark.parametrize("stage", [None, "local"])
def test_the_local_stage_is_found_from_anywhere_in_the_checkout(
    folder: Path, stage: str | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    write(folder / LOCAL_FILE, json.dumps(LOCAL))
    (folder / "deep" / "down").mkdir(parents=True)
    monkeypatch.chdir(folder / "deep" / "down")
    assert picture_of(connect(stage)) == "http://localhost:8787/images/a/0.png"


def test_the_local_file_may_lie_elsewhere(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write(folder / LOCAL_FILE, json.dumps(LOCAL))
    other = write(folder / "other.json", json.dumps(LOCAL | {"public_url": "http://localhost:9999"}))
    monkeypatch.setenv(LOCAL_FILE_VARIABLE, str(other))
    assert picture_of(connect(None)) == "http://localhost:9999/images/a/0.png"


def test_the_operator_reaches_aws_through_clients_of_the_stage_alone(folder: Path) -> None:
    write(folder / LOCAL_FILE, json.dumps(LOCAL))
    before = client_of_this_process.cache_info()

    operator = connect(None)
    operator.stripe().settle()
    operator.providers().testable["bedrock"]()
    video = operator.sweep.see_to_job.close_job.url_of("videos/a/final.mp4")

    assert video.startswith("http://localhost:4566/shoal-local-videos/videos/a/final.mp4?X-Amz-")
    assert client_of_this_process.cache_info() == before, "a function's client was asked for"


def test_a_deployed_stage_has_an_output_for_every_setting_of_the_command() -> None:
    fields = set(OperatorSettings.model_fields)
    assert set(OUTPUTS) | set(OPTIONAL_OUTPUTS) | {"stage"} == fields - {"machine_versions"}


def test_the_command_knows_the_catalog_that_the_environment_names(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write(folder / LOCAL_FILE, json.dumps(LOCAL))
    team = shutil.copytree(CATALOG, folder / "team")
    own = (CATALOG / SHARED).read_text(encoding="utf-8")
    write(team / SHARED, own.replace("micros = 1_000_000", "micros = 7", 1))
    monkeypatch.setenv(CATALOG_VARIABLE, str(team))
    assert connect(None).sweep.see_to_job.close_job.note_low_balance.low_balance(a_job()).micros == 7
    monkeypatch.delenv(CATALOG_VARIABLE)
    assert connect(None).sweep.see_to_job.close_job.note_low_balance.low_balance(a_job()).micros == 1_000_000


@pytest.mark.parametrize("text", [None, "models = 1", "["])
def test_a_catalog_that_cannot_be_read_is_an_error(
    folder: Path, monkeypatch: pytest.MonkeyPatch, text: str | None
) -> None:
    write(folder / LOCAL_FILE, json.dumps(LOCAL))
    if text is not None:
        write(folder / "team" / SHARED, text)
    monkeypatch.setenv(CATALOG_VARIABLE, str(folder / "team"))
    with pytest.raises(StageNotFound, match=r"team is no catalog"):
        connect(None)


def test_without_any_stage_the_operator_is_told_what_to_do() -> None:
    result = shoal("audit")
    assert (result.exit_code, result.stdout, result.stderr.count("\n")) == (1, "", 1)
    assert "make run" in result.stderr
    assert "--stage" in result.stderr


@pytest.mark.parametrize("text", ["", "{", "[]", "{}", json.dumps(LOCAL | {"table": 1})])
def test_a_file_that_describes_no_stage_is_an_error(folder: Path, text: str) -> None:
    write(folder / LOCAL_FILE, text)
    with pytest.raises(StageNotFound, match="does not describe a local stage"):
        connect(None)
