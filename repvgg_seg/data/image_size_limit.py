"""The largest image that is decoded: a file of a few kB may claim gigabytes of pixels."""

import os
import re

from PIL import Image

VARIABLE = 'OPENCV_IO_MAX_IMAGE_PIXELS'  # which OpenCV reads itself, so that raising it raises both limits
MOST_PIXELS = 178_956_970  # as in Pillow, which refuses larger images; OpenCV alone would decode 2**30


def most_pixels() -> int:
    """The number of pixels that an image or a label may have: that of the environment variable, where it is set."""
    given = re.fullmatch(r'\s*(\d+)\s*', os.environ.get(VARIABLE, ''))
    return int(given[1]) if given else MOST_PIXELS


def too_large(path: str | os.PathLike[str]) -> str:
    """Return what is wrong with the size of an image file, from its header; an empty string if nothing.

    A file that Pillow does not know as an image is not judged, nor is one that is not on this machine.
    """
    if not os.path.isfile(path):
        return ''
    try:
        with Image.open(path) as image:
            pixels = image.width * image.height
    except Image.DecompressionBombError as error:  # Pillow's own limit; the message holds the number
        found = re.search(r'\((\d+) pixels\)', str(error))
        pixels = int(found[1]) if found else MOST_PIXELS + 1
    except Exception:  # whether a file can be read is for its loading step to say
        return ''
    return fault_of_pixels(path, pixels)


def fault_of_pixels(path: str | os.PathLike[str], pixels: int) -> str:
    """Return that an image has too many pixels, with the way out; an empty string if it has not."""
    if pixels <= most_pixels():
        return ''
    return (
        f'{path} claims {pixels:,} pixels in {os.path.getsize(path):,} bytes, and at most {most_pixels():,} are decoded: '
        f'cut it into tiles, or, where you trust it, set the environment variable {VARIABLE}={pixels}'
    )
