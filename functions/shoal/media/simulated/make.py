"""Whatever the simulator is asked for, by its media type and what its model is for."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Sequence
from typing import Final

from shoal.domain.models import media_types as media
from shoal.media.drawing import draw
from shoal.media.editing import edit
from shoal.media.simulated import documents, pictures, sounds

UPSCALE, SEGMENT, SPEECH = "image_upscale", "image_segment", "speech_generate"
USUAL_SIDE_PX: Final = 1024
_MADE_AT: Final = (1980, 1, 1, 0, 0, 0)
"""ZIP's own beginning of time: the same bytes every time."""


def make(
    *,
    content_type: str,
    task: str,
    prompt: str,
    seed: int,
    width_px: int,
    height_px: int,
    seconds: float | None,
    pictures_given: Sequence[bytes] = (),
) -> bytes:
    """A file of any type but a clip's. `task` is the type of the model, such as `image_upscale`.

    Without a size, a picture is as large as the one it is made of. Raises `ProviderRejected` for a picture
    that cannot be read.
    """
    family = media.family_of(content_type)
    if family == "image":
        png = _picture(task, prompt, seed, width_px, height_px, pictures_given)
        return pictures.as_type(png, content_type)
    if family == "audio" and task == SPEECH:
        return sounds.speak(text=prompt, seed=seed, content_type=content_type)
    if family == "audio":
        length_s = sounds.USUAL_SECONDS if seconds is None else min(seconds, sounds.SECONDS_MAX)
        return sounds.tune(prompt=prompt, seed=seed, seconds=length_s, content_type=content_type)
    if content_type == media.ZIP:
        parts = {"scene.glb": documents.mesh, "about.txt": documents.words}
        return _archive({name: write(prompt=prompt, seed=seed) for name, write in parts.items()})
    writes = {media.GLB: documents.mesh, media.JSON: documents.facts, media.TEXT: documents.words}
    return writes[content_type](prompt=prompt, seed=seed)


def _picture(
    task: str, prompt: str, seed: int, width_px: int, height_px: int, given: Sequence[bytes]
) -> bytes:
    """A PNG, drawn or made of what is given."""
    if given and task == UPSCALE:
        return pictures.enlarge(given[0], width_px, height_px)
    if given and task == SEGMENT:
        return pictures.cut_out(given[0])
    usual = pictures.size_of(given[0]) if given else (USUAL_SIDE_PX, USUAL_SIDE_PX)
    width_px, height_px = width_px or usual[0], height_px or usual[1]
    if given:
        return edit(pictures=given, prompt=prompt, seed=seed, width_px=width_px, height_px=height_px)
    return draw(prompt=prompt, seed=seed, width_px=width_px, height_px=height_px)


def _archive(files: dict[str, bytes]) -> bytes:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as writer:
        for name, data in files.items():
            writer.writestr(zipfile.ZipInfo(name, _MADE_AT), data)
    return file.getvalue()
