"""Mixed precision, with and without a GPU; the Runner is not needed for it."""

import pytest
import torch
from mmengine.config import Config
from mmengine.optim import AmpOptimWrapper, OptimWrapper, build_optim_wrapper
from mmengine.registry import OPTIM_WRAPPERS
from torch import nn

from repvgg_seg.errors import InputError
from repvgg_seg.training import amp
from repvgg_seg.training.amp import AutocastOptimWrapper, fit_amp, use_amp

SGD = dict(optimizer=dict(type='SGD', lr=0.1))


@OPTIM_WRAPPERS.register_module()
class OwnOptimWrapper(OptimWrapper):
    pass


@OPTIM_WRAPPERS.register_module()
class OwnAmpOptimWrapper(AmpOptimWrapper):
    pass


@pytest.fixture
def said(monkeypatch):
    lines = []
    monkeypatch.setattr(amp, 'print_log', lambda line, *_: lines.append(line))
    return lines


@pytest.fixture
def gpu(monkeypatch):
    """Whether the machine seems to have a GPU."""
    return lambda available: monkeypatch.setattr(torch.cuda, 'is_available', lambda: available)


def prepared(wrapper, option):
    cfg = Config(dict(optim_wrapper=wrapper))
    if option:
        use_amp(cfg)
    fit_amp(cfg)
    return cfg.optim_wrapper.to_dict()


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


AMP, AUTOCAST = dict(SGD, type='AmpOptimWrapper'), dict(SGD, type='AutocastOptimWrapper')
CLIPPED = dict(accumulative_counts=2, clip_grad=dict(max_norm=1.0))


@pytest.mark.parametrize(
    'option, wrapper, on_gpu, on_cpu, left_out',
    [
        (False, SGD, SGD, SGD, None),
        (False, AMP, AMP, AUTOCAST, 'bfloat16'),
        (False, dict(AMP, dtype='bfloat16'), dict(AMP, dtype='bfloat16'), AUTOCAST, 'bfloat16'),
        (False, dict(AMP, dtype=torch.bfloat16), dict(AMP, dtype=torch.bfloat16), AUTOCAST, 'bfloat16'),
        (
            False,
            dict(AMP, dtype='float16', loss_scale=512.0, use_fsdp=True),
            dict(AMP, dtype='float16', loss_scale=512.0, use_fsdp=True),
            AUTOCAST,
            "bfloat16, without loss_scale=512.0, dtype='float16', use_fsdp=True",
        ),
        (False, dict(AMP, loss_scale=512), dict(AMP, loss_scale=512.0), AUTOCAST, 'without loss_scale=512.0'),
        (False, dict(AMP, dtype='float32'), dict(AMP, dtype='float32'), dict(SGD, type='OptimWrapper'), 'float32'),
        (False, dict(AMP, **CLIPPED), dict(AMP, **CLIPPED), dict(AUTOCAST, **CLIPPED), 'bfloat16'),
        (False, dict(AMP, loss_scale='512'), dict(AMP, loss_scale=512.0), AUTOCAST, 'without loss_scale=512.0'),
        (True, SGD, dict(AMP, loss_scale='dynamic'), AUTOCAST, None),
        (True, dict(SGD, type=OptimWrapper), dict(AMP, loss_scale='dynamic'), AUTOCAST, None),
        (True, dict(SGD, **CLIPPED), dict(AMP, loss_scale='dynamic', **CLIPPED), dict(AUTOCAST, **CLIPPED), None),
        (True, dict(AMP, dtype='bfloat16'), dict(AMP, dtype='bfloat16'), AUTOCAST, 'bfloat16'),
        (True, AUTOCAST, AUTOCAST, AUTOCAST, 'trains in mixed precision already'),
        (
            True,
            dict(constructor='Own', a=SGD, b=dict(AMP, loss_scale=2.0)),
            dict(constructor='Own', a=dict(AMP, loss_scale='dynamic'), b=dict(AMP, loss_scale=2.0)),
            dict(constructor='Own', a=AUTOCAST, b=AUTOCAST),
            'optim_wrapper.b',
        ),
        (
            True,
            dict(constructor='Own', lr=1),
            dict(constructor='Own', lr=1, type='AmpOptimWrapper', loss_scale='dynamic'),
            dict(constructor='Own', lr=1, type='AutocastOptimWrapper'),
            None,
        ),
    ],
)
@pytest.mark.parametrize('available', [True, False])
def test_what_is_trained_with(gpu, said, available, option, wrapper, on_gpu, on_cpu, left_out):
    gpu(available)
    assert prepared(wrapper, option) == (on_gpu if available else on_cpu)
    if not available:
        assert any(left_out in line for line in said) if left_out else said == []


@pytest.mark.parametrize('available', [True, False])
@pytest.mark.parametrize(
    'option, wrapper, message',
    [
        (False, dict(AMP, dtype='fp16'), "optim_wrapper.dtype: got 'fp16'; AmpOptimWrapper takes float16, bfloat16"),
        (False, dict(AMP, loss_scale='static'), "optim_wrapper.loss_scale: got 'static'"),
        (True, dict(SGD, type='OwnOptimWrapper'), '--amp would replace optim_wrapper.type, OwnOptimWrapper'),
        (True, dict(SGD, type='OwnOptimWraper'), "no optimizer wrapper has the name 'OwnOptimWraper'|no optim"),
        (True, {}, '--amp: .* holds no optimizer'),
    ],
)
def test_what_is_refused(gpu, available, option, wrapper, message):
    gpu(available)
    with pytest.raises(InputError, match=message):
        prepared(wrapper, option)


def test_a_wrapper_of_ones_own_that_is_mixed_already(gpu, said):
    own = dict(SGD, type='OwnAmpOptimWrapper')
    gpu(True)
    assert prepared(own, option=True) == own
    gpu(False)
    with pytest.raises(InputError, match='OwnAmpOptimWrapper derives from AmpOptimWrapper, which is for GPUs alone'):
        prepared(own, option=False)


def test_the_cpu_can_build_what_is_left():
    wrapper = prepared(dict(AMP, loss_scale=dict(init_scale=2.0), dtype='float16', **CLIPPED), option=True)
    assert isinstance(build_optim_wrapper(nn.Linear(2, 2), wrapper), AutocastOptimWrapper)
