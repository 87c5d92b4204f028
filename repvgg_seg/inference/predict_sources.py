"""Predicts what the command line names, and goes on past what cannot be predicted."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import islice
from typing import Any

import numpy as np

from ..errors import InputError, one_line
from .image_pipeline import Item
from .inputs import Source
from .outputs import Outputs, VideoOutputs
from .prediction import Prediction
from .progress import PredictionProgress
from .put_off_signals import signals_put_off
from .segmentor import Segmentor, same_size
from .video import VideoReader

Read = tuple[Source, tuple[Item, np.ndarray, str | None]]


@dataclass
class Report:
    """What a run has predicted.

    Attributes:
        predicted: a record of every image and video.
        broken: what could not be predicted, or not to its end, with the reason.
        images: number of images and frames.
        seconds: that it took, with reading and writing.
    """

    predicted: list[dict[str, Any]] = field(default_factory=list)
    broken: list[tuple[str, str]] = field(default_factory=list)
    images: int = 0
    seconds: float = 0.0


def number_of_images(sources: Sequence[Source], frames: int | None = None) -> int | None:
    """The images and frames of all sources, as far as their files say; None where a camera has no end.

    Args:
        sources: what is to be predicted.
        frames: how many frames of a video or a camera are predicted; None for all.

    Raises:
        InputError: there is no such camera.
    """
    total, endless = 0, False
    for source in sources:
        number = 1
        if source.kind == 'camera':
            VideoReader(source).close()
            endless |= frames is None
            number = frames or 0
        elif source.kind == 'video':
            try:
                reader = VideoReader(source)
                reader.close()
                number = reader.expected if frames is None else min(reader.expected, frames)
            except InputError:  # which is told when its turn comes
                number = 0
        total += number
    return None if endless else total


class SourcePredictor:
    """Predicts sources one after the other and writes what comes out.

    Args:
        segmentor: what predicts.
        outputs: where it is written.
        progress: counts.
        batch_size: images of one size that are computed at a time.
        frames: how many frames of a video or a camera are predicted; None for all.
    """

    def __init__(
        self,
        segmentor: Segmentor,
        outputs: Outputs,
        progress: PredictionProgress,
        batch_size: int = 1,
        frames: int | None = None,
    ) -> None:
        self.segmentor, self.outputs, self.progress = segmentor, outputs, progress
        self.batch_size, self.frames = batch_size, frames
        self.report = Report()
        self._batch: list[Read] = []

    def predict(self, sources: Sequence[Source]) -> None:
        """Predict all; the report tells what came of it, also where an error or a signal ends it.

        Raises:
            InputError: the predictions cannot be written.
        """
        try:
            for source in sources:
                if source.is_stream:
                    self._finish_batch()
                    self._predict_video(source)
                else:
                    self._add(source)
            self._finish_batch()
        finally:
            self.report.seconds = self.progress.seconds

    def _add(self, source: Source) -> None:
        try:
            read = self.segmentor.read(source.path)
        except InputError as error:
            self._fail(source, error)
            return
        if self._batch and (len(self._batch) == self.batch_size or not same_size(self._batch[0][1][0], read[0])):
            self._finish_batch()
        self._batch.append((source, read))

    def _finish_batch(self) -> None:
        batch, self._batch = self._batch, []
        for (source, _), prediction in zip(batch, self._predictions([read for _, read in batch]), strict=True):
            if isinstance(prediction, InputError):
                self._fail(source, prediction)
                continue
            size = list(prediction.labels.shape)
            record = dict(input=source.shown, name=str(self.outputs.names[source]), size=size, shares=prediction.shares)
            with signals_put_off():
                self.outputs.write_image(source, prediction)
                self.report.images += 1
                self.report.predicted.append(record)
            self.progress.advance()

    def _predictions(self, batch: Sequence[tuple[Item, np.ndarray, str | None]]) -> Sequence[Prediction | InputError]:
        """A prediction of each image, or why there is none; one at a time where they fail together."""
        if not batch:
            return []
        try:
            return self.segmentor.predict_items(batch)
        except InputError as error:
            if len(batch) == 1:
                return [error]
            return [found for one in batch for found in self._predictions([one])]

    def _fail(self, source: Source, error: InputError | str, number: int = 1) -> None:
        reason = one_line(error) if isinstance(error, InputError) else error
        self.report.broken.append((source.shown, reason.replace(source.path, source.shown)))
        self.progress.advance(number)

    def _predict_video(self, source: Source) -> None:
        try:
            reader = VideoReader(source)
        except InputError as error:
            self._fail(source, error, 0)
            return
        video = _Video(self.outputs, source, reader.rate)
        try:
            frames = islice(reader.frames(), self.frames)
            while batch := list(islice(frames, self.batch_size)):
                for prediction in self.segmentor.predict(batch, batch_size=self.batch_size):
                    with signals_put_off():
                        video.write(prediction)
                        self.report.images += 1
                    self.progress.advance()
        except _NotWritten:
            raise
        except InputError as error:
            self._fail(source, error, 0)
        finally:
            if video.frames:
                with signals_put_off():
                    video.close()
                    self.report.predicted.append(video.record())
        if reader.fault:
            self._fail(source, f'{reader.fault}; what came before is predicted', 0)


class _NotWritten(InputError):
    """The predictions of a video cannot be written, which is no fault of the video."""


class _Video:
    """What is written of a video, opened at its first frame, and the mean of its shares."""

    def __init__(self, outputs: Outputs, source: Source, rate: float) -> None:
        self.outputs, self.source, self.rate = outputs, source, rate
        self.frames = 0
        self._files: VideoOutputs | None = None
        self._shares: dict[str, float] = {}
        self._size: list[int] = []

    def write(self, prediction: Prediction) -> None:
        try:
            if self._files is None:
                height, width = prediction.labels.shape
                self._size = [height, width]
                self._files = self.outputs.open_video(self.source, self.rate, (height, width))
            self._files.write(prediction)
        except InputError as error:
            raise _NotWritten(str(error)) from error
        self.frames += 1
        for name, share in prediction.shares.items():
            self._shares[name] = self._shares.get(name, 0.0) + share

    def close(self) -> None:
        assert self._files
        self._files.close()

    def record(self) -> dict[str, Any]:
        shares = {name: share / self.frames for name, share in self._shares.items()}
        name = str(self.outputs.names[self.source])
        return dict(
            input=self.source.shown, name=name, size=self._size, frames=self.frames, frame_rate=self.rate, shares=shares
        )
