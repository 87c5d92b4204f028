"""RepVGGplus-L2pse: the structure and the weight names of its authors' code, in a network of fewer and narrower layers."""

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from helpers import randomise_bn, relative_error

from repvgg_seg import RepVGG, RepVGGClassifier, reparameterize_model
from repvgg_seg.errors import InputError
from repvgg_seg.models.archs import ARCHS, ArchSpec
from repvgg_seg.models.match_checkpoint import recognise_arch
from repvgg_seg.weight_names import sort_weights, to_checkpoint
from repvgg_seg.weights.convert import convert

SPEC = ArchSpec((1, 2, 1, 5, 1), a=0.25, b=0.25, post_se=True)
X = torch.randn(2, 3, 64, 96, generator=torch.Generator().manual_seed(1))
# Where the blocks of the five stages stand in the official code: stage 4 of the paper in two halves, the smaller one first.
PLACES = [
    'stage0',
    'stage1.blocks.0',
    'stage1.blocks.1',
    'stage2.blocks.0',
    'stage3_first.blocks.0',
    'stage3_first.blocks.1',
]
PLACES += ['stage3_second.blocks.0', 'stage3_second.blocks.1', 'stage3_second.blocks.2', 'stage4.blocks.0']
IDENTITIES = ['stage1.blocks.1', 'stage3_first.blocks.1'] + [f'stage3_second.blocks.{i}' for i in range(3)]
NORM = ['weight', 'bias', 'running_mean', 'running_var', 'num_batches_tracked']
SE = [f'post_se.{part}.{kind}' for part in ('down', 'up') for kind in ('weight', 'bias')]
AUXILIARY = [
    f'{name}_aux.{part}'
    for name in ('stage1', 'stage2', 'stage3_first')
    for part in ('0.conv.weight', *(f'0.bn.{kind}' for kind in NORM), '3.weight', '3.bias')
]


def official_names(deploy):
    if deploy:
        parts = ['rbr_reparam.weight', 'rbr_reparam.bias', *SE]
        return {f'{place}.{part}' for place in PLACES for part in parts} | {'linear.weight', 'linear.bias'}
    parts = SE + [
        f'{branch}.{part}'
        for branch in ('rbr_dense', 'rbr_1x1')
        for part in ('conv.weight', *(f'bn.{kind}' for kind in NORM))
    ]
    identities = {f'{place}.rbr_identity.{kind}' for place in IDENTITIES for kind in NORM}
    names = {f'{place}.{part}' for place in PLACES for part in parts} | {'linear.weight', 'linear.bias', *AUXILIARY}
    return names | identities


@pytest.fixture(scope='module')
def model():
    torch.manual_seed(0)
    return randomise_bn(RepVGGClassifier(SPEC, num_classes=7)).eval()


def test_the_published_one():
    spec = ARCHS['L2pse']
    assert (spec.depths, spec.widths) == ((1, 8, 14, 24, 1), (64, 160, 320, 640, 2560))
    with torch.device('meta'):
        state = to_checkpoint(sort_weights(RepVGGClassifier('L2pse').state_dict()), 'official')
    assert state['stage3_first.blocks.11.post_se.down.weight'].shape == (160, 640, 1, 1)  # a quarter of the channels
    assert state['stage3_second.blocks.11.rbr_dense.conv.weight'].shape == (640, 640, 3, 3)
    assert 'stage3_first.blocks.12.rbr_dense.conv.weight' not in state
    # 48 blocks of two convs, two BNs and an SE; 43 identities; three auxiliary classifiers; the linear layer.
    assert len(state) == 48 * (2 + 2 * 5 + 4) + 43 * 5 + 3 * 8 + 2


@pytest.mark.parametrize('deploy', [False, True], ids=['training', 'deploy'])
@torch.no_grad()
def test_official_files_are_read_and_written(model, deploy):
    source = reparameterize_model(model) if deploy else model
    written = to_checkpoint(sort_weights(source.state_dict()), 'official')
    assert set(written) == official_names(deploy)
    for wrap in (lambda s: s, lambda s: dict(model={f'module.{name}': tensor for name, tensor in s.items()})):
        for target in (RepVGGClassifier(SPEC, 7, deploy=True), RepVGG(SPEC, deploy=deploy, output_stride=8)):
            target.eval().load_state_dict(wrap(written))
        for plain in (RepVGGClassifier(SPEC, 7, deploy=deploy).eval(),):
            plain.load_state_dict(wrap(written))
            assert torch.equal(plain(X), source(X))
    assert recognise_arch(sort_weights(written).backbone) == SPEC


@torch.no_grad()
def test_a_block_by_the_authors_structure(model):
    """The SE stands behind the ReLU and takes the mean of the whole map, also of one that is not square."""
    block = model.backbone.stage1[1]
    x = torch.randn(2, 16, 9, 14)
    out = block.rbr_dense(x) + block.rbr_1x1(x) + block.rbr_identity(x)
    out = out.relu()
    gate = block.post_se.up(F.relu(block.post_se.down(out.mean((2, 3), keepdim=True)))).sigmoid()
    torch.testing.assert_close(block(x), out * gate)


def drawn(shapes):
    """Weights that depend on their official names and shapes alone, so that another code can be given the same."""
    rng = np.random.default_rng(0)
    state = {}
    for name, shape in sorted(shapes.items()):
        if name.endswith('num_batches_tracked'):
            state[name] = torch.tensor(1)
            continue
        values = rng.uniform(-1, 1, shape)
        if name.endswith(('bn.weight', 'identity.weight', 'running_var')):
            values = 1 + values / 2
        elif len(shape) > 1:
            values *= (3 / np.prod(shape[1:])) ** 0.5
        state[name] = torch.from_numpy(values).float()
    return state


# Of the authors' RepVGGplus([2, 1, 5, 1], 7, [0.25] * 4, use_post_se=True) with the same weights and images, in evaluation: the mean
# magnitude of three channels of each stage, and the logits of the first image. Its SE takes square maps only; for the other image
# it was given the mean of the whole map.
OF_THE_AUTHORS = {
    (64, 64): (
        [
            [0.413343, 0.168995, 3.400966],
            [0.095455, 0.0, 0.596867],
            [0.13819, 2.99742, 0.972516],
            [0.0, 0.682317, 0.079809],
        ],
        [0.925506, 0.438629, -0.757903, -0.178627, 0.689026, 1.03849, 0.047526],
    ),
    (64, 96): (
        [
            [0.410492, 0.165989, 3.418892],
            [0.090653, 0.000775, 0.617083],
            [0.112901, 2.927602, 0.947925],
            [0.0, 0.615846, 0.091872],
        ],
        [1.045732, 0.444712, -0.809073, -0.201938, 0.666416, 0.976889, 0.098982],
    ),
}


@pytest.mark.parametrize('size', OF_THE_AUTHORS)
@pytest.mark.parametrize('deploy', [False, True], ids=['training', 'deploy'])
@torch.no_grad()
def test_features_are_those_of_the_authors_code(model, size, deploy):
    written = to_checkpoint(sort_weights(model.state_dict()), 'official')
    state = drawn({name: tensor.shape for name, tensor in written.items()})
    classifier, backbone = RepVGGClassifier(SPEC, 7, deploy=deploy).eval(), RepVGG(SPEC, deploy=deploy).eval()
    x = torch.from_numpy(np.random.default_rng(1).standard_normal((2, 3, *size))).float()
    for network in (classifier, backbone):
        network.load_state_dict(dict(state))
    features, logits = OF_THE_AUTHORS[size]
    found = [feature.abs().mean((0, 2, 3))[:3] for feature in backbone(x)]
    torch.testing.assert_close(torch.stack(found), torch.tensor(features), rtol=1e-5, atol=2e-6)
    torch.testing.assert_close(classifier(x)[0], torch.tensor(logits), rtol=1e-5, atol=2e-6)


@pytest.mark.parametrize('form', [dict(), dict(output_stride=8), dict(output_stride=8, dilate_last=5)])
@torch.no_grad()
def test_fused_equals_training_form(form):
    backbone = randomise_bn(RepVGG(SPEC, **form)).eval()
    for dtype, limit in ((torch.float, 1e-5), (torch.double, 1e-10)):
        fused = reparameterize_model(backbone.to(dtype))
        for found, expected in zip(fused(X.to(dtype)), backbone(X.to(dtype)), strict=True):
            assert relative_error(found, expected) < limit


def test_auxiliary_classifiers(model):
    """A tenth of the cross entropy of each: conv of stride 2, BN, ReLU, mean, linear, behind stages and half a stage."""
    labels = torch.tensor([1, 6])
    losses = model(X, labels, mode='loss')
    body = model.backbone
    maps = [body.stage1(body.stage0(X))]
    maps.append(body.stage2(maps[0]))
    maps.append(body.stage3[1](body.stage3[0](maps[1])))
    for name, x in zip(('stage1_aux', 'stage2_aux', 'stage3_first_aux'), maps, strict=True):
        head = model.get_submodule(name)
        logits = head[3](F.relu(head[0].bn(F.conv2d(x, head[0].conv.weight, stride=2, padding=1))).mean((2, 3)))
        torch.testing.assert_close(losses[f'loss_{name}'], 0.1 * F.cross_entropy(logits, labels))
    torch.testing.assert_close(losses['loss'], F.cross_entropy(model(X), labels))
    sum(losses.values()).backward()
    assert all(parameter.grad is not None for parameter in model.parameters())


def test_auxiliary_classifiers_are_for_training_alone(model):
    fused = reparameterize_model(model)
    assert not any('aux' in name for name in fused.state_dict()) and any('aux' in name for name in model.state_dict())
    without = RepVGGClassifier(SPEC, 7, aux_loss_weight=0).eval()
    without.load_state_dict(model.state_dict())
    again = RepVGGClassifier(SPEC, 7).eval()
    again.load_state_dict(without.state_dict())
    assert torch.equal(again(X), model(X)) and list(without(X, torch.tensor([0, 1]), mode='loss')) == ['loss']
    assert 'loss_stage1_aux' in RepVGGClassifier(dict(depths=(1, 1, 1, 2, 1), a=0.25, b=0.25), 7, aux_loss_weight=0.4)(
        X, torch.tensor([0, 1]), mode='loss'
    )


def test_conversion(model):
    state = model.state_dict()
    for family, deploy in (('official', False), ('ours', False), ('official', True)):
        converted, name, error = convert(state, family, deploy)
        assert name == 'RepVGG(1,2,1,5,1; a=0.25, b=0.25, post_se)' and error < 1e-5
    assert set(converted) == official_names(deploy=True)
    for family in ('timm', 'mmpretrain'):
        with pytest.raises(InputError, match=f'{family} has no names for RepVGGplus'):
            convert(state, family)


@pytest.mark.parametrize(
    'arch, kwargs, message',
    [
        (dict(depths=(1, 1, 1, 1, 1), a=0.25, b=0.25, post_se=True), {}, 'has 1 layers here'),
        (SPEC, dict(aux_loss_weight=-1), 'aux_loss_weight must be a number of 0 or more, got -1'),
        (dict(depths=(1, 1, 1, 2, 1), a=0.25, b=0.25, post_se=2), {}, 'post_se must be True or False, got 2'),
        (dict(depths=(1, 1, 1, 2, 1), a=1 / 64, b=1, post_se=True), {}, 'post_se=True needs widths of at least 4'),
    ],
)
def test_refusals(arch, kwargs, message):
    with pytest.raises(InputError, match=message):
        RepVGGClassifier(arch, **kwargs)
