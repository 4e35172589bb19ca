"""Who may have rules on the bus: nobody else, unless the stage's file names them."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from infra.checks import OWNER
from infra.constructs.bus import MANAGE_RULES
from infra.stage import InvalidStage, load_stage
from tests.infra.stages import DEV
from tests.infra.template import Template, synthesized, text

POLICY = "AWS::Events::EventBusPolicy"
ACCOUNTS = ("111122223333", "444455556666")
ORGANIZATION = "o-a1b2c3d4e5"


def test_no_other_account_has_rules_unless_the_stage_names_it(template: Template) -> None:
    assert not template.properties(POLICY)


def test_those_that_are_named_manage_their_own_rules_and_tell_nothing(tmp_path: Path) -> None:
    named = replace(DEV, bus_accounts=ACCOUNTS, bus_organization=ORGANIZATION)
    found = synthesized(named, tmp_path).properties(POLICY)
    statements = {each["StatementId"]: each["Statement"] for each in found}

    assert statements.keys() == {"Accounts", "Organization"}
    assert statements["Accounts"]["Principal"] == {"AWS": list(ACCOUNTS)}
    assert statements["Organization"]["Principal"] == "*"
    assert statements["Organization"]["Condition"]["StringEquals"] == {"aws:PrincipalOrgID": ORGANIZATION}
    for statement in statements.values():
        own = {"events:creatorAccount": "${aws:PrincipalAccount}"}
        assert statement["Condition"]["StringEqualsIfExists"] == own
        assert statement["Action"] == [f"events:{action}" for action in MANAGE_RULES]
        assert "events:PutEvents" not in statement["Action"]
        assert text(statement["Resource"]).endswith(":rule/<Bus>/*")


@pytest.mark.parametrize(
    "line", ['bus_accounts = ["123"]', 'bus_organization = "r-abcd"', 'bus_accounts = ["*"]']
)
def test_whose_name_is_none_is_refused(tmp_path: Path, line: str) -> None:
    file = tmp_path / "acme.toml"
    file.write_text(f'kind = "dev"\n{line}\n', encoding="utf-8")
    with pytest.raises(InvalidStage):
        load_stage(file, owner=OWNER)
