"""Reading and writing videos, by OpenCV and FFmpeg."""

import logging
import math
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from mmengine.logging import print_log

from ..data.damaged_files import fault_of
from ..errors import InputError
from .inputs import Source
from .output_names import FILM, FILM_OF_ODD_SIZE

_USUAL_RATE = 25.0
_HIGHEST_RATE = 1000.0  # above it, a container tells its clock and not its rate


def quiet_codecs() -> None:
    """Keep what OpenCV and FFmpeg print on a damaged stream off the screen: for a command, before the first video."""
    os.environ.setdefault('OPENCV_FFMPEG_LOGLEVEL', '-8')
    cv2.utils.logging.setLogLevel(cv2.utils.logging.LOG_LEVEL_SILENT)


class VideoReader:
    """The frames of a video or a camera.

    Args:
        source: what is read.

    Attributes:
        rate: frames a second.
        expected: how many frames the file says that it has; 0 where it does not say.
        fault: why there are fewer frames than expected; set at the end.

    Raises:
        InputError: it cannot be opened, or is no video.
    """

    def __init__(self, source: Source) -> None:
        self.source = source
        number = source.kind == 'camera' and source.path.isdecimal()
        if source.kind == 'video' and (fault := fault_of(source.path)):
            raise InputError(fault)
        try:
            self._capture: Any = cv2.VideoCapture(int(source.path) if number else source.path)
        except cv2.error:
            self._capture = None
        if self._capture is None or not self._capture.isOpened():
            if source.kind == 'camera':
                raise InputError(
                    f'no camera {source.path} can be opened here: name another number, or an address such as rtsp://HOST/PATH'
                )
            raise InputError(
                f'{source.path} is neither an image nor a video that can be decoded here, or it is damaged'
            )
        rate = self._capture.get(cv2.CAP_PROP_FPS)
        self.rate = rate if math.isfinite(rate) and 0 < rate <= _HIGHEST_RATE else _USUAL_RATE
        if self.rate != rate and source.kind == 'video':
            print_log(f'{source.path} does not tell its frame rate: {_USUAL_RATE:.0f} frames a second', 'current')
        count = self._capture.get(cv2.CAP_PROP_FRAME_COUNT)
        self.expected = int(count) if math.isfinite(count) and 0 < count < 1e9 and source.kind == 'video' else 0
        self.fault = ''

    def close(self) -> None:
        """Let others use the file or the camera."""
        self._capture.release()

    def frames(self) -> Iterator[np.ndarray]:
        """The frames one by one, (H, W, 3), BGR, turned as the video says.

        Raises:
            InputError: there is none.
        """
        number, off = 0, 0.0
        try:
            while True:
                try:
                    there, frame = self._capture.read()
                except cv2.error:  # of some damaged streams
                    there = False
                if not there:
                    break
                milliseconds = self._capture.get(cv2.CAP_PROP_POS_MSEC)
                off = max(off, abs(milliseconds / 1000 - number / self.rate) * self.rate)
                number += 1
                yield frame
        finally:
            self.close()
        if not number:
            raise InputError(f'{self.source.path} holds no frame that can be decoded')
        # Where a container has no index, the number is an estimate.
        if self.expected and number < 0.98 * self.expected - 1:
            self.fault = f'the video breaks off: {number} of {self.expected} frames can be read'
        if self.source.kind == 'video' and off > 2:
            print_log(
                f'{self.source.path} has no constant frame rate: its frames are written at {self.rate:.5g} a second, its mean',
                'current',
                logging.WARNING,
            )


class VideoWriter:
    """A video file under a temporary name until it is whole; without sound.

    Args:
        path: of the file without its ending, which follows from the size.
        rate: frames a second.
        size: (height, width).

    Attributes:
        path: of the file.

    Raises:
        InputError: no video of this size can be written.
    """

    def __init__(self, path: Path, rate: float, size: tuple[int, int]) -> None:
        self.size = size
        even = not (size[0] % 2 or size[1] % 2)
        # FFmpeg's encoder cuts off an odd row or column; OpenCV's own writer of Motion JPEG does not.
        backend, code, ending = (
            (cv2.CAP_FFMPEG, 'mp4v', FILM) if even else (cv2.CAP_OPENCV_MJPEG, 'MJPG', FILM_OF_ODD_SIZE)
        )
        if not even and rate != round(rate):
            print_log(
                f'{path.name}: a video of an odd size is written at {max(1, round(rate))} frames a second', 'current'
            )
            rate = max(1, round(rate))
        self.path = path.with_name(path.name + ending)
        self._temporary = path.with_name(f'.{path.name}.{os.getpid()}{ending}')
        self._writer = cv2.VideoWriter(str(self._temporary), backend, cv2.VideoWriter.fourcc(*code), rate, size[::-1])
        if not self._writer.isOpened():
            self._temporary.unlink(missing_ok=True)
            raise InputError(
                f'cannot write {self.path}: no video of {size[0]}x{size[1]} at {rate:.5g} frames a second, or no space'
            )

    def write(self, picture: np.ndarray) -> None:
        """Add a frame, (H, W, 3), RGB, brought to the size of the first where a stream changes its size."""
        if picture.shape[:2] != self.size:
            picture = cv2.resize(picture, self.size[::-1], interpolation=cv2.INTER_NEAREST)
        self._writer.write(np.ascontiguousarray(picture[..., ::-1]))

    def close(self) -> None:
        """End the file and give it its name."""
        self._writer.release()
        os.replace(self._temporary, self.path)

    def discard(self) -> None:
        """Leave nothing of it."""
        self._writer.release()
        self._temporary.unlink(missing_ok=True)
