"""Mixed precision: `--amp`, and bfloat16 where mmengine's AmpOptimWrapper does not go."""

from collections.abc import Iterator
from contextlib import contextmanager

import torch
from mmengine.config import Config
from mmengine.optim import OptimWrapper
from mmengine.registry import OPTIM_WRAPPERS
from torch import nn


def use_amp(cfg: Config) -> None:
    """Train in mixed precision: float16 with a dynamic loss scale on a GPU, bfloat16 on a CPU."""
    if torch.cuda.is_available():
        cfg.optim_wrapper.type = 'AmpOptimWrapper'
        cfg.optim_wrapper.setdefault('loss_scale', 'dynamic')
    else:
        cfg.optim_wrapper.type = 'AutocastOptimWrapper'


@OPTIM_WRAPPERS.register_module()
class AutocastOptimWrapper(OptimWrapper):
    """OptimWrapper that computes the forward pass in bfloat16, on any device; no loss scale is needed.

    mmengine's AmpOptimWrapper is for GPUs alone.
    """

    @contextmanager
    def optim_context(self, model: nn.Module) -> Iterator[None]:
        device = next(model.parameters()).device.type
        with super().optim_context(model), torch.autocast(device, torch.bfloat16):
            yield
