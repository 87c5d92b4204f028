"""bfloat16 where mmengine's AmpOptimWrapper does not go."""

from contextlib import contextmanager

import torch
from mmengine.optim import OptimWrapper
from mmengine.registry import OPTIM_WRAPPERS


@OPTIM_WRAPPERS.register_module()
class AutocastOptimWrapper(OptimWrapper):
    """OptimWrapper that computes the forward pass in bfloat16, on any device; no loss scale is needed.

    mmengine's AmpOptimWrapper is for GPUs alone.
    """

    @contextmanager
    def optim_context(self, model):
        device = next(model.parameters()).device.type
        with super().optim_context(model), torch.autocast(device, torch.bfloat16):
            yield
