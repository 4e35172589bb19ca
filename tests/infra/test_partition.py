"""Nothing names the partition `aws` where another may be meant: `aws-cn`, `aws-us-gov`."""

from __future__ import annotations

import json
import re

from infra.paths import FUNCTIONS, ROOT, STATE_MACHINES
from tests.infra.template import Template

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


def test_no_template_names_a_partition(dev: Template, local: Template) -> None:
    for template in (dev, local):
        assert "arn:aws:" not in json.dumps(template.stacks)


def test_the_workflows_are_of_the_stages_partition(dev: Template) -> None:
    files = [file.read_text(encoding="utf-8") for file in STATE_MACHINES.glob("*.asl.json")]
    assert all("arn:aws:states:::" in text for text in files), "or the next lines show nothing"
    for machine in dev.properties("AWS::StepFunctions::StateMachine"):
        assert machine["DefinitionSubstitutions"]["Partition"] == {"Ref": "AWS::Partition"}
        assert "arn:${Partition}:states:::lambda:invoke" in machine["DefinitionString"]
