"""A loss of NaN or infinity: the run stops with the last good checkpoint, or skips the iteration as if it had not been."""

import math
from types import SimpleNamespace

import pytest
import torch
from mmengine.optim import OptimWrapper
from mmengine.structures import BaseDataElement
from torch import nn

from repvgg_seg.errors import InputError
from repvgg_seg.training.hooks import FiniteLossHook


class Run:
    """What the hook sees of a Runner: a conv and a BN, and one iteration at a time."""

    def __init__(self, hook):
        torch.manual_seed(0)
        self.model = nn.Sequential(nn.Conv2d(1, 1, 1), nn.BatchNorm2d(1))
        self.optim_wrapper = OptimWrapper(torch.optim.SGD(self.model.parameters(), lr=0.1, momentum=0.9))
        self.message_hub = SimpleNamespace(runtime_info=dict(last_ckpt='work/iter_2.pth'))
        self.iter, self.hook = 0, hook
        hook.before_train(self)

    def step(self, factor=1.0, scale=1.0):
        """Train on an image of noise, times `scale`; the loss is multiplied by `factor`."""
        batch = dict(data_samples=[BaseDataElement(metainfo=dict(img_path=f'{self.iter}.png'))])
        image = torch.rand(2, 1, 4, 4, generator=torch.Generator().manual_seed(self.iter)) * scale
        self.hook.before_train_iter(self, self.iter, batch)
        loss = (self.model(image) + 1).square().mean() * factor
        self.optim_wrapper.update_params(loss)
        self.hook.after_train_iter(self, self.iter, batch, dict(loss=loss))
        self.iter += 1

    def state(self):
        momentum = [state['momentum_buffer'] for state in self.optim_wrapper.optimizer.state.values()]
        return [tensor.clone() for tensor in (*self.model.state_dict().values(), *momentum)]


@pytest.mark.parametrize('factor', [math.nan, math.inf, -math.inf])
def test_stop(factor):
    run = Run(FiniteLossHook())
    run.step()
    with pytest.raises(
        InputError,
        match=rf'^iteration 2: the loss is {factor} \(1.png\), so the run stops; the last checkpoint is work/iter_2.pth',
    ):
        run.step(factor)


@pytest.mark.parametrize('bad', [dict(factor=math.nan), dict(factor=math.inf), dict(scale=math.nan)])
def test_skip_leaves_all_as_it_was(bad, logged):
    run = Run(FiniteLossHook(action='skip'))
    run.step()
    before = run.state()
    run.step(**bad)
    after = run.state()
    counter = next(i for i, tensor in enumerate(before) if tensor.dtype == torch.int64)  # num_batches_tracked
    assert all(torch.equal(a, b) for i, (a, b) in enumerate(zip(before, after, strict=True)) if i != counter)
    assert 'iteration 2: the loss is' in logged() and '(1.png), so the iteration is skipped' in logged()
    run.step()
    assert not any(torch.equal(a, b) for a, b in zip(after, run.state(), strict=True)), 'the next one trains'


def test_skip_passes_over_gradients(logged):
    run = Run(FiniteLossHook(action='skip'))
    run.step()
    handle = run.model[0].weight.register_hook(lambda gradient: gradient * math.inf)
    before = run.model[0].weight.clone()
    run.step()
    assert torch.equal(run.model[0].weight, before) and 'iteration 2: a gradient is not finite (1.png)' in logged()
    handle.remove()


def test_skip_does_not_go_on_for_ever():
    run = Run(FiniteLossHook(action='skip', most=2))
    for factor in (math.nan, math.nan, 1.0, math.nan, math.nan):
        run.step(factor)
    with pytest.raises(InputError, match=r'^iteration 6: .*\(2 iterations in a row were skipped\)$'):
        run.step(math.nan)


def test_what_is_not_finite_is_not_saved():
    run = Run(FiniteLossHook())
    state = run.model.state_dict()
    run.hook.before_save_checkpoint(run, dict(state_dict=state | dict(mask=torch.tensor(-math.inf)), meta=dict(iter=3)))
    for name in ('0.weight', '1.running_var'):
        bad = {key: tensor * math.nan if key == name else tensor for key, tensor in state.items()}
        with pytest.raises(
            InputError, match=rf'after iteration 3, 1 tensors hold NaN or infinity \({name}\), so they are not saved'
        ):
            run.hook.before_save_checkpoint(run, dict(state_dict=bad, meta=dict(iter=3)))


@pytest.mark.parametrize(
    'wrap', [lambda t: t, lambda t: dict(scores=t), lambda t: BaseDataElement(data=t), lambda t: [t]]
)
def test_a_validation_of_nan_stops_before_anything_is_scored(wrap):
    run = Run(FiniteLossHook())
    run.hook.after_val_iter(run, 0, None, [wrap(torch.tensor([1.0, -math.inf]))])
    with pytest.raises(InputError, match='after iteration 0, the validation gives NaN'):
        run.hook.after_val_iter(run, 0, None, [wrap(torch.ones(1)), wrap(torch.tensor([1.0, math.nan]))])


@pytest.mark.parametrize(
    'options', [dict(action='go on'), dict(action=None), dict(most=0), dict(most=1.5), dict(most=True)]
)
def test_wrong_arguments(options):
    with pytest.raises(InputError, match='FiniteLossHook: (action|most) is '):
        FiniteLossHook(**options)
