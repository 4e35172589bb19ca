"""Clips: the house's format to the frame, a camera that moves smoothly, and other clips made to fit."""

from __future__ import annotations

import io
import struct
from fractions import Fraction
from itertools import islice, pairwise
from pathlib import Path

import av
import pytest
from av.video.reformatter import ColorPrimaries, ColorTrc
from PIL import Image, ImageChops, ImageStat

from shoal.domain.clip import CLIP_SIZES_PX, STILL_SIZES_PX
from shoal.domain.errors import OutputInvalid
from shoal.media import probe
from shoal.media.clip import NARROWEST, STILL_SCALE, camera_path, render_clip
from shoal.media.conform import conform_clip
from shoal.media.drawing import draw
from shoal.media.encoding import house_parameter_sets
from shoal.media.lettering import Lettering
from shoal.media.probe import conforms, probe_clip
from shoal.media.sound import samples_of
from tests.support.hostile.clips import many_boxes, many_streams, promising
from tests.support.media_files import clip_bytes, foreign_clip, frames, shot_clip, still, written

LINE = "Long before anyone wrote it down, the sea belonged to those who could hold their breath the longest."
MOVES = 8
EDGES = (0, 0, 180, 4), (0, 316, 180, 320), (0, 0, 4, 320), (176, 0, 180, 320)


def difference(one: Image.Image, other: Image.Image) -> float:
    """How far two pictures' levels are apart on average."""
    return sum(ImageStat.Stat(ImageChops.difference(one.convert("RGB"), other.convert("RGB"))).mean) / 3


def test_a_clip_is_eight_seconds_of_the_house_format(tmp_path: Path) -> None:
    facts = probe_clip(written(tmp_path, clip_bytes()))

    assert (facts.width_px, facts.height_px) == (180, 320)
    assert facts.frames == 192
    assert facts.frames_per_second == 24
    assert facts.seconds == 8
    assert (facts.codec, facts.profile, facts.pixel_format) == ("h264", "High", "yuv420p")
    assert facts.audio_codec is None
    assert conforms(facts, 180, 320)
    assert not conforms(facts, 320, 180)


@pytest.mark.parametrize("size", CLIP_SIZES_PX.values(), ids=CLIP_SIZES_PX)
def test_every_aspect_ratio_is_rendered_at_720p(tmp_path: Path, size: tuple[int, int]) -> None:
    target = tmp_path / "clip.mp4"
    render_clip(still(), target, width_px=size[0], height_px=size[1], seed=1, seconds=0.25)

    facts = probe_clip(target)
    assert (facts.width_px, facts.height_px, facts.frames) == (*size, 6)
    assert min(size) == 720


def test_keyframes_come_every_two_seconds_and_only_there(tmp_path: Path) -> None:
    with av.open(str(written(tmp_path, clip_bytes()))) as container:
        keys = [packet.pts for packet in container.demux(video=0) if packet.size and packet.is_keyframe]
        ticks = container.streams.video[0].time_base
    assert [key * ticks for key in keys if key is not None and ticks is not None] == [0, 2, 4, 6]


def test_the_same_still_and_seed_give_the_same_bytes(tmp_path: Path) -> None:
    for name in ("one", "other"):
        render_clip(still(2), tmp_path / "between", width_px=300, height_px=200, seed=1, seconds=0.25)
        render_clip(
            still(), tmp_path / name, width_px=180, height_px=320, seed=3, seconds=1, label="simulator"
        )

    assert (tmp_path / "one").read_bytes() == (tmp_path / "other").read_bytes()


def test_a_clip_begins_and_ends_with_different_views_of_its_still(tmp_path: Path) -> None:
    shots = list(frames(written(tmp_path, clip_bytes())))
    with Image.open(io.BytesIO(still())) as whole:
        assert difference(shots[0], whole.resize(shots[0].size)) < 12
    assert difference(shots[0], shots[-1]) > 8


@pytest.mark.parametrize("seed", range(MOVES))
def test_the_camera_stays_inside_the_still_and_never_jumps(seed: int) -> None:
    path = list(camera_path(seed, 192))

    assert len(path) == 192
    for view in path:
        assert NARROWEST <= view.share <= 1
        assert view.share / 2 - 1e-9 <= view.x <= 1 - view.share / 2 + 1e-9
        assert view.share / 2 - 1e-9 <= view.y <= 1 - view.share / 2 + 1e-9
    steps = [max(abs(a - b) for a, b in zip(one, other, strict=True)) for one, other in pairwise(path)]
    assert max(steps) < 0.004
    assert min(steps) > 0.0002
    assert max(abs(one - other) for one, other in pairwise(steps)) < 0.0001


def test_seeds_in_a_row_move_in_different_ways() -> None:
    ends = [(path[0], path[-1]) for path in (list(camera_path(seed, 24)) for seed in range(MOVES))]
    travel = {tuple(round((b - a) * 20) for a, b in zip(start, end, strict=True)) for start, end in ends}
    assert len(travel) == MOVES


def test_the_camera_has_a_pixel_of_the_still_for_each_of_the_clip() -> None:
    assert NARROWEST * STILL_SCALE > 1
    for ratio, (width, height) in CLIP_SIZES_PX.items():
        assert STILL_SIZES_PX[ratio] == (width * STILL_SCALE, height * STILL_SCALE)


@pytest.mark.parametrize("data", [b"", b"no picture", still()[:4_000]], ids=["empty", "text", "cut off"])
def test_a_still_that_cannot_be_read_leaves_no_clip(tmp_path: Path, data: bytes) -> None:
    with pytest.raises(OutputInvalid, match="could not be read"):
        render_clip(data, tmp_path / "clip.mp4", width_px=180, height_px=320, seed=1, seconds=1)
    assert not list(tmp_path.iterdir())


def test_a_still_for_a_clip_has_no_caption() -> None:
    for captioned, brightest in ((True, 150), (False, 0)):
        data = draw(prompt="深海", seed=1, width_px=512, height_px=512, captioned=captioned)
        with Image.open(io.BytesIO(data)) as picture:
            corner = picture.convert("L").crop((420, 490, 512, 512))
        assert (ImageStat.Stat(corner).extrema[0][1] > 150) is (brightest == 150)


def test_a_subtitle_is_white_in_the_middle_below_and_stays_in_the_safe_area(tmp_path: Path) -> None:
    plain, lettered = tmp_path / "plain.mp4", tmp_path / "lettered.mp4"
    render_clip(still(), plain, width_px=360, height_px=640, seed=1, seconds=0.5)
    render_clip(still(), lettered, width_px=360, height_px=640, seed=1, seconds=0.5, subtitle=LINE)

    one, other = next(frames(plain)).convert("L"), next(frames(lettered)).convert("L")
    changed = ImageChops.difference(one, other).point([255 * (level > 60) for level in range(256)]).getbbox()
    assert changed is not None
    left, top, right, bottom = changed
    assert left > 360 * 0.05
    assert right < 360 * 0.95
    assert top > 640 * 0.5
    assert bottom < 640 * 0.92
    assert ImageStat.Stat(other.crop(changed)).extrema[0][1] > 220


def test_what_no_font_has_is_left_out() -> None:
    planes = [Image.new("L", (180, 320), 90), *(Image.new("L", (90, 160), 100) for _ in range(2))]
    before = [plane.tobytes() for plane in planes]

    Lettering(180, 320, subtitle="\U0001e923\uffff\x1b").onto(planes)
    assert [plane.tobytes() for plane in planes] == before

    Lettering(180, 320, subtitle="Shark").onto(planes)
    assert [plane.tobytes() for plane in planes] != before


@pytest.mark.parametrize(
    ("codec", "name", "count", "rate"),
    [("libx264", "short.mp4", 45, 30), ("libvpx-vp9", "short.webm", 50, 25), ("mpeg4", "long.mp4", 260, 30)],
)
def test_any_clip_is_made_to_fit(tmp_path: Path, codec: str, name: str, count: int, rate: int) -> None:
    source = foreign_clip(tmp_path / name, codec=codec, frames=count, rate=rate, sound=name == "short.mp4")
    assert not conforms(probe_clip(source), 320, 180)

    conform_clip(source, tmp_path / "fitted.mp4", width_px=180, height_px=320, subtitle=None)

    facts = probe_clip(tmp_path / "fitted.mp4")
    assert conforms(facts, 180, 320)
    assert facts.parameter_sets == house_parameter_sets(180, 320)
    shots = list(islice(frames(tmp_path / "fitted.mp4"), 0, 192, 10))
    assert difference(shots[0], shots[3]) > 1
    assert all(
        min(ImageStat.Stat(shot.crop(edge)).mean) > 20 for shot in shots for edge in EDGES
    )  # no black bars
    if count < 192:
        assert difference(shots[-2], shots[-1]) < 0.2


def test_a_fitted_clip_can_carry_a_subtitle(tmp_path: Path) -> None:
    source = foreign_clip(tmp_path / "wide.mp4", codec="libx264", frames=10)

    conform_clip(source, tmp_path / "fitted.mp4", width_px=640, height_px=360, subtitle="Hold on.")

    last = list(frames(tmp_path / "fitted.mp4"))[-1].convert("L")
    assert ImageStat.Stat(last.crop((200, 270, 440, 330))).extrema[0][1] > 220


def test_a_clip_that_cannot_be_read_is_not_fitted(tmp_path: Path) -> None:
    for data in (b"", b"\x00\x17" * 500, clip_bytes()[:2_000]):
        with pytest.raises(OutputInvalid):
            conform_clip(
                written(tmp_path, data), tmp_path / "fitted.mp4", width_px=180, height_px=320, subtitle=None
            )
        assert not (tmp_path / "fitted.mp4").exists()


DARK_SIDE = {0: (8, 160, 60, 200), 90: (60, 20, 120, 40), 180: (120, 160, 172, 200), 270: (60, 280, 120, 300)}
"""Where the left half of the pixels is to be seen in a clip of 180 by 320, by degrees clockwise."""


def fitted(source: Path, width_px: int = 180, height_px: int = 320) -> Image.Image:
    """The first picture of a clip that was made to fit."""
    target = source.with_name("fitted.mp4")
    conform_clip(source, target, width_px=width_px, height_px=height_px)
    return next(frames(target))


@pytest.mark.parametrize("turned", DARK_SIDE)
def test_a_clip_is_shown_upright(tmp_path: Path, turned: int) -> None:
    source = shot_clip(tmp_path / "turned.mp4", turned=turned)
    facts, shown = probe_clip(source), fitted(source).convert("L")

    assert (facts.width_px, facts.height_px) == ((180, 320) if turned % 180 else (320, 180))
    assert facts.as_stored is (turned == 0)
    dark = ImageStat.Stat(shown.crop(DARK_SIDE[turned])).mean[0]
    bright = ImageStat.Stat(shown.crop(DARK_SIDE[(turned + 180) % 360])).mean[0]
    assert dark < 30 < 60 < bright


def test_a_clip_of_the_house_that_says_it_is_turned_is_not_joined_as_it_is(tmp_path: Path) -> None:
    source, turned = written(tmp_path, clip_bytes()), tmp_path / "turned.mp4"
    with av.open(str(source)) as container, av.open(str(turned), "w") as copy:
        stream = copy.add_stream_from_template(container.streams.video[0])
        stream.set_display_rotation(180)
        for packet in container.demux(video=0):
            if packet.size:
                packet.stream = stream
                copy.mux(packet)

    assert not conforms(probe_clip(turned), 180, 320)
    assert conforms(probe_clip(source), 180, 320)


def test_pixels_that_are_not_square_are_shown_as_wide_as_they_are(tmp_path: Path) -> None:
    """Stored 320 by 180 in pixels 4/3 high: shown 240 by 180, and so wholly in a frame of that shape."""
    source = shot_clip(tmp_path / "narrow.mp4", pixel_shape=Fraction(3, 4))
    facts, shown = probe_clip(source), fitted(source, 240, 180).convert("L")

    assert (facts.width_px, facts.height_px, facts.as_stored) == (240, 180, False)
    assert ImageStat.Stat(shown.crop((0, 0, 112, 180))).mean[0] < 30
    assert ImageStat.Stat(shown.crop((128, 0, 240, 180))).mean[0] > 60


def test_a_strip_that_is_only_shown_as_one_is_refused_too(tmp_path: Path) -> None:
    with pytest.raises(OutputInvalid, match="unusable size"):
        probe_clip(shot_clip(tmp_path / "strip.mp4", pixel_shape=Fraction(9, 1)))


BT2020 = ColorPrimaries.BT2020
WHITE = {"pq": (148, ColorTrc.SMPTE2084), "hlg": (191, ColorTrc.ARIB_STD_B67)}
"""What white paper is stored as (ITU-R BT.2408): 58 % of PQ's signal, 75 % of HLG's."""


@pytest.mark.parametrize("transfer", WHITE)
def test_white_is_white_also_in_high_dynamic_range(tmp_path: Path, transfer: str) -> None:
    level, trc = WHITE[transfer]
    source = shot_clip(tmp_path / "hdr.mp4", colour=(level,) * 3, bits=10, colours=(BT2020, trc, 9))

    right = fitted(source, 320, 180).crop((200, 20, 300, 160))
    assert min(ImageStat.Stat(right).mean) > 235


def test_wide_colours_are_brought_into_those_of_the_house(tmp_path: Path) -> None:
    """BT.2020's colours are stronger than BT.709's of the same numbers."""
    plain = fitted(shot_clip(tmp_path / "plain.mp4"), 320, 180).getpixel((240, 90))
    wide = shot_clip(tmp_path / "wide.mp4", bits=10, colours=(BT2020, ColorTrc.BT2020_10, 9))
    shown = fitted(wide, 320, 180).getpixel((240, 90))

    assert isinstance(plain, tuple)
    assert isinstance(shown, tuple)
    assert all(abs(one - other) < 8 for one, other in zip(plain, (200, 60, 40), strict=True))
    assert shown[0] > plain[0] + 10
    assert shown[1] < plain[1]


def test_ten_bits_are_eight_of_the_same_colour(tmp_path: Path) -> None:
    shown = fitted(shot_clip(tmp_path / "ten.mp4", bits=10), 320, 180).getpixel((240, 90))

    assert isinstance(shown, tuple)
    assert all(abs(one - other) < 8 for one, other in zip(shown, (200, 60, 40), strict=True))


def test_a_clip_that_takes_too_long_is_given_up(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    source = shot_clip(tmp_path / "slow.mp4")
    monkeypatch.setattr(probe, "CPU_SECONDS_MAX", 0.0)

    for work in (lambda: probe_clip(source), lambda: fitted(source)):
        with pytest.raises(OutputInvalid, match="too long to decode"):
            work()


def test_a_clip_of_many_streams_is_refused(tmp_path: Path) -> None:
    with pytest.raises(OutputInvalid, match="too many streams"):
        probe_clip(many_streams(tmp_path / "many.mkv"))


def test_a_clip_that_promises_more_pictures_than_there_can_be_takes_no_memory(tmp_path: Path) -> None:
    for samples in (80_000_000, 2**32 - 1):
        with pytest.raises(OutputInvalid, match="too many pictures"):
            probe_clip(promising(tmp_path / "clip.mp4", samples))
        with pytest.raises(OutputInvalid, match="too many pictures"):
            samples_of(promising(tmp_path / "sound.mp4", samples).read_bytes())


@pytest.mark.parametrize("outer", [b"moov", b"moof"])
def test_boxes_in_boxes_without_end_are_refused(tmp_path: Path, outer: bytes) -> None:
    with pytest.raises(OutputInvalid, match="too many pictures"):
        probe_clip(many_boxes(tmp_path / "clip.mp4", outer))

    nested = b""
    for _ in range(5_000):
        nested = struct.pack(">I4s", 8 + len(nested), outer) + nested
    with pytest.raises(OutputInvalid):
        probe_clip(written(tmp_path, nested))
