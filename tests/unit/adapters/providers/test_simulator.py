"""The embedded provider: each marker walks one path, and the same seed gives the same picture."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shoal.adapters.providers.simulator.simulator import FALLBACK_POLL_SECONDS, Simulator
from shoal.domain.brief import Brief, Kind
from shoal.domain.errors import CallbackRefused, ProviderBusy, ProviderFailed, ProviderRejected
from shoal.domain.provider import Answer, Done, Pending, ProviderRequest
from tests.fakes import FakeClock
from tests.support.providers import delivered

REQUEST = ProviderRequest(
    idempotency_key="job_1-0",
    brief=Brief(Kind.PICTURE, "shoal-image", "A shark", "16:9", 1024, 576, seed=None),
    submitted_at_ms=FakeClock().ms,
    callback_url="https://api.test/callbacks/simulator/acc_1.job_1.0/mac",
)


def asked(**changes: Any) -> ProviderRequest:
    """`changes` replace fields of the brief."""
    return replace(REQUEST, brief=replace(REQUEST.brief, **changes))


def draw(**request: Any) -> bytes:
    """A picture that tells what it was drawn from."""
    return repr(sorted(request.items())).encode()


def edit(**request: Any) -> bytes:
    return b"edited " + draw(**request)


def film(**request: Any) -> bytes:
    return b"film " + draw(**request)


def make(**request: Any) -> bytes:
    return b"made " + draw(**request)


@dataclass
class Studio:
    """A simulator, its clock, and the callbacks it posted."""

    clock: FakeClock = field(default_factory=FakeClock)
    callbacks: list[tuple[str, str]] = field(default_factory=list)
    verified: str = "sim_1"
    drawn: int = 0

    def __post_init__(self) -> None:
        self.simulator = Simulator(
            clock=self.clock,
            draw=self._noting(draw),
            edit=edit,
            film=self._noting(film),
            make=self._noting(make),
            call_back=lambda url, ref: self.callbacks.append((url, ref)),
            verify=lambda *_: self.verified,
        )

    def _noting(self, make: Callable[..., bytes]) -> Callable[..., bytes]:
        def note(**request: Any) -> bytes:
            self.drawn += 1
            return make(**request)

        return note

    def start(self, prompt: str = "A shark", seed: int | None = None, **changes: Any) -> Answer:
        return self.simulator.start(replace(asked(prompt=prompt, seed=seed), **changes))

    def picture(self, **changes: Any) -> bytes:
        return delivered(self.start(**changes))


@pytest.fixture
def studio() -> Studio:
    return Studio()


def test_a_plain_prompt_is_answered_at_once_with_the_asked_size(studio: Studio) -> None:
    picture = studio.picture(seed=7)

    assert picture == draw(prompt="A shark", seed=7, width_px=1024, height_px=576)
    assert studio.callbacks == []


def test_the_same_seed_gives_the_same_picture(studio: Studio) -> None:
    assert studio.picture(seed=7) == studio.picture(seed=7, idempotency_key="job_2")
    assert studio.picture(seed=7) != studio.picture(seed=8)


def test_without_a_seed_prompt_and_size_alone_make_the_picture(studio: Studio) -> None:
    assert studio.picture() == studio.picture(idempotency_key="job_2")
    assert studio.picture() != studio.picture(prompt="A whale")


def test_what_was_drawn_is_not_drawn_again(studio: Studio) -> None:
    first = [studio.picture(idempotency_key=job) for job in ("job_1", "job_2", "job_3")]
    assert studio.drawn == 1

    assert first == [Studio().picture()] * 3


@pytest.mark.parametrize("other", [{"prompt": "A whale"}, {"seed": 8}, {"index": 1}])
def test_whatever_changes_a_picture_has_it_drawn(studio: Studio, other: dict[str, Any]) -> None:
    assert studio.picture() != studio.picture(**other)
    assert studio.drawn == 2


@pytest.mark.parametrize("size", [(1024, 1024), (576, 576), (576, 1024)])
def test_another_size_is_drawn(studio: Studio, size: tuple[int, int]) -> None:
    wide = studio.picture()
    brief = replace(REQUEST.brief, width_px=size[0], height_px=size[1])

    assert delivered(studio.simulator.start(replace(REQUEST, brief=brief))) != wide
    assert studio.drawn == 2


@given(st.none() | st.integers(0, 2**32 - 1) | st.just(2**32 - 1), st.integers(0, 3))
def test_every_seed_drawn_with_is_a_32_bit_number(seed: int | None, index: int) -> None:
    seeds: list[int] = []

    def note(**request: Any) -> bytes:
        seeds.append(request["seed"])
        return b""

    no: Any = None
    Simulator(clock=FakeClock(), draw=note, edit=no, film=no, make=no, call_back=no, verify=no).start(
        replace(asked(seed=seed), index=index)
    )
    assert 0 <= seeds[0] < 2**32
    assert seed is None or seeds == [(seed + index) % 2**32]


def test_a_failing_prompt_fails(studio: Studio) -> None:
    with pytest.raises(ProviderFailed, match="failed to generate"):
        studio.start("A shark [fail]")


SCENE = replace(asked(prompt="A shark, close", kind=Kind.CLIP), seconds=8, index=1)


def test_a_request_of_seconds_is_filmed(studio: Studio) -> None:
    clip = delivered(studio.simulator.start(SCENE))

    assert clip.startswith(b"film ")
    assert b"('seconds', 8)" in clip
    assert b"('prompt', 'A shark, close')" in clip


@pytest.mark.parametrize(
    ("idea", "fails"),
    [
        ("[fail] Sharks", True),
        ("[fail:scene=1] Sharks", True),
        ("[fail:scene=0] Sharks", False),
        ("[fail:scene=0] Sharks [fail:scene=1]", True),
        ("[fail:scene=11] Sharks", False),
        ("[fail:scene=x] Sharks", False),
    ],
)
def test_a_marker_in_an_idea_counts_for_every_scene_or_for_the_one_it_names(
    studio: Studio, idea: str, fails: bool
) -> None:
    if not fails:
        assert isinstance(studio.simulator.start(replace(SCENE, idea=idea)), Done)
        return
    with pytest.raises(ProviderFailed, match="generate the clip"):
        studio.simulator.start(replace(SCENE, idea=idea))


def test_a_marker_with_an_argument_may_name_its_scene_too(studio: Studio) -> None:
    slow = replace(SCENE, idea="[slow:30:scene=1] Sharks")

    answer = studio.simulator.start(slow)

    assert isinstance(answer, Pending)
    assert answer.poll_after_seconds == 30
    assert isinstance(studio.simulator.start(replace(slow, index=0)), Done)


def test_a_scene_may_come_broken(studio: Studio) -> None:
    whole = delivered(studio.simulator.start(SCENE))

    assert delivered(studio.simulator.start(replace(SCENE, idea="[empty:scene=1]"))) == b""
    half = delivered(studio.simulator.start(replace(SCENE, idea="[truncated]")))
    assert half == whole[: len(whole) // 2]


@pytest.mark.parametrize("failing", range(5))
def test_each_fail_marker_fails_one_output_of_a_job(studio: Studio, failing: int) -> None:
    prompt = "[fail]" * failing + " A shark"

    for index in range(4):
        if index < failing:
            with pytest.raises(ProviderFailed):
                studio.start(prompt, index=index)
        else:
            assert isinstance(studio.start(prompt, index=index), Done)


def test_the_outputs_of_one_job_differ_with_and_without_a_seed(studio: Studio) -> None:
    chosen = {studio.picture(seed=7, index=index) for index in range(4)}
    free = {studio.picture(idempotency_key=f"job_1-{index}", index=index) for index in range(4)}

    assert len(chosen) == len(free) == 4
    assert studio.picture(seed=7, index=1) == studio.picture(seed=8, index=0)


def test_a_request_with_pictures_is_edited_and_not_drawn(studio: Studio) -> None:
    made = studio.picture(seed=7, inputs=(b"cat", b"dog"))

    size = {"width_px": 1024, "height_px": 576}
    assert made == edit(pictures=(b"cat", b"dog"), prompt="A shark", seed=7, **size)


def test_moderation_refuses_for_good(studio: Studio) -> None:
    with pytest.raises(ProviderRejected, match="moderation"):
        studio.start("[nsfw] shark")


def test_a_prompt_that_times_out_never_answers(studio: Studio) -> None:
    answer = studio.start("[timeout]")

    for _ in range(5):
        assert isinstance(answer, Pending)
        assert answer.ref is not None
        studio.clock.pass_seconds(3_600)
        answer = studio.simulator.check(answer.ref, REQUEST)
    assert isinstance(answer, Pending)
    assert answer.poll_after_seconds >= 1


@pytest.mark.parametrize("seconds", [1, 5, 170])
def test_a_slow_prompt_is_ready_after_its_seconds(studio: Studio, seconds: int) -> None:
    answer = studio.start(f"[slow:{seconds}]")
    assert isinstance(answer, Pending)
    assert answer.ref is not None
    assert answer.poll_after_seconds == seconds

    studio.clock.pass_seconds(seconds - 0.001)
    assert studio.simulator.check(answer.ref, REQUEST) == Pending(answer.ref, 1)

    studio.clock.pass_seconds(0.001)
    assert delivered(studio.simulator.check(answer.ref, REQUEST)) == studio.picture()


def test_a_slow_prompt_without_seconds_is_ready_at_the_first_poll(studio: Studio) -> None:
    answer = studio.start("[slow]")

    assert isinstance(answer, Pending)
    assert answer.ref is not None
    assert isinstance(studio.simulator.check(answer.ref, REQUEST), Done)


def test_a_polled_prompt_is_ready_at_the_first_poll(studio: Studio) -> None:
    answer = studio.start("[poll]")

    assert isinstance(answer, Pending)
    assert answer.ref is not None
    assert answer.poll_after_seconds == 1
    assert delivered(studio.simulator.check(answer.ref, REQUEST)) == studio.picture()


def test_a_called_back_prompt_posts_a_callback_and_can_still_be_polled(studio: Studio) -> None:
    answer = studio.start("[callback]")

    assert isinstance(answer, Pending)
    assert answer.ref is not None
    assert studio.callbacks == [(REQUEST.callback_url, answer.ref)]
    assert answer.poll_after_seconds == FALLBACK_POLL_SECONDS
    assert isinstance(studio.simulator.check(answer.ref, REQUEST), Done)


def test_a_busy_prompt_asks_to_come_back_until_its_seconds_have_passed(studio: Studio) -> None:
    with pytest.raises(ProviderBusy) as busy:
        studio.start("[busy:3]")
    assert busy.value.retry_after_seconds == 1

    studio.clock.pass_seconds(3)
    assert isinstance(studio.start("[busy:3]"), Done)


def test_markers_combine(studio: Studio) -> None:
    with pytest.raises(ProviderBusy):
        studio.start("[busy:3] [poll] A shark")
    studio.clock.pass_seconds(3)

    assert isinstance(studio.start("[busy:3] [poll] A shark"), Pending)


@pytest.mark.parametrize(
    "prompt", ["[FAIL]", "[fail", "fail]", "[slow:x]", "[slow:-1]", "[slow:99999]", "[[]]", "[ fail ]"]
)
def test_what_only_looks_like_a_marker_is_part_of_the_prompt(studio: Studio, prompt: str) -> None:
    assert isinstance(studio.start(prompt), Done)


def test_a_genuine_callback_says_only_where_to_look(studio: Studio) -> None:
    studio.verified = f"sim_{studio.clock.ms}"

    assert studio.simulator.parse_callback({}, b"", 0) == Pending(studio.verified, 0)


@pytest.mark.parametrize("ref", ["", "never", "sim_", "sim_x", "sim_1\n", "sim_" + "1" * 16, "other_1"])
def test_a_callback_about_nothing_of_ours_is_refused(studio: Studio, ref: str) -> None:
    studio.verified = ref

    with pytest.raises(CallbackRefused):
        studio.simulator.parse_callback({}, b"", 0)


def test_calling_work_off_is_harmless(studio: Studio) -> None:
    studio.simulator.cancel("sim_1")

    assert isinstance(studio.simulator.check("sim_1", REQUEST), Done)


@pytest.mark.parametrize(
    ("kind", "content_type"),
    [
        (Kind.AUDIO, "audio/mpeg"),
        (Kind.MODEL3D, "model/gltf-binary"),
        (Kind.JSON, "application/json"),
        (Kind.TEXT, "text/plain"),
    ],
)
def test_each_kind_is_made_as_its_usual_type(studio: Studio, kind: Kind, content_type: str) -> None:
    told = delivered(studio.simulator.start(asked(kind=kind))).decode()

    assert told.startswith("made ")
    assert f"('content_type', '{content_type}')" in told


def test_the_model_s_own_types_and_task_are_made(studio: Studio) -> None:
    sound = asked(kind=Kind.AUDIO, media_types=("audio/flac", "audio/wav"), task="speech_generate")
    told = delivered(studio.simulator.start(sound)).decode()
    cut = delivered(studio.simulator.start(replace(asked(task="image_segment"), inputs=(b"cat",)))).decode()

    assert "('content_type', 'audio/flac')" in told
    assert "('task', 'speech_generate')" in told
    assert "('pictures_given', (b'cat',))" in cut


@pytest.mark.parametrize(
    ("markers", "seconds"),
    [("", 8), ("[shorter:3]", 5), ("[longer:4]", 12), ("[shorter:9]", 1), ("[longer:99]", 60)],
)
def test_a_clip_may_be_shorter_or_longer_than_asked(studio: Studio, markers: str, seconds: int) -> None:
    request = replace(asked(kind=Kind.CLIP, prompt=f"A shark {markers}"), seconds=8)

    assert f"('seconds', {seconds})" in delivered(studio.simulator.start(request)).decode()


def test_another_type_may_come_and_more_than_was_asked(studio: Studio) -> None:
    assert "('content_type', 'audio/mpeg')" in studio.picture(prompt="A shark [type:mp3]").decode()
    assert studio.picture(prompt="A shark [type:exe]") == draw(
        prompt="A shark [type:exe]", seed=0, width_px=1024, height_px=576
    )
    answer = studio.start("A shark [more]")
    assert isinstance(answer, Done)
    assert len(answer.output.extras) == 1
