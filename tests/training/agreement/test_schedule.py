import re
from types import SimpleNamespace

import pytest
import torch
from mmengine.hooks import CheckpointHook
from mmengine.optim import CosineAnnealingLR, LinearLR, MultiStepLR, PolyLR, ReduceOnPlateauLR
from mmengine.runner import EpochBasedTrainLoop, IterBasedTrainLoop

from repvgg_seg.errors import InputError
from repvgg_seg.training.agreement.schedule import check_intervals, check_schedule


def loop(cls=IterBasedTrainLoop, **attributes):
    """A loop of 100 iterations, or of 10 epochs of ten each, with nothing to iterate."""
    made = cls.__new__(cls)
    vars(made).update(dict(_max_iters=100, _max_epochs=10, val_begin=1, val_interval=10) | attributes)
    return made


def optimizer():
    return torch.optim.SGD([torch.nn.Parameter(torch.zeros(1))], lr=1.0)


def poly(**changes):
    return PolyLR(optimizer(), **{**dict(power=0.9, begin=0, end=100, by_epoch=False), **changes})


EPOCHS = EpochBasedTrainLoop


@pytest.mark.parametrize(
    'loop, scheduler, message',
    [
        (loop(), lambda: poly(), ''),
        (loop(), lambda: poly(end=99), ''),
        (loop(), lambda: poly(end=50), 'ends at iteration 50, the run after 100'),
        (loop(), lambda: poly(end=200), 'PolyLR ends at iteration 200, the run after 100'),
        (loop(), lambda: poly(end=10**9), ''),
        (loop(EPOCHS), lambda: poly(end=10, by_epoch=True), ''),
        (loop(EPOCHS), lambda: poly(end=5, by_epoch=True), 'ends at epoch 5, the run after 10'),
        (loop(EPOCHS), lambda: poly(end=100), ''),
        (loop(), lambda: [LinearLR(optimizer(), 0.1, end=5, by_epoch=False), poly(begin=5)], ''),
        (loop(), lambda: LinearLR(optimizer(), 0.1, end=5, by_epoch=False), ''),
        (
            loop(),
            lambda: dict(a=[CosineAnnealingLR(optimizer(), T_max=50, end=50, by_epoch=False)]),
            'ends at iteration 50',
        ),
        (loop(), lambda: [MultiStepLR(optimizer(), [60, 80], by_epoch=False)], ''),
        (
            loop(),
            lambda: [MultiStepLR(optimizer(), [60, 120], by_epoch=False)],
            r'never comes to the milestones \[120\]',
        ),
        (loop(), lambda: None, ''),
        (loop(), lambda: ReduceOnPlateauLR(optimizer(), monitor='mIoU', rule='greater'), ''),
        (SimpleNamespace(), lambda: poly(end=5), ''),
    ],
)
def test_end_of_the_schedule_and_of_the_run(loop, scheduler, message, logged):

    check_schedule(loop, scheduler())
    said = logged()
    assert re.search(message, said) and bool(message) == bool(said)


def test_epochs_in_a_loop_of_iterations():
    with pytest.raises(InputError, match='PolyLR counts epochs .*by_epoch=False'):
        check_schedule(loop(), [poly(by_epoch=True)])


@pytest.mark.parametrize(
    'loop, options, validates, message',
    [
        (loop(), dict(interval=50, by_epoch=False), True, ''),
        (loop(val_interval=1000), dict(interval=50, by_epoch=False), True, 'val_interval is 1000'),
        (loop(val_begin=1000), dict(interval=50, by_epoch=False), True, 'never validated'),
        (loop(), dict(interval=5, by_epoch=True), True, 'one checkpoint is written, after the last'),
        (loop(EPOCHS), dict(interval=5, by_epoch=True), True, ''),
        (loop(), dict(interval=1000, by_epoch=False), True, ''),
        (loop(), dict(interval=1000, by_epoch=False, save_last=False), True, 'writes no checkpoint'),
        (loop(), dict(interval=50, by_epoch=False, save_best='mIoU'), False, 'no best is saved'),
    ],
)
def test_intervals(loop, options, validates, message, logged):
    check_intervals(loop, [CheckpointHook(**options)], validates)
    said = logged()
    assert message in said and bool(message) == bool(said)
