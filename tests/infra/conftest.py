"""Each stage is synthesized once for all tests of the stack."""

from __future__ import annotations

import pytest

from tests.infra.stages import DEV, LOCAL, PROD
from tests.infra.template import Template, synthesized


@pytest.fixture(scope="session")
def dev(tmp_path_factory: pytest.TempPathFactory) -> Template:
    return synthesized(DEV, tmp_path_factory.mktemp("dev"))


@pytest.fixture(scope="session")
def local(tmp_path_factory: pytest.TempPathFactory) -> Template:
    return synthesized(LOCAL, tmp_path_factory.mktemp("local"))


@pytest.fixture(scope="session")
def prod(tmp_path_factory: pytest.TempPathFactory) -> Template:
    return synthesized(PROD, tmp_path_factory.mktemp("prod"))


@pytest.fixture(params=["local", "dev", "prod"])
def template(request: pytest.FixtureRequest) -> Template:
    """Each stage in turn, for what holds on all of them."""
    found: Template = request.getfixturevalue(request.param)
    return found
