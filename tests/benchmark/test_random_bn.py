import torch
from torch import nn

from repvgg_seg.benchmark.random_bn import randomise_bn


def test_every_part_of_a_bn_is_random_and_the_same_for_a_seed():
    one, same, other = (randomise_bn(nn.BatchNorm2d(50), seed).state_dict() for seed in (0, 0, 1))
    for name in ('weight', 'bias', 'running_mean', 'running_var'):
        assert one[name].unique().numel() == 50, name
        assert torch.equal(one[name], same[name]), name
        assert not torch.equal(one[name], other[name]), name
    for name in ('weight', 'bias', 'running_mean'):
        assert one[name].min() < 0 < one[name].max(), name
    assert one['running_var'].min() > 0


def test_a_norm_without_parameters_or_statistics():
    norm = randomise_bn(nn.BatchNorm2d(4, affine=False, track_running_stats=False))
    assert not any(key != 'num_batches_tracked' for key in norm.state_dict())
