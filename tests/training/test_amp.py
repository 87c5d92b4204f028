"""bfloat16 training."""

import torch
from mmengine.optim import build_optim_wrapper
from torch import nn


def test_forward_in_bfloat16_and_weights_in_float32():
    model = nn.Sequential(nn.Conv2d(3, 4, 3), nn.ReLU())
    wrapper = build_optim_wrapper(model, dict(type='AutocastOptimWrapper', optimizer=dict(type='SGD', lr=0.1)))
    before = model[0].weight.clone()
    with wrapper.optim_context(model):
        out = model(torch.rand(2, 3, 8, 8))
        assert out.dtype == torch.bfloat16
    assert model(torch.rand(1, 3, 8, 8)).dtype == torch.float32
    wrapper.update_params(out.float().sum())
    assert model[0].weight.dtype == torch.float32 and not torch.equal(model[0].weight, before)
