"""What is looked at in the header of an image before it is decoded: a file of a few kB may claim gigabytes."""

import os
import re

from PIL import Image

VARIABLE = 'OPENCV_IO_MAX_IMAGE_PIXELS'  # which OpenCV reads itself, so that raising it raises both limits
_PNG = b'\x89PNG\r\n\x1a\n'
MOST_PIXELS = 178_956_970  # as in Pillow, which refuses larger images; OpenCV alone would decode 2**30


def most_pixels() -> int:
    """The number of pixels that an image or a label may have: that of the environment variable, where it is set."""
    given = re.fullmatch(r'\s*(\d+)\s*', os.environ.get(VARIABLE, ''))
    return int(given[1]) if given else MOST_PIXELS


def fault_of_header(path: str | os.PathLike[str]) -> str:
    """Return that an image file claims more pixels than are decoded, or than it can hold; an empty string if it does not.

    A file that Pillow does not know as an image is not judged, nor is one that is not on this machine.
    """
    if not os.path.isfile(path):
        return ''
    if _has_broken_chunks(path):
        return f'cannot decode {path}: the file is damaged, a part of it is longer than the rest of the file; fetch it again'
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


def _has_broken_chunks(path: str | os.PathLike[str]) -> bool:
    """Whether a chunk of a PNG claims more bytes than there are, for which OpenCV 5 would take memory."""
    if not os.access(path, os.R_OK):  # which its loading step says
        return False
    with open(path, 'rb') as file:
        if file.read(len(_PNG)) != _PNG:
            return False
        size = os.fstat(file.fileno()).st_size
        while len(head := file.read(8)) == 8:
            if not head[4:].isalpha() or file.tell() + int.from_bytes(head[:4], 'big') > size:
                return True
            if head[4:] == b'IEND':
                break
            file.seek(int.from_bytes(head[:4], 'big') + 4, os.SEEK_CUR)
    return False
