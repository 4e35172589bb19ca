"""A narration: every line spoken inside its scene, all as loud as the field expects, to the sample as long.

Loudness and peak follow what the large video sites play at: -16 LUFS, true peak below -1.5 dB
(ITU-R BS.1770, EBU Tech 3343).
"""

from __future__ import annotations

from array import array
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Final

import av

from shoal.domain.clip import SCENE_SECONDS
from shoal.domain.script import NATURAL_WORDS_PER_MINUTE, NarratedLine, Narration, Speech
from shoal.media import sound
from shoal.media.encoding import REPRODUCIBLE

LEAD_SECONDS: Final = 0.35
"""Silence at the start of a scene, so that no line falls on a cut."""
REST_SECONDS: Final = 0.4
"""Silence at its end, at least."""
REFITS_MAX: Final = 2
FASTEST_WORDS_PER_MINUTE: Final = 235
"""Faster than that, speech is no longer easy to follow."""
FASTEST_TEMPO: Final = 1.5
"""How much samples are sped up at most when the speaker could not be quick enough."""
FADE_SECONDS: Final = 0.25
LOUDNESS_LUFS: Final = -16.0
PEAK_LIMIT_DB: Final = -2.5
"""Where the limiter holds: a decibel below the promise, which encoders use up."""
_QUIET: Final = 80
"""Levels of 32,768 below which the edges of a line are cut off: some -52 dB."""
_OVERSAMPLED_HZ: Final = 4 * sound.RATE_HZ
"""BS.1770-4 measures true peaks at four times the rate."""


def fit_narration(
    lines: Sequence[str],
    speak: Callable[..., Speech],
    target_wav: Path,
    *,
    scene_seconds: float = SCENE_SECONDS,
) -> Narration:
    """Speak one line in each scene and write them as one WAV file, exactly as long as all scenes.

    `speak` is `Speaker.speak` with voice and language bound. A line too long for its scene is spoken faster,
    then played faster, and at last faded out. Raises `OutputInvalid` for speech that cannot be read.
    """
    scene = round(scene_seconds * sound.RATE_HZ)
    track = bytearray(scene * len(lines) * sound.SAMPLE_BYTES)
    narrated = []
    for index, line in enumerate(lines):
        spoken = _fit(line, speak, scene_seconds - LEAD_SECONDS - REST_SECONDS)
        start = index * scene + round(LEAD_SECONDS * sound.RATE_HZ)
        track[start * sound.SAMPLE_BYTES : start * sound.SAMPLE_BYTES + len(spoken)] = spoken
        narrated.append(
            NarratedLine(start / sound.RATE_HZ, start / sound.RATE_HZ + sound.seconds_of(spoken), line)
        )
    sound.write_wav(_level(bytes(track)), target_wav)
    return Narration(seconds=sound.seconds_of(bytes(track)), lines=tuple(narrated))


def encode_audio(wav: Path, target: Path) -> None:
    """Write a narration as an MP3 file. Raises `OutputInvalid` if it cannot be read."""
    samples = sound.samples_of(wav)
    with av.open(str(target), "w", "mp3", container_options=REPRODUCIBLE) as container:
        stream = container.add_stream("libmp3lame", rate=sound.RATE_HZ, layout="mono")
        stream.codec_context.bit_rate = 96_000
        for frame in sound.frames_of(samples):
            container.mux(stream.encode(frame))
        container.mux(stream.encode(None))


def _fit(line: str, speak: Callable[..., Speech], room_seconds: float) -> bytes:
    """The samples of a line, no longer than the room."""
    wav = speak(line).wav
    spoken = _trim(sound.samples_of(wav))
    rate = float(NATURAL_WORDS_PER_MINUTE)
    for _ in range(REFITS_MAX):
        if sound.seconds_of(spoken) <= room_seconds or rate >= FASTEST_WORDS_PER_MINUTE:
            break
        rate = min(FASTEST_WORDS_PER_MINUTE, rate * sound.seconds_of(spoken) / room_seconds * 1.03)
        wav = speak(line, words_per_minute=round(rate)).wav
        spoken = _trim(sound.samples_of(wav))
    if (tempo := sound.seconds_of(spoken) / room_seconds) > 1:
        spoken = sound.filter_samples(spoken, ("atempo", f"{min(FASTEST_TEMPO, tempo * 1.005):.4f}"))
    if sound.seconds_of(spoken) > room_seconds:
        room = round(room_seconds * sound.RATE_HZ) * sound.SAMPLE_BYTES
        fade = f"type=out:start_time={room_seconds - FADE_SECONDS}:duration={FADE_SECONDS}"
        spoken = sound.filter_samples(spoken[:room], ("afade", fade))
    return spoken


def _trim(samples: bytes) -> bytes:
    """Samples without the silence before and after them."""
    levels, block = array("h", samples), sound.RATE_HZ // 100
    blocks = [levels[start : start + block] for start in range(0, len(levels), block)]
    loud = [index for index, part in enumerate(blocks) if max(part) > _QUIET or min(part) < -_QUIET]
    return levels[loud[0] * block : (loud[-1] + 1) * block].tobytes() if loud else b""


def _level(samples: bytes) -> bytes:
    """The samples at the house's loudness, peaks limited; what the limiter takes is given back twice."""
    levelled = samples
    gain_db = 0.0
    for _ in range(3):
        loudness = sound.loudness_lufs(levelled)
        if loudness <= sound.SILENT_LUFS:
            return samples
        gain_db += LOUDNESS_LUFS - loudness
        levelled = sound.filter_samples(
            samples,
            ("aformat", "sample_fmts=dbl"),
            ("volume", f"{gain_db:.3f}dB:precision=double"),
            ("aresample", str(_OVERSAMPLED_HZ)),
            ("alimiter", f"limit={PEAK_LIMIT_DB}dB:attack=2:release=60:level=0:latency=1"),
            ("aresample", str(sound.RATE_HZ)),
        )
    return levelled[: len(samples)].ljust(len(samples), b"\0")
