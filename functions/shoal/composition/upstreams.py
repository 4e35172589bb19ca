"""How this stage reaches its providers: each adapter with its key and its address, made on demand."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from functools import cache, partial
from typing import TYPE_CHECKING, Any, TypeVar

from shoal.composition.parts import HERE, Stage, clock
from shoal.composition.parts import client as own_client
from shoal.domain.catalog import load_catalog
from shoal.domain.provider import is_worker
from shoal.domain.routing import key_name
from shoal.settings import UpstreamSettings

if TYPE_CHECKING:
    from shoal.adapters.aws.provider_keys import ProviderKeys
    from shoal.adapters.providers.polly.speech import Polly
    from shoal.domain.script import Speaker
    from shoal.ports.moderation import Moderator
    from shoal.ports.routing import Provider, Testable, Upstream
    from shoal.ports.videos import ScriptWriter

BEDROCK, POLLY, SAGEMAKER = "bedrock", "polly", "sagemaker"
"""They need no key: the functions' own roles may call them, where the stage says so."""
OPENAI_BACKGROUND, OPENAI_MODERATION = "openai-background", "openai-moderation"


class Reach:
    """How this stage reaches providers: their addresses, their keys, and AWS's own model services."""

    def __init__(
        self,
        settings: UpstreamSettings,
        keys: ProviderKeys,
        client: Callable[..., Any] | None = None,
        bucket: str = "",
    ) -> None:
        """`client` makes AWS clients where the process's own environment is not that of the stage.

        `bucket` takes what providers write into S3 themselves.
        """
        self._settings = settings
        self.bucket = bucket
        self._client = client
        self.keys = keys
        self._urls: dict[str, str] = json.loads(settings.provider_base_urls)

    def has(self, provider: str) -> bool:
        name = key_name(provider)
        takes_key = name in keyed() or is_worker(name)
        return name in self._settings.keyless_providers or (takes_key and self.keys.has(name))

    def url(self, name: str, otherwise: str) -> str:
        return self._urls.get(name, otherwise)

    def aws(self, service: str, provider: str) -> Any:
        """A client of a model service in the stack's region: Bedrock writes clips to no bucket elsewhere."""
        from shoal.adapters.providers.kit.aws_calls import client

        elsewhere = {"endpoint_url": self._urls[provider]} if provider in self._urls else {}
        return (self._client or client)(service, **elsewhere)

    def own(self, service: str) -> Any:
        """A client of a service that holds what is the stage's own."""
        return (self._client or own_client)(service)


def upstream(settings: UpstreamSettings, bucket: str = "") -> Reach:
    return Reach(settings, keys_of(settings.stage), bucket=bucket)


def testable(up: Reach) -> Mapping[str, Callable[[], Testable]]:
    """Makers of the adapters that operators test, by whose key they use."""
    makers: dict[str, Callable[[Reach], Testable]] = {POLLY: polly}
    makers |= {name: PROVIDERS[name] for name in (*keyed(), BEDROCK, SAGEMAKER)}
    return Makers({name: partial(make, up) for name, make in makers.items()}, up)


T = TypeVar("T")


class Makers(Mapping[str, Callable[[], T]]):
    """What makes adapters, by their names: those that are listed, and a worker of any name for workers'."""

    def __init__(self, listed: Mapping[str, Callable[[], T]], up: Reach) -> None:
        self._listed = listed
        self._up = up

    def __getitem__(self, name: str) -> Callable[[], Any]:
        return partial(worker, self._up, name) if is_worker(name) else self._listed[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._listed)

    def __len__(self) -> int:
        return len(self._listed)


def keyed() -> frozenset[str]:
    """Whose keys are secrets of the stage."""
    return frozenset(map(key_name, PROVIDERS)) - {BEDROCK, POLLY, SAGEMAKER}


@cache
def keys_of(stage: str, at: Stage = HERE, key_arn: str = "") -> ProviderKeys:
    from shoal.adapters.aws.provider_keys import ProviderKeys

    return ProviderKeys(at.client("secretsmanager"), stage, clock, key_arn=key_arn)


def simulator(secret: Any, *, draws: bool) -> Provider:
    from shoal.adapters.providers.simulator.callbacks import SimulatorCallbacks
    from shoal.adapters.providers.simulator.simulator import Simulator

    callbacks = SimulatorCallbacks(secret, clock)
    return Simulator(
        clock=clock,
        draw=draw if draws else no_drawing,
        edit=edit if draws else no_drawing,
        film=film if draws else no_drawing,
        make=make if draws else no_drawing,
        call_back=callbacks.send,
        verify=callbacks.verify,
    )


def openai_http_of(up: Reach) -> Any:
    from shoal.adapters.providers.openai.http import BASE_URL, OpenAiHttp

    return OpenAiHttp(up.keys.key("openai"), up.url("openai", BASE_URL))


def openai(up: Reach) -> Upstream:
    from shoal.adapters.providers.openai.images import OpenAiImages

    return OpenAiImages(openai_http_of(up))


def openai_background(up: Reach) -> Upstream:
    from shoal.adapters.providers.openai.images import OpenAiBackground
    from shoal.ports.routing import WEBHOOK_SECRET

    secret = up.keys.key("openai", WEBHOOK_SECRET)
    return OpenAiBackground(
        openai_http_of(up), writer_model=load_catalog().assistants[OPENAI_BACKGROUND], webhook_secret=secret
    )


def openai_writer(up: Reach, model: str) -> ScriptWriter:
    from shoal.adapters.providers.openai.script import OpenAiScriptWriter

    return OpenAiScriptWriter(openai_http_of(up), model=model)


def openai_speaker(up: Reach, model: str) -> Speaker:
    from shoal.adapters.providers.openai.speech import OpenAiSpeaker

    return OpenAiSpeaker(openai_http_of(up), model=model)


def openai_speech(up: Reach) -> Upstream:
    from shoal.adapters.providers.openai.speech import OpenAiSpeech

    return OpenAiSpeech(openai_http_of(up))


def gemini_http_of(up: Reach) -> Any:
    from shoal.adapters.providers.gemini.http import BASE_URL, gemini_http

    return gemini_http(up.keys.key("gemini"), up.url("gemini", BASE_URL))


def gemini(up: Reach) -> Upstream:
    from shoal.adapters.providers.gemini.images import GeminiImages

    return GeminiImages(gemini_http_of(up))


def gemini_video(up: Reach) -> Upstream:
    from shoal.adapters.providers.gemini.video import GeminiVideos
    from shoal.ports.routing import WEBHOOK_SECRET

    def webhook_secret() -> str:
        return up.keys.fields("gemini").get(WEBHOOK_SECRET, "")

    return GeminiVideos(gemini_http_of(up), webhook_secret=webhook_secret)


def stability(up: Reach) -> Upstream:
    from shoal.adapters.providers.stability import BASE_URL, Stability

    return Stability(up.keys.key("stability"), up.url("stability", BASE_URL))


def replicate(up: Reach) -> Upstream:
    from shoal.adapters.providers.replicate import BASE_URL, Replicate

    return Replicate(up.keys.key("replicate"), up.url("replicate", BASE_URL))


def fal(up: Reach) -> Upstream:
    from shoal.adapters.providers.fal.images import BASE_URL, KEYS_URL, Fal

    return Fal(up.keys.key("fal"), up.url("fal", BASE_URL), up.url("fal-keys", KEYS_URL))


def worker(up: Reach, name: str) -> Upstream:
    from shoal.adapters.providers.worker import Worker
    from shoal.ports.routing import ADDRESS

    stored = up.keys.key(name, ADDRESS)
    return Worker(name, lambda: up.url(name, "") or stored(), up.keys.key(name), clock)


def bedrock(up: Reach) -> Upstream:
    from shoal.adapters.providers.bedrock.images import BedrockImages

    return BedrockImages(up.aws("bedrock-runtime", BEDROCK))


def bedrock_video(up: Reach) -> Upstream:
    from shoal.adapters.providers.bedrock.video import BedrockVideos

    return BedrockVideos(up.aws("bedrock-runtime", BEDROCK), output_uri=f"s3://{up.bucket}/{BEDROCK}")


def sagemaker(up: Reach) -> Upstream:
    from shoal.adapters.providers.sagemaker import SageMaker

    return SageMaker(
        lambda: up.aws("sagemaker-runtime", SAGEMAKER),
        lambda: up.aws("sagemaker", SAGEMAKER),
        lambda: up.own("s3"),
        bucket=up.bucket,
    )


def bedrock_writer(up: Reach, model: str) -> ScriptWriter:
    from shoal.adapters.providers.bedrock.script import BedrockScriptWriter

    return BedrockScriptWriter(up.aws("bedrock-runtime", BEDROCK), model=model)


def polly(up: Reach, _model: str = "") -> Polly:
    from shoal.adapters.providers.polly.speech import Polly

    return Polly(up.aws("polly", POLLY))


def polly_speech(up: Reach) -> Upstream:
    from shoal.adapters.providers.polly.speech import PollySpeech

    return PollySpeech(up.aws("polly", POLLY))


def embedded_writer(_model: str) -> ScriptWriter:
    from shoal.adapters.outputs.studio import EmbeddedScriptWriter

    return EmbeddedScriptWriter()


def embedded_speaker(_model: str) -> Speaker:
    from shoal.media.speech import EmbeddedSpeaker

    return EmbeddedSpeaker()


def tone_speaker(_model: str) -> Speaker:
    from shoal.media.tones import ToneSpeaker

    return ToneSpeaker()


def openai_moderator(up: Reach) -> Moderator:
    from shoal.adapters.providers.openai.moderation import OpenAiModerator

    return OpenAiModerator(openai_http_of(up), model=load_catalog().assistants[OPENAI_MODERATION])


def guardrails(up: Reach, guardrail: str) -> Moderator:
    """`guardrail` is its id and version with a colon between them."""
    from shoal.adapters.providers.bedrock.guardrails import BedrockGuardrails

    guardrail_id, _, version = guardrail.partition(":")
    client = up.aws("bedrock-runtime", BEDROCK)
    return BedrockGuardrails(client, guardrail_id=guardrail_id, version=version or "DRAFT")


def draw(**request: Any) -> bytes:
    from shoal.media import drawing

    return drawing.draw(**request)


def edit(**request: Any) -> bytes:
    from shoal.media import editing

    return editing.edit(**request)


def film(**request: Any) -> bytes:
    from shoal.adapters.outputs import studio

    return studio.film(**request)


def make(**request: Any) -> bytes:
    from shoal.media.simulated import make as simulated

    return simulated.make(**request)


def no_drawing(**_: Any) -> bytes:
    raise RuntimeError("this function does not draw")


PROVIDERS: Mapping[str, Callable[[Reach], Upstream]] = {
    "openai": openai,
    OPENAI_BACKGROUND: openai_background,
    "openai-speech": openai_speech,
    "gemini": gemini,
    "gemini-video": gemini_video,
    "stability": stability,
    "replicate": replicate,
    "fal": fal,
    BEDROCK: bedrock,
    "polly-speech": polly_speech,
    SAGEMAKER: sagemaker,
    "bedrock-video": bedrock_video,
}
"""Who makes pictures and clips, by the names that routes of the catalog have. A new one is a line here."""
