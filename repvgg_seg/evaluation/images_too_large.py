"""Images that do not fit in memory as a whole: they are computed in windows, which is said."""

import logging
import re
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import torch
from mmengine.config import ConfigDict
from mmengine.logging import print_log
from mmseg.models import EncoderDecoder
from torch import Tensor, nn

from ..errors import InputError
from ..measure.memory import peak_memory
from ..measure.out_of_memory import is_out_of_memory
from ..measure.spare_memory import spare_memory
from ..models.model_wrappers import inner_model

_OF_TORCH = re.compile(r'^\[enforce fail at [^]]*\] [^.]*\. ')
_SMALLEST = 128  # pixels of the side of a window
_USUAL = (512, 512)  # the window where the model does not say what it was trained on
_PROBE = 256  # pixels of the side of what is computed to learn how much memory a pixel takes
_PLENTY = 4096  # bytes for a pixel that no usual network needs: PSPNet on ResNet-101 takes about 1,100


class WindowsIfTooLarge:
    """The `inference` of one segmentor, which computes an image in windows where it does not fit in memory as a whole.

    A GPU says so when it has no memory left. On a CPU the system would end the process, so what an image takes is predicted
    from a small one and compared with the memory to spare. Windows give slightly different scores: each sees no more than its
    own pixels. Several images of a batch are computed one by one first, which changes nothing.

    Args:
        model: the segmentor, whose `inference` is mmseg's.

    Attributes:
        images: how many were computed in windows that the config does not ask for.
        windows: the sizes (height, width) of these windows.
    """

    def __init__(self, model: EncoderDecoder) -> None:
        self.model = model
        self.images = 0
        self.windows: set[tuple[int, int]] = set()
        self._as_configured: Callable[[Tensor, list[dict]], Tensor] = type(model).inference.__get__(model)
        self._bytes_per_pixel: float | None = None
        self._window_of: dict[Sequence[int], tuple[int, int] | None] = {}  # by the size of the input

    @torch.no_grad()
    def __call__(self, inputs: Tensor, batch_img_metas: list[dict]) -> Tensor:
        """Logits (N, classes, H, W) of images (N, C, H, W), as `EncoderDecoder.inference` gives them.

        Raises:
            InputError: an image does not fit in memory in the smallest windows either.
        """
        size = tuple(inputs.shape)
        if size not in self._window_of:
            self._window_of[size] = self._first_window(inputs)
        while True:
            window = self._window_of[size]
            try:
                if window is None:
                    return self._as_configured(inputs, [dict(meta) for meta in batch_img_metas])
                if len(inputs) > 1:
                    ones = zip(inputs.split(1), batch_img_metas, strict=True)
                    return torch.cat([self(image, [meta]) for image, meta in ones])
                logits = self._in_windows(inputs, batch_img_metas, window)
                self.images += 1
                self.windows.add(window)
                return logits
            except (RuntimeError, MemoryError) as error:
                if isinstance(error, InputError) or not is_out_of_memory(error):
                    raise
                said = _OF_TORCH.sub('', str(error).splitlines()[0])[:120]
            # Outside of the handler, which holds the tensors of the failed call.
            if torch.cuda.is_available():
                torch.cuda.empty_cache()
            self._window_of[size] = self._smaller(inputs, window, said)

    def _first_window(self, inputs: Tensor) -> tuple[int, int] | None:
        """None where an image may be computed as the config says, or the first windows that fit by prediction."""
        spare = spare_memory() if inputs.device.type == 'cpu' else None
        number, _, height, width = inputs.shape
        if spare is None or number * height * width * _PLENTY <= spare:
            return None
        outside = 4 * 3 * self.model.out_channels * number * height * width  # logits of the whole, resized and compared
        window = None
        while (needed := outside + self._needs(inputs, window)) > spare:
            why = f'about {needed / 2**30:.1f} GiB needed, {spare / 2**30:.1f} GiB to spare'
            window = self._smaller(inputs, window, why)
            if number > 1:
                break
        return window

    def _needs(self, inputs: Tensor, window: tuple[int, int] | None) -> float:
        """Bytes that the network takes for one pass, by what a small part of the image takes."""
        number, _, height, width = inputs.shape
        if window := window or self._configured_window():
            height, width = min(height, window[0]), min(width, window[1])
        if self._bytes_per_pixel is None:
            part = inputs[:1, :, :_PROBE, :_PROBE]
            meta = dict(img_shape=part.shape[2:], ori_shape=part.shape[2:])
            peak = peak_memory(lambda: self.model.encode_decode(part, [meta]), inputs.device)
            self._bytes_per_pixel = peak / (part.shape[2] * part.shape[3])
        return self._bytes_per_pixel * number * height * width

    def _configured_window(self) -> tuple[int, int] | None:
        test_cfg = self.model.test_cfg or {}
        return tuple(test_cfg['crop_size']) if test_cfg.get('mode') == 'slide' else None

    def _smaller(self, inputs: Tensor, window: tuple[int, int] | None, why: str) -> tuple[int, int]:
        """The next smaller windows than these, or than what the config says, which is logged."""
        number, _, height, width = inputs.shape
        if number > 1 and window:
            raise InputError(
                f'the scores of {number} images of {height}x{width} do not fit in memory ({why}): set batch_size=1'
            )
        if number > 1:
            print_log(f'{number} images of {height}x{width} do not fit in memory ({why}): one at a time', 'current')
            return height, width
        window = window or self._configured_window()
        start = window or getattr(self.model.data_preprocessor, 'size', None) or _USUAL
        smaller = (min(height, start[0]), min(width, start[1]))
        if window or smaller == (height, width):
            smaller = (smaller[0] // 2, smaller[1] // 2)
        where = f'in windows of {_x(window)}' if window else 'as a whole'
        what = f'an image of {height}x{width} does not fit in memory {where} ({why})'
        if min(smaller) < _SMALLEST:
            raise InputError(
                f'{what}: set a smaller scale of Resize in its pipeline, or take a machine with more memory'
            )
        print_log(
            f"{what}: it is computed in windows of {_x(smaller)}, as with mode='slide' of model.test_cfg, which scores slightly "
            'differently',
            'current',
            logging.WARNING,
        )
        return smaller

    def _in_windows(self, inputs: Tensor, metas: list[dict], window: tuple[int, int]) -> Tensor:
        model = self.model
        stride = tuple(max(1, side * 2 // 3) for side in window)
        before = model.test_cfg
        model.test_cfg = ConfigDict(before or {}, mode='slide', crop_size=window, stride=stride)
        try:
            return model.slide_inference(inputs, [dict(meta) for meta in metas])
        finally:
            model.test_cfg = before


@contextmanager
def windows_if_too_large(model: nn.Module) -> Iterator[WindowsIfTooLarge | None]:
    """Let a segmentor compute images that do not fit in memory in windows, for the time of a validation or test.

    Args:
        model: a model, in its wrappers or not; one that is no segmentor of mmseg, or predicts in its own way, stays as it is.

    Yields:
        What has been computed in windows; None for such a model.
    """
    segmentor: Any = inner_model(model)
    if not isinstance(segmentor, EncoderDecoder) or type(segmentor).inference is not EncoderDecoder.inference:
        yield None
        return
    before = vars(segmentor).get('inference')
    given = WindowsIfTooLarge(segmentor)
    vars(segmentor)['inference'] = given
    try:
        yield given
    finally:
        if before is None:
            del vars(segmentor)['inference']
        else:
            vars(segmentor)['inference'] = before


def _x(size: Sequence[int]) -> str:
    return f'{size[0]}x{size[1]}'
