"""Weights of every family, in every form and wrapper, into every model, from every way in; and what is refused."""

import hashlib
import json
import os
import pickle
import resource
from pathlib import Path

import numpy as np
import pytest
import torch
from helpers import randomise_bn, relative_error
from mmengine.config import Config
from mmengine.logging import HistoryBuffer
from mmengine.runner import Runner, load_checkpoint
from mmseg.models import SegTTAModel
from mmseg.registry import MODELS
from tiny import TINY as TINY_SEGMENTOR_ARCH
from tiny import tiny_config

from repvgg_seg import RepVGG, RepVGGClassifier, load_weights, reparameterize_model
from repvgg_seg.errors import InputError
from repvgg_seg.models.archs import ARCHS, ArchSpec, arch_name, get_arch
from repvgg_seg.models.state import recognise_arch
from repvgg_seg.weight_names import FAMILIES, sort_out, to_checkpoint
from repvgg_seg.weights.published import KNOWN_WEIGHTS, missing_weights_message
from repvgg_seg.weights.read import read_checkpoint
from repvgg_seg.weights.stored_config import stored_config
from repvgg_seg.weights.write import write_checkpoint

TINY = dict(depths=(1, 2, 2, 5, 1), a=0.25, b=0.25, groups=2)
LIMIT = 1e-5
PEERS = json.loads((Path(__file__).parents[1] / 'data' / 'peer_names.json').read_text())


def classifier(arch=TINY, deploy=False, **kwargs):
    return randomise_bn(RepVGGClassifier(arch, deploy=deploy, **kwargs)).eval()


def written_by(model, family):
    """What a family would have written of the weights of one of our models."""
    return to_checkpoint(sort_out(model.state_dict()), family)


def tensors(checkpoint):
    return checkpoint.get('state_dict', checkpoint)


@pytest.fixture(scope='module')
def tiny():
    """A classifier, its fused copy, an image and the logits."""
    torch.manual_seed(0)
    model = classifier(num_classes=10)
    image = torch.randn(2, 3, 64, 64)
    return model, reparameterize_model(model), image, model(image).detach()


# The names of the families


@pytest.mark.parametrize(
    'ours, timm, mmpretrain',
    [
        ('stage0.rbr_dense.conv.weight', 'stem.conv_kxk.conv.weight', 'backbone.stem.branch_3x3.conv.weight'),
        ('stage0.rbr_reparam.bias', 'stem.reparam_conv.bias', 'backbone.stem.branch_reparam.bias'),
        ('stage1.1.rbr_dense.bn.weight', 'stages.0.1.conv_kxk.bn.weight', 'backbone.stage_1.1.branch_3x3.norm.weight'),
        ('stage2.0.rbr_1x1.conv.weight', 'stages.1.0.conv_1x1.conv.weight', 'backbone.stage_2.0.branch_1x1.conv.weight'),
        ('stage3.13.rbr_1x1.bn.bias', 'stages.2.13.conv_1x1.bn.bias', 'backbone.stage_3.13.branch_1x1.norm.bias'),
        ('stage3.9.rbr_identity.running_var', 'stages.2.9.identity.running_var', 'backbone.stage_3.9.branch_norm.running_var'),
        ('stage4.0.se.down.weight', 'stages.3.0.attn.fc1.weight', 'backbone.stage_4.0.se_layer.conv1.conv.weight'),
        ('stage4.0.se.up.bias', 'stages.3.0.attn.fc2.bias', 'backbone.stage_4.0.se_layer.conv2.conv.bias'),
        ('linear.weight', 'head.fc.weight', 'head.fc.weight'),
    ],
)  # fmt: skip
def test_names(ours, timm, mmpretrain):
    expected = dict(official=ours, timm=timm, mmpretrain=mmpretrain)
    expected['ours'] = ours if ours.startswith('linear') else f'backbone.{ours}'
    for name, family in FAMILIES.items():
        assert family.from_official(ours) == expected[name]
        if not ours.startswith('linear'):
            assert family.to_official(expected[name].removeprefix('backbone.')) == ours


@pytest.mark.parametrize('arch', ARCHS)
@pytest.mark.parametrize('form', ['training', 'deploy'])
def test_names_and_shapes_are_the_peers(arch, form):
    """The sums were taken of what each family's own code writes, over the sorted lines 'name shape'."""
    with torch.device('meta'):
        model = RepVGGClassifier(arch, deploy=form == 'deploy')
    for family in ('official', 'timm', 'mmpretrain'):
        state = tensors(written_by(model, family))
        lines = ''.join(sorted(f'{name} {tuple(tensor.shape)}\n' for name, tensor in state.items()))
        assert hashlib.sha256(lines.encode()).hexdigest()[:16] == PEERS[arch][family][form == 'deploy'], family


# Families and forms


@pytest.mark.parametrize('arch', ARCHS)
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
def test_round_trip_is_bit_for_bit(tiny, family):
    for model in tiny[:2]:
        there = written_by(model, family)
        back = to_checkpoint(sort_out(there), 'ours')['state_dict']
        assert back.keys() == model.state_dict().keys()
        assert all(torch.equal(back[name], tensor) for name, tensor in model.state_dict().items())


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


# Wrappers and files


def _prefixed(state, prefix):
    return {prefix + name: tensor for name, tensor in state.items()}


WRAPPERS = dict(
    bare=lambda s: s,
    module=lambda s: _prefixed(s, 'module.'),
    state_dict=lambda s: dict(state_dict=s, epoch=3, arch='x'),
    model=lambda s: dict(model=s, optimizer=dict(state={}, param_groups=[])),
    ema=lambda s: dict(model={name: tensor + 1 for name, tensor in s.items()}, ema=s, epoch=3),
    timm_ema=lambda s: dict(state_dict={name: tensor + 1 for name, tensor in s.items()}, state_dict_ema=s),
    module_in_state_dict=lambda s: dict(state_dict=_prefixed(s, 'module.')),
    lightning=lambda s: dict(state_dict=_prefixed(s, 'model.')),
    twice=lambda s: dict(model=dict(state_dict=_prefixed(s, 'module.'))),
)


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


@pytest.mark.parametrize('family', ['official', 'timm'])
@torch.no_grad()
def test_safetensors(tiny, family, tmp_path):
    model, _, image, logits = tiny
    write_checkpoint(written_by(model, family), tmp_path / 'weights.safetensors')
    loaded = RepVGGClassifier(TINY, num_classes=10, init_cfg=_pretrained(tmp_path / 'weights.safetensors')).eval()
    loaded.init_weights()
    assert torch.equal(loaded(image), logits)


def test_older_files_without_batch_counters(tiny):
    model, _, image, logits = tiny
    state = {name: t for name, t in model.state_dict().items() if 'num_batches_tracked' not in name}
    loaded = RepVGGClassifier(TINY, num_classes=10).eval()
    loaded.load_state_dict(state)
    assert torch.equal(loaded(image), logits)


def test_mmengine_checkpoints_are_read_safely(tmp_path):
    history = HistoryBuffer()
    history.update(2.5)
    optimizer = torch.optim.SGD([torch.nn.Parameter(torch.ones(2))], lr=0.1, momentum=0.9)
    checkpoint = dict(
        meta=dict(seed=1, epoch=np.int64(3), dataset_meta=dict(classes=('road',), palette=[[1, 2, 3]])),
        message_hub=dict(log_scalars={'train/loss': history}, runtime_info=dict(lr=np.float64(0.5), x=np.arange(3))),
        optimizer=optimizer.state_dict(),
        state_dict=dict(weight=torch.ones(2)),
    )
    torch.save(checkpoint, tmp_path / 'epoch_1.pth')
    read = read_checkpoint(tmp_path / 'epoch_1.pth')
    assert read['message_hub']['log_scalars']['train/loss'].mean() == 2.5
    assert read['meta']['epoch'] == 3


# Ways in


def _pretrained(path):
    return dict(type='Pretrained', checkpoint=str(path))


@pytest.fixture
def files(tiny, tmp_path):
    """A file of every family and form, by name."""
    paths = {}
    for model, form in zip(tiny[:2], ('training', 'deploy'), strict=True):
        for family in FAMILIES:
            paths[family, form] = tmp_path / f'{family}-{form}.pth'
            torch.save(written_by(model, family), paths[family, form])
    return paths


@pytest.mark.parametrize('family', FAMILIES)
def test_pretrained_init_cfg(tiny, files, family):
    wanted = tiny[0].backbone.state_dict()
    backbone = RepVGG(TINY, init_cfg=_pretrained(files[family, 'training']))
    backbone.init_weights()
    assert all(torch.equal(tensor, wanted[name]) for name, tensor in backbone.state_dict().items())
    deploy = RepVGG(TINY, deploy=True, init_cfg=_pretrained(files[family, 'deploy']))
    deploy.init_weights()
    fused = tiny[1].backbone.state_dict()
    assert all(torch.equal(tensor, fused[name]) for name, tensor in deploy.state_dict().items())
    with pytest.raises(InputError, match='fused and cannot be taken apart'):
        RepVGG(TINY, init_cfg=_pretrained(files[family, 'deploy'])).init_weights()


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


def segmentor(scenes, **options):
    cfg = tiny_config(scenes, 'unused', **options)
    return randomise_bn(MODELS.build(cfg.model)).eval()


@pytest.fixture
def image():
    return torch.randn(1, 3, 64, 64)


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
    backbone = RepVGG(TINY_SEGMENTOR_ARCH, init_cfg=_pretrained(tmp_path / 'trained.pth'))
    backbone.init_weights()
    wanted = trained.backbone.state_dict()
    assert all(torch.equal(tensor, wanted[name]) for name, tensor in backbone.state_dict().items())


@pytest.mark.parametrize('family', FAMILIES)
def test_load_from_takes_a_classifiers_file(scenes, tmp_path, family):
    model = classifier(TINY_SEGMENTOR_ARCH, num_classes=10)
    torch.save(written_by(model, family), tmp_path / 'classifier.pth')
    cfg = tiny_config(scenes, tmp_path, load_from=str(tmp_path / 'classifier.pth'))
    runner = Runner.from_cfg(cfg)
    runner.load_or_resume()
    wanted = model.backbone.state_dict()
    for name, tensor in runner.model.backbone.state_dict().items():
        assert torch.equal(tensor, wanted[name])


def test_load_from_refuses_what_it_cannot_account_for(scenes, tmp_path):
    state = segmentor(scenes).state_dict()
    del state['backbone.stage2.0.rbr_1x1.bn.weight']
    torch.save(dict(state_dict=state), tmp_path / 'x.pth')
    runner = Runner.from_cfg(tiny_config(scenes, tmp_path, load_from=str(tmp_path / 'x.pth')))
    with pytest.raises(InputError, match=r'1 missing: stage2.0.rbr_1x1.bn.weight'):
        runner.load_or_resume()


@pytest.mark.parametrize('left', ['nothing', 'meta', 'optimizer'])
@pytest.mark.parametrize('auto', [False, True], ids=['named', 'latest'])
def test_a_resume_without_training_state(scenes, tmp_path, left, auto):
    path = tmp_path / 'x.pth'
    state = dict(
        meta=dict(epoch=0, iter=2), message_hub={}, optimizer=dict(state={}), state_dict=segmentor(scenes).state_dict()
    )
    torch.save({key: value for key, value in state.items() if key in ('state_dict', left)}, path)
    (tmp_path / 'last_checkpoint').write_text(str(path))
    cfg = tiny_config(scenes, tmp_path, load_from=None if auto else str(path), resume=True)
    with pytest.raises(InputError, match=rf'{path}: no training state .*--cfg-options load_from={path}'):
        Runner.from_cfg(cfg).load_or_resume()


def test_a_model_without_repvgg_is_loaded_strictly_too(tmp_path):
    cfg = dict(
        type='EncoderDecoder',
        backbone=dict(type='ResNetV1c', depth=18, base_channels=8, stem_channels=8, norm_cfg=dict(type='BN')),
        decode_head=dict(type='FCNHead', in_channels=64, channels=4, num_classes=3, num_convs=1),
    )
    trained, model = (randomise_bn(MODELS.build(cfg)).eval() for _ in range(2))
    state = trained.state_dict()
    torch.save(dict(state_dict=_prefixed(state, 'module.')), tmp_path / 'resnet.pth')
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


# Strictness


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
    state = change(tensors(written_by(tiny[0], 'official')))
    for model in (RepVGG(TINY, deploy=deploy), RepVGGClassifier(TINY, num_classes=10, deploy=deploy)):
        before = {name: tensor.clone() for name, tensor in model.state_dict().items()}
        with pytest.raises(InputError, match=message):
            model.load_state_dict(state, strict=False)
        assert all(torch.equal(tensor, before[name]) for name, tensor in model.state_dict().items())


def test_the_linear_layer_is_accounted_for(tiny, tmp_path):
    state = tiny[0].state_dict()
    with pytest.raises(InputError, match=r'linear.weight \(10, 128\) in place of \(7, 128\)'):
        RepVGGClassifier(TINY, num_classes=7).load_state_dict(state)
    with pytest.raises(InputError, match='1 missing: linear.bias'):
        RepVGGClassifier(TINY, num_classes=10).load_state_dict(_without(state, 'linear.bias'))


def test_a_segmentors_checkpoint_is_no_classifier_and_back(scenes, tmp_path):
    trained = segmentor(scenes)
    with pytest.raises(InputError, match='2 missing: linear.weight, linear.bias; .* unexpected: decode_head'):
        RepVGGClassifier(TINY_SEGMENTOR_ARCH).load_state_dict(trained.state_dict())
    torch.save(classifier(TINY_SEGMENTOR_ARCH).state_dict(), tmp_path / 'c.pth')
    with pytest.raises(InputError, match=r'c\.pth: this checkpoint holds a backbone and none of the heads'):
        load_weights(trained, tmp_path / 'c.pth')


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
            RepVGG('A0').load_state_dict(_prefixed(state, prefix))


def test_two_networks_in_one_checkpoint(tiny):
    state = tensors(written_by(tiny[0], 'official'))
    with pytest.raises(InputError, match="several RepVGGs, under 'student.', 'teacher.'"):
        RepVGG(TINY).load_state_dict(_prefixed(state, 'teacher.') | _prefixed(state, 'student.'))


# Bad files


class Malicious:
    def __init__(self, trace):
        self.trace = trace

    def __reduce__(self):
        return os.mkdir, (str(self.trace),)


class Sneaky(Malicious):
    """Asks for `getattr`, which mmengine's logs need too; with the whole of it every builtin can be reached."""

    def __reduce__(self):
        return getattr, (getattr, '__self__')


@pytest.mark.parametrize('kind', [Malicious, Sneaky])
@pytest.mark.parametrize('zipped', [True, False], ids=['zip', 'legacy'])
def test_a_pickle_that_runs_code(kind, zipped, scenes, tmp_path):
    path, trace = tmp_path / 'x.pth', tmp_path / 'ran'
    torch.save(dict(state_dict=dict(a=kind(trace))), path, _use_new_zipfile_serialization=zipped)
    ways = (
        lambda: read_checkpoint(path),
        lambda: load_weights(RepVGG(TINY), path),
        lambda: RepVGG(TINY, init_cfg=_pretrained(path)).init_weights(),
        lambda: load_checkpoint(RepVGG(TINY), str(path)),
        lambda: Runner.from_cfg(tiny_config(scenes, tmp_path / 'work', load_from=str(path))).load_or_resume(),
        lambda: Runner.from_cfg(
            tiny_config(scenes, tmp_path / 'work', load_from=str(path), resume=True)
        ).load_or_resume(),
    )
    for way in ways:
        with pytest.raises(InputError, match=r'x\.pth holds more than tensors: reading it would run .*--trust'):
            way()
        assert not trace.exists()


@pytest.mark.parametrize('way', [lambda p: read_checkpoint(p, trust=True), lambda p: read_checkpoint(f'trusted://{p}')])
def test_trust(way, tmp_path):
    torch.save(dict(a=Malicious(tmp_path / 'ran')), tmp_path / 'x.pth')
    way(tmp_path / 'x.pth')
    assert (tmp_path / 'ran').exists()


def test_trust_in_an_init_cfg(tiny, tmp_path):
    torch.save(dict(state_dict=tiny[0].state_dict(), extra=Malicious(tmp_path / 'ran')), tmp_path / 'x.pth')
    RepVGG(TINY, init_cfg=_pretrained(f'trusted://{tmp_path}/x.pth')).init_weights()
    assert (tmp_path / 'ran').exists()


def test_a_raw_pickle_runs_nothing(tmp_path):
    for protocol in (0, 2, 4):
        (tmp_path / 'x.pkl').write_bytes(pickle.dumps(Malicious(tmp_path / 'ran'), protocol))
        with pytest.raises(InputError):
            read_checkpoint(tmp_path / 'x.pkl')
    assert not (tmp_path / 'ran').exists()


@pytest.mark.parametrize('zipped', [True, False], ids=['zip', 'legacy'])
@pytest.mark.parametrize('kept', [0.001, 0.1, 0.5, 0.99])
def test_a_truncated_file(tiny, tmp_path, zipped, kept):
    path = tmp_path / 'x.pth'
    torch.save(tiny[0].state_dict(), path, _use_new_zipfile_serialization=zipped)
    whole = path.read_bytes()
    path.write_bytes(whole[: int(len(whole) * kept)])
    for trust in (False, True):
        with pytest.raises(InputError, match='x.pth is no checkpoint, or a truncated one'):
            read_checkpoint(path, trust=trust)


def test_a_truncated_safetensors_file(tiny, tmp_path):
    path = tmp_path / 'x.safetensors'
    write_checkpoint(tiny[0].state_dict(), path)
    path.write_bytes(path.read_bytes()[:-100])
    with pytest.raises(InputError, match='is no safetensors file, or a truncated one'):
        read_checkpoint(path)


@pytest.mark.parametrize(
    'content, message',
    [
        (b'', r'is empty \(0 bytes\)'),
        (
            b'version https://git-lfs.github.com/spec/v1\noid sha256:4d7a\nsize 12345\n',
            'Git LFS pointer .*git lfs pull',
        ),
        (b'\n<!DOCTYPE html><html><body>Too many downloads', 'is a web page'),
        (b'\x00\x01\x02 not a checkpoint at all' * 20, 'is no checkpoint'),
    ],
)
def test_what_is_no_checkpoint(tmp_path, content, message):
    (tmp_path / 'x.pth').write_bytes(content)
    with pytest.raises(InputError, match=message):
        read_checkpoint(tmp_path / 'x.pth')


@pytest.mark.parametrize(
    'value, message', [({}, 'empty dict'), (torch.ones(2), 'holds a Tensor'), ([1, 2], 'holds a list')]
)
def test_what_holds_no_weights(tmp_path, value, message):
    torch.save(value, tmp_path / 'x.pth')
    with pytest.raises(InputError, match=message):
        read_checkpoint(tmp_path / 'x.pth')


def test_no_read_permission(tmp_path, monkeypatch):
    path = tmp_path / 'x.pth'
    torch.save(dict(a=torch.ones(1)), path)
    if os.geteuid() == 0:  # to whom every file is readable
        monkeypatch.setattr('builtins.open', _denied)
    path.chmod(0)
    with pytest.raises(InputError, match='cannot read .*Permission denied'):
        read_checkpoint(path)


def _denied(path, *args):
    raise PermissionError(13, 'Permission denied', str(path))


def test_a_folder(tmp_path):
    with pytest.raises(InputError, match='cannot read .*Is a directory'):
        read_checkpoint(tmp_path)


# Missing files


@pytest.mark.parametrize('known', KNOWN_WEIGHTS, ids=lambda known: known.name)
def test_message_for_known_weights(known):
    message = missing_weights_message(f'pretrained/{known.file}')
    assert '\n' not in message and message.startswith(f'no file pretrained/{known.file}: ')
    assert '--cfg-options model.backbone.init_cfg=None' in message
    if known.url:
        assert f'python tools/download_weights.py {known.name}`' in message and known.url in message
    else:
        assert known.sha256 in message and 'no stable address' in message


def test_message_names_other_weights_of_the_architecture():
    message = missing_weights_message('pretrained/RepVGG-B2-train.pth')
    assert 'download_weights.py repvgg-B2_8xb32_in1k`' in message
    assert 'download_weights.py repvgg_b2.rvgg_in1k`' in message
    assert '--cfg-options model.backbone.init_cfg.checkpoint=' in message
    assert 'download_weights.py --list' in missing_weights_message('pretrained/else.pth')


def test_message_for_a_checkpoint_of_ones_own(tmp_path):
    path = str(tmp_path / 'work' / 'iter_9.pth')
    assert missing_weights_message(path) == f'no file {path}: there is no folder {tmp_path}/work'
    (tmp_path / 'work').mkdir()
    (tmp_path / 'work' / 'log.txt').touch()
    assert missing_weights_message(path) == f'no file {path}: no .pth file lies in {tmp_path}/work'
    for i in range(5):
        (tmp_path / 'work' / f'iter_{i}.pth').touch()
    there = 'iter_0.pth, iter_1.pth, iter_2.pth, iter_3.pth, ... (1 more)'
    assert missing_weights_message(path) == f'no file {path}: in {tmp_path}/work lie {there}'
    with pytest.raises(InputError, match=r'work lie iter_0\.pth'):
        load_weights(RepVGG(TINY), path)
    assert f'no .pth file lies in {tmp_path}' in missing_weights_message(str(tmp_path / 'no.pth'))


def test_the_list_of_known_weights():
    names = [known.name for known in KNOWN_WEIGHTS]
    assert len(set(names)) == len(names) == len({known.file for known in KNOWN_WEIGHTS})
    for known in KNOWN_WEIGHTS:
        assert known.arch in ARCHS or known.arch.startswith('ResNet')
        assert known.url or (known.size and len(known.sha256) == 64)


def test_a_missing_file_by_every_way(scenes, tmp_path):
    gone = str(tmp_path / 'RepVGG-A0-train.pth')
    for way in (
        lambda: load_weights(RepVGG(TINY), gone),
        lambda: RepVGG(TINY, init_cfg=_pretrained(gone)).init_weights(),
        lambda: Runner.from_cfg(tiny_config(scenes, tmp_path, load_from=gone)).load_or_resume(),
    ):
        with pytest.raises(InputError, match='no file .*RepVGG-A0-train.pth: take'):
            way()


# Writing


def test_a_full_disk_leaves_the_old_file(tmp_path):
    """A limit on the size of files stands for the end of the disk: the write fails in the middle, in the system."""
    for name in ('x.pth', 'x.safetensors'):
        path = tmp_path / name
        write_checkpoint(dict(a=torch.ones(3)), path)
        before = path.read_bytes()
        soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
        resource.setrlimit(resource.RLIMIT_FSIZE, (100_000, hard))
        try:
            with pytest.raises(InputError, match=f'cannot write .*{name}.*nothing was replaced'):
                write_checkpoint(dict(a=torch.randn(100_000)), path)
        finally:
            resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
        assert path.read_bytes() == before
    assert sorted(p.name for p in tmp_path.iterdir()) == ['x.pth', 'x.safetensors']


def test_a_safetensors_file_holds_the_tensors_alone(tiny, tmp_path):
    state = tiny[0].state_dict()
    write_checkpoint(dict(meta=dict(iter=3), state_dict=state), tmp_path / 'x.safetensors')
    read = read_checkpoint(tmp_path / 'x.safetensors')
    assert read.keys() == state.keys() and all(torch.equal(read[name], state[name]) for name in state)


def test_the_config_in_a_checkpoint(scenes, tmp_path):
    cfg = tiny_config(scenes, tmp_path)
    cfg.paramwise = [{'backbone.stage0': dict(lr_mult=0.1)}, {'a.b': {'c.d': (1, -2)}}]
    assert stored_config(dict(cfg=cfg.pretty_text)).to_dict() == Config.fromstring(cfg.pretty_text, '.py').to_dict()
    assert stored_config({}) is None


@pytest.mark.parametrize(
    'text',
    ["__import__('os').mkdir({ran!r})", "a = __import__('os').mkdir({ran!r})", 'import os\nos.mkdir({ran!r})', 'a = ('],
)
def test_the_config_in_a_checkpoint_is_not_run(text, tmp_path):
    assert stored_config(dict(cfg=text.format(ran=str(tmp_path / 'ran')))) is None
    assert not (tmp_path / 'ran').exists()


def test_no_folder_to_write_to(tmp_path):
    with pytest.raises(InputError, match='cannot write .*No such file or directory'):
        write_checkpoint(dict(a=torch.ones(3)), tmp_path / 'none' / 'x.pth')


def test_written_files_have_the_usual_mode(tmp_path):
    (tmp_path / 'usual').touch()
    write_checkpoint(dict(a=torch.ones(3)), tmp_path / 'x.pth')
    assert (tmp_path / 'x.pth').stat().st_mode == (tmp_path / 'usual').stat().st_mode
