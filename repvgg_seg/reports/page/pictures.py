"""Pictures inside of a page, as small as their share of its size."""

import base64
import io
from collections.abc import Sequence
from pathlib import Path

from PIL import Image

_SIDES = (720, 560, 420, 320, 240, 160)  # long side in pixels, the largest that fits is taken


def embedded(files: Sequence[Path], budget: int) -> list[str | None]:
    """The pictures of files as data URLs, which together are no longer than a budget of bytes.

    Photographs (.jpg) lose detail, drawn pictures (.png) keep their colours.

    Args:
        files: JPEG and PNG files.
        budget: bytes.

    Returns:
        None for a file that cannot be read, and for all where even the smallest pictures are too many.
    """
    sides = list(_SIDES)
    while sides:
        side = sides.pop(0)
        urls = [_data_url(file, side) for file in files]
        size = sum(len(url) for url in urls if url)
        if size <= budget:
            return urls
        while len(sides) > 1 and size * (sides[0] / side) ** 2 > budget:  # more would be encoded in vain
            sides.pop(0)
    return [None] * len(files)


def _data_url(file: Path, side: int) -> str | None:
    try:
        with Image.open(file) as image:
            photograph = image.format == 'JPEG'
            picture = image.convert('RGB')
    except (OSError, ValueError, Image.DecompressionBombError):
        return None
    scale = side / max(picture.size)
    if scale < 1:
        size = (max(1, round(picture.width * scale)), max(1, round(picture.height * scale)))
        kind = Image.Resampling.BOX if photograph else Image.Resampling.NEAREST
        picture = picture.resize(size, kind)
    buffer = io.BytesIO()
    if photograph:
        picture.save(buffer, 'WEBP', quality=70, method=4)
    else:
        picture.save(buffer, 'WEBP', lossless=True, method=4)
    return 'data:image/webp;base64,' + base64.b64encode(buffer.getvalue()).decode('ascii')
