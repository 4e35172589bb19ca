"""Nothing names the partition `aws` where another may be meant: `aws-cn`, `aws-us-gov`."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from aws_cdk import Environment

from infra.build.packages import unbuilt_packages
from infra.paths import FUNCTIONS, ROOT
from infra.stacks.shoal_stage import ShoalStage
from infra.synthesis import new_app
from tests.infra.stages import DEV

NAMED = re.compile("arn:aws:")
EXAMPLES = {
    "infra/settings_table.py": "an example of a file",
    "infra/checks.py": "what stands for an owner's word",
    "infra/roles.py": "what stands for resources that are not made, for parliament",
    "infra/constructs/workflow.py": "what it replaces",
    "infra/bootstrap.py": "what it replaces",
}
"""Files that name it and mean no resource by that, and why."""
GLOBAL_SUFFIX = re.compile(r"https://[^\"']*amazonaws\.com")


def test_no_code_names_a_partition() -> None:
    files = [
        file
        for folder in (ROOT / "infra", FUNCTIONS)
        for file in sorted(folder.rglob("*.py"))
        if "local" not in file.relative_to(ROOT).parts[:2]
    ]
    assert len(files) > 300
    named = {str(file.relative_to(ROOT)) for file in files if NAMED.search(file.read_text(encoding="utf-8"))}
    assert named == EXAMPLES.keys()
    suffixed = {
        str(file.relative_to(ROOT))
        for file in files
        if GLOBAL_SUFFIX.search(file.read_text(encoding="utf-8"))
    }
    assert suffixed == set(), "the suffix of China is another"


@pytest.mark.parametrize(("region", "partition"), [("us-gov-west-1", "aws-us-gov"), ("eu-west-1", "aws")])
def test_a_stage_is_of_the_partition_of_its_region(tmp_path: Path, region: str, partition: str) -> None:
    app = new_app(outdir=tmp_path)
    env = Environment(account="123456789012", region=region)
    ShoalStage(app, "Shoal", stage=DEV, packages=unbuilt_packages(layers=True), env=env)
    texts = [file.read_text() for file in Path(app.synth().directory).rglob("*.template.json")]

    named = {name for text in texts for name in re.findall(r"arn:(aws[a-z-]*):", text)}
    assert len(texts) == 3
    assert named <= {partition}
    assert any(f"arn:{partition}:states:::lambda:invoke" in text for text in texts)
