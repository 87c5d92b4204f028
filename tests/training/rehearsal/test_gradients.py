import pytest
import torch
from torch import nn

from repvgg_seg.errors import InputError
from repvgg_seg.training.rehearsal.gradients import check_gradients, check_losses_finite


def after_backward(*used):
    """Three layers, of which these took part in the loss."""
    model = nn.ModuleDict({name: nn.ModuleDict(dict(conv=nn.Linear(1, 1, bias=False))) for name in 'abc'})
    sum(model[name]['conv'](torch.ones(1, 1)).sum() for name in used).backward()
    return model


def test_parameters_that_no_loss_depends_on(logged):
    model = after_backward('a')
    assert check_gradients(model) == ['b.conv.weight', 'c.conv.weight']
    assert '2 parameters get no gradient, since no loss depends on them: b.conv, c.conv' in logged()
    for name in 'bc':
        model[name].requires_grad_(False)  # frozen: none is expected
    assert check_gradients(model) == []


def test_gradients_that_are_nan_or_0(logged):
    model = after_backward('a', 'b', 'c')
    for parameter in model.parameters():
        parameter.grad.zero_()
    check_gradients(model)
    assert 'every gradient of the first batch is 0' in logged()
    model['b']['conv'].weight.grad.fill_(float('nan'))
    with pytest.raises(InputError, match='gradient of b.conv.weight is NaN'):
        check_gradients(model)


def test_losses_that_are_not_finite(logged):
    values = {
        'loss': float('nan'),
        'decode.loss_ce': 1.0,
        'aux_1.loss_dice': float('nan'),
        'decode.acc_seg': float('nan'),
    }
    with pytest.raises(InputError, match='step "losses": aux_1.loss_dice is nan on'):
        check_losses_finite(values, scaled=False)
    check_losses_finite(values, scaled=True)
    assert 'the loss scale of float16 may get over it' in logged()
    check_losses_finite({'loss': 1.0, 'decode.acc_seg': float('nan')}, scaled=False)
