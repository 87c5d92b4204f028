from pathlib import Path

import pytest
import torch
from helpers import randomise_bn, relative_error

from repvgg_seg import RepVGG, RepVGGClassifier, load_weights, reparameterize_model
from repvgg_seg.errors import InputError
from repvgg_seg.weight_names import FAMILIES
from repvgg_seg.weights import convert as convert_module
from repvgg_seg.weights.convert import convert
from repvgg_seg.weights.read import read_checkpoint

TINY = dict(depths=(1, 2, 2, 5, 1), a=0.25, b=0.25, groups=2)
TOOL = Path(__file__).parents[2] / 'tools' / 'convert_weights.py'


@pytest.fixture
def model():
    return randomise_bn(RepVGGClassifier(TINY, num_classes=10)).eval()


@pytest.fixture
def image():
    return torch.randn(2, 3, 64, 64)


def same(a, b):
    return a.keys() == b.keys() and all(torch.equal(a[name], b[name]) for name in a)


@pytest.mark.slow
@pytest.mark.parametrize('there', FAMILIES)
@pytest.mark.parametrize('back', FAMILIES)
def test_any_family_to_any_other(model, there, back):
    first, _, difference = convert(model.state_dict(), there)
    assert difference == 0
    ours, _, _ = convert(convert(first, back)[0], 'ours')
    assert same(ours['state_dict'], model.state_dict())


@pytest.mark.parametrize('family', FAMILIES)
def test_fused_on_the_way(model, image, family):
    converted, _, difference = convert(model.state_dict(), family, deploy=True)
    assert 0 < difference < 1e-5
    deploy = RepVGGClassifier(TINY, num_classes=10, deploy=True).eval()
    deploy.load_state_dict(converted)
    assert relative_error(deploy(image), model(image)) < 1e-5
    back, _, difference = convert(converted, 'ours', deploy=True)
    assert difference == 0
    assert same(back['state_dict'], reparameterize_model(model).state_dict())


def test_what_the_families_wrap(model):
    state = model.state_dict()
    assert convert(state, 'ours')[0].keys() == convert(state, 'mmpretrain')[0].keys() == {'meta', 'state_dict'}
    assert 'stem.conv_kxk.conv.weight' in convert(state, 'timm')[0]
    assert 'stage0.rbr_dense.conv.weight' in convert(state, 'official')[0]


@pytest.mark.slow
def test_a_backbone_alone(model):
    backbone = RepVGG(TINY, in_channels=4)
    for family in FAMILIES:
        ours, _, _ = convert(convert(backbone.state_dict(), family)[0], 'ours')
        loaded = RepVGG(TINY, in_channels=4)
        loaded.load_state_dict(ours)
        assert same(loaded.state_dict(), backbone.state_dict())


def test_half_precision_stays(model):
    state = model.half().state_dict()
    assert same(convert(convert(state, 'timm')[0], 'ours')[0]['state_dict'], state)


def test_a_segmentors_checkpoint(model):
    state = {name: t for name, t in model.state_dict().items() if name.startswith('backbone')}
    state['decode_head.conv_seg.weight'] = torch.ones(3)
    with pytest.raises(InputError, match='more than a classifier: decode_head.conv_seg.weight, .*--backbone-only'):
        convert(state, 'timm')
    converted, _, _ = convert(state, 'timm', backbone_only=True)
    loaded = RepVGG(TINY)
    loaded.load_state_dict(converted)
    assert same(loaded.state_dict(), model.backbone.state_dict())


def test_refusals(model):
    fused = reparameterize_model(model).state_dict()
    with pytest.raises(InputError, match='cannot be taken apart again: deploy=True'):
        convert(fused, 'timm')
    with pytest.raises(InputError, match='no RepVGG of any known family; found a'):
        convert(dict(a=torch.ones(1)), 'timm')
    with pytest.raises(InputError, match='1 unexpected: extra.weight'):
        convert(convert(model.state_dict(), 'official')[0] | {'extra.weight': torch.ones(1)}, 'timm')
    with pytest.raises(InputError, match='1 missing: stage2.0.rbr_1x1.bn.bias'):
        state = model.state_dict()
        del state['backbone.stage2.0.rbr_1x1.bn.bias']
        convert(state, 'timm')


def test_a_difference_stops_it(model, monkeypatch):
    """A fusion that goes wrong, and weights on which no comparison can be made."""
    state = model.state_dict()
    state['backbone.stage0.rbr_dense.bn.running_var'][0] = float('nan')
    with pytest.raises(InputError, match='differ by nan'):
        convert(state, 'timm')

    def wrong(model):
        reparameterize_model(model, inplace=True)
        model.backbone.stage3[2].rbr_reparam.bias.data[0] += 1

    monkeypatch.setattr(convert_module, 'switch_to_deploy', wrong)
    with pytest.raises(InputError, match='differ by .*, more than 1e-05'):
        convert(RepVGGClassifier(TINY).state_dict(), 'timm', deploy=True)


def test_the_tool(run, model, image, tmp_path):
    source, target = tmp_path / 'ours.pth', tmp_path / 'timm.safetensors'
    torch.save(model.state_dict(), source)
    status, out, err = run(source, target, '--to', 'timm', '--deploy')
    assert status == 0 and 'fused, names of timm; relative error' in out, err
    loaded = RepVGGClassifier(TINY, num_classes=10).eval()
    load_weights(loaded, target)
    assert relative_error(loaded(image), model(image)) < 1e-5

    before = target.read_bytes()
    status, out, err = run(source, target, '--to', 'timm')
    assert status == 2 and f'{target} exists' in err and target.read_bytes() == before
    status, out, err = run(source, target, '--to', 'ours', '--overwrite')
    assert status == 0 and 'backbone.stage0.rbr_dense.conv.weight' in read_checkpoint(target), err


def test_the_tool_with_bad_input(run, model, tmp_path):
    torch.save(reparameterize_model(model).state_dict(), tmp_path / 'fused.pth')
    status, out, err = run(tmp_path / 'fused.pth', tmp_path / 'out.pth', '--to', 'timm')
    assert (status, out) == (2, '') and not (tmp_path / 'out.pth').exists()
    assert err.startswith(f'error: {tmp_path}/fused.pth: the weights are fused') and err.count('\n') == 1
    status, out, err = run(tmp_path / 'fused.pth', tmp_path / 'none' / 'out.pth', '--to', 'timm', '--deploy')
    assert (status, out) == (2, '') and f'no folder {tmp_path}/none' in err
    status, out, err = run(tmp_path / 'none.pth', tmp_path / 'out.pth', '--to', 'timm')
    assert (status, out) == (2, '') and 'no file' in err


def test_the_tool_does_not_write_over_what_it_reads(run, model, tmp_path):
    source, link = tmp_path / 'ours.pth', tmp_path / 'link.pth'
    torch.save(model.state_dict(), source)
    link.symlink_to(source)
    before = source.read_bytes()
    for src, dst in ((source, source), (source, link), (link, source), (f'trusted://{source}', source)):
        status, out, err = run(src, dst, '--to', 'ours', '--deploy', '--overwrite')
        assert (status, out) == (2, '') and 'is the checkpoint itself' in err and source.read_bytes() == before
    status, out, err = run(source, tmp_path, '--to', 'ours', '--overwrite')
    assert (status, out) == (2, '') and f'{tmp_path} is a folder' in err


def test_the_tool_names_an_architecture_of_ones_own(run, model, tmp_path):
    torch.save(model.state_dict(), tmp_path / 'ours.pth')
    status, out, err = run(tmp_path / 'ours.pth', tmp_path / 'out.safetensors', '--to', 'ours')
    assert ': RepVGG(1,2,2,5,1; a=0.25, b=0.25, groups=2) in training form' in out, err
    assert same(read_checkpoint(tmp_path / 'out.safetensors'), model.state_dict())
