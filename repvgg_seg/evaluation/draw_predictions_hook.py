"""Draws predictions as pictures."""

import pickle
import secrets
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from mmengine import dist
from mmengine.fileio import get
from mmengine.hooks import Hook
from mmengine.logging import print_log
from mmengine.runner import Runner
from mmseg.registry import HOOKS

from ..errors import InputError
from .prediction_names import PredictionNames
from .write_labels_hook import image_path


@HOOKS.register_module()
class DrawPredictionsHook(Hook):
    """Draw every test image with the visualizer of the run: its label on the left, its prediction on the right.

    `PictureVisBackend`, as a backend of the visualizer, keeps the pictures. Only the main process draws, since mmengine's
    visualizers do nothing in the others: these leave their predictions in the folder until the test is over.

    Args:
        folder: where the pictures go; None to keep none.
        show: show every picture on the screen.
        wait_time: seconds that `show` shows each; 0 waits for a key.
    """

    def __init__(self, folder: str | None = None, show: bool = False, wait_time: float = 0.0) -> None:
        self.folder = Path(folder) if folder else None
        self.show = show
        self.wait_time = wait_time
        self._names: PredictionNames
        self._waiting = ''  # folder for what the other processes have predicted, for the main one to draw
        self._drawn = 0

    def before_test(self, runner: Runner) -> None:
        """Find names for all pictures.

        Raises:
            InputError: a file of such a name exists.
        """
        # A new name for every test: the files in it are pickles, and one that lay there before could run code.
        name = [f'.waiting_{secrets.token_hex(8)}']
        dist.broadcast_object_list(name)
        self._waiting = name[0]
        self._names = PredictionNames(runner.test_dataloader.dataset)
        if self.folder and dist.is_main_process():
            files = (self.folder / f'{image.name}.png' for image in self._names.images.values())
            if (file := next((file for file in files if file.exists()), None)) is not None:
                raise InputError(f'{file} exists: name a new folder for the pictures, so that nothing is overwritten')

    def after_test_iter(self, runner: Runner, batch_idx: int, data_batch: Any, outputs: Sequence[Any]) -> None:
        """Draw the predictions of a batch, or keep them for the main process."""
        for sample in outputs:
            if dist.is_main_process():
                self._draw(runner, sample)
            elif self.folder:
                self._keep(sample)

    def after_test(self, runner: Runner) -> None:
        """Draw what the other processes have kept."""
        if not self.folder:
            return
        dist.barrier()
        if dist.is_main_process():
            waiting = self.folder / self._waiting
            for path in sorted(waiting.glob('*')):
                self._draw(runner, pickle.loads(path.read_bytes()))
                path.unlink()
            if waiting.is_dir():
                waiting.rmdir()
            print_log(f'pictures are in {self.folder}: label left, prediction right', 'current')

    def _draw(self, runner: Runner, sample: Any) -> None:
        image = self._names.of(image_path(sample))
        self._drawn += 1
        runner.visualizer.add_datasample(
            image.name.as_posix(),
            load_photograph(
                image_path(sample), getattr(image.dataset, 'backend_args', None), sample.pred_sem_seg.shape
            ),
            data_sample=sample,
            show=self.show,
            wait_time=self.wait_time,
            step=self._drawn,
        )

    def _keep(self, sample: Any) -> None:
        """Leave a prediction for the main process, without the logits, in a file."""
        assert self.folder
        sample = sample.cpu().numpy()
        for name in ('seg_logits', 'i_seg_logits'):
            sample.pop(name, None)
        for labels in (sample.get('pred_sem_seg'), sample.get('gt_sem_seg')):
            if labels is not None:
                labels.data = labels.data.astype(np.uint8 if labels.data.max() < 256 else np.int32)
        waiting = self.folder / self._waiting
        waiting.mkdir(parents=True, exist_ok=True)
        self._drawn += 1
        (waiting / f'{dist.get_rank()}_{self._drawn}').write_bytes(pickle.dumps(sample))


def load_photograph(path: str, backend_args: dict | None, size: Sequence[int]) -> np.ndarray:
    """An image to draw on, RGB, in the size (height, width) of its prediction; black where it is no picture."""
    content = np.frombuffer(get(path, backend_args=backend_args), np.uint8)
    for flag in (cv2.IMREAD_COLOR, cv2.IMREAD_COLOR | cv2.IMREAD_IGNORE_ORIENTATION):
        image = cv2.imdecode(content, flag)
        if image is not None and image.shape[:2] == tuple(size):
            return image[..., ::-1]
    return np.zeros((*size, 3), np.uint8) if image is None else cv2.resize(image, tuple(size)[::-1])[..., ::-1]
