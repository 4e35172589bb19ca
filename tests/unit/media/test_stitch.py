"""The finished MP4: exact to the frame, pictures untouched, sound and subtitles in time, ready to stream."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path

import av
import pytest
from PIL import Image, ImageChops, ImageStat

from shoal.domain.errors import OutputInvalid
from shoal.domain.script import NarratedLine
from shoal.media.narration import fit_narration
from shoal.media.probe import probe_clip
from shoal.media.sound import loudness_lufs, samples_of, seconds_of, true_peak_db, write_wav
from shoal.media.stitch import poster, preview, stitch
from tests.support.media_files import clip_bytes, foreign_clip, frames, tone, written

SUBTITLES = [
    NarratedLine(0.35, 5.5, "Under the sea {it} begins"),
    NarratedLine(8.35, 15.0, "深海 – y después"),
]


@pytest.fixture
def clips(tmp_path: Path) -> list[Path]:
    return [written(tmp_path, clip_bytes(seed), f"{seed}.mp4") for seed in (0, 1)]


@pytest.fixture(scope="module")
def wav(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("narration") / "n.wav"
    fit_narration(["a", "b"], lambda *_, **__: tone(4), path)
    return path


def video_packets(path: Path) -> list[tuple[int, int, bytes]]:
    with av.open(str(path)) as container:
        found = [packet for packet in container.demux(video=0) if packet.size]
        return [(packet.pts or 0, packet.dts or 0, bytes(packet)) for packet in found]


def boxes(path: Path) -> Iterator[str]:
    """The names of an MP4 file's outermost boxes."""
    data, at = path.read_bytes(), 0
    while at < len(data):
        yield data[at + 4 : at + 8].decode()
        at += int.from_bytes(data[at : at + 4], "big")


def test_two_clips_become_sixteen_seconds_to_the_frame(clips: list[Path], wav: Path, tmp_path: Path) -> None:
    facts = stitch(clips, wav, tmp_path / "final.mp4", subtitles=SUBTITLES)

    assert facts == probe_clip(tmp_path / "final.mp4")
    assert facts.frames == 384
    assert facts.frames_per_second == 24
    assert facts.seconds == 16
    assert (facts.codec, facts.profile, facts.audio_codec) == ("h264", "High", "aac")
    with av.open(str(tmp_path / "final.mp4")) as container:
        assert container.duration == 16 * av.time_base
        assert [stream.type for stream in container.streams] == ["video", "audio", "subtitle"]
        video, audio, _ = container.streams
        assert (video.duration or 0) * (video.time_base or 0) == 16
        assert (audio.duration or 0) * (audio.time_base or 0) == 16
        assert "title" not in container.metadata


def test_pictures_are_copied_as_they_are_at_even_times(clips: list[Path], wav: Path, tmp_path: Path) -> None:
    stitch([*clips, clips[0]], wav, tmp_path / "final.mp4", subtitles=None)

    joined = video_packets(tmp_path / "final.mp4")
    assert [data for _, _, data in joined] == [
        data for clip in (*clips, clips[0]) for _, _, data in video_packets(clip)
    ]
    assert {after[1] - before[1] for before, after in pairwise(joined)} == {512}
    assert sorted(pts for pts, _, _ in joined) == [512 * number for number in range(3 * 192)]


def test_every_joined_picture_can_be_decoded_and_shows_its_clip(
    clips: list[Path], wav: Path, tmp_path: Path
) -> None:
    stitch(clips, wav, tmp_path / "final.mp4", subtitles=None)

    shots = list(frames(tmp_path / "final.mp4"))
    assert len(shots) == 384
    for number, clip in enumerate(clips):
        own = list(frames(clip))
        for at in (0, 1, 95, 190, 191):
            assert shots[number * 192 + at].tobytes() == own[at].tobytes()


def test_the_index_comes_before_the_media(clips: list[Path], wav: Path, tmp_path: Path) -> None:
    stitch(clips, wav, tmp_path / "final.mp4", subtitles=SUBTITLES)

    for file in (*clips, tmp_path / "final.mp4"):
        order = list(boxes(file))
        assert order[0] == "ftyp"
        assert order.index("moov") < order.index("mdat")


def test_the_narration_is_heard_where_it_was_placed(clips: list[Path], wav: Path, tmp_path: Path) -> None:
    stitch(clips, wav, tmp_path / "final.mp4", subtitles=None)

    samples = samples_of(tmp_path / "final.mp4")
    second = 2 * 48_000
    loud = [max(memoryview(samples[at * second : (at + 1) * second]).cast("h")) > 1_000 for at in range(16)]
    assert len(samples) == 16 * second
    assert loud == ([True] * 5 + [False] * 3) * 2
    assert loudness_lufs(samples) == pytest.approx(-16, abs=1)
    assert true_peak_db(samples) < -1


@pytest.mark.parametrize("seconds", [0.5, 15.9, 16.1, 40])
def test_sound_is_never_longer_nor_shorter_than_the_pictures(
    clips: list[Path], tmp_path: Path, seconds: float
) -> None:
    write_wav(bytes(2 * round(seconds * 48_000)), tmp_path / "other.wav")

    stitch(clips, tmp_path / "other.wav", tmp_path / "final.mp4", subtitles=None)

    assert seconds_of(samples_of(tmp_path / "final.mp4")) == 16


def test_subtitles_are_a_track_with_their_times(clips: list[Path], wav: Path, tmp_path: Path) -> None:
    late = NarratedLine(15.0, 99.0, "the end")
    stitch(clips, wav, tmp_path / "final.mp4", subtitles=[late, *SUBTITLES, NarratedLine(3, 3, "never")])

    with av.open(str(tmp_path / "final.mp4")) as container:
        stream = container.streams.subtitles[0]
        assert stream.codec_context.name == "mov_text"
        found = [
            (packet.pts, (packet.pts or 0) + (packet.duration or 0), bytes(packet)[2:].decode())
            for packet in container.demux(stream)
            if packet.size > 2
        ]
    assert found == [
        (350, 5_500, "Under the sea {it} begins"),
        (8_350, 15_000, "深海 – y después"),
        (15_000, 16_000, "the end"),
    ]


def test_a_subtitle_that_is_too_long_ends_with_a_whole_letter(
    clips: list[Path], wav: Path, tmp_path: Path
) -> None:
    long = NarratedLine(0.0, 5.0, "ab" + "深" * 700)
    stitch(clips, wav, tmp_path / "final.mp4", subtitles=[long])

    with av.open(str(tmp_path / "final.mp4")) as container:
        (text,) = (
            bytes(packet)[2:] for packet in container.demux(container.streams.subtitles[0]) if packet.size > 2
        )
    assert text.decode() == "ab" + "深" * 666


def test_stitching_again_gives_the_same_bytes(clips: list[Path], wav: Path, tmp_path: Path) -> None:
    for name in ("one.mp4", "other.mp4"):
        stitch(clips, wav, tmp_path / name, subtitles=SUBTITLES)

    assert (tmp_path / "one.mp4").read_bytes() == (tmp_path / "other.mp4").read_bytes()


@pytest.mark.parametrize("position", [0, 1, 2])
@pytest.mark.parametrize(
    "broken",
    [
        b"",
        clip_bytes()[:-1],
        clip_bytes()[: len(clip_bytes()) // 2],
        b"\0" * 9_000,
        clip_bytes(seconds=3.0),
        clip_bytes(width_px=320, height_px=180),
    ],
    ids=["empty", "last byte", "half", "zeros", "too short", "other size"],
)
def test_a_clip_that_does_not_fit_stops_the_stitching(
    clips: list[Path], wav: Path, tmp_path: Path, broken: bytes, position: int
) -> None:
    clips.insert(position, written(tmp_path, broken, "broken.mp4"))

    with pytest.raises(OutputInvalid):
        stitch(clips, wav, tmp_path / "final.mp4", subtitles=None)
    assert not (tmp_path / "final.mp4").exists()


def test_a_clip_of_another_encoder_stops_the_stitching(clips: list[Path], wav: Path, tmp_path: Path) -> None:
    foreign = foreign_clip(tmp_path / "foreign.mp4", codec="libx264", frames=192, rate=24)

    with pytest.raises(OutputInvalid, match=r"scene 1 does not fit"):
        stitch([foreign, foreign], wav, tmp_path / "final.mp4", subtitles=None)
    with pytest.raises(OutputInvalid, match=r"scene 3 does not fit"):
        stitch([*clips, foreign], wav, tmp_path / "final.mp4", subtitles=None)


def test_no_clips_or_no_sound_is_an_error(clips: list[Path], wav: Path, tmp_path: Path) -> None:
    with pytest.raises(OutputInvalid, match="no clips"):
        stitch([], wav, tmp_path / "final.mp4", subtitles=None)
    with pytest.raises(OutputInvalid, match="narration"):
        stitch(clips, written(tmp_path, b"", "none.wav"), tmp_path / "final.mp4", subtitles=None)
    assert not (tmp_path / "final.mp4").exists()


def test_a_poster_is_a_jpeg_of_the_video_s_size(clips: list[Path], wav: Path, tmp_path: Path) -> None:
    stitch(clips, wav, tmp_path / "final.mp4", subtitles=None)

    for source in (clips[0], tmp_path / "final.mp4"):
        poster(source, tmp_path / "poster.jpg")
        with Image.open(tmp_path / "poster.jpg") as picture:
            assert (picture.format, picture.size) == ("JPEG", (180, 320))
            assert max(high - low for low, high in ImageStat.Stat(picture).extrema) > 100


def test_a_poster_of_a_broken_video_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(OutputInvalid):
        poster(written(tmp_path, b"\0" * 500), tmp_path / "poster.jpg")


def test_a_preview_is_a_small_picture_of_the_clip(tmp_path: Path) -> None:
    clip = written(tmp_path, clip_bytes(0), "clip.mp4")
    shown, full = tmp_path / "preview.jpg", tmp_path / "poster.jpg"

    preview(clip, shown)
    poster(clip, full)

    with Image.open(shown) as small, Image.open(full) as large:
        assert small.format == "JPEG"
        assert max(small.size) == 160
        assert small.width / small.height == pytest.approx(large.width / large.height, rel=0.02)
        apart = ImageChops.difference(small, large.resize(small.size))
        assert max(ImageStat.Stat(apart).mean) < 16  # it shows the same picture, coarsely
    assert shown.stat().st_size < full.stat().st_size


def test_a_clip_that_shows_nothing_has_no_preview(tmp_path: Path) -> None:
    with pytest.raises(OutputInvalid):
        preview(written(tmp_path, b"no clip", "clip.mp4"), tmp_path / "preview.jpg")

    assert not (tmp_path / "preview.jpg").exists()
