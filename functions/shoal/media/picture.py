"""Is this really a picture, and of what size?"""

from __future__ import annotations

import io
import warnings

from PIL import Image

from shoal.domain.errors import OutputInvalid
from shoal.domain.provider import Picture

SIDE_PX_MIN = 16
SIDE_PX_MAX = 8192
_EXTENSIONS = {"PNG": "png", "JPEG": "jpg", "WEBP": "webp"}


def inspect_picture(data: bytes) -> Picture:
    """Decode the whole picture, so that a truncated one is found. Raises `OutputInvalid`."""
    try:
        with (
            warnings.catch_warnings(),
            Image.open(io.BytesIO(data), formats=list(_EXTENSIONS)) as image,
        ):
            warnings.simplefilter("error", Image.DecompressionBombWarning)
            width_px, height_px = image.size
            if not all(SIDE_PX_MIN <= side <= SIDE_PX_MAX for side in image.size):
                raise OutputInvalid("The provider's image has an unusable size.")
            image.load()
            picture_format = str(image.format)
    except (
        OSError,
        SyntaxError,
        ValueError,
        Image.DecompressionBombError,
        Image.DecompressionBombWarning,
    ):
        raise OutputInvalid("The provider did not deliver a readable image.") from None
    return Picture(
        content_type=Image.MIME[picture_format],
        extension=_EXTENSIONS[picture_format],
        width_px=width_px,
        height_px=height_px,
    )
