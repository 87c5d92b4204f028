"""Whether a rewritten model still computes what the given one computed, tried on random images."""

from collections.abc import Iterator, Mapping, Sequence

import torch
from mmengine.structures import BaseDataElement
from mmseg.models.segmentors.base import BaseSegmentor
from torch import Tensor, nn

from ..measure.difference import relative_error
from .options import Options, device_of

# Heights and widths of the images. The odd one needs padding and uneven pooling cells wherever they can occur. Two images,
# since a view over the batch and the channels of a map that is stored channels last fails for more than one.
_SMALL = ((2, 43, 57), (1, 32, 64))
_SEED = 0
# The largest relative error of a rewrite. Rounding reaches 1e-5 on a CPU in fp32; a GPU may round fp32 to TF32. A wrong
# rewrite is off by a tenth or more.
_TOLERANCE_CPU = 1e-3
_TOLERANCE_GPU = 2e-2
_TOLERANCE_HALF = 0.1
# Where a few passes alone are compared, on a CPU in fp32: what is left is for the rounding of the others, five times that of
# plain convs. Rounding alone is about 1e-6.
TOLERANCE_QUICK = 5e-5

Outputs = list[Tensor]


def image_shapes(options: Options) -> tuple[list[tuple[int, ...]], ...]:
    """The shapes of images to try a model on: small ones, and where it takes none of them, others of `options.input_shape`."""
    n, channels, *size = options.input_shape
    small = [(number, channels, *side) for number, *side in _SMALL]
    return small, [(max(n, 2), channels, *size)], [options.input_shape]


def modes_of(model: nn.Module) -> tuple[str, ...]:
    """The modes in which a network is asked."""
    return ('predict', 'tensor') if isinstance(model, BaseSegmentor) else ('tensor',)


class SameOutputs:
    """The outputs of a model for a few random images, with which those of its rewritten forms are compared.

    The images are small. Where the model takes none of them, it gets two images of `options.input_shape`, and then as many
    as that says. A segmentor is asked for its predictions of the first and, as a network, for its logits of the others, or where
    it cannot do one of these, for the other again. Random numbers that are drawn by the model are the same every time. On the
    device 'meta', where tensors have no values, shapes alone are compared.

    Args:
        model: the model before it is rewritten.
        options: the options of `optimize_for_inference`.
        is_quick: take one image only, the smallest, and the tolerance `TOLERANCE_QUICK`.

    Attributes:
        failure: why nothing can be compared: what the model raised for every image; '' where it ran.
        largest_error: the largest relative error that `difference` found the last time.
    """

    def __init__(self, model: nn.Module, options: Options, is_quick: bool = False):
        self.options = options
        self.is_quick = is_quick
        self.failure = ''
        self.largest_error = 0.0
        self._expected: list[tuple[Tensor, str, Outputs]] = []
        for shapes in image_shapes(options):
            for shape in shapes[-1:] if is_quick else shapes:
                self._note(model, torch.randn(shape, generator=torch.Generator().manual_seed(_SEED)))
            if self._expected:
                self.failure = ''
                return

    @property
    def can_compare(self) -> bool:
        """Whether the model returned something for an image, all of it finite."""
        return bool(self._expected)

    def _note(self, model: nn.Module, image: Tensor) -> None:
        image = image.to(device_of(model))
        asked = {mode for _, mode, _ in self._expected}
        for mode in sorted(modes_of(model), key=lambda mode: mode in asked):
            try:
                outputs = _run(model, image, mode)
            except Exception as error:  # a network of somebody else's can raise anything
                self.failure = self.failure or in_one_line(error)
                continue
            if outputs and all(output.is_meta or output.isfinite().all() for output in outputs):
                self._expected.append((image, mode, outputs))
                return

    def difference(self, model: nn.Module) -> str:
        """What a rewritten model does differently, in words; '' where it computes the same."""
        self.largest_error = 0.0
        for image, mode, expected in self._expected:
            try:
                found = _run(model, image, mode)
            except Exception as error:
                return f'the model then raises {in_one_line(error)}'
            if [tensor.shape for tensor in found] != [tensor.shape for tensor in expected]:
                return 'the model then returns other shapes'
            for ours, theirs in zip(found, expected, strict=True):
                if theirs.is_meta:
                    continue
                error_of_logits = relative_error(ours.float(), theirs.float())
                if not error_of_logits <= self._tolerance(image):
                    return f'the model then computes something else (relative error {error_of_logits:.1e})'
                self.largest_error = max(self.largest_error, error_of_logits)
        return ''

    def _tolerance(self, image: Tensor) -> float:
        if self.is_quick:
            return TOLERANCE_QUICK
        if self.options.dtype is not torch.float32:
            return _TOLERANCE_HALF
        return _TOLERANCE_CPU if image.device.type == 'cpu' else _TOLERANCE_GPU


@torch.inference_mode()
def _run(model: nn.Module, image: Tensor, mode: str) -> Outputs:
    """The tensors that a model returns, from the same random numbers each time."""
    with torch.random.fork_rng([image.device] if image.device.type == 'cuda' else []):
        torch.manual_seed(_SEED)
        output = model(image) if mode == 'tensor' else model(image, mode=mode)
    return list(_tensors_in(output))


def _tensors_in(value: object) -> Iterator[Tensor]:
    """The tensors of a nest, and the logits of predictions; their labels follow from the logits."""
    if isinstance(value, Tensor):
        yield value
    elif isinstance(value, BaseDataElement):
        if 'seg_logits' in value:
            yield value.seg_logits.data
    elif isinstance(value, Mapping):
        yield from _tensors_in(list(value.values()))
    elif isinstance(value, Sequence) and not isinstance(value, str):
        for item in value:
            yield from _tensors_in(item)


def in_one_line(error: Exception) -> str:
    """The type and the first line of an error."""
    lines = str(error).strip().splitlines()
    return f'{type(error).__name__}: {lines[0]}' if lines else type(error).__name__
