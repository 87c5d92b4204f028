"""ResNet-50 with RepVGG blocks: mmseg's network around them, in every form."""

import pytest
import torch
from helpers import randomise_bn, relative_error
from mmseg.registry import MODELS

from repvgg_seg import optimize_for_inference, reparameterize_model
from repvgg_seg.errors import InputError
from repvgg_seg.models.block import find_blocks
from repvgg_seg.weights import load_weights

NARROW = dict(base_channels=8, stem_channels=8, norm_cfg=dict(type='BN'))
DILATED = dict(strides=(1, 2, 1, 1), dilations=(1, 1, 2, 4))
X = torch.randn(1, 3, 64, 96, generator=torch.Generator().manual_seed(1))


def build(kind='RepVGGResNet', **kwargs):
    model = randomise_bn(MODELS.build(dict(type=kind, depth=50, **NARROW, **kwargs)))
    model.eval()  # which returns None in mmseg's ResNet
    return model


@pytest.mark.parametrize('form', [dict(), DILATED], ids=['undilated', 'dilated'])
@torch.no_grad()
def test_fused_equals_training_form(form):
    for block in ('repvgg', 'qarepvgg'):
        model = build(block=block, **form)
        fused = reparameterize_model(model)
        maps = model(X)
        assert [out.shape[1] for out in maps] == list(model.out_channels) == [32, 64, 128, 256]
        assert len(find_blocks(model)) == 16 and not find_blocks(fused)
        for found, expected in zip(fused(X), maps, strict=True):
            assert relative_error(found, expected) < 1e-5
        deploy = build(block=block, deploy=True, **form)
        deploy.load_state_dict(model.state_dict())
        assert relative_error(deploy(X)[3], maps[3]) < 1e-5


@torch.no_grad()
def test_with_plain_blocks_it_is_the_resnet_of_mmseg():
    resnet, ours = build('ResNet', **DILATED), build(block='plain', **DILATED)
    state = ours.state_dict()
    theirs = resnet.state_dict()
    for name in state:
        if not name.endswith('variant'):
            state[name] = theirs[name.replace('conv2.rbr_dense.conv', 'conv2').replace('conv2.rbr_dense.bn', 'bn2')]
    ours.load_state_dict(state)
    assert all(torch.equal(a, b) for a, b in zip(ours(X), resnet(X), strict=True))


def test_a_classifier_and_its_files(tmp_path):
    """Trained, saved in both forms, and loaded into both."""
    cfg = dict(type='BackboneClassifier', num_classes=3, backbone=dict(type='RepVGGResNet', depth=50, **NARROW))
    model = randomise_bn(MODELS.build(cfg)).train()
    model(torch.cat([X, X]), torch.tensor([0, 2]), mode='loss')['loss'].backward()
    assert all(parameter.grad is not None for parameter in model.parameters())
    model.eval()
    fused = reparameterize_model(model)
    for written, name in ((model, 'training.pth'), (fused, 'fused.pth')):
        torch.save(dict(state_dict=written.state_dict()), tmp_path / name)
        for deploy in (False, True):
            backbone = dict(cfg['backbone'], deploy=deploy)
            read = MODELS.build(dict(cfg, backbone=backbone)).eval()
            load_weights(read, tmp_path / name)
            assert relative_error(read(X), model(X)) < 1e-5
    broken = {key: t for key, t in model.state_dict().items() if 'layer2.0.conv2.rbr_1x1.bn.bias' not in key}
    torch.save(broken, tmp_path / 'broken.pth')
    for deploy in (False, True):
        with pytest.raises(InputError, match='layer2.0.conv2.rbr_1x1.bn.bias|bn.bias'):
            load_weights(
                MODELS.build(dict(cfg, backbone=dict(cfg['backbone'], deploy=deploy))), tmp_path / 'broken.pth'
            )
    with torch.no_grad():
        assert relative_error(optimize_for_inference(model, input_shape=(1, 3, 64, 96))(X), model(X)) < 1e-5


def test_frozen_stages():
    model = build(frozen_stages=2)
    for name, parameter in model.named_parameters():
        assert parameter.requires_grad == name.startswith(('layer3', 'layer4')), name


@pytest.mark.parametrize(
    'kwargs, message',
    [
        (dict(depth=18), 'depth must be one of 50, 101, 152'),
        (dict(depth=50, block='residual'), "block='residual' is two layers"),
        (dict(depth=50, block='repvg'), 'the closest are repvgg'),
        (dict(depth=50, dcn=dict(type='DCN'), stage_with_dcn=(False, True, True, True)), 'dcn: the 3x3 convs'),
    ],
)
def test_refusals(kwargs, message):
    with pytest.raises(InputError, match=message):
        MODELS.build(dict(type='RepVGGResNet', **kwargs))


def test_a_backbone_that_does_not_tell_its_channels():
    with pytest.raises(InputError, match='ResNet does not tell the channels of its maps'):
        MODELS.build(dict(type='BackboneClassifier', backbone=dict(type='ResNet', depth=18)))
