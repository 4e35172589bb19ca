"""The embedded speaker: espeak-ng, called in this process, offline. Clear rather than lifelike.

The same line takes the same time to within a few milliseconds, not to the sample: espeak-ng's flutter runs on
from one line to the next.
"""

from __future__ import annotations

import ctypes
from collections.abc import Container, Iterator
from functools import lru_cache
from itertools import count, takewhile
from threading import Lock
from typing import Any, Final

import espeakng_loader

from shoal.domain.errors import ProviderFailed
from shoal.domain.script import NATURAL_WORDS_PER_MINUTE, VOICES, Speech
from shoal.media.waves import speech_of

# Names and values from espeak-ng's speak_lib.h.
_SYNCHRONOUS: Final = 2
_DONT_EXIT: Final = 0x8000
_OK: Final = 0
_CHARS_UTF8: Final = 1
_POSITION_CHARACTER: Final = 1
_RATE: Final = 1
_PITCH: Final = 3
_RANGE: Final = 4
_CALLBACK: Final = ctypes.CFUNCTYPE(ctypes.c_int, ctypes.c_void_p, ctypes.c_int, ctypes.c_void_p)

WORDS_PER_MINUTE_MIN: Final = 80
WORDS_PER_MINUTE_MAX: Final = 450
"""espeak-ng's own limits."""
_BUFFER_MS: Final = 200
_MUTE: Final = frozenset({"fo", "kaa", "xex"})
"""Languages whose dictionaries the package lacks."""
_FALLBACK: Final = "en-us"
_LANGUAGES: Final = {"en": "en-us", "fr": "fr-fr", "zh": "cmn", "no": "nb"}
"""Languages that espeak-ng has under another tag, or whose first choice is not the one to take."""
_TIMBRES: Final = dict(
    zip(VOICES, ((b"f2", 52), (b"f5", 46), (b"f4", 58), (b"m3", 44), (b"m7", 40), (b"m1", 50)), strict=True)
)
"""For each voice: the variant of espeak-ng's that lends its timbre, and its pitch (0 to 100)."""
_LIVELINESS: Final = 60
"""How far the pitch moves (0 to 100); espeak-ng's own 50 is flat for a narrator."""


class _Voice(ctypes.Structure):
    """The beginning of `espeak_VOICE`."""

    _fields_ = (
        ("name", ctypes.c_char_p),
        ("languages", ctypes.POINTER(ctypes.c_char)),
        ("identifier", ctypes.c_char_p),
    )


class _Library:
    """espeak-ng, loaded and started once in a process: it keeps its state in globals."""

    def __init__(self) -> None:
        self._espeak = ctypes.CDLL(espeakng_loader.get_library_path())
        self._espeak.espeak_ListVoices.restype = ctypes.POINTER(ctypes.POINTER(_Voice))
        data = espeakng_loader.get_data_path().encode()
        self.rate_hz = self._espeak.espeak_Initialize(_SYNCHRONOUS, _BUFFER_MS, data, _DONT_EXIT)
        if self.rate_hz <= 0:
            raise ProviderFailed("The embedded speaker could not be started.")
        self._samples = bytearray()
        self._callback = _CALLBACK(self._take)  # kept: the library holds no reference of its own
        self._espeak.espeak_SetSynthCallback(self._callback)
        self.voice_files = self._voices()

    def speak(self, text: str, voice: bytes, *, words_per_minute: int, pitch: int) -> bytes:
        """16-bit mono samples at `rate_hz`. Not to be called by two threads at once."""
        self._samples.clear()
        self._do("SetVoiceByName", voice)
        for parameter, value in ((_RATE, words_per_minute), (_PITCH, pitch), (_RANGE, _LIVELINESS)):
            self._do("SetParameter", parameter, value, 0)
        spoken = text.encode("utf-8", "replace") + b"\0"
        self._do("Synth", spoken, len(spoken), 0, _POSITION_CHARACTER, 0, _CHARS_UTF8, None, None)
        return bytes(self._samples)

    def _take(self, wav: Any, count: int, _events: Any) -> int:
        if wav and count > 0:
            self._samples += ctypes.string_at(wav, count * 2)
        return 0

    def _do(self, function: str, *arguments: object) -> None:
        if getattr(self._espeak, f"espeak_{function}")(*arguments) != _OK:
            raise ProviderFailed("The embedded speaker could not speak the line.")

    def _voices(self) -> dict[str, bytes]:
        """The file of espeak-ng's voice for each language tag: the one that claims it most."""
        listed = self._espeak.espeak_ListVoices(None)
        claims: dict[str, tuple[int, bytes]] = {}
        for entry in takewhile(bool, (listed[index] for index in count())):
            for tag, priority in _tags(entry.contents.languages):
                claim = priority, entry.contents.identifier
                claims[tag] = min(claim, claims.get(tag, claim))
        return {tag: file for tag, (_, file) in claims.items() if tag not in _MUTE}


def _tags(languages: Any) -> Iterator[tuple[str, int]]:
    """espeak-ng's list of a voice's languages: a byte of priority and a name, and so on, until a zero."""
    at = 0
    while priority := languages[at][0]:
        name = ctypes.string_at(ctypes.addressof(languages.contents) + at + 1)
        yield name.decode("utf-8", "replace").casefold(), priority
        at += len(name) + 2


@lru_cache(maxsize=1)
def _library() -> _Library:
    return _Library()


_lock = Lock()


class EmbeddedSpeaker:
    """Implements the `Speaker` port."""

    def speak(
        self, text: str, *, voice: str | None, language: str, words_per_minute: int | None = None
    ) -> Speech:
        """Say one line; nothing speakable gives an empty WAV. ValueError for a voice not in `voices()`."""
        variant, pitch = _TIMBRES[_check_voice(voice or VOICES[0])]
        asked = words_per_minute or NATURAL_WORDS_PER_MINUTE
        rate = min(WORDS_PER_MINUTE_MAX, max(WORDS_PER_MINUTE_MIN, asked))
        with _lock:
            library = _library()
            file = library.voice_files[_language(language, library.voice_files)]
            samples = library.speak(text, file + b"+" + variant, words_per_minute=rate, pitch=pitch)
        return speech_of(samples, library.rate_hz)


def voices() -> tuple[str, ...]:
    """The voices it has: all the house's."""
    return tuple(_TIMBRES)


def languages() -> tuple[str, ...]:
    """The language tags it knows, in alphabetical order; all others are spoken as American English."""
    with _lock:
        return tuple(sorted(_library().voice_files))


def _check_voice(voice: str) -> str:
    if voice not in _TIMBRES:
        raise ValueError(f"unknown voice: {voice!r}")
    return voice


def _language(tag: str, known: Container[str]) -> str:
    """espeak-ng's name for a BCP 47 tag: that of the whole tag, or of its language alone, or English."""
    whole = tag.casefold().replace("_", "-")
    wanted = (_LANGUAGES.get(name, name) for name in (whole, whole.split("-")[0]))
    return next((name for name in wanted if name in known), _FALLBACK)
