import torch
import torch.nn.functional as F

from repvgg_seg.models.fusion_algebra import fuse_branches, fuse_conv_bn, identity_kernel, pad_to_3x3


def test_conv_bn_by_hand():
    """One channel: kernel 2, mean 3, variance 4 - eps, weight 10, bias 1: scale 5, so 10 and 1 - 3 * 5."""
    kernel, bias = fuse_conv_bn(
        torch.full((1, 1, 1, 1), 2.0),
        running_mean=torch.tensor([3.0]),
        running_var=torch.tensor([3.5]),
        weight=torch.tensor([10.0]),
        bias=torch.tensor([1.0]),
        eps=0.5,
    )
    assert (kernel.item(), bias.item()) == (10.0, -14.0)


def test_conv_with_a_bias_and_bn_without_affine():
    kernel, bias = fuse_conv_bn(
        torch.full((1, 1, 1, 1), 2.0),
        running_mean=torch.tensor([3.0]),
        running_var=torch.tensor([3.5]),
        weight=None,
        bias=None,
        eps=0.5,
        conv_bias=torch.tensor([7.0]),
    )
    assert (kernel.item(), bias.item()) == (1.0, 2.0)


def test_padding_puts_the_kernel_in_the_middle():
    kernel = pad_to_3x3(torch.full((1, 1, 1, 1), 5.0))
    assert kernel[0, 0].tolist() == [[0, 0, 0], [0, 5, 0], [0, 0, 0]]


def test_identity_kernel_changes_nothing():
    x = torch.randn(2, 8, 5, 6, dtype=torch.double)
    for groups in (1, 2, 4):
        assert torch.equal(F.conv2d(x, identity_kernel(8, groups), groups=groups), x)


def test_branches_add_up():
    x = torch.randn(1, 4, 6, 5, dtype=torch.double)
    k3, k1, b3, b1 = (torch.randn(*s, dtype=torch.double) for s in ((6, 4, 3, 3), (6, 4, 1, 1), (6,), (6,)))
    kernel, bias = fuse_branches([(k3, b3), (k1, b1)], torch.double)
    expected = F.conv2d(x, k3, b3, padding=1) + F.conv2d(x, k1, b1)
    torch.testing.assert_close(F.conv2d(x, kernel, bias, padding=1), expected, rtol=0, atol=1e-12)
