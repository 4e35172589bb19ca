"""Stages are chosen by name; the local one can be adjusted from the environment."""

from __future__ import annotations

import pytest

from infra.stage import DEV, LOCAL, PROD, InvalidStage, stage_named

OVERRIDES = {
    "SHOAL_PROVIDER_DEADLINE_S": "5",
    "SHOAL_LOCAL_URL": "http://localhost:9000",
    "SHOAL_STRIPE_URL": "http://localhost:9001",
}


@pytest.mark.parametrize("stage", [LOCAL, DEV, PROD], ids=lambda stage: stage.name)
def test_a_stage_is_found_by_its_name(stage: object) -> None:
    assert stage_named(stage.name, environ={}) == stage  # type: ignore[attr-defined]


def test_an_unknown_stage_is_refused_with_the_choices() -> None:
    with pytest.raises(InvalidStage, match="unknown stage 'staging': choose one of local, dev, prod"):
        stage_named("staging", environ={})


def test_the_local_stage_takes_deadline_and_url_from_the_environment() -> None:
    stage = stage_named("local", environ=OVERRIDES)
    assert stage.provider_deadline_s == 5
    assert (stage.local_url, stage.stripe_url) == ("http://localhost:9000", "http://localhost:9001")


@pytest.mark.parametrize("name", ["dev", "prod"])
def test_a_stage_on_aws_ignores_the_local_overrides(name: str) -> None:
    assert stage_named(name, environ=OVERRIDES) == stage_named(name, environ={})


@pytest.mark.parametrize("deadline", ["", "0", "-1", "1.5", "3601", "soon"])
def test_a_deadline_that_cannot_be_is_refused(deadline: str) -> None:
    with pytest.raises(InvalidStage, match="SHOAL_PROVIDER_DEADLINE_S"):
        stage_named("local", environ={"SHOAL_PROVIDER_DEADLINE_S": deadline})


def test_the_local_stage_takes_pauses_between_retries_from_the_environment() -> None:
    assert stage_named("local", environ={}).webhook_retry_s == (60, 300, 1_800, 7_200, 21_600, 86_400)
    assert stage_named("local", environ={"SHOAL_WEBHOOK_RETRY_S": "1,2"}).webhook_retry_s == (1, 2)
    assert stage_named("dev", environ={"SHOAL_WEBHOOK_RETRY_S": "1,2"}).webhook_retry_s[0] == 60


@pytest.mark.parametrize("pauses", ["", "0", "1,", "1.5", "soon", "-1", ",".join("1" * 11)])
def test_pauses_that_cannot_be_are_refused(pauses: str) -> None:
    with pytest.raises(InvalidStage, match="SHOAL_WEBHOOK_RETRY_S"):
        stage_named("local", environ={"SHOAL_WEBHOOK_RETRY_S": pauses})


@pytest.mark.parametrize("variable", ["SHOAL_LOCAL_URL", "SHOAL_STRIPE_URL"])
@pytest.mark.parametrize("url", ["", "localhost:8787", "http://localhost:8787/", "http://localhost/api"])
def test_a_url_that_is_no_root_is_refused(variable: str, url: str) -> None:
    with pytest.raises(InvalidStage, match=variable):
        stage_named("local", environ={variable: url})


def test_production_is_the_careful_one() -> None:
    assert PROD.point_in_time_recovery
    assert PROD.deletion_protection
    assert PROD.layers
    assert PROD.tracing
    assert PROD.local_url is None
