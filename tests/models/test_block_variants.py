"""The rows of the paper's Tables 6 and 7: what each computes, what it becomes when it is fused, and its parameters."""

import pytest
import torch
import torch.nn.functional as F
from helpers import randomise_bn, relative_error
from torch import nn

from repvgg_seg import RepVGG, RepVGGClassifier, optimize_for_inference, reparameterize_model
from repvgg_seg.errors import InputError
from repvgg_seg.models import fusion_algebra
from repvgg_seg.models.archs import ARCHS
from repvgg_seg.models.block import RepVGGBlock
from repvgg_seg.models.block_variants import BLOCKS, BlockSpec, get_block
from repvgg_seg.models.stages import ResidualPair
from repvgg_seg.models.stride_dilation_plan import LayerPlan

TINY = dict(depths=(1, 2, 2, 4, 1), a=0.25, b=0.25)
FUSIBLE = [name for name in BLOCKS if name != 'relu_in_branches']
ONE_LAYER = [name for name in BLOCKS if name != 'residual']
FAST = dict(output_stride=8, dilate_last=3)
X = torch.randn(2, 8, 13, 10, generator=torch.Generator().manual_seed(1))


def plan(block, c_in=8, stride=1, **kwargs):
    return LayerPlan(0, c_in, 8, stride, 2, 2, se=False, block=get_block(block), **kwargs)


def bn(x, norm):
    return F.batch_norm(x, norm.running_mean, norm.running_var, norm.weight, norm.bias, False, 0, norm.eps)


def dense(block, x, kernel=None):
    weight = block.rbr_dense.conv.weight if kernel is None else kernel
    return F.conv2d(x, weight, padding=2, dilation=2, groups=2)


def point(block, x):
    return F.conv2d(x, block.rbr_1x1.conv.weight, groups=2)


def dirac(groups=2):
    return nn.init.dirac_(torch.empty(8, 8 // groups, 3, 3), groups)


def dirac_net(block, x):
    conv = block.rbr_dense.conv
    unit = conv.weight / conv.weight.square().sum((1, 2, 3), keepdim=True).sqrt()
    a, b = conv.alpha[:, None, None, None], conv.beta[:, None, None, None]
    return bn(dense(block, x, a * dirac() + b * unit), block.rbr_dense.bn)


def asymmetric(block, x):
    row = F.conv2d(x, block.rbr_1x3.conv.weight, padding=(0, 2), dilation=(1, 2), groups=2)
    column = F.conv2d(x, block.rbr_3x1.conv.weight, padding=(2, 0), dilation=(2, 1), groups=2)
    return plain(block, x) + bn(row, block.rbr_1x3.bn) + bn(column, block.rbr_3x1.bn)


def plain(block, x):
    return bn(dense(block, x), block.rbr_dense.bn)


def point_bn(block, x):
    return bn(point(block, x), block.rbr_1x1.bn)


# What a block computes before its ReLU, after the words of the paper's section 4.2.
WRITTEN_OUT = {
    'repvgg': lambda b, x: plain(b, x) + point_bn(b, x) + bn(x, b.rbr_identity),
    'plain': plain,
    'without_1x1': lambda b, x: plain(b, x) + bn(x, b.rbr_identity),
    'without_identity': lambda b, x: plain(b, x) + point_bn(b, x),
    'identity_without_bn': lambda b, x: plain(b, x) + point_bn(b, x) + x,
    'bn_after_addition': lambda b, x: bn(dense(b, x) + point(b, x) + x, b.post_bn),
    'relu_in_branches': lambda b, x: plain(b, x).relu() + point_bn(b, x).relu() + bn(x, b.rbr_identity).relu(),
    'dirac': dirac_net,
    'trivial': lambda b, x: bn(dense(b, x, dirac() + b.rbr_dense.conv.weight), b.rbr_dense.bn),
    'asymmetric': asymmetric,
    'qarepvgg': lambda b, x: bn(plain(b, x) + point(b, x) + x, b.post_bn),
}


def test_every_row_is_here():
    assert set(WRITTEN_OUT) == set(ONE_LAYER)


@pytest.mark.parametrize('name', ONE_LAYER)
def test_a_block_computes_what_the_paper_says(name):
    block = randomise_bn(RepVGGBlock(plan(name))).eval()
    torch.testing.assert_close(block(X), WRITTEN_OUT[name](block, X).relu())


@torch.no_grad()
def test_two_layers_and_a_shortcut():
    """Of ResNet-18: conv, BN, ReLU, conv, BN, the shortcut, ReLU; a 1x1 conv and its BN where the shape changes."""
    for stride in (1, 2):
        first, second = plan('residual', stride=stride), plan('residual')
        pair = randomise_bn(ResidualPair(first, second)).eval()
        x = F.conv2d(X, pair.layer1.rbr_dense.conv.weight, stride=stride, padding=2, dilation=2, groups=2)
        x = plain(pair.layer2, bn(x, pair.layer1.rbr_dense.bn).relu())
        around = X
        if stride == 2:
            around = bn(F.conv2d(X, pair.shortcut.rbr_1x1.conv.weight, stride=2), pair.shortcut.rbr_1x1.bn)
        torch.testing.assert_close(pair(X), (x + around).relu())


@pytest.mark.parametrize('name', FUSIBLE)
@pytest.mark.parametrize('form', [dict(), FAST], ids=['undilated', 'dilated'])
@torch.no_grad()
def test_fused_equals_training_form(name, form):
    """At every stage; and the training form, loaded into the deploy form, is the fused one."""
    model = randomise_bn(RepVGG(TINY, block=name, **form)).eval()
    for dtype, limit in ((torch.float, 1e-5), (torch.double, 1e-10)):
        x, fused = torch.randn(1, 3, 64, 96, dtype=dtype), reparameterize_model(model.to(dtype))
        for found, expected in zip(fused(x), model(x), strict=True):
            assert relative_error(found, expected) < limit
    deploy = RepVGG(TINY, block=name, deploy=True, **form).eval().double()
    deploy.load_state_dict(model.state_dict())
    assert all(torch.equal(a, b) for a, b in zip(deploy(x), fused(x), strict=True))
    assert len({id(module) for module in fused.modules() if isinstance(module, nn.BatchNorm2d)}) == 0


@pytest.mark.parametrize('name', sorted(set(FUSIBLE) - {'residual'}))
@torch.no_grad()
def test_fused_a_few_channels_at_a_time(name, monkeypatch):
    """As for a large kernel: three channels of eight."""
    block = randomise_bn(RepVGGBlock(plan(name))).eval()
    whole = block.get_equivalent_kernel_bias()
    monkeypatch.setattr(fusion_algebra, '_AT_A_TIME', 3 * block.rbr_dense.conv.weight[0].numel())
    assert all(map(torch.equal, block.get_equivalent_kernel_bias(), whole))


def test_all_become_the_same_architecture():
    """The rows of Table 6, and the others but Residual Reorg: one 3x3 conv a layer, under the same names."""
    states = {name: reparameterize_model(RepVGG(TINY, block=name)).state_dict() for name in FUSIBLE}
    shapes = {name: [(key, tensor.shape) for key, tensor in state.items()] for name, state in states.items()}
    assert len(shapes['repvgg']) == 2 * 10
    for name, found in shapes.items():
        assert (found == shapes['repvgg']) == (name != 'residual'), name


def test_parameters():
    """RepVGG-B0: what each row has beyond the plain network, by hand; 14.33 M when fused (paper, Table 4)."""
    stages = ((64, 64, 4), (64, 128, 6), (128, 256, 16), (256, 1280, 1))  # channels in, channels out, layers
    layers = [(3, 64), *((c_in, c_out) for c_in, c_out, _ in stages)]
    layers += [(c, c) for _, c, depth in stages for _ in range(depth - 1)]
    products, outputs = sum(a * b for a, b in layers), sum(b for _, b in layers)
    same = 3 * 64 + 5 * 128 + 15 * 256  # channels of the layers of stride 1 and equal channels
    shortcuts = sum(a * b + 2 * b for a, b in ((64, 64), (64, 128), (128, 256)))
    more = {
        'plain': 0,
        'without_1x1': 2 * same,
        'without_identity': products + 2 * outputs,
        'repvgg': products + 2 * outputs + 2 * same,
        'identity_without_bn': products + 2 * outputs,
        'bn_after_addition': products,
        'relu_in_branches': products + 2 * outputs + 2 * same,
        'dirac': 2 * same,
        'trivial': 0,
        'asymmetric': 2 * (3 * products + 2 * outputs),
        'residual': shortcuts,
        'qarepvgg': products + 2 * outputs,
    }
    linear = 1280 * 1000 + 1000
    for name, extra in more.items():
        with torch.device('meta'):
            model = RepVGGClassifier('B0', block=name)
        assert parameters(model) == 9 * products + 2 * outputs + linear + extra, name
        if name in FUSIBLE:
            with torch.device('meta'):
                fused = RepVGGClassifier('B0', block=name, deploy=True)
            extra = shortcuts - 64 - 128 - 256 if name == 'residual' else 0
            assert parameters(fused) == 9 * products + outputs + linear + extra, name
    assert (9 * products + outputs + linear) // 10_000 == 1433


def parameters(model):
    return sum(parameter.numel() for parameter in model.parameters())


@pytest.mark.parametrize('name', BLOCKS)
def test_checkpointing_changes_nothing(name):
    models = [RepVGG(TINY, block=name, with_cp=with_cp).train() for with_cp in (False, True, '1x1')]
    for model in models[1:]:
        model.load_state_dict(models[0].state_dict())
    for model in models:
        sum(out.square().mean() for out in model(torch.ones(2, 3, 64, 64))).backward()
    for model in models[1:]:
        for (key, a), b in zip(models[0].named_parameters(), model.parameters(), strict=True):
            assert torch.equal(a.grad, b.grad), key
        assert all(torch.equal(a, b) for a, b in zip(models[0].buffers(), model.buffers(), strict=True))


def test_what_cannot_be_fused_says_so():
    model = RepVGG(TINY, block='relu_in_branches').eval()
    for call in (
        model.switch_to_deploy,
        lambda: reparameterize_model(model),
        lambda: RepVGG(TINY, block='relu_in_branches', deploy=True),
    ):
        with pytest.raises(InputError, match='cannot fuse a block with a ReLU in every branch.*--no-fuse'):
            call()


@pytest.mark.parametrize('name', ['relu_in_branches', 'residual', 'qarepvgg', 'dirac'])
def test_optimized(name):
    model = randomise_bn(RepVGGClassifier(TINY, 10, block=name)).eval()
    x = torch.randn(1, 3, 64, 64)
    with torch.no_grad():
        fast = optimize_for_inference(model, input_shape=(1, 3, 64, 64))
        assert relative_error(fast(x), model(x)) < 1e-5
    said = str(fast.optimize_report['fusion'])
    assert ('ReLU inside the branches cannot be folded' in said) == (name == 'relu_in_branches')


PAIRS = [('plain', 'trivial'), ('trivial', 'plain'), ('without_identity', 'identity_without_bn'), ('repvgg', 'relu_in_branches'), ('relu_in_branches', 'repvgg'), ('qarepvgg', 'repvgg'), ('residual', 'plain')]  # fmt: skip


@pytest.mark.parametrize('written, expected', PAIRS)
def test_weights_of_another_block_are_refused(written, expected):
    """Also where names and shapes are the same."""
    state = RepVGG(TINY, block=written).state_dict()
    message = f"of the kind block='{written}', the config says block='{expected}'"
    with pytest.raises(InputError, match=message):
        RepVGG(TINY, block=expected).load_state_dict(state)
    if expected != 'relu_in_branches':
        with pytest.raises(InputError, match=message):
            RepVGG(TINY, block=expected, deploy=True).load_state_dict(state)
    if 'residual' not in (written, expected):
        part = RepVGGBlock(plan(written)).state_dict()
        with pytest.raises((InputError, RuntimeError), match='of the kind block=|variant'):
            RepVGGBlock(plan(expected)).load_state_dict(part)


@pytest.mark.parametrize('number', [torch.ones(0), torch.tensor(float('nan')), torch.ones(3), torch.tensor(5)], ids=str)
def test_a_damaged_number_of_the_kind(number):
    state = RepVGG(TINY, block='dirac').state_dict()
    part = RepVGGBlock(plan('dirac')).state_dict() | dict(variant=number)
    for load in (
        lambda: RepVGG(TINY, block='dirac').load_state_dict(state | {'stage0.variant': number}),
        lambda: RepVGGBlock(plan('dirac')).load_state_dict(part),
    ):
        with pytest.raises(InputError, match="blocks of an unknown kind, the config says block='dirac'"):
            load()


def test_fused_weights_fit_every_block_of_one_topology():
    state = reparameterize_model(RepVGG(TINY, block='asymmetric')).state_dict()
    RepVGG(TINY, block='dirac', deploy=True).load_state_dict(state)
    with pytest.raises(InputError, match="block='residual'"):
        RepVGG(TINY, block='residual', deploy=True).load_state_dict(state)


def test_a_block_of_ones_own():
    spec = dict(branches=['3x3', '1x3', 'identity'], without_bn=['identity'], bn_after_addition=True)
    model = randomise_bn(RepVGG(TINY, block=spec)).eval()
    x = torch.randn(1, 3, 64, 64)
    assert relative_error(reparameterize_model(model)(x)[3], model(x)[3]) < 1e-5
    RepVGG(TINY, block=spec).load_state_dict(model.state_dict())
    assert get_block(BlockSpec()) == BLOCKS['repvgg']


@pytest.mark.parametrize(
    'block, message',
    [
        ('qarep', 'unknown block .qarep.; the closest are qarepvgg; known: plain, without_1x1'),
        (7, 'block must be one of plain'),
        (dict(branch=['3x3']), 'unknown: branch'),
        (dict(branches='3x3'), "branches must be a tuple of some of 3x3, 1x1, 1x3, 3x1, identity, got '3x3'"),
        (dict(branches=['5x5']), 'branches must be a tuple'),
        (dict(branches=['1x1']), "branches must hold '3x3'"),
        (dict(branches=['3x3'], without_bn=['1x1']), 'must be some of the branches'),
        (dict(kernel='dirak'), "kernel must be one of plain, plus_identity, dirac, got 'dirak'"),
        (dict(residual='yes'), "residual must be True or False, got 'yes'"),
    ],
)
def test_refusals(block, message):
    with pytest.raises(InputError, match=message):
        RepVGG(TINY, block=block)


def test_residual_blocks_need_pairs_of_layers():
    with pytest.raises(InputError, match=r'an even number of them, got depths \(1, 2, 3, 4, 1\)'):
        RepVGG(dict(TINY, depths=(1, 2, 3, 4, 1)), block='residual')
    assert len(RepVGG(ARCHS['B0'], block='residual').stage3) == 8  # paper, section 4.2
