"""How long a sound lasts, counted sample by sample, and whether all of it is there.

Headers lie, above all in files that were cut off on their way here: all is decoded, in a process of its own.
"""

from __future__ import annotations

import io
from collections.abc import Iterator
from fractions import Fraction
from functools import partial
from typing import Final

import av
from av.audio.frame import AudioFrame
from av.container import InputContainer

from shoal.domain.errors import OutputInvalid
from shoal.domain.models import media_types as media
from shoal.media.child import in_child
from shoal.media.probe import CPU_SECONDS_MAX, STREAMS_MAX, in_time

SOUND_SECONDS_MAX: Final = 3_600
RATE_HZ_MAX: Final = 192_000
CHANNELS_MAX: Final = 8
SHORT_BY_SECONDS: Final = Fraction(1, 10)
"""What may be missing of the time a header promises: some count whole frames, or silence before the sound."""
UNREADABLE: Final = "The provider did not deliver a readable sound."
CUT_OFF: Final = "The sound ends before its end: the file is cut off."

_FORMATS: Final = {media.MP3: "mp3", media.WAV: "wav", media.OGG: "ogg", media.FLAC: "flac"}
_CODECS: Final = {
    media.MP3: ("mp3",),
    media.WAV: ("pcm_",),
    media.OGG: ("vorbis", "opus", "flac"),
    media.FLAC: ("flac",),
}
"""What the names of the codecs begin with that may be in each kind of file."""
_PAGE_HEAD, _LAST_PAGE = 27, 4
_COUNTED_MP3: Final = (b"Xing", b"Info", b"VBRI")
_MP3_COUNT_WITHIN: Final = 256


def measure_sound(data: bytes, content_type: str, *, seconds_max: int = SOUND_SECONDS_MAX) -> int:
    """Milliseconds, of samples by their rate. Raises `OutputInvalid` for what is damaged or not all there."""
    return in_child(partial(_measure, data, content_type, seconds_max), cpu_seconds_max=CPU_SECONDS_MAX)


def _measure(data: bytes, content_type: str, seconds_max: int) -> int:
    cut_off = _CUT_OFF.get(content_type)
    if cut_off and cut_off(data):
        raise OutputInvalid(CUT_OFF)
    options = {"format_whitelist": _FORMATS[content_type], "protocol_whitelist": "file"}
    try:
        with av.open(io.BytesIO(data), "r", options=options, metadata_errors="replace") as container:
            promised = _promised_seconds(container, content_type, data)
            seconds = _decoded_seconds(container, content_type, seconds_max)
    except (av.FFmpegError, ValueError):
        raise OutputInvalid(UNREADABLE) from None
    if seconds < promised - SHORT_BY_SECONDS:
        raise OutputInvalid(CUT_OFF)
    return round(seconds * 1000)


def _decoded_seconds(container: InputContainer, content_type: str, seconds_max: int) -> Fraction:
    if not container.streams.audio or len(container.streams) > STREAMS_MAX:
        raise OutputInvalid(UNREADABLE)
    context = container.streams.audio[0].codec_context
    if not context or not context.name.startswith(_CODECS[content_type]):
        raise OutputInvalid("The sound is encoded in a way that is not supported.")
    samples, rate_hz = 0, 0
    for frame in in_time(_frames(container)):
        if frame.sample_rate != (rate_hz or frame.sample_rate) or frame.sample_rate > RATE_HZ_MAX:
            raise OutputInvalid("The sound has an unusable rate of samples.")
        if len(frame.layout.channels) > CHANNELS_MAX:
            raise OutputInvalid("The sound has too many channels.")
        samples, rate_hz = samples + frame.samples, frame.sample_rate
        if samples > seconds_max * rate_hz:
            raise OutputInvalid(f"The sound is longer than {seconds_max} seconds.")
    if not samples:
        raise OutputInvalid("The sound has no samples.")
    return Fraction(samples, rate_hz)


def _frames(container: InputContainer) -> Iterator[AudioFrame]:
    for packet in container.demux(audio=0):
        if packet.is_corrupt:
            raise OutputInvalid("The sound is damaged.")
        yield from packet.decode()


def _promised_seconds(container: InputContainer, content_type: str, data: bytes) -> Fraction:
    """How long the header says the sound is; 0 if it does not, or if what it says is an estimate."""
    if not container.streams.audio:
        return Fraction(0)
    stream = container.streams.audio[0]
    if content_type == media.MP3 and not _is_counted_mp3(data):
        return Fraction(0)
    if stream.duration is None or stream.time_base is None:
        return Fraction(0)
    return stream.duration * stream.time_base


def _is_counted_mp3(data: bytes) -> bool:
    """Whether its first frame tells how many there are, which encoders write instead of sound."""
    at = 0
    if data.startswith(b"ID3") and len(data) >= 10:
        length = 0
        for part in data[6:10]:  # 28 bits, 7 in each byte (id3.org, ID3v2.3, 3.1)
            length = length << 7 | part & 0x7F
        at = 10 + length
    return any(name in data[at : at + _MP3_COUNT_WITHIN] for name in _COUNTED_MP3)


def _cut_off_wav(data: bytes) -> bool:
    """Whether the file ends before its RIFF header says it does, or before its chunk of samples does."""
    if int.from_bytes(data[4:8], "little") + 8 > len(data):
        return True
    at = 12
    while at + 8 <= len(data):
        length = int.from_bytes(data[at + 4 : at + 8], "little")
        if data[at : at + 4] == b"data":
            return at + 8 + length > len(data)
        at += 8 + length + length % 2
    return True


def _cut_off_ogg(data: bytes) -> bool:
    """Whether its last page is not all there, or not marked as the last (RFC 3533, 6)."""
    at = data.rfind(b"OggS")
    head = data[at : at + _PAGE_HEAD]
    if len(head) < _PAGE_HEAD or not head[5] & _LAST_PAGE:
        return True
    table = data[at + _PAGE_HEAD : at + _PAGE_HEAD + head[26]]
    return len(table) < head[26] or at + _PAGE_HEAD + len(table) + sum(table) > len(data)


_CUT_OFF: Final = {media.WAV: _cut_off_wav, media.OGG: _cut_off_ogg}
