"""Learning rates by layer and by stage. RepVGG-A0 has 1 + 2 + 4 + 14 + 1 layers."""

import pytest
from mmengine.config import Config
from mmengine.optim import build_optim_wrapper
from mmseg.registry import MODELS
from tiny import TINY

import repvgg_seg
from repvgg_seg.errors import InputError
from repvgg_seg.models import RepVGGClassifier
from repvgg_seg.training import layer_decay
from repvgg_seg.training.layer_decay import use_repvgg_layers

BACKBONE = dict(type='RepVGG', arch='A0')
HEAD = dict(in_channels=1280, channels=8, num_classes=3, norm_cfg=dict(type='BN'))
SEGMENTOR = dict(
    type='EncoderDecoder', backbone=BACKBONE, decode_head=dict(type='FCNHead', in_index=3, num_convs=1, **HEAD)
)
ADAMW = dict(optimizer=dict(type='AdamW', lr=0.1, weight_decay=0.05))


@pytest.fixture
def said(monkeypatch):
    lines = []
    monkeypatch.setattr(layer_decay, 'print_log', lambda line, *_: lines.append(line))
    return lines


def config(constructor='LearningRateDecayOptimizerConstructor', model=SEGMENTOR, **paramwise_cfg):
    return Config(dict(model=model, optim_wrapper=dict(ADAMW, constructor=constructor, paramwise_cfg=paramwise_cfg)))


def rates(cfg, model):
    """The learning rate and weight decay of every parameter, by its name."""
    groups = build_optim_wrapper(model, cfg.optim_wrapper).optimizer.param_groups
    return {name: (group['lr'], group['weight_decay']) for group in groups for name in group['param_names']}


@pytest.fixture(scope='module')
def segmentor():
    return MODELS.build(SEGMENTOR)


# Layers 0 to 21 of A0 by hand; the head is layer 22, with the rate 0.1 of the config.
LAYERS = {
    'backbone.stage0.rbr_dense.conv.weight': 22,
    'backbone.stage1.0.rbr_1x1.conv.weight': 21,
    'backbone.stage1.1.rbr_dense.conv.weight': 20,
    'backbone.stage2.0.rbr_dense.conv.weight': 19,
    'backbone.stage2.3.rbr_dense.conv.weight': 16,
    'backbone.stage3.0.rbr_dense.conv.weight': 15,
    'backbone.stage3.13.rbr_1x1.conv.weight': 2,
    'backbone.stage4.0.rbr_dense.conv.weight': 1,
    'decode_head.convs.0.conv.weight': 0,
}
STAGES = {name: 0 if name.startswith('decode') else 5 - int(name[len('backbone.stage')]) for name in LAYERS}


@pytest.mark.parametrize('num_layers', [None, 12])
@pytest.mark.parametrize('decay_type, powers, count', [('layer_wise', LAYERS, 21), ('stage_wise', STAGES, 4)])
def test_rates_of_a0_by_hand(segmentor, said, decay_type, powers, count, num_layers):
    given = dict(num_layers=num_layers) if num_layers else {}
    cfg = config(decay_rate=0.9, decay_type=decay_type, **given)
    use_repvgg_layers(cfg)
    assert 'RepVGGLayerDecayConstructor, which takes the same settings' in said[0]
    found = rates(cfg, segmentor)
    for name, power in powers.items():
        assert found[name] == (pytest.approx(0.1 * 0.9**power), 0.05), name
    assert len(found) == len(list(segmentor.parameters()))
    assert {decay for name, (_, decay) in found.items() if name.endswith('.bias') or '.bn.' in name} == {0.0}
    assert (f'{count} is used' in said[1]) is bool(num_layers)


def test_mmsegs_older_constructor_and_its_name_for_the_rate(segmentor):
    cfg = config('LayerDecayOptimizerConstructor', layer_decay_rate=0.5, num_layers=21)
    use_repvgg_layers(cfg)
    assert rates(cfg, segmentor)['backbone.stage4.0.rbr_1x1.conv.weight'][0] == pytest.approx(0.05)


def test_a_classifier_and_a_fused_one():
    """Fused blocks have other parameters, of the same layers."""
    model = RepVGGClassifier(TINY, num_classes=3)
    cfg = config(model=dict(type='RepVGGClassifier', arch=TINY), decay_rate=0.5)
    use_repvgg_layers(cfg)
    found = rates(cfg, model)
    assert found['linear.weight'] == (0.1, 0.05) and found['linear.bias'] == (0.1, 0.0)
    fused = rates(cfg, repvgg_seg.reparameterize_model(model))
    assert fused['backbone.stage3.2.rbr_reparam.weight'] == found['backbone.stage3.2.rbr_dense.conv.weight']
    assert found['backbone.stage0.rbr_dense.conv.weight'][0] == pytest.approx(0.1 * 0.5**11), '1 + 2 + 2 + 5 + 1 layers'


def test_two_layers_with_a_shortcut_are_two_layers():
    """The shortcut goes with the first; nine layers behind the stem, and the linear layer is the tenth."""
    arch = dict(depths=(1, 2, 2, 4, 1), a=0.25, b=0.25)
    model = RepVGGClassifier(arch, num_classes=3, block='residual')
    found = rates(config('RepVGGLayerDecayConstructor', decay_rate=0.5), model)
    expected = {
        'stage3.1.layer2.rbr_dense': 8,
        'stage3.0.layer1.rbr_dense': 5,
        'stage3.0.shortcut.rbr_1x1': 5,
        'stage4.0.rbr_dense': 9,
    }
    for name, layer in expected.items():
        assert found[f'backbone.{name}.conv.weight'][0] == pytest.approx(0.1 * 0.5 ** (10 - layer)), name


def test_frozen_stages_are_left_out():
    model = MODELS.build(dict(SEGMENTOR, backbone=dict(BACKBONE, frozen_stages=1)))
    found = rates(config('RepVGGLayerDecayConstructor', decay_rate=0.9), model)
    assert not any(name.startswith(('backbone.stage0', 'backbone.stage1')) for name in found)
    assert found['backbone.stage2.0.rbr_dense.conv.weight'][0] == pytest.approx(0.1 * 0.9**19)


@pytest.mark.parametrize(
    'changes, message',
    [
        (dict(decay_type='layer'), "decay_type: got 'layer'; there are layer_wise and stage_wise"),
        (dict(decay_rate=None), 'decay_rate: got None; layer decay needs a positive number'),
        (dict(decay_rate=-1), 'decay_rate: got -1'),
        (dict(decay_rate='0.9'), "decay_rate: got '0.9'"),
        (
            dict(model=dict(type='EncoderDecoder', backbone=dict(type='ResNetV1c', depth=18))),
            'knows no layers of ResNetV1c for layer_wise decay: .*custom_keys',
        ),
        (dict(constructor='RepVGGLayerDecayConstructor'), 'the model has no|and this one has none'),
    ],
)
def test_wrong_settings(segmentor, changes, message):
    with pytest.raises(InputError, match=message):
        cfg = config(**dict(decay_rate=0.9) | changes)
        use_repvgg_layers(cfg)
        own = 'constructor' in changes
        build_optim_wrapper(segmentor.decode_head if own else segmentor, cfg.optim_wrapper)


def test_what_mmseg_knows_stays_with_it(said):
    convnext = dict(type='EncoderDecoder', backbone=dict(type='mmpretrain.ConvNeXt', arch='base'))
    for model in (convnext, dict(convnext, backbone=dict(type='BEiT')), dict(type='EncoderDecoder')):
        cfg = config(model=model, decay_rate=0.9, num_layers=12)
        before = cfg.copy()
        try:
            use_repvgg_layers(cfg)
        except InputError as error:
            assert "no model has the name 'mmpretrain.ConvNeXt'" in str(error)  # mmpretrain is not installed
        assert cfg.to_dict() == before.to_dict() and said == []
    other = config(constructor='ForceDefaultOptimWrapperConstructor')
    use_repvgg_layers(other)
    assert other.optim_wrapper.constructor == 'ForceDefaultOptimWrapperConstructor'
