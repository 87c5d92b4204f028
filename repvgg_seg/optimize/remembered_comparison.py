"""What earlier calls found when they compared the rewritten form of a model of the same structure with the model."""

import hashlib
from collections.abc import Iterable
from functools import lru_cache
from pathlib import Path

import mmcv
import mmengine
import mmseg
import torch
from torch import nn

from .options import Options, device_of
from .passes.pass_definition import Pass
from .same_outputs import TOLERANCE_QUICK
from .structure import is_known_whole, structure

_PACKAGE = Path(__file__).parents[1]
_ROOMS = ('models', 'optimize')  # hold the code that computes the results


class RememberedComparison:
    """The comparisons of one model with its rewritten forms, of this call and of earlier ones.

    Whether a form computes what the model does, follows from the structure of both, the code and the machine, but for the
    rounding: that depends on the weights as well. So a comparison that found next to no difference counts for other weights
    too. Nothing is remembered on a GPU, where a comparison takes no time, nor in half precision, where other weights may
    overflow, nor of a model with a class of another package, whose code may change from call to call.

    Args:
        model: the model before it is rewritten.
        options: the options of `optimize_for_inference`.
        steps: the passes that rewrite it.
    """

    def __init__(self, model: nn.Module, options: Options, steps: Iterable[Pass]):
        self._options = options
        self._device = device_of(model)
        self._what = ''
        if self._device.type == 'cpu' and options.dtype is torch.float32 and is_known_whole(model):
            chosen = (options.memory_format, options.dilation, options.memory)
            passes = [f'{step.name} by {step.rewrite.__module__}.{step.rewrite.__qualname__}' for step in steps]
            settings = hashlib.sha256(f'{chosen} {passes} {_code()}'.encode()).hexdigest()[:20]
            self._what = f'comparison of {structure(model, options)} rewritten under {settings}'

    def passed(self, form: str = '') -> bool:
        """Whether a form, or without one any form, of a model of this structure was found to compute the same."""
        found = self._options.measurements.known(f'{self._what}{form}', ('error',), self._device)
        return bool(self._what) and found is not None and 0 <= found['error'] <= TOLERANCE_QUICK

    def note(self, form: str, error: float) -> None:
        """Remember the largest relative error of a form, unless it is so large that the weights may matter."""
        if self._what and error <= TOLERANCE_QUICK:
            for name in ('', form):
                self._options.measurements.note(f'{self._what}{name}', {'error': error}, self._device)

    def form(self, rewritten: nn.Module) -> str:
        """The name of the form that a rewritten model has."""
        return f' to {structure(rewritten, self._options)}' if self._what else ''


@lru_cache(maxsize=1)
def _code() -> str:
    """The versions of what computes the results, and a sum over the code of this package."""
    files = sorted(path for room in _ROOMS for path in (_PACKAGE / room).rglob('*.py'))
    code = hashlib.sha256(b''.join(path.read_bytes() for path in files)).hexdigest()[:20]
    return f'mmseg {mmseg.__version__}, mmcv {mmcv.__version__}, mmengine {mmengine.__version__}, {code}'
