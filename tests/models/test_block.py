import itertools

import pytest
import torch
import torch.distributed as dist
import torch.nn.functional as F
from helpers import randomise_bn, relative_error
from mmengine.model import MMDistributedDataParallel
from torch import nn

from repvgg_seg.errors import InputError
from repvgg_seg.models import fusion_algebra
from repvgg_seg.models.block import RepVGGBlock, SEBlock
from repvgg_seg.models.model_wrappers import unwrap_model
from repvgg_seg.models.stride_dilation_plan import LayerPlan


def plan(c_in=8, c_out=8, stride=1, dilation=1, groups=1, se=False):
    return LayerPlan(0, c_in, c_out, stride, dilation, groups, se)


PLANS = [
    plan(c_in, 16, stride, dilation, groups, se)
    for c_in, stride, dilation, groups, se in itertools.product((8, 16), (1, 2), (1, 2, 4), (1, 4), (False, True))
]
X = torch.randn(2, 16, 15, 18, generator=torch.Generator().manual_seed(1))


@pytest.mark.parametrize('plan', PLANS, ids=str)
@pytest.mark.parametrize('dtype, limit', [(torch.float, 1e-5), (torch.double, 1e-12), (torch.bfloat16, 5e-2)])
def test_fused_equals_branches(plan, dtype, limit):
    block = randomise_bn(RepVGGBlock(plan)).eval()
    with torch.no_grad():
        x = X[:, : plan.in_channels]
        expected = block.double()(x.double())
        block = block.to(dtype)
        block.switch_to_deploy()
        found = block(x.to(dtype))
    assert block.rbr_reparam.weight.dtype == dtype
    assert found.shape == expected.shape
    assert relative_error(found.double(), expected) < limit


@pytest.mark.parametrize('numbers', [1, 72, 200])
def test_fused_a_few_channels_at_a_time(numbers, monkeypatch):
    """An output channel has 72 numbers. The gradients reach every branch as they do from all channels at once."""
    block = randomise_bn(RepVGGBlock(plan()))
    results = []
    for at_a_time in (2**17, numbers):
        monkeypatch.setattr(fusion_algebra, '_AT_A_TIME', at_a_time)
        kernel, bias = block.get_equivalent_kernel_bias()
        gradients = torch.autograd.grad(kernel.square().sum() + bias.square().sum(), [*block.parameters()])
        results.append((kernel, bias, *gradients))
    for found, expected in zip(*results, strict=True):
        assert relative_error(found, expected) < 1e-6
    assert torch.equal(results[0][0], results[1][0]) and torch.equal(results[0][1], results[1][1])


def test_half_precision_on_the_way_is_rounded_once():
    block = randomise_bn(RepVGGBlock(plan())).half()
    exact = RepVGGBlock(plan()).double()
    exact.load_state_dict({k: v.double() for k, v in block.state_dict().items()})
    kernel, bias = block.get_equivalent_kernel_bias()
    exact_kernel, exact_bias = exact.get_equivalent_kernel_bias()
    assert torch.equal(kernel, exact_kernel.half()) and torch.equal(bias, exact_bias.half())


def test_branches_by_the_paper():
    """Eq. 1, written out with functions alone."""
    block = randomise_bn(RepVGGBlock(plan(dilation=2, groups=2))).eval()

    def bn(x, norm):
        return F.batch_norm(x, norm.running_mean, norm.running_var, norm.weight, norm.bias, False, 0, norm.eps)

    x = X[:, :8]
    dense = F.conv2d(x, block.rbr_dense.conv.weight, padding=2, dilation=2, groups=2)
    pointwise = F.conv2d(x, block.rbr_1x1.conv.weight, groups=2)
    expected = bn(dense, block.rbr_dense.bn) + bn(pointwise, block.rbr_1x1.bn) + bn(x, block.rbr_identity)
    torch.testing.assert_close(block(x), expected.relu())


def test_sync_bn_is_fused():
    block = randomise_bn(RepVGGBlock(plan(), norm_cfg=dict(type='SyncBN'))).eval()
    expected = block(X[:, :8])
    assert isinstance(block.rbr_dense.bn, nn.SyncBatchNorm)
    block.switch_to_deploy()
    assert relative_error(block(X[:, :8]), expected) < 1e-5


def test_eps_of_the_norm_counts():
    block = randomise_bn(RepVGGBlock(plan(), norm_cfg=dict(type='BN', eps=0.3))).eval()
    expected = block(X[:, :8])
    deploy = RepVGGBlock(plan(), norm_cfg=dict(type='BN', eps=0.3), deploy=True)
    deploy.load_state_dict(block.state_dict())
    assert relative_error(deploy(X[:, :8]), expected) < 1e-5


def test_switching_twice_is_switching_once():
    block = randomise_bn(RepVGGBlock(plan()))
    block.switch_to_deploy()
    state = {k: v.clone() for k, v in block.state_dict().items()}
    block.switch_to_deploy()
    assert sorted(state) == ['rbr_reparam.bias', 'rbr_reparam.weight']
    assert all(torch.equal(state[k], v) for k, v in block.state_dict().items())


def test_kernel_and_bias_are_differentiable_and_leave_the_block_alone():
    block = randomise_bn(RepVGGBlock(plan()))
    before = {k: v.clone() for k, v in block.state_dict().items()}
    kernel, bias = block.get_equivalent_kernel_bias()
    (kernel.square().sum() + bias.square().sum()).backward()
    for name, parameter in block.named_parameters():
        assert parameter.grad.abs().sum() > 0, name
    assert all(torch.equal(before[k], v) for k, v in block.state_dict().items())


def test_training_form_loads_into_deploy_form_and_not_back():
    block = randomise_bn(RepVGGBlock(plan(se=True, c_in=16, c_out=16))).eval()
    deploy = RepVGGBlock(plan(se=True, c_in=16, c_out=16), deploy=True).eval()
    deploy.load_state_dict(block.state_dict())
    assert relative_error(deploy(X), block(X)) < 1e-5
    with pytest.raises(InputError, match='cannot be taken apart again.*deploy=True') as error:
        RepVGGBlock(plan(se=True, c_in=16, c_out=16)).load_state_dict(deploy.state_dict())
    for form in ('--cfg-options model.backbone.deploy=True', "cfg_options={'model.backbone.deploy': True}"):
        assert form in str(error.value)


@pytest.mark.parametrize(
    'norm_cfg, message',
    [
        (dict(type='GN', num_groups=2), 'cannot fuse GroupNorm: only BN and SyncBN'),
        (dict(type='BN', track_running_stats=False), 'without running statistics'),
    ],
)
def test_a_norm_that_cannot_be_fused(norm_cfg, message):
    block = RepVGGBlock(plan(), norm_cfg=norm_cfg)
    with pytest.raises(InputError, match=message):
        block.switch_to_deploy()
    assert not block.deploy and hasattr(block, 'rbr_dense')


@pytest.mark.parametrize('with_cp', [True, '1x1'])
def test_checkpointing_changes_nothing(with_cp):
    """Same output, gradients and BN statistics, bit for bit: the second forward pass is not counted."""
    blocks = [randomise_bn(RepVGGBlock(plan(), with_cp=with_cp)).train() for with_cp in (False, with_cp)]
    blocks[1].load_state_dict(blocks[0].state_dict())
    for block in blocks:
        x = X[:, :8].clone().requires_grad_()
        block(x).square().sum().backward()
        block.input_grad = x.grad
    plain, saving = blocks
    assert torch.equal(plain.input_grad, saving.input_grad)
    for a, b in zip(plain.parameters(), saving.parameters(), strict=True):
        assert torch.equal(a.grad, b.grad)
    for (name, a), b in zip(plain.state_dict().items(), saving.state_dict().values(), strict=True):
        assert torch.equal(a, b), name


def test_checkpointing_saves_memory():
    """What autograd keeps for the backward pass is less."""

    def saved_bytes(with_cp):
        total = []
        block = RepVGGBlock(plan(), with_cp=with_cp).train()
        with torch.autograd.graph.saved_tensors_hooks(lambda t: total.append(t.nbytes) or t, lambda t: t):
            block(X[:, :8].clone().requires_grad_())
        return sum(total)

    one_map = X[:, :8].nbytes
    assert saved_bytes(True) < saved_bytes(False) / 2
    assert saved_bytes('1x1') == pytest.approx(saved_bytes(False) - one_map, abs=one_map / 4)


def test_squeeze_and_excitation_pools_any_shape():
    se = SEBlock(32)
    x = torch.randn(2, 32, 3, 7)
    gate = torch.sigmoid(se.up(F.relu(se.down(x.mean((2, 3), keepdim=True)))))
    torch.testing.assert_close(se(x), x * gate)


def test_unwrapped(tmp_path):
    model = nn.Conv2d(1, 1, 1)
    assert unwrap_model(model) is model and unwrap_model(nn.DataParallel(nn.DataParallel(model))) is model
    dist.init_process_group('gloo', init_method=f'file://{tmp_path}/store', rank=0, world_size=1)
    try:
        for wrap in (MMDistributedDataParallel, nn.parallel.DistributedDataParallel):
            assert unwrap_model(wrap(model)) is model
    finally:
        dist.destroy_process_group()
