"""Settings: read from the environment, checked, never guessed."""

from __future__ import annotations

from typing import assert_type

import pytest
from pydantic import ValidationError

from shoal import settings
from shoal.composition import parts
from shoal.settings import ReadHealthSettings, Settings, SubmitJobSettings, environment_variable

GOOD = {
    "SHOAL_STAGE": "unit",
    "SHOAL_TABLE": "shoal-unit",
    "SHOAL_STATE_MACHINE_ARN": "arn",
    "SHOAL_PROVIDER_DEADLINE_S": "180",
    "SHOAL_CLIP_DEADLINE_S": "240",
    "SHOAL_CATALOG_BUCKET": "shoal-unit-catalog",
    "SHOAL_STAGING_BUCKET": "shoal-unit-staging",
    "SHOAL_LOOPBACK_ALLOWED": "false",
    "SHOAL_PUBLIC_URL": "https://cdn.test",
    "SHOAL_API_URL": "https://api.test",
    "SHOAL_FETCHED_MB_MAX": "300",
    "SHOAL_OPEN_JOBS_MAX": "200",
    "SHOAL_FAILURES_MULTIPLE": "1",
    "SHOAL_OPEN_REQUESTS_MAX": "600",
    "SHOAL_FRONT_TOKEN": "",
    "SHOAL_KEYLESS_PROVIDERS": "simulator,embedded",
    "SHOAL_SIMULATOR_ALLOWED": "true",
    "SHOAL_PROVIDER_BASE_URLS": "{}",
    "SHOAL_MODERATION": "keywords",
    "SHOAL_MODERATION_FAIL_OPEN": "false",
    "SHOAL_GUARDRAIL": "",
}


@pytest.fixture(autouse=True)
def environment(monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in GOOD.items():
        monkeypatch.setenv(name, value)


def test_settings_are_read_from_their_variables() -> None:
    read = SubmitJobSettings.from_environment()

    assert (read.stage, read.table, read.provider_deadline_s) == ("unit", "shoal-unit", 180)
    assert (read.keyless_providers, read.moderation_fail_open) == (("simulator", "embedded"), False)


@pytest.mark.parametrize("missing", GOOD)
def test_a_missing_variable_is_an_error_that_names_its_field(
    missing: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv(missing)

    with pytest.raises(ValidationError, match=missing.removeprefix("SHOAL_").lower()):
        SubmitJobSettings.from_environment()


@pytest.mark.parametrize("deadline", ["0", "-1", "soon", ""])
def test_a_deadline_that_is_none_is_an_error(deadline: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SHOAL_PROVIDER_DEADLINE_S", deadline)

    with pytest.raises(ValidationError):
        SubmitJobSettings.from_environment()


def test_what_a_function_does_not_need_it_does_not_read(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("SHOAL_STATE_MACHINE_ARN")

    assert ReadHealthSettings.from_environment().stage == "unit"


def test_every_model_is_named_after_its_function_and_has_variables_of_ours() -> None:
    models = [model for model in vars(settings).values() if isinstance(model, type)]
    for model in models:
        if issubclass(model, Settings) and model is not Settings:
            assert model.__name__.endswith("Settings")
            assert all(environment_variable(name).startswith("SHOAL_") for name in model.model_fields)


def test_a_misspelt_setting_fails_the_type_check(monkeypatch: pytest.MonkeyPatch) -> None:
    """mypy reads this test too: it refuses the first line below if the type is lost, and the second then."""
    monkeypatch.setattr(parts, "_settings", {})
    read = assert_type(parts.settings_of(ReadHealthSettings), ReadHealthSettings)
    with pytest.raises(AttributeError):
        print(read.staeg)  # type: ignore[attr-defined]
    assert parts.settings_of(ReadHealthSettings) is read
