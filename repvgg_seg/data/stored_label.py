"""What the file of a label holds as it is stored, before any pipeline makes something else of it."""

from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from PIL import Image

from .class_file import Colour
from .image_size_limit import fault_of_header
from .mask_form import colour_of, counted_codes, decode_mask, values_of

_MOST = 300  # different colours that are kept of one file


@dataclass
class StoredLabel:
    """The content of a label's file.

    Attributes:
        path: of the file.
        format: such as 'PNG' or 'JPEG'.
        mode: Pillow's name of its channels, such as 'L', 'P' or 'RGB'.
        pixels: their number.
        numbers: how many pixels hold each number, of one channel or of three equal ones.
        colours: how many pixels have each colour, of the most frequent ones.
        number_of_colours: how many different ones there are.
        palette: the colour of each number of a palette image that occurs.
        in_alpha: whether the colours are all the same and the transparency is not.
    """

    path: str
    format: str
    mode: str
    pixels: int
    numbers: Counter[int] = field(default_factory=Counter)
    colours: Counter[Colour] = field(default_factory=Counter)
    number_of_colours: int = 0
    palette: dict[int, Colour] = field(default_factory=dict)
    in_alpha: bool = False


def look_at_label(path: str) -> StoredLabel | None:
    """What a label's file holds; None where it cannot be read as a picture."""
    if fault_of_header(path):
        return None
    try:
        with Image.open(path) as image:
            kind, mode = str(image.format), image.mode
            in_alpha = mode in ('RGBA', 'LA') and _is_in_alpha(image)
        array, palette = decode_mask(Path(path).read_bytes())
    except Exception:  # a damaged file, or a format of which Pillow knows nothing
        return None
    stored = StoredLabel(path, kind, mode, array.shape[0] * array.shape[1], in_alpha=in_alpha)
    if array.ndim == 3 and np.any(array[..., :1] != array):
        codes, counts = counted_codes(array)
        stored.number_of_colours = len(codes)
        for code, number in zip(codes[:_MOST].tolist(), counts[:_MOST].tolist(), strict=True):
            stored.colours[colour_of(code)] = number
        return stored
    numbers = array[..., 0] if array.ndim == 3 else array
    values, counts = np.unique(numbers, return_counts=True)
    stored.numbers.update(dict(zip(values.tolist(), counts.tolist(), strict=True)))
    if palette is not None:
        stored.palette = {v: tuple(palette[v].tolist()) for v in values_of(numbers) if v < len(palette)}
    return stored


def _is_in_alpha(image: Image.Image) -> bool:
    *colours, alpha = (band.getextrema() for band in image.split())
    return all(low == high for low, high in colours) and alpha[0] != alpha[1]
