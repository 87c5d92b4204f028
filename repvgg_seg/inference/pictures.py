"""Pictures of a prediction: its colours, and the image under them, with a legend."""

import os.path as osp
from collections.abc import Sequence
from functools import lru_cache

import matplotlib
import numpy as np
from PIL import Image, ImageDraw, ImageFont

from ..evaluation.fast_drawing import blend, colour_map

Palette = Sequence[Sequence[int]]
Entries = Sequence[tuple[int, float | None]]  # number of a class, and its share where that is shown, in their order
_NARROWEST = 240  # pixels of a legend below an image
_TEXT, _PAPER = (20, 20, 20), (255, 255, 255)


def overlay_picture(
    image: np.ndarray,
    labels: np.ndarray,
    classes: Sequence[str],
    palette: Palette,
    opacity: float = 0.5,
    entries: Entries = (),
    legend_inside: bool = False,
) -> np.ndarray:
    """The image under the colours of its classes, RGB.

    Args:
        image: (H, W, 3), BGR.
        labels: class numbers, (H, W).
        classes: the names of all classes.
        palette: their RGB colours.
        opacity: of the colours, from 0 to 1.
        entries: what the legend names; none for no legend.
        legend_inside: lay the legend over the lower part of the image, so that the picture has its size, where it leaves room
            for the image. Otherwise it stands below.
    """
    picture = colour_map(labels, palette)
    blend(picture, image[..., ::-1], opacity)
    if not entries:
        return picture
    height, width = picture.shape[:2]
    strip = legend(entries, classes, palette, width if legend_inside else max(width, _NARROWEST))
    if legend_inside:
        if len(strip) <= height // 3:
            blend(strip, picture[-len(strip) :], 0.8)
            picture[-len(strip) :] = strip
        return picture
    whole = np.full((height + len(strip), strip.shape[1], 3), _PAPER, np.uint8)
    whole[:height, :width] = picture
    whole[height:] = strip
    return whole


def legend(entries: Entries, classes: Sequence[str], palette: Palette, width: int) -> np.ndarray:
    """The colours, names and shares of classes in lines of a width in pixels, (height, width, 3), RGB."""
    size = min(max(12, width // 45), 96)
    font, gap = _font(size), size // 2
    texts = [classes[number] if share is None else f'{classes[number]} {_percent(share)}' for number, share in entries]
    places, x, y = [], gap, gap
    for text in texts:
        length = size + gap + int(font.getlength(text))
        if x > gap and x + length > width - gap:
            x, y = gap, y + size + gap
        places.append((x, y))
        x += length + 2 * gap
    strip = Image.new('RGB', (width, y + size + gap), _PAPER)
    draw = ImageDraw.Draw(strip)
    for (number, _), text, (x, y) in zip(entries, texts, places, strict=True):
        draw.rectangle((x, y, x + size - 1, y + size - 1), fill=tuple(palette[number]), outline=_TEXT)
        draw.text((x + size + gap, y + size // 2), text, fill=_TEXT, font=font, anchor='lm')
    return np.array(strip)


def _percent(share: float) -> str:
    return f'{100 * share:.0f}%' if share >= 0.01 else '<1%'


@lru_cache(maxsize=4)
def _font(size: int) -> ImageFont.FreeTypeFont:
    """DejaVu Sans, which comes with matplotlib: OpenCV's letters are ASCII alone."""
    return ImageFont.truetype(osp.join(matplotlib.get_data_path(), 'fonts', 'ttf', 'DejaVuSans.ttf'), size)
