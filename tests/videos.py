"""Small videos, written and read."""

import cv2
import numpy as np

from repvgg_seg.inference.inputs import Source
from repvgg_seg.inference.video import VideoReader


def write(path, frames=10, size=(48, 64), rate=25.0, code='mp4v'):
    """A video of grey frames, each 10 brighter than the one before."""
    backend = cv2.CAP_OPENCV_MJPEG if code == 'MJPG' else cv2.CAP_FFMPEG
    writer = cv2.VideoWriter(str(path), backend, cv2.VideoWriter.fourcc(*code), rate, size[::-1])
    for i in range(frames):
        writer.write(np.full((*size, 3), 10 * i % 250, np.uint8))
    writer.release()
    return str(path)


def read(path, kind='video'):
    reader = VideoReader(Source(kind, str(path), '.'))
    return reader, list(reader.frames())
