"""Writes what is predicted: overlays, colour maps, label PNGs, videos, and the record of all."""

import json
import os
import os.path as osp
from collections.abc import Collection, Iterable, Sequence
from pathlib import Path
from typing import Any

import cv2
import numpy as np

from ..errors import InputError, listed
from ..evaluation.fast_drawing import colour_map
from ..evaluation.label_ids import ids_of_classes
from ..files import named_errors, replacing
from .inputs import KINDS, RECORD, Source
from .output_names import FILM, FILM_OF_ODD_SIZE, LOSSLESS, PICTURE, output_names
from .pictures import overlay_picture
from .prediction import Prediction
from .video import VideoWriter

IDS = ('train', 'official')
_LONGEST_JPEG = 65535  # pixels of a side


class Outputs:
    """The files of a run of predictions, below one folder: `overlay/NAME.jpg`, `colours/NAME.png` and `labels/NAME.png`.

    Args:
        folder: where they go.
        sources: what is predicted.
        kinds: which of `KINDS` are written; None for all of an image, and the overlay of a video.
        classes: the names of the classes.
        ids: the numbers in label PNGs: 'train', those of the classes, or 'official', those of Cityscapes.
        opacity: of the colours in overlays.
        overwrite: replace files of an earlier run.

    Raises:
        InputError: the classes have no official ids, or a file would be overwritten.
    """

    def __init__(
        self,
        folder: Path,
        sources: Sequence[Source],
        kinds: Collection[str] | None,
        classes: Sequence[str],
        ids: str = 'train',
        opacity: float = 0.5,
        overwrite: bool = False,
    ) -> None:
        self.folder, self.kinds, self.opacity = folder, kinds, opacity
        self.names = output_names(sources)
        self._official = ids_of_classes(classes) if ids == 'official' else None
        if ids == 'official' and self._official is None:
            raise InputError(
                f'--ids official: these are the ids of Cityscapes, and the network has other classes ({listed(classes)}): '
                'take --ids train'
            )
        self._check(sources, overwrite)

    def kinds_for(self, source: Source) -> Collection[str]:
        """What is written of a source."""
        return self.kinds if self.kinds is not None else (KINDS[:1] if source.is_stream else KINDS)

    def write_image(self, source: Source, prediction: Prediction) -> None:
        """Write the files of an image, each whole or not at all."""
        for kind in self.kinds_for(source):
            if kind == 'overlay':
                picture = np.asarray(prediction.overlay(self.opacity))
                ending = PICTURE if max(picture.shape) <= _LONGEST_JPEG else LOSSLESS
            else:
                picture, ending = self._lossless(kind, prediction), LOSSLESS
            self._write(self._path(kind, source, ending), picture)

    def open_video(self, source: Source, rate: float, size: tuple[int, int]) -> 'VideoOutputs':
        """The files of a video or a camera; to be closed."""
        return VideoOutputs(self, source, rate, size)

    def write_record(self, record: dict[str, Any]) -> None:
        """Write `predictions.json`."""
        with named_errors(self.folder / RECORD) as path, replacing(path) as temporary:
            temporary.write_text(json.dumps(record, indent=2) + '\n', encoding='utf-8')

    def _path(self, kind: str, source: Source, ending: str) -> Path:
        name = self.names[source]
        return self.folder / kind / name.with_name(name.name + ending)

    def _lossless(self, kind: str, prediction: Prediction) -> np.ndarray:
        if kind == 'colours':
            return colour_map(prediction.labels, prediction.palette)
        labels = prediction.labels
        return labels if self._official is None else self._official[labels].astype(np.uint8)

    def _write(self, path: Path, picture: np.ndarray) -> None:
        colours = picture[..., ::-1] if picture.ndim == 3 else picture
        content = cv2.imencode(path.suffix, np.ascontiguousarray(colours))[1]
        self._make_folder(path.parent)
        with named_errors(path), replacing(path, sync=False) as temporary:
            temporary.write_bytes(content.tobytes())

    def _make_folder(self, folder: Path) -> None:
        with named_errors(folder):
            folder.mkdir(parents=True, exist_ok=True)
        if not folder.resolve().is_relative_to(self.folder.resolve()):
            raise InputError(f'{folder} leads out of {self.folder}: name another folder for the predictions')

    def _check(self, sources: Iterable[Source], overwrite: bool) -> None:
        """Refuse to overwrite an input, or, unless that is allowed, anything."""
        inputs = {osp.realpath(source.path) for source in sources if source.kind != 'camera'}
        for path in self._possible_files(sources):
            if not os.path.lexists(path):
                continue
            if osp.realpath(path) in inputs:
                raise InputError(f'{path} is an input, and a prediction would have its name: name another --out-dir')
            if not overwrite:
                raise InputError(f'{path} exists: name a new --out-dir, or say --overwrite')

    def _possible_files(self, sources: Iterable[Source]) -> Iterable[Path]:
        yield self.folder / RECORD
        for source in sources:
            for kind in self.kinds_for(source):
                if not source.is_stream:
                    yield self._path(kind, source, PICTURE if kind == 'overlay' else LOSSLESS)
                elif kind == 'labels':
                    yield self.folder / kind / self.names[source]
                else:
                    yield from (self._path(kind, source, ending) for ending in (FILM, FILM_OF_ODD_SIZE))


class VideoOutputs:
    """The files of one video: an overlay and colours as videos of its rate and size, labels as a PNG a frame.

    Args:
        outputs: of the run.
        source: the video or the camera.
        rate: frames a second.
        size: (height, width) of its frames.
    """

    def __init__(self, outputs: Outputs, source: Source, rate: float, size: tuple[int, int]) -> None:
        self._outputs, self._source = outputs, source
        self._written = 0
        self._seen: set[int] = set()
        self._writers: dict[str, VideoWriter] = {}
        try:
            for kind in outputs.kinds_for(source):
                if kind != 'labels':
                    path = outputs.folder / kind / outputs.names[source]
                    outputs._make_folder(path.parent)
                    self._writers[kind] = VideoWriter(path, rate, size)
        except BaseException:
            self.discard()
            raise

    def write(self, prediction: Prediction) -> None:
        """Add a frame."""
        for kind in self._outputs.kinds_for(self._source):
            if kind == 'overlay':
                # In a fixed order and without figures, so that the legend stands still.
                self._seen.update(number for number, _ in prediction.legend_entries())
                entries = [(number, None) for number in sorted(self._seen)]
                picture = overlay_picture(
                    prediction.image,
                    prediction.labels,
                    prediction.classes,
                    prediction.palette,
                    self._outputs.opacity,
                    entries,
                    legend_inside=True,
                )
                self._writers[kind].write(picture)
            elif kind == 'colours':
                self._writers[kind].write(colour_map(prediction.labels, prediction.palette))
            else:
                folder = self._outputs.folder / kind / self._outputs.names[self._source]
                self._outputs._write(
                    folder / f'{self._written:06}{LOSSLESS}', self._outputs._lossless(kind, prediction)
                )
        self._written += 1

    def close(self) -> None:
        """End the videos and give them their names."""
        for writer in self._writers.values():
            with named_errors(writer.path):
                writer.close()

    def discard(self) -> None:
        """Leave no videos."""
        for writer in self._writers.values():
            writer.discard()
