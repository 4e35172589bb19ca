"""The CDK's command line: what it is told when something is missing or was said in the wrong place."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from infra import NODE
from infra.deploy import CDK
from infra.paths import ROOT
from infra.synthesis import feature_flags

RECOMMENDED = CDK.parents[1] / "lib" / "init-templates" / ".recommended-feature-flags.json"
SECONDS_MAX = 120


def run(command: list[str], *, cwd: Path, **environ: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(  # noqa: S603 our own programs
        command,
        cwd=cwd,
        env={**os.environ, **environ},
        check=False,
        capture_output=True,
        text=True,
        timeout=SECONDS_MAX,
    )


def test_a_fresh_clone_says_what_to_run_first(tmp_path: Path) -> None:
    for name in ("app.py", "cdk.json"):
        shutil.copy(ROOT / name, tmp_path)
    result = run([NODE, str(CDK), "synth", "--no-notices"], cwd=tmp_path)
    assert result.returncode != 0
    (line,) = [line for line in result.stderr.splitlines() if "make synth" in line]
    assert line.startswith("Run `make synth` first")
    assert "Traceback" not in result.stdout + result.stderr


@pytest.mark.parametrize(
    ("context", "says"),
    [
        ({"stage": "nowhere"}, "there is no stages/nowhere.toml: the stages of stages are dev, local, prod"),
        ({"waf": "2000"}, "-c waf: settings of a stage are in its file: stages/<stage>.toml"),
        ({"cors": "https://a.example"}, "-c cors: settings of a stage are in its file"),
        ({"alarm_email": "ops@example.com"}, "-c alarm_email: settings of a stage are in its file"),
        (
            {"stage": "prod"},
            "stages/prod.toml: set alarm_email or alarm_topic_arn: without it nobody",
        ),
    ],
)
def test_a_wrong_command_line_is_answered_in_one_line(
    tmp_path: Path, context: dict[str, str], says: str
) -> None:
    result = run(
        [sys.executable, "app.py"], cwd=ROOT, CDK_CONTEXT_JSON=json.dumps(context), CDK_OUTDIR=str(tmp_path)
    )
    assert result.returncode == 1
    assert says in result.stderr
    assert result.stderr.count("\n") == 1


def test_every_flag_that_this_version_of_the_cdk_recommends_is_set() -> None:
    """Before anything lives anywhere: later a flag can replace what is deployed."""
    recommended = json.loads(RECOMMENDED.read_text(encoding="utf-8"))
    assert len(recommended) > 80
    assert feature_flags() == recommended
