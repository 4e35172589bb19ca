"""Any model of fal and Replicate, as its route of the catalog describes it, against their fakes."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from shoal.adapters.providers.fal.images import Fal
from shoal.adapters.providers.replicate import Replicate
from shoal.domain.errors import ProviderFailed, ProviderRejected
from shoal.domain.provider import Done, OutputPath, Pending, ProviderOutput, ProviderRequest, StagedInput
from tests.fakes.providers.checks import array, data_url, data_url_of, integer, obj, one_of, text
from tests.fakes.providers.fal import FakeFal
from tests.fakes.providers.media import png
from tests.fakes.providers.replicate import VERSION, FakeReplicate
from tests.fakes.providers.server import telling
from tests.support.providers import asking

LIP_SYNC = "fal-ai/sync-lipsync/v2/pro"
MESH = "fal-ai/hyper3d/rodin"
WHISPER = "openai/whisper"
SPEECH = StagedInput(b"OggS and so on", "audio/ogg")
FACE = StagedInput(png(16, 16), "image/png")
URL = "https://files.example/1"


@pytest.fixture
def fal_fake() -> Iterator[FakeFal]:
    with FakeFal() as fake:
        fake.states = ("COMPLETED",)
        fake.models[LIP_SYNC] = obj(
            {"face": obj({"image_url": data_url}), "audio_urls": array(data_url_of("audio/ogg"), 1, 2)},
            {"sync_mode": one_of("cut_off", "loop")},
        )
        fake.models[MESH] = obj({"prompt": text()}, {"quality": integer(1, 4)})
        yield fake
        assert fake.problems == []


@pytest.fixture
def replicate_fake() -> Iterator[FakeReplicate]:
    with FakeReplicate() as fake:
        fake.checks_until_done = 0
        fake.models[WHISPER] = obj({"audio": data_url_of("audio/ogg")}, {"language": text()})
        yield fake
        assert fake.problems == []


def of_fal(fake: FakeFal, request: ProviderRequest, result: Any) -> ProviderOutput:
    """What fal's adapter makes of a result."""
    fal = Fal(lambda: fake.key, fake.url)
    fake.result = telling(result)
    begun = fal.start(request)
    assert isinstance(begun, Pending)
    done = fal.check(begun.ref or "", request)
    assert isinstance(done, Done)
    return done.output


def of_replicate(fake: FakeReplicate, request: ProviderRequest, output: Any) -> ProviderOutput:
    """What Replicate's adapter makes of a prediction's output."""
    fake.ends = {"status": "succeeded", "output": output}
    done = Replicate(lambda: fake.key, fake.url).start(request)
    assert isinstance(done, Done)
    return done.output


def mesh(**changes: Any) -> ProviderRequest:
    paths = (OutputPath("model_mesh"), OutputPath("textures[*]", extra=True))
    return asking(provider_model=MESH, input={"prompt": "a boat", "quality": 2}, outputs=paths, **changes)


def transcript(*paths: OutputPath, **changes: Any) -> ProviderRequest:
    return asking(provider_model=WHISPER, input={"audio": SPEECH}, outputs=paths, **changes)


def written(output: ProviderOutput) -> tuple[bytes, str]:
    assert output.file is not None
    return output.file.read(), output.content_type


def test_fal_is_sent_a_routes_input_and_nothing_else(fal_fake: FakeFal) -> None:
    given = {"face": {"image_url": FACE}, "audio_urls": [SPEECH], "sync_mode": "loop"}
    request = asking(
        provider_model=LIP_SYNC, input=given, outputs=(OutputPath("video"),), seed=7, negative_prompt="fog"
    )
    assert of_fal(fal_fake, request, fal_fake.clip()) == ProviderOutput(
        url=f"{fal_fake.url}/files/output.mp4", content_type="video/mp4"
    )
    sent = fal_fake.requests[0]
    assert sent.json() == {
        "face": {"image_url": "data:image/png;base64," + sent.json()["face"]["image_url"].partition(",")[2]},
        "audio_urls": ["data:audio/ogg;base64,T2dnUyBhbmQgc28gb24="],
        "sync_mode": "loop",
    }
    assert sent.query == {"fal_webhook": request.callback_url}


def test_fal_hands_over_the_files_beside_an_output(fal_fake: FakeFal) -> None:
    told = {
        "model_mesh": {"url": f"{URL}.glb", "content_type": "model/gltf-binary"},
        "textures": [{"url": f"{URL}.png", "content_type": None}, {"url": None}, {"url": f"{URL}.jpg"}],
    }
    assert of_fal(fal_fake, mesh(), told) == ProviderOutput(
        url=f"{URL}.glb",
        content_type="model/gltf-binary",
        extras=(ProviderOutput(url=f"{URL}.png"), ProviderOutput(url=f"{URL}.jpg")),
    )


@pytest.mark.parametrize("told", [{}, {"model_mesh": None}, {"textures": [{"url": URL}]}, {"model_mesh": 4}])
def test_an_output_that_is_not_at_its_path_is_none(fal_fake: FakeFal, told: dict[str, Any]) -> None:
    with pytest.raises(ProviderFailed, match="no output"):
        of_fal(fal_fake, mesh(), told)


@pytest.mark.parametrize(("flags", "refused"), [([False, True], True), ([False], False), (None, False)])
def test_a_route_says_where_a_refusal_stands(fal_fake: FakeFal, flags: Any, refused: bool) -> None:
    told = {"model_mesh": {"url": URL}, "safety": {"flagged": flags}}
    request = mesh(refused_when="safety.flagged[*]")
    if not refused:
        assert of_fal(fal_fake, request, told).url == URL
        return
    with pytest.raises(ProviderRejected, match="moderation"):
        of_fal(fal_fake, request, told)


def test_an_input_without_paths_is_answered_where_outputs_usually_are(fal_fake: FakeFal) -> None:
    request = asking(provider_model=MESH, input={"prompt": "a boat"})
    assert of_fal(fal_fake, request, fal_fake.picture()).url == f"{fal_fake.url}/files/a.png"


def test_replicate_is_sent_a_routes_input_and_nothing_else(replicate_fake: FakeReplicate) -> None:
    output = of_replicate(
        replicate_fake, transcript(OutputPath("output.srt_file"), seed=7), {"srt_file": URL}
    )
    assert output == ProviderOutput(url=URL)
    sent = replicate_fake.requests[0].json()
    assert sent["input"] == {"audio": "data:audio/ogg;base64,T2dnUyBhbmQgc28gb24="}
    assert set(sent) == {"input", "webhook", "webhook_events_filter"}


def test_replicate_takes_a_version_of_any_model(replicate_fake: FakeReplicate) -> None:
    request = asking(provider_model=f"owner/name:{VERSION}", input={"prompt": "a boat"})
    assert of_replicate(replicate_fake, request, [URL]).url == URL
    assert replicate_fake.requests[0].json()["version"] == VERSION


@pytest.mark.parametrize(
    ("output", "as_", "is_written"),
    [
        ({"segments": [{"text": "Hi"}]}, "json", (b'{"segments": [{"text": "Hi"}]}', "application/json")),
        ("A reef.", "text", (b"A reef.", "text/plain")),
        (["A ", "reef", "."], "text", (b"A reef.", "text/plain")),
        ("half a pair: \ud800", "text", (b"half a pair: ?", "text/plain")),
    ],
)
def test_an_output_may_be_in_the_answer_itself(
    replicate_fake: FakeReplicate, output: Any, as_: Any, is_written: tuple[bytes, str]
) -> None:
    assert (
        written(of_replicate(replicate_fake, transcript(OutputPath("output", as_=as_)), output)) == is_written
    )


@pytest.mark.parametrize(
    ("output", "as_"), [(["a", "b"], "file"), ("ftp://a", "file"), ("", "text"), (None, "json")]
)
def test_what_is_no_output_is_none(replicate_fake: FakeReplicate, output: Any, as_: Any) -> None:
    with pytest.raises(ProviderFailed, match="no output"):
        of_replicate(replicate_fake, transcript(OutputPath("output[*]", as_=as_)), output)


def test_a_text_that_was_not_read_whole_is_not_delivered(replicate_fake: FakeReplicate) -> None:
    with pytest.raises(ProviderFailed, match="too large"):
        of_replicate(replicate_fake, transcript(OutputPath("output", as_="text")), "a" * 300_000)


def test_files_of_one_output_come_together(replicate_fake: FakeReplicate) -> None:
    paths = (OutputPath("output.stems[0]"), OutputPath("output.stems[1]", extra=True))
    output = of_replicate(replicate_fake, transcript(*paths), {"stems": [URL, f"{URL}-2"]})
    assert output == ProviderOutput(url=URL, extras=(ProviderOutput(url=f"{URL}-2"),))
