"""What each Lambda needs to know about its stage, read once from its environment.

One model per Lambda: the field `table` is read from `SHOAL_TABLE`. The stack derives every function's
environment from these models, so the two cannot drift apart.
"""

from __future__ import annotations

import os
from typing import Annotated, Literal, Self

from pydantic import BaseModel, BeforeValidator, ConfigDict, NonNegativeInt, PositiveInt

from shoal.domain.money import MICROS_PER_USD, Asset

Moderation = Literal["off", "keywords", "openai", "bedrock"]
StageKind = Literal["local", "dev", "prod"]
"""What a stage is for: this machine, trying things out, or customers and their money."""


def environment_variable(field: str) -> str:
    """Name of the environment variable that carries a settings field."""
    return f"SHOAL_{field.upper()}"


class Settings(BaseModel):
    """Fields every Lambda has."""

    # Built when first used: a function builds the validator of its own model, not those of all the others.
    model_config = ConfigDict(frozen=True, defer_build=True)

    stage: str

    @classmethod
    def from_environment(cls) -> Self:
        """Read the settings. Raises `pydantic.ValidationError` when one is missing or malformed."""
        variables = {field: environment_variable(field) for field in cls.model_fields}
        return cls.model_validate({f: os.environ[v] for f, v in variables.items() if v in os.environ})


class ErrorSettings(Settings):
    """For functions whose errors lead to the page that explains them, at `api_url`."""

    api_url: str


class KeySettings(Settings):
    """For functions of the API, which ask whose key it is, or count where a request without one comes from.

    `open_requests_max` is what may come from one address in a minute. `front_token` is what a firewall before
    the API sends, empty where there is none.
    """

    table: str
    open_requests_max: PositiveInt
    front_token: str


class CatalogSettings(Settings):
    """For functions that go by the catalog: `catalog_bucket` keeps the published ones."""

    table: str
    catalog_bucket: str


class AddressSettings(Settings):
    """Where outputs are fetched: a signed address of a private one holds for `signed_url_s` seconds."""

    public_url: str
    videos_bucket: str
    signed_url_s: PositiveInt


Names = Annotated[tuple[str, ...], BeforeValidator(lambda text: tuple(filter(None, text.split(","))))]
"""Names with commas between them."""


class RouteSettings(CatalogSettings):
    """`keyless_providers` are those that this stage can ask without a key."""

    keyless_providers: Names


class BoardSettings(RouteSettings):
    """`simulator_allowed`: it may stand in for providers the stage has no keys of."""

    simulator_allowed: bool


class UpstreamSettings(RouteSettings):
    """`provider_base_urls` is JSON, base URLs by name, where providers are not at their usual addresses."""

    provider_base_urls: str


class MachineSettings(Settings):
    """The state machines: the ARN of `generate`, from whose name those of the others follow.

    `machine_versions`: ARNs of the versions that executions are started of; what was deployed last if none.
    """

    state_machine_arn: str
    machine_versions: Names = ()


class QuoteJobSettings(CatalogSettings, KeySettings):
    pass


class SubmitJobSettings(MachineSettings, BoardSettings, UpstreamSettings, KeySettings):
    """`guardrail` is the id and version of Bedrock's, with a colon between them."""

    moderation: Moderation
    moderation_fail_open: bool
    guardrail: str
    provider_deadline_s: PositiveInt
    clip_deadline_s: PositiveInt
    staging_bucket: str
    loopback_allowed: bool
    public_url: str
    api_url: str
    fetched_mb_max: PositiveInt
    open_jobs_max: PositiveInt
    failures_multiple: NonNegativeInt


class ShowJobsSettings(AddressSettings):
    """For functions that show jobs in the words of any API."""

    table: str
    api_url: str


class ReadJobSettings(ShowJobsSettings, KeySettings):
    pass


class CloseJobSettings(MachineSettings, AddressSettings, CatalogSettings):
    event_bus: str
    staging_bucket: str


class CancelJobSettings(CloseJobSettings, KeySettings):
    api_url: str
    retention_days: NonNegativeInt


class ServeMcpSettings(SubmitJobSettings, ShowJobsSettings):
    """`cors_origins`: web pages that may call, with commas between them; none as a rule."""

    cors_origins: Names


class ReadModelsSettings(BoardSettings, KeySettings):
    pass


class ReadWalletSettings(KeySettings):
    api_url: str


class ManageFilesSettings(KeySettings):
    """`files_mb_max` is what an account may keep at once, `fetched_mb_max` what may come in in a minute."""

    staging_bucket: str
    files_mb_max: PositiveInt
    fetched_mb_max: PositiveInt


class ManageWebhooksSettings(KeySettings):
    api_url: str
    webhook_key_arn: str
    webhooks_max: PositiveInt
    loopback_allowed: bool


class ManageDeliveriesSettings(KeySettings):
    api_url: str
    retries_queue_url: str
    webhook_events_queue_url: str


class ManageWebhookSecretSettings(KeySettings):
    webhook_key_arn: str


class PollQueueSettings(Settings):
    """Simulated work waits in a queue of its own."""

    poll_queue_url: str
    simulated_poll_queue_url: str


class ReceiveCallbackSettings(UpstreamSettings, PollQueueSettings, KeySettings):
    callback_secret_arn: str


class StripeSettings(Settings):
    """For functions that take payments. `stripe_url` is the root of Stripe's API."""

    table: str
    stripe_url: str


class ReceivePaymentSettings(StripeSettings, KeySettings):
    pass


class RejectRouteSettings(ErrorSettings, KeySettings):
    pass


class AskProviderSettings(UpstreamSettings, PollQueueSettings):
    """`callbacks_url`: root of the API for providers, whatever stands before it for callers."""

    loopback_allowed: bool
    staging_bucket: str
    callback_secret_arn: str
    callbacks_url: str


class CallProviderSettings(AskProviderSettings):
    event_bus: str


class StoreOutputSettings(Settings):
    table: str
    staging_bucket: str
    outputs_bucket: str
    retention_days: NonNegativeInt


class SettleWalletSettings(AddressSettings, CatalogSettings):
    retention_days: NonNegativeInt


class ReleaseHoldSettings(AddressSettings, CatalogSettings):
    staging_bucket: str


class WriteScriptSettings(UpstreamSettings):
    event_bus: str


class VideoFilesSettings(Settings):
    table: str
    staging_bucket: str
    videos_bucket: str


class NarrateSettings(VideoFilesSettings, UpstreamSettings):
    """`espeak`: whether this function carries espeak-ng and may speak with it."""

    espeak: bool


class StoreClipSettings(VideoFilesSettings, AddressSettings):
    pass


class SimulateSettings(
    CallProviderSettings,
    StoreOutputSettings,
    WriteScriptSettings,
    NarrateSettings,
    StoreClipSettings,
):
    """It does what several functions do, and so reads what they read."""


class SweepJobsSettings(CloseJobSettings, PollQueueSettings):
    outputs_bucket: str


class GrantSettings(Settings):
    """Above how many dollars or credits a second operator confirms a grant; 0: never."""

    grant_cap_usd: NonNegativeInt
    grant_cap_credits: NonNegativeInt

    @property
    def grant_caps(self) -> dict[Asset, int]:
        """By asset, in its unit."""
        caps = {Asset.USD: self.grant_cap_usd * MICROS_PER_USD, Asset.CREDIT: self.grant_cap_credits}
        return {asset: cap for asset, cap in caps.items() if cap}


class OperatorSettings(SweepJobsSettings, UpstreamSettings, StripeSettings, GrantSettings):
    """What the operator's command has to know of a stage. `key_arn` is that of its own key of KMS, if any."""

    stage_kind: StageKind
    key_arn: str = ""


class FanOutEventSettings(Settings):
    table: str
    webhook_key_arn: str
    webhook_events_queue_url: str
    deliveries_queue_url: str
    retries_queue_url: str


class AttemptSettings(Settings):
    """`webhook_retry_s` are the pauses before the retries, in seconds with commas between them.

    `unpaid_sends_max` is what an account that never had money may send to one host in a minute.
    """

    table: str
    event_bus: str
    webhook_key_arn: str
    retries_queue_url: str
    retry_schedule_group: str
    retry_schedule_role_arn: str
    async_failures_queue_arn: str
    webhook_retry_s: Annotated[tuple[PositiveInt, ...], BeforeValidator(lambda text: text.split(","))]
    unpaid_sends_max: PositiveInt
    loopback_allowed: bool


class DeliverWebhookSettings(AttemptSettings):
    deliveries_queue_url: str


class RetryWebhookSettings(AttemptSettings, AddressSettings):
    """It signs the addresses of private files for each attempt."""


class AuditLedgerSettings(Settings):
    table: str


class DashboardSettings(AddressSettings, CatalogSettings):
    """What all of the dashboard needs: `front_token` is what a firewall before the API sends, if any."""

    api_url: str
    user_pool_id: str
    user_pool_client_id: str
    operators_second_factor: bool
    keys_max: PositiveInt
    front_token: str


class SignUpSettings(Settings):
    """Who may register: anybody, or those of these domains.

    `sign_ups_confirmed`: nobody has to confirm an e-mail address, because none is sent.
    """

    sign_up_domains: Names
    sign_ups_confirmed: bool


class ShowDashboardSettings(
    DashboardSettings,
    SignUpSettings,
    SubmitJobSettings,
    CancelJobSettings,
    ManageWebhooksSettings,
    ManageDeliveriesSettings,
):
    """The pages call the use cases of these routes, and so read what they read."""


class OperateSettings(DashboardSettings, BoardSettings, GrantSettings):
    """Operators see how the models are made, and grant."""


class TopUpSettings(DashboardSettings, StripeSettings):
    """The page where people buy, and Stripe behind it."""


# Functions that read no more than a model above.
SummarizeUsageSettings = KeySettings
ListJobsSettings = ReadJobSettings
ReadDocumentSettings = RejectRouteSettings
ReadHealthSettings = KeySettings
RenderSceneSettings = AskProviderSettings
StitchVideoSettings = VideoFilesSettings
PollProviderSettings = AskProviderSettings
PollSimulatedSettings = AskProviderSettings
CloseExecutionSettings = CloseJobSettings
AdmitSignUpSettings = SignUpSettings
