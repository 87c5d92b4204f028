"""Weights of every family, in every form and wrapper, into every model."""

import pytest
import torch
from helpers import randomise_bn, relative_error
from mmengine.runner import load_checkpoint
from mmseg.models import SegTTAModel
from mmseg.registry import MODELS
from tiny import TINY as TINY_SEGMENTOR_ARCH
from weight_files import LIMIT, TINY, classifier, prefixed, pretrained, segmentor, tensors, written_by

from repvgg_seg import RepVGG, RepVGGClassifier, load_weights, reparameterize_model
from repvgg_seg.errors import InputError
from repvgg_seg.models.archs import ARCHS
from repvgg_seg.weight_names import FAMILIES
from repvgg_seg.weights.read import read_checkpoint
from repvgg_seg.weights.write import write_checkpoint

# The names of the weights depend on three things of an architecture: one of each kind, a quarter as wide as B0.
KINDS = {(arch.depths, arch.groups, arch.se): dict(a=0.25, b=0.25) for arch in ARCHS.values() if not arch.post_se}
KINDS = [dict(zip(('depths', 'groups', 'se'), kind, strict=True), **widths) for kind, widths in KINDS.items()]


@pytest.mark.slow
@pytest.mark.parametrize('arch', ['A0', *KINDS], ids=str)
@torch.no_grad()
def test_every_family_and_form_gives_the_same_logits(arch):
    model = classifier(arch)
    fused = reparameterize_model(model)
    image = torch.randn(1, 3, 32, 32)
    logits = model(image)
    with torch.device('meta'):
        into_training, into_deploy = RepVGGClassifier(arch).eval(), RepVGGClassifier(arch, deploy=True).eval()
    for family in ('official', 'timm', 'mmpretrain'):
        into_training.load_state_dict(written_by(model, family), assign=True)
        assert torch.equal(into_training(image), logits), family
        into_deploy.load_state_dict(written_by(fused, family), assign=True)
        assert relative_error(into_deploy(image), logits) < LIMIT, family


@pytest.mark.parametrize('arch', [TINY, dict(TINY, se=True)], ids=['groups', 'se'])
@torch.no_grad()
def test_training_forms_are_fused_into_deploy_forms(arch):
    model, into = classifier(arch), RepVGGClassifier(arch, deploy=True).eval()
    image = torch.randn(1, 3, 64, 64)
    for family in FAMILIES:
        into.load_state_dict(written_by(model, family))
        assert relative_error(into(image), model(image)) < LIMIT, family


@pytest.mark.parametrize('family', FAMILIES)
@pytest.mark.parametrize('last', [None, 5], ids=['full', 'fast'])
@torch.no_grad()
def test_classifier_weights_in_a_dilated_body(family, last):
    """By the official rule: strides of the last two stages 1, their 3x3 convs dilated by 2 and 4; fast, the last five."""
    plain = randomise_bn(RepVGG(TINY)).eval()
    dilated = RepVGG(TINY, output_stride=8, dilate_last=last).eval()
    dilated.load_state_dict(written_by(plain, family))
    blocks = [(block, 2) for block in plain.stage3] + [(block, 4) for block in plain.stage4]
    for block, dilation in blocks:
        block.rbr_dense.conv.stride = block.rbr_1x1.conv.stride = (1, 1)
        if last is None or (block, dilation) in blocks[-last:]:
            block.rbr_dense.conv.dilation = block.rbr_dense.conv.padding = (dilation, dilation)
    image = torch.randn(1, 3, 65, 97)
    fused = RepVGG(TINY, output_stride=8, dilate_last=last, deploy=True).eval()
    fused.load_state_dict(dilated.state_dict())
    for expected, found, found_fused in zip(plain(image), dilated(image), fused(image), strict=True):
        assert torch.equal(found, expected)
        assert relative_error(found_fused, expected) < LIMIT


WRAPPERS = dict(
    bare=lambda s: s,
    module=lambda s: prefixed(s, 'module.'),
    state_dict=lambda s: dict(state_dict=s, epoch=3, arch='x'),
    model=lambda s: dict(model=s, optimizer=dict(state={}, param_groups=[])),
    ema=lambda s: dict(model={name: tensor + 1 for name, tensor in s.items()}, ema=s, epoch=3),
    timm_ema=lambda s: dict(state_dict={name: tensor + 1 for name, tensor in s.items()}, state_dict_ema=s),
    module_in_state_dict=lambda s: dict(state_dict=prefixed(s, 'module.')),
    lightning=lambda s: dict(state_dict=prefixed(s, 'model.')),
    twice=lambda s: dict(model=dict(state_dict=prefixed(s, 'module.'))),
    tutorial=lambda s: dict(model_state_dict=s, optimizer_state_dict=dict(state={}), epoch=3),
    deepspeed=lambda s: dict(module=s, dp_world_size=2),
    compiled=lambda s: prefixed(s, '_orig_mod.'),
    compiled_in_ddp=lambda s: prefixed(s, 'module._orig_mod.'),
    ddp_in_compiled=lambda s: dict(state_dict=prefixed(s, 'model._orig_mod.module.')),
    averaged=lambda s: prefixed(s, 'module.') | dict(n_averaged=torch.tensor(7)),
    averaged_by_mmengine=lambda s: dict(state_dict=prefixed(s, 'module.') | dict(steps=torch.tensor(7))),
    averaged_inside=lambda s: prefixed(s, 'net.module.') | {'net.n_averaged': torch.tensor(7)},
    no_counters=lambda s: {name: tensor for name, tensor in s.items() if 'num_batches_tracked' not in name},
)


@pytest.mark.slow
@pytest.mark.parametrize('family', FAMILIES)
@pytest.mark.parametrize('wrapper', WRAPPERS)
@torch.no_grad()
def test_wrappers_of_files(tiny, family, wrapper, tmp_path):
    model, fused, image, logits = tiny
    for source, suffix in ((model, '.pth'), (fused, '.pth')):
        path = tmp_path / f'{family}{suffix}'
        torch.save(WRAPPERS[wrapper](tensors(written_by(source, family))), path)
        loaded = RepVGGClassifier(TINY, num_classes=10).eval()
        load_weights(loaded, path)
        assert relative_error(loaded(image), logits) < LIMIT
        backbone = RepVGG(TINY, out_indices=(3,)).eval()
        load_weights(backbone, path)
        assert torch.equal(backbone(image)[0], loaded.backbone(image)[0])


@pytest.mark.parametrize('form', ['training', 'fused'])
@pytest.mark.parametrize(
    'prefix',
    [
        '',
        'module.',
        '_orig_mod.',
        'model.',
        'encoder.',
        'backbone.',
        'encoder.model.',
        'module.model.encoder._orig_mod.',
    ],
)
@torch.no_grad()
def test_timms_features_only(tiny, form, prefix, tmp_path):
    """`stages_0` in place of `stages.0` and no head; also as the encoder of a network with a decoder of its own."""
    model, fused, image, _ = tiny
    state = written_by(fused if form == 'fused' else model, 'timm')
    state = {name.replace('stages.', 'stages_'): t for name, t in state.items() if not name.startswith('head.')}
    torch.save(
        prefixed(state, prefix) | ({'decoder.weight': torch.ones(1)} if 'encoder' in prefix else {}), tmp_path / 'x.pth'
    )
    expected = model.backbone(image)[0]
    loaded = RepVGG(TINY, out_indices=(3,)).eval()
    load_weights(loaded, tmp_path / 'x.pth')
    assert relative_error(loaded(image)[0], expected) < LIMIT
    built_fused = RepVGG(TINY, out_indices=(3,), deploy=True, init_cfg=pretrained(tmp_path / 'x.pth')).eval()
    built_fused.init_weights()
    assert relative_error(built_fused(image)[0], expected) < LIMIT


@torch.no_grad()
def test_half_precision_is_fused_in_full_precision(tiny):
    """A file in half precision gives the fused form what it gives the training form."""
    half = {name: t.half() if t.is_floating_point() else t for name, t in tiny[0].state_dict().items()}
    plain, fused = (RepVGGClassifier(TINY, num_classes=10, deploy=deploy).eval() for deploy in (False, True))
    for model in (plain, fused):
        model.load_state_dict(half)
    assert relative_error(fused(tiny[2]), plain(tiny[2])) < LIMIT


@pytest.mark.parametrize('prefix', ['', 'module.', 'model.', 'model._orig_mod.'])
def test_wrappers_of_other_networks(prefix, tmp_path):
    resnet = dict(type='ResNet', depth=18, base_channels=8, stem_channels=8, norm_cfg=dict(type='BN'))
    model, loaded = torch.nn.Sequential(MODELS.build(resnet)), torch.nn.Sequential(MODELS.build(resnet))
    torch.save(prefixed(model.state_dict(), prefix), tmp_path / 'x.pth')
    load_weights(loaded, tmp_path / 'x.pth')
    assert all(torch.equal(tensor, loaded.state_dict()[name]) for name, tensor in model.state_dict().items())


@pytest.mark.parametrize('family', ['official', 'timm'])
@torch.no_grad()
def test_safetensors(tiny, family, tmp_path):
    model, _, image, logits = tiny
    write_checkpoint(written_by(model, family), tmp_path / 'weights.safetensors')
    loaded = RepVGGClassifier(TINY, num_classes=10, init_cfg=pretrained(tmp_path / 'weights.safetensors')).eval()
    loaded.init_weights()
    assert torch.equal(loaded(image), logits)


def test_older_files_without_batch_counters(tiny):
    model, _, image, logits = tiny
    state = {name: t for name, t in model.state_dict().items() if 'num_batches_tracked' not in name}
    loaded = RepVGGClassifier(TINY, num_classes=10).eval()
    loaded.load_state_dict(state)
    assert torch.equal(loaded(image), logits)


@pytest.mark.parametrize('family', FAMILIES)
def test_pretrained_init_cfg(tiny, files, family):
    wanted = tiny[0].backbone.state_dict()
    backbone = RepVGG(TINY, init_cfg=pretrained(files[family, 'training']))
    backbone.init_weights()
    assert all(torch.equal(tensor, wanted[name]) for name, tensor in backbone.state_dict().items())
    deploy = RepVGG(TINY, deploy=True, init_cfg=pretrained(files[family, 'deploy']))
    deploy.init_weights()
    fused = tiny[1].backbone.state_dict()
    assert all(torch.equal(tensor, fused[name]) for name, tensor in deploy.state_dict().items())
    with pytest.raises(InputError, match='fused and cannot be taken apart'):
        RepVGG(TINY, init_cfg=pretrained(files[family, 'deploy'])).init_weights()


@pytest.mark.parametrize('load', [lambda m, f: m.load_state_dict(read_checkpoint(f)), load_checkpoint, load_weights])
@pytest.mark.parametrize('family', FAMILIES)
def test_other_ways_in(tiny, files, load, family):
    for deploy, form in ((False, 'training'), (True, 'training'), (True, 'deploy')):
        model = RepVGGClassifier(TINY, num_classes=10, deploy=deploy).eval()
        load(model, str(files[family, form]))
        assert relative_error(model(tiny[2]), tiny[3]) < LIMIT


def test_fused_file_into_a_training_form(tiny, files):
    for load in (lambda m, f: m.load_state_dict(read_checkpoint(f)), load_checkpoint):
        model = RepVGGClassifier(TINY, num_classes=10)
        with pytest.raises(InputError, match='cannot be taken apart again: .*deploy=True'):
            load(model, str(files['timm', 'deploy']))
    load_weights(model.eval(), files['timm', 'deploy'])
    assert relative_error(model(tiny[2]), tiny[3]) < LIMIT


@pytest.fixture
def image():
    return torch.randn(1, 3, 64, 64)


@pytest.mark.slow
def test_a_segmentors_checkpoint_for_evaluation(scenes, tmp_path, image):
    trained = segmentor(scenes)
    path, fused_path = str(tmp_path / 'trained.pth'), str(tmp_path / 'fused.pth')
    torch.save(dict(meta={}, state_dict=trained.state_dict()), path)
    torch.save(dict(meta={}, state_dict=reparameterize_model(trained).state_dict()), fused_path)
    expected = trained(image)
    for file in (path, fused_path):
        for deploy in (False, True):
            model = segmentor(scenes, model__backbone__deploy=deploy)
            load_weights(model, file)
            assert relative_error(model(image), expected) < LIMIT
    wrapped = SegTTAModel(module=segmentor(scenes))
    load_weights(wrapped, path)
    assert torch.equal(wrapped.module(image), expected)


def test_what_only_training_uses_may_be_missing_or_left_over(scenes, tmp_path, image, caplog):
    trained = segmentor(scenes)
    state = trained.state_dict()
    torch.save(state, tmp_path / 'all.pth')
    torch.save({k: v for k, v in state.items() if not k.startswith('auxiliary')}, tmp_path / 'no_aux.pth')
    without = segmentor(scenes)
    del without.auxiliary_head
    for model, file in ((without, 'all.pth'), (segmentor(scenes), 'no_aux.pth')):
        load_weights(model, tmp_path / file)
        assert torch.equal(model(image), trained(image))


def test_a_segmentors_checkpoint_gives_its_backbone(scenes, tmp_path):
    trained = segmentor(scenes)
    torch.save(dict(state_dict=trained.state_dict()), tmp_path / 'trained.pth')
    backbone = RepVGG(TINY_SEGMENTOR_ARCH, init_cfg=pretrained(tmp_path / 'trained.pth'))
    backbone.init_weights()
    wanted = trained.backbone.state_dict()
    assert all(torch.equal(tensor, wanted[name]) for name, tensor in backbone.state_dict().items())


def test_a_model_without_repvgg_is_loaded_strictly_too(tmp_path):
    cfg = dict(
        type='EncoderDecoder',
        backbone=dict(type='ResNetV1c', depth=18, base_channels=8, stem_channels=8, norm_cfg=dict(type='BN')),
        decode_head=dict(type='FCNHead', in_channels=64, channels=4, num_classes=3, num_convs=1),
    )
    trained, model = (randomise_bn(MODELS.build(cfg)).eval() for _ in range(2))
    state = trained.state_dict()
    torch.save(dict(state_dict=prefixed(state, 'module.')), tmp_path / 'resnet.pth')
    load_weights(model, tmp_path / 'resnet.pth')
    image = torch.randn(1, 3, 64, 64)
    assert torch.equal(model(image), trained(image))

    torch.save({k: v for k, v in state.items() if 'layer3.1' not in k}, tmp_path / 'less.pth')
    with pytest.raises(InputError, match='missing: backbone.layer3.1'):
        load_weights(model, tmp_path / 'less.pth')
    torch.save({k: v for k, v in state.items() if 'conv_seg' not in k}, tmp_path / 'less.pth')
    with pytest.raises(InputError, match='2 missing: decode_head.conv_seg'):
        load_weights(model, tmp_path / 'less.pth')
    torch.save(classifier('A0').state_dict(), tmp_path / 'a0.pth')
    with pytest.raises(InputError, match='is a RepVGG-A0, the config says ResNet-18'):
        load_weights(model, tmp_path / 'a0.pth')


def test_a_segmentors_checkpoint_is_no_classifier_and_back(scenes, tmp_path):
    trained = segmentor(scenes)
    with pytest.raises(InputError, match='2 missing: linear.weight, linear.bias; .* unexpected: decode_head'):
        RepVGGClassifier(TINY_SEGMENTOR_ARCH).load_state_dict(trained.state_dict())
    torch.save(classifier(TINY_SEGMENTOR_ARCH).state_dict(), tmp_path / 'c.pth')
    with pytest.raises(InputError, match=r'c\.pth: this checkpoint holds a backbone and none of the heads'):
        load_weights(trained, tmp_path / 'c.pth')
