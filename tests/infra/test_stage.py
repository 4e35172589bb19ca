"""A stage is described by its file, checked before anything is made of it."""

from __future__ import annotations

from dataclasses import fields
from pathlib import Path

import pytest

from infra import settings_table
from infra.checks import OWNER
from infra.stage import KINDS, TOGETHER, InvalidStage, Stage, load_stage, stage_of
from shoal.cli.doctor.plan import StagePlan, read_plan
from shoal.settings import StageKind
from tests.infra.stages import DEV, FOLDER, LOCAL, PROD

OVERRIDES = {
    "SHOAL_PROVIDER_DEADLINE_S": "5",
    "SHOAL_LOCAL_URL": "http://localhost:9000",
    "SHOAL_STRIPE_URL": "http://localhost:9001",
    "SHOAL_WEBHOOK_RETRY_S": "1,2",
    "SHOAL_MODERATION": "keywords",
    "SHOAL_PROVIDER_BASE_URLS": '{"openai": "http://localhost:9002", "polly": "http://localhost:9003"}',
    "SHOAL_VERSIONS": "true",
}

NAMED = {"domain", "certificate_arn", "files_domain", "files_certificate_arn"}


def described(
    folder: Path, text: str, *, name: str = "eu-prod", environ: dict[str, str] | None = None
) -> Stage:
    file = folder / f"{name}.toml"
    file.write_text(text, encoding="utf-8")
    return load_stage(file, environ=environ, owner=OWNER)


def test_a_stage_has_the_name_of_its_file_and_the_defaults_of_its_kind(tmp_path: Path) -> None:
    stage = described(tmp_path, 'kind = "prod"\n')
    assert (stage.name, stage.kind, stage.prefix) == ("eu-prod", "prod", "shoal-eu-prod")
    assert stage == stage_of("eu-prod", "prod", **OWNER)
    assert (stage.api_rate_limit, stage.log_days) == (PROD.api_rate_limit, PROD.log_days)


def test_a_file_changes_what_it_names(tmp_path: Path) -> None:
    stage = described(
        tmp_path,
        """
        kind = "dev"
        alarm_email = "ops@example.com"
        sign_up_domains = ["example.com"]
        cors_origins = ["https://app.example.com", "http://localhost:3000"]
        waf_requests_max = 2000
        moderation = "bedrock"
        guardrail = "abc123:1"
        iam_providers = ["bedrock"]
        sagemaker_endpoints = ["sdxl-async"]
        webhook_retry_s = [1, 60]
        retention_days = 30
        """,
    )
    assert stage.alarm_email == "ops@example.com"
    assert stage.sign_up_domains == ("example.com",)
    assert stage.cors_origins == ("https://app.example.com", "http://localhost:3000")
    assert (stage.waf_requests_max, stage.retention_days) == (2000, 30)
    assert (stage.moderation, stage.guardrail, stage.iam_providers) == ("bedrock", "abc123:1", ("bedrock",))
    assert stage.keyless_providers == ("bedrock", "sagemaker")
    assert stage.webhook_retry_s == (1, 60)


@pytest.mark.parametrize(
    ("setting", "says"),
    [
        ('kind = "production"', "kind: must be one of local, dev, prod"),
        ('colour = "red"', "colour: there is no such setting"),
        ('name = "other"', "name: a stage is named after its file"),
        ("waf_requests_max = 9", "waf_requests_max: Input should be greater than or equal to 10, not 9"),
        ('waf_requests_max = "2000"', "waf_requests_max: Input should be a valid integer"),
        ("api_rate_limit = 0", "api_rate_limit"),
        ("api_rate_limit = 1.5", "api_rate_limit"),
        ("tracing = 1", "tracing: Input should be a valid boolean"),
        ("delivery_concurrency_max = 1", "delivery_concurrency_max"),
        ('cors_origins = ["*"]', "cors_origins.0"),
        ('cors_origins = ["http://app.example.com"]', "cors_origins.0"),
        ('cors_origins = ["https://a.example/path"]', "cors_origins.0"),
        ('cors_origins = "https://a.example"', "cors_origins"),
        ('sign_up_domains = ["@example.com"]', "sign_up_domains.0"),
        ('alarm_email = "nobody"', "alarm_email"),
        ('alarm_topic_arn = "pager"', "alarm_topic_arn"),
        ("account_concurrency = 9", "account_concurrency"),
        ('mail_identity_arn = "arn:aws:sns:eu-west-1:123456789012:pager"', "mail_identity_arn"),
        ('mail_from = "Shoal"', "mail_from"),
        ('moderation = "maybe"', "moderation"),
        ('iam_providers = ["openai"]', "iam_providers.0"),
        ('sagemaker_endpoints = ["a/b"]', "sagemaker_endpoints.0"),
        ("log_days = 8", "log_days: Value error, must be one of 1, 3, 5, 7"),
        ("webhook_retry_s = []", "webhook_retry_s"),
        ("webhook_retry_s = [0]", "webhook_retry_s.0"),
        (f"webhook_retry_s = {[1] * 11}", "webhook_retry_s"),
        ("provider_deadline_s = 3601", "provider_deadline_s"),
        ('stripe_url = "https://api.stripe.com/"', "stripe_url"),
        ('local_url = "http://localhost:1"', "local_url: a local stage has one, and no other stage"),
        ('provider_base_urls = {openai = "https://a.example"}', "provider_base_urls: for local stages alone"),
        ('provider_base_urls = {openai = "ftp://a.example"}', "must be base URLs"),
        ("kind = dev", "Invalid value"),
    ],
)
def test_a_setting_that_cannot_be_is_refused_with_its_file_and_name(
    tmp_path: Path, setting: str, says: str
) -> None:
    text = setting if setting.startswith("kind") else f'kind = "dev"\n{setting}\n'
    with pytest.raises(InvalidStage) as refused:
        described(tmp_path, text)
    assert says in str(refused.value)
    assert str(refused.value).startswith(str(tmp_path / "eu-prod.toml"))


def test_all_that_is_wrong_is_said_at_once(tmp_path: Path) -> None:
    with pytest.raises(InvalidStage) as refused:
        described(tmp_path, 'kind = "dev"\nlog_days = 8\ntracing = "no"\n')
    assert len(str(refused.value).splitlines()) == 2


@pytest.mark.parametrize("name", ["Prod", "9lives", "a_b", "a-", "x" * 21, "ümlaut"])
def test_a_name_that_no_resource_could_have_is_refused(tmp_path: Path, name: str) -> None:
    with pytest.raises(InvalidStage, match="name"):
        described(tmp_path, 'kind = "dev"', name=name)


def test_a_stage_without_a_file_is_refused_with_those_there_are() -> None:
    with pytest.raises(InvalidStage, match=r"there is no .*staging\.toml: .* are dev, local, prod"):
        load_stage(FOLDER / "staging.toml")


def test_the_environment_changes_a_local_stage() -> None:
    stage = load_stage(FOLDER / "local.toml", environ=OVERRIDES)
    assert (stage.provider_deadline_s, stage.webhook_retry_s) == (5, (1, 2))
    assert (stage.local_url, stage.stripe_url) == ("http://localhost:9000", "http://localhost:9001")
    assert stage.moderation == "keywords"
    assert stage.provider_base_urls["openai"] == "http://localhost:9002"
    assert stage.iam_providers == ("polly",), "what needs no key and has an address"


@pytest.mark.parametrize("name", ["dev", "prod"])
def test_the_environment_changes_no_stage_on_aws(name: str) -> None:
    file = FOLDER / f"{name}.toml"
    assert load_stage(file, environ=OVERRIDES, owner=OWNER) == load_stage(file, owner=OWNER)


@pytest.mark.parametrize(
    ("left_out", "says"),
    [
        (
            ("alarm_email",),
            "set alarm_email or alarm_topic_arn: without it nobody would be told",
        ),
        (
            ("mail_identity_arn", "mail_from"),
            "set mail_identity_arn: without it the user pool alone sends about 50 mails a day",
        ),
        (("mail_from",), "mail_from and mail_identity_arn: the one needs the other"),
        (("mail_identity_arn",), "mail_from and mail_identity_arn: the one needs the other"),
        (tuple(NAMED), "set domain or generated_addresses: without it every address is another one after"),
        (("files_certificate_arn",), f"{' and '.join(TOGETHER[1])}: the one needs the other"),
    ],
)
def test_production_is_not_without_what_only_its_owner_can_say(left_out: tuple[str, ...], says: str) -> None:
    said = {name: value for name, value in OWNER.items() if name not in left_out}
    with pytest.raises(InvalidStage) as refused:
        stage_of("prod", "prod", **said)
    assert str(refused.value).startswith(f"stage prod: {says}")
    dev = {name: value for name, value in said.items() if not name.startswith("mail") and name not in NAMED}
    assert stage_of("dev", "dev", **dev)


def test_production_may_say_that_it_does_without_names() -> None:
    said = {name: value for name, value in OWNER.items() if name not in NAMED}
    assert stage_of("prod", "prod", **said, generated_addresses=True).domain is None
    with pytest.raises(InvalidStage, match="generated_addresses"):
        stage_of("prod", "prod", **said, generated_addresses=False)


def test_the_local_stage_has_no_name_of_its_own() -> None:
    named = {name: OWNER[name] for name in NAMED}
    with pytest.raises(InvalidStage, match="a local stage has `local_url`"):
        stage_of("local", "local", **named)


def test_a_topic_of_the_owner_does_for_an_address() -> None:
    said = {**OWNER, "alarm_email": None, "alarm_topic_arn": "arn:aws:sns:eu-west-1:123456789012:pager"}
    assert stage_of("prod", "prod", **said).alarm_topic_arn


@pytest.mark.parametrize(
    ("variable", "text"),
    [
        *(("SHOAL_PROVIDER_DEADLINE_S", text) for text in ("", "0", "-1", "1.5", "3601", "soon")),
        *(
            ("SHOAL_WEBHOOK_RETRY_S", text)
            for text in ("", "0", "1,", "1.5", "soon", "-1", ",".join("1" * 11))
        ),
        *(
            (variable, url)
            for variable in ("SHOAL_LOCAL_URL", "SHOAL_STRIPE_URL")
            for url in ("", "localhost:8787", "http://localhost:8787/", "http://localhost/api")
        ),
        ("SHOAL_MODERATION", "maybe"),
        ("SHOAL_PROVIDER_BASE_URLS", "{"),
        ("SHOAL_PROVIDER_BASE_URLS", '{"openai": "localhost"}'),
        ("SHOAL_PROVIDER_BASE_URLS", "[]"),
    ],
)
def test_a_variable_that_cannot_be_is_refused_by_its_name(variable: str, text: str) -> None:
    with pytest.raises(InvalidStage, match=variable):
        load_stage(FOLDER / "local.toml", environ={variable: text})


def test_production_is_the_careful_one() -> None:
    assert PROD.point_in_time_recovery
    assert PROD.deletion_protection
    assert PROD.layers
    assert PROD.tracing
    assert PROD.local_url is None


def test_only_the_local_stage_trusts_its_machine() -> None:
    for stage in (LOCAL, DEV, PROD):
        assert stage.loopback_allowed == stage.sign_ups_confirmed == (stage.kind == "local")


def test_the_table_of_settings_tells_what_is_checked() -> None:
    assert settings_table.FILE.read_text(encoding="utf-8") == settings_table.text(), (
        "`python -m infra.settings_table` writes it again"
    )
    for field in fields(Stage):
        if field.name != "name":
            assert f"| `{field.name}` |" in settings_table.text()


@pytest.mark.parametrize("kind", KINDS)
def test_the_doctor_takes_what_a_file_leaves_out_as_the_stacks_do(kind: StageKind, tmp_path: Path) -> None:
    file = tmp_path / ("local.toml" if kind == "local" else "some.toml")
    file.write_text(f'kind = "{kind}"\n')
    stage, plan = load_stage(file, owner=OWNER), read_plan(file)
    left_out = StagePlan.model_fields.keys() - OWNER.keys() - NAMED
    assert {name: getattr(plan, name) for name in left_out} == {
        name: getattr(stage, name) for name in left_out
    }
