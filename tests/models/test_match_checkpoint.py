import pytest
import torch
from mmseg.registry import MODELS
from weight_files import TINY, classifier, prefixed, tensors, written_by

from repvgg_seg import RepVGG, RepVGGClassifier
from repvgg_seg.errors import InputError
from repvgg_seg.models.archs import ARCHS, ArchSpec, arch_name, get_arch
from repvgg_seg.models.match_checkpoint import body_state, recognise_arch


@pytest.fixture(scope='module')
def tiny():
    torch.manual_seed(0)
    return classifier(num_classes=10)


@pytest.mark.parametrize('arch', ARCHS)
@pytest.mark.parametrize('deploy', [False, True], ids=['training', 'deploy'])
def test_the_expected_body_is_what_is_built(arch, deploy):
    with torch.device('meta'):
        backbone = RepVGG(arch, deploy=deploy)
    expected = {name: tensor.shape for name, tensor in backbone.state_dict().items()}
    found = body_state(backbone.plans, None, fused=deploy)
    assert {name: tensor.shape for name, tensor in found.items()} == expected
    assert list(found) == list(expected)


@pytest.mark.parametrize('arch', ARCHS)
@pytest.mark.parametrize('deploy', [False, True], ids=['training', 'deploy'])
def test_the_architecture_is_recognised(arch, deploy):
    with torch.device('meta'):
        state = RepVGG(arch, deploy=deploy).state_dict()
    assert recognise_arch(state) == ARCHS[arch]


@pytest.mark.parametrize('depths', [(1, 1, 1, 1, 1), (1, 1, 3, 2, 1), (1, 4, 1, 1, 2)])
@pytest.mark.parametrize('groups', [1, 2, 4])
@pytest.mark.parametrize('deploy', [False, True], ids=['training', 'deploy'])
def test_an_architecture_of_ones_own_is_recognised(depths, groups, deploy):
    spec = ArchSpec(depths, a=0.25, b=0.25, groups=groups)
    state = RepVGG(spec, deploy=deploy).state_dict()
    assert recognise_arch(state) == spec
    RepVGG(spec, deploy=deploy).load_state_dict(state)


def test_a_gap_between_the_layers():
    state = {name: t for name, t in RepVGG(TINY).state_dict().items() if not name.startswith('stage3.1.')}
    assert recognise_arch(state) is None
    with pytest.raises(InputError, match='14 missing: stage3.1.rbr_dense.conv.weight'):
        RepVGG(TINY).load_state_dict(state)


def test_names_of_architectures():
    assert arch_name(ARCHS['B1g4']) == 'RepVGG-B1g4'
    assert arch_name(get_arch(TINY)) == 'RepVGG(1,2,2,5,1; a=0.25, b=0.25, groups=2)'
    assert arch_name(ArchSpec((1, 2, 2, 5, 1), 1, 2.5, se=True)) == 'RepVGG(1,2,2,5,1; a=1, b=2.5, se)'
    with pytest.raises(
        InputError, match=r'is a RepVGG-A0, the config says RepVGG\(1,2,2,5,1; a=0.25, b=0.25, groups=2\)$'
    ):
        RepVGG(TINY).load_state_dict(RepVGG('A0').state_dict())


def test_another_architecture():
    with torch.device('meta'):
        state = written_by(RepVGGClassifier('B1g4'), 'timm')
        for model in (RepVGG('B1'), RepVGGClassifier('B1'), RepVGG('B1', deploy=True)):
            with pytest.raises(InputError, match='is a RepVGG-B1g4, the config says RepVGG-B1$'):
                model.load_state_dict(state)


def _without(state, name):
    return {k: v for k, v in state.items() if k != name}


@pytest.mark.parametrize(
    'change, message',
    [
        (lambda s: _without(s, 'stage3.2.rbr_identity.bias'), '1 missing: stage3.2.rbr_identity.bias'),
        (lambda s: _without(s, 'stage0.rbr_dense.conv.weight'), '1 missing: stage0.rbr_dense.conv.weight'),
        (lambda s: s | {'stage3.2.rbr_avg.weight': torch.ones(1)}, '1 unexpected: stage3.2.rbr_avg.weight'),
        (lambda s: s | {'stage5.0.weight': torch.ones(1)}, '1 unexpected: stage5.0.weight'),
        (
            lambda s: s | {'stage1.0.rbr_1x1.bn.bias': torch.ones(3)},
            r'1 of another shape: stage1.0.rbr_1x1.bn.bias \(3,\) in place of \(16,\)',
        ),
        (
            lambda s: {k: v for k, v in s.items() if 'running' not in k},
            r'56 missing: stage0.rbr_dense.bn.running_mean, .*, \.\.\. \(52 more\)',
        ),
    ],
)
@pytest.mark.parametrize('deploy', [False, True], ids=['training', 'deploy'])
def test_everything_is_accounted_for(tiny, change, message, deploy):
    state = change(tensors(written_by(tiny, 'official')))
    for model in (RepVGG(TINY, deploy=deploy), RepVGGClassifier(TINY, num_classes=10, deploy=deploy)):
        before = {name: tensor.clone() for name, tensor in model.state_dict().items()}
        with pytest.raises(InputError, match=message):
            model.load_state_dict(state, strict=False)
        assert all(torch.equal(tensor, before[name]) for name, tensor in model.state_dict().items())


def test_the_linear_layer_is_accounted_for(tiny):
    state = tiny.state_dict()
    with pytest.raises(InputError, match=r'linear.weight \(10, 128\) in place of \(7, 128\)'):
        RepVGGClassifier(TINY, num_classes=7).load_state_dict(state)
    with pytest.raises(InputError, match='1 missing: linear.bias'):
        RepVGGClassifier(TINY, num_classes=10).load_state_dict(_without(state, 'linear.bias'))


@pytest.mark.parametrize(
    'state, message',
    [
        ({}, 'no RepVGG weights .* found nothing'),
        (dict(a=torch.ones(1), b=2), 'no RepVGG weights .* found a$'),
        (dict(state_dict=dict(x=torch.ones(1))), 'no RepVGG weights .* found x$'),
    ],
)
def test_no_repvgg_at_all(state, message):
    with pytest.raises(InputError, match=message):
        RepVGG(TINY).load_state_dict(state)


@pytest.mark.parametrize('depth, name', [(18, '18'), (34, '34'), (50, '50'), (101, '101')])
def test_a_resnets_checkpoint(depth, name):
    with torch.device('meta'):
        state = MODELS.build(dict(type='ResNet', depth=depth)).state_dict()
    for prefix in ('', 'backbone.', 'module.'):
        with pytest.raises(InputError, match=f'is a ResNet-{name}, the config says RepVGG-A0'):
            RepVGG('A0').load_state_dict(prefixed(state, prefix))
