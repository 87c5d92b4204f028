"""The whole segmentor rewritten: same results, called the same way, the original untouched."""

import copy
import dataclasses
import pickle
import re
from functools import partial

import numpy as np
import pytest
import torch
from helpers import randomise_bn, relative_error
from mmengine.config import Config
from mmseg.apis import inference_model
from mmseg.registry import MODELS
from small_models import SMALL, segmentor
from torch import nn
from torch._dynamo.utils import counters

import repvgg_seg
from repvgg_seg.errors import InputError
from repvgg_seg.measure.memory import held_bytes, peak_memory
from repvgg_seg.models.block import find_blocks
from repvgg_seg.optimize import PASSES
from repvgg_seg.optimize.passes.strip import StripRecord
from repvgg_seg.optimize.same_outputs import SameOutputs

QUICK = dict(input_shape=(1, 3, 64, 64))


def build(name, **changes):
    cfg = Config.fromfile(f'configs/{name}.py')
    cfg.merge_from_dict(changes)
    return randomise_bn(MODELS.build(cfg.model)).eval()


@pytest.mark.parametrize(
    'name, sizes',
    [
        pytest.param('pspnet_repvgg_a0_80k_512x1024', [(3, 64, 96), (1, 75, 113), (1, 20, 8)], marks=pytest.mark.slow),
        pytest.param('pspnet_resnet50', [(2, 50, 71)], marks=pytest.mark.slow),
    ],
)
@torch.inference_mode()
def test_same_logits(name, sizes):
    """Also for an image of 20x8, smaller than the largest bin of the pyramid on its map of 3x1."""
    model = build(name)
    images = [torch.randn(n, 3, *size) for n, *size in sizes]
    expected = [model(image) for image in images]
    optimized = repvgg_seg.optimize_for_inference(model, inplace=True, **QUICK)
    for image, logits in zip(images, expected, strict=True):
        found = optimized(image)
        assert relative_error(found, logits) < 1e-5
        assert (found.argmax(1) == logits.argmax(1)).float().mean() > 0.9999


@pytest.mark.slow
@torch.inference_mode()
def test_same_logits_in_bf16():
    model = build('pspnet_repvgg_a0_80k_512x1024')
    image = torch.randn(1, 3, 75, 113)
    optimized = repvgg_seg.optimize_for_inference(model, dtype='bf16', **QUICK)
    assert relative_error(optimized(image), model(image)) < 2e-2


@pytest.mark.slow
@torch.inference_mode()
def test_same_logits_compiled(monkeypatch):
    """As torch.compile traces it; what its C++ compiler would make of that is torch's."""
    monkeypatch.setattr(torch, 'compile', partial(torch.compile, backend='aot_eager'))
    torch._dynamo.reset()
    counters.clear()
    model = segmentor()
    optimized = repvgg_seg.optimize_for_inference(model, compile=True, **QUICK)
    for image in (torch.randn(1, 3, 64, 64), torch.randn(2, 3, 75, 113)):
        assert relative_error(optimized(image), model(image)) < 1e-5
    assert counters['stats']['calls_captured'] > 10 and not counters['graph_break']


@pytest.mark.parametrize('dtype, limit', [('fp32', 1e-5), ('bf16', 2e-2)])
@torch.inference_mode()
def test_a_classifier(dtype, limit):
    """The passes that fit it; in bf16 its logits come out in fp32, in every mode."""
    model = randomise_bn(repvgg_seg.RepVGGClassifier(SMALL, num_classes=7)).eval()
    image, labels = torch.randn(2, 3, 64, 64), torch.tensor([1, 2])
    optimized = repvgg_seg.optimize_for_inference(model, dtype=dtype, **QUICK)
    assert relative_error(optimized(image), model(image)) < limit
    first = optimized(image, labels, mode='predict')[0]['logits']
    assert first.dtype == torch.float32 and torch.equal(first, optimized(image)[0])


@pytest.mark.slow
@pytest.mark.parametrize('name', PASSES)
@torch.inference_mode()
def test_every_pass_can_be_left_out(name):
    model = segmentor()
    image = torch.randn(2, 3, 72, 64)
    expected = model(image)
    optimized = repvgg_seg.optimize_for_inference(model, skip=[name], **QUICK)
    assert relative_error(optimized(image), expected) < 1e-5


@pytest.mark.slow
@torch.inference_mode()
def test_the_original_stays_as_it_is():
    model = segmentor().train()
    before = copy.deepcopy(model)
    optimized = repvgg_seg.optimize_for_inference(model, **QUICK)
    assert model.training and not optimized.training
    assert str(model) == str(before) and model.backbone.out_indices == (0, 1, 2, 3)
    for (name, found), (_, wanted) in zip(model.state_dict().items(), before.state_dict().items(), strict=True):
        assert torch.equal(found, wanted), name
    image = torch.randn(1, 3, 64, 64)
    assert relative_error(optimized(image), model.eval()(image)) < 1e-5


@pytest.mark.slow
def test_in_place():
    """The parts of the given model are reused: no second copy of the weights is held."""
    model = segmentor()
    parts = model.backbone, model.data_preprocessor
    optimized = repvgg_seg.optimize_for_inference(model, inplace=True, **QUICK)
    assert (optimized.backbone, optimized.data_preprocessor) == parts
    assert not optimized.with_auxiliary_head and not find_blocks(model)


@pytest.mark.slow
@torch.inference_mode()
def test_called_as_mmseg_calls_it():
    model = segmentor()
    cfg = Config(dict(test_pipeline=[dict(type='LoadImageFromNDArray'), dict(type='PackSegInputs')]))
    optimized = repvgg_seg.optimize_for_inference(model, **QUICK)
    image = np.random.default_rng(0).integers(0, 255, (80, 56, 3), dtype=np.uint8)
    results = []
    for network in (model, optimized):
        network.cfg = cfg
        results.append(inference_model(network, image))
    plain, quick = results
    assert quick.pred_sem_seg.data.shape == (1, 80, 56)
    assert relative_error(quick.seg_logits.data, plain.seg_logits.data) < 1e-5
    assert (quick.pred_sem_seg.data == plain.pred_sem_seg.data).float().mean() > 0.999


@torch.inference_mode()
@pytest.mark.slow
def test_holds_no_more_memory_and_takes_every_size():
    model = build('pspnet_repvgg_a0_80k_512x1024')
    image = torch.randn(1, 3, 128, 128)
    held = []
    for network in (
        repvgg_seg.reparameterize_model(model),
        repvgg_seg.optimize_for_inference(model, input_shape=tuple(image.shape), memory='fused'),
    ):
        held.append(held_bytes(network) + peak_memory(lambda network=network: network(image), image.device))
    assert held[1] <= held[0]


def test_says_what_it_did(monkeypatch):
    messages = []
    monkeypatch.setattr('repvgg_seg.optimize.run_passes.print_log', lambda message, logger: messages.append(message))
    optimized = repvgg_seg.optimize_for_inference(segmentor(), skip=['winograd'], dilation='gutter', **QUICK)
    passes = ['fusion', 'conv_bn', 'strip', 'pyramid', 'ending', 'memory_format', 'dilation']
    assert [message.split(':')[1].strip() for message in messages] == passes
    report = optimized.optimize_report
    assert messages == [f'optimize: {name}: {record}' for name, record in report.items()]
    assert report['fusion'].fused == 8 and report['pyramid'].folded == ((1, 2, 3, 6),)
    assert report['strip'] == StripRecord(auxiliary_head=True, dropouts=1, losses=1, feature_maps=3)
    assert copy.deepcopy(optimized).optimize_report == report


def test_algebra_comes_first():
    """What is refused, is refused before the number type or the memory format of the model is touched."""
    assert list(PASSES) == [
        'fusion', 'conv_bn', 'strip', 'pyramid', 'ending', 'dtype', 'memory_format', 'winograd', 'dilation', 'compile'
    ]  # fmt: skip
    assert [step.is_algebra for step in PASSES.values()] == [True] * 5 + [False] * 5
    assert all(step.name == name for name, step in PASSES.items())


@torch.inference_mode()
def test_a_config_builds_what_comes_out():
    """Dilated runs and convs by Winograd apart, which depend on the device."""
    optimized = repvgg_seg.optimize_for_inference(
        segmentor(), skip='winograd', dilation='dilated', memory_format='channels_first', **QUICK
    )
    built = segmentor(
        type='InferenceEncoderDecoder',
        backbone=dict(type='RepVGG', arch=SMALL, output_stride=8, out_indices=(3,), deploy=True),
        decode_head=dict(type='FoldedPSPHead', in_channels=128, in_index=0, channels=12, num_classes=5, deploy=True),
        auxiliary_head=None,
    )
    assert type(built) is type(optimized) and type(built.decode_head) is type(optimized.decode_head)
    built.load_state_dict(optimized.state_dict(), strict=True)
    image = torch.randn(1, 3, 64, 64)
    assert torch.equal(built(image), optimized(image))


@pytest.mark.slow
@torch.inference_mode()
def test_the_result_survives_copy_and_pickle():
    optimized = repvgg_seg.optimize_for_inference(segmentor(), **QUICK)
    image = torch.randn(1, 3, 64, 64)
    expected = optimized(image)
    for twin in (copy.deepcopy(optimized), pickle.loads(pickle.dumps(optimized))):
        assert torch.equal(twin(image), expected)
        assert twin.optimize_report == optimized.optimize_report


@pytest.mark.slow
def test_training_is_refused():
    optimized = repvgg_seg.optimize_for_inference(segmentor(), **QUICK)
    image = torch.randn(1, 3, 64, 64)
    with pytest.raises(InputError, match='cannot be trained'):
        optimized(image, mode='loss')
    with pytest.raises(InputError, match='cannot be trained'):
        optimized.train()(image)
    assert optimized.eval()(image).shape == (1, 5, 8, 8)


@pytest.mark.slow
def test_nothing_to_rewrite():
    optimized = repvgg_seg.optimize_for_inference(segmentor(), **QUICK)
    with pytest.raises(InputError, match='nothing to rewrite in this InferenceEncoderDecoder.*optimized already'):
        repvgg_seg.optimize_for_inference(optimized, **QUICK)
    with pytest.raises(InputError, match='nothing to rewrite in this Sequential'):
        repvgg_seg.optimize_for_inference(nn.Sequential(nn.Conv2d(3, 8, 3)), **QUICK)


@pytest.mark.slow
@torch.inference_mode()
def test_a_norm_that_cannot_be_folded_stays():
    gn = dict(type='GN', num_groups=1)
    model = segmentor(backbone=dict(type='RepVGG', arch=SMALL, output_stride=8, norm_cfg=gn))
    image = torch.randn(1, 3, 64, 64)
    expected = model(image)
    assert relative_error(repvgg_seg.optimize_for_inference(model, **QUICK)(image), expected) < 1e-5


@pytest.mark.parametrize(
    'arguments, message',
    [
        (dict(dtype='int8'), "dtype must be one of fp32, bf16, fp16, got 'int8'"),
        (dict(dilation='phase'), "dilation must be one of auto, dilated, batch, gutter, got 'phase'"),
        (dict(memory_format='nhwc'), "memory_format must be one of auto, channels_first, channels_last, got 'nhwc'"),
        (dict(skip=['bn']), 'skip must be one of fusion, .*compile, got'),
        (dict(skip=3), 'skip must be one of fusion, .*compile, got 3'),
        (dict(skip=None), 'skip must be one of fusion, .*compile, got None'),
        (dict(dtype=['fp32']), 'dtype must be one of fp32, bf16, fp16, got'),
        (dict(input_shape=(512, 512)), r'input_shape must be four positive integers, .* got \(512, 512\)'),
        (dict(input_shape=512), 'input_shape must be four positive integers, .* got 512'),
        (
            dict(input_shape=(1, 4, 64, 64)),
            r'input_shape must be \(N, 3, H, W\) for this backbone, got \(1, 4, 64, 64\)',
        ),
    ],
)
def test_wrong_arguments(arguments, message):
    with pytest.raises(InputError, match=message):
        repvgg_seg.optimize_for_inference(segmentor(), **arguments)


@pytest.mark.slow
@pytest.mark.parametrize('channels', [1, 4])
@pytest.mark.parametrize('backbone', [dict(type='RepVGG', arch=SMALL, output_stride=8), dict(type='ResNet', depth=18)])
@torch.inference_mode()
def test_images_of_other_channels(backbone, channels):
    """The shape for which choices are measured has the channels of the backbone by default."""
    head = dict(type='FCNHead', in_channels=128, in_index=1, channels=8, num_classes=5, norm_cfg=dict(type='BN'))
    if backbone['type'] == 'RepVGG':
        head |= dict(in_index=3)
    model = segmentor(
        backbone=dict(backbone, in_channels=channels), decode_head=head, auxiliary_head=None, data_preprocessor=None
    )
    image = torch.randn(1, channels, 64, 64)
    expected = model(image)
    assert relative_error(repvgg_seg.optimize_for_inference(model)(image), expected) < 1e-5
    with pytest.raises(InputError, match=rf'input_shape must be \(N, {channels}, H, W\) for this backbone'):
        repvgg_seg.optimize_for_inference(model, input_shape=(1, 3, 64, 64))


@pytest.mark.slow
def test_wrapped_for_training_in_parallel():
    wrapped = nn.DataParallel(segmentor())
    assert repvgg_seg.optimize_for_inference(wrapped, **QUICK).decode_head is not None


@pytest.fixture
def compared(monkeypatch):
    """The number of times that a model is compared."""
    calls = []
    difference = SameOutputs.difference
    monkeypatch.setattr(SameOutputs, 'difference', lambda self, model: calls.append(1) or difference(self, model))
    return calls


@pytest.mark.slow
def test_all_passes_are_compared_at_once(compared):
    repvgg_seg.optimize_for_inference(segmentor(), **QUICK)
    assert len(compared) == 1


def scaled(model):
    model.decode_head.conv_seg.weight.data = 2 * model.decode_head.conv_seg.weight.data


def breaking(model):
    model.decode_head.conv_seg = nn.Conv2d(7, 5, 1)


@pytest.mark.slow
@pytest.mark.parametrize('harm', [scaled, breaking])
@pytest.mark.parametrize(
    'name, inplace',
    [
        *((name, True) for name in ('fusion', 'conv_bn', 'strip', 'pyramid', 'ending')),
        *((name, True) for name in ('memory_format', 'winograd', 'dilation')),
        ('fusion', False),  # which differs in the copy at the beginning alone
    ],
)
@torch.inference_mode()
def test_the_pass_that_does_harm_is_found_and_undone(monkeypatch, name, inplace, harm):
    """The others stay; what is tried in its place, for a part of the model, does harm as well."""
    step = PASSES[name]
    monkeypatch.setattr('repvgg_seg.optimize.passes.winograd._times', lambda *args: dict(plain=2.0, winograd=1.0))

    def rewrite(model, options):
        model, record = step.rewrite(model, options)
        harm(model)
        return model, record

    narrower = None if step.narrower is None else rewrite
    monkeypatch.setitem(PASSES, name, dataclasses.replace(step, rewrite=rewrite, narrower=narrower))
    model = segmentor()
    images = [torch.randn(1, 3, 64, 64), torch.randn(2, 3, 43, 57)]
    expected = [model(image) for image in images]
    optimized = repvgg_seg.optimize_for_inference(
        model, inplace=inplace, dilation='batch', skip=SKIP.get(name, ()), **QUICK
    )
    for image, logits in zip(images, expected, strict=True):
        assert relative_error(optimized(image), logits) < 1e-5
    assert name not in optimized.optimize_report
    rest = {'fusion', 'strip', 'pyramid', 'ending', 'memory_format'} - {name}
    assert rest <= {*optimized.optimize_report}


# Passes to leave out, so that the one that does harm finds something to do.
SKIP = dict(dilation='winograd')


@pytest.mark.slow
@torch.inference_mode()
def test_a_map_that_is_needed_after_all_stays(monkeypatch):
    """Where the model computes something else without it, the rest of the pass is kept."""
    monkeypatch.setattr('repvgg_seg.optimize.unread_maps._read_maps', lambda model, backbone, options: {2})
    model = segmentor()
    image = torch.randn(1, 3, 64, 64)
    expected = model(image)
    optimized = repvgg_seg.optimize_for_inference(model, **QUICK)
    assert relative_error(optimized(image), expected) < 1e-5
    assert optimized.optimize_report['strip'] == StripRecord(True, dropouts=1, losses=1, feature_maps=0)


@pytest.mark.parametrize('memory', ['fuse', 'FREE', 0, -1, 1.5, True, None, '', '12.5', ['free'], 'MIB'])
def test_wrong_memory(memory):
    message = f'memory must be fused, free or a number of MiB, a positive integer, got {memory!r}'
    with pytest.raises(InputError, match=re.escape(message)):
        repvgg_seg.optimize_for_inference(segmentor(), memory=memory)


@pytest.mark.slow
@pytest.mark.parametrize('memory', ['fused', 'free', 1, 100_000, '300'])
@torch.inference_mode()
def test_memory(monkeypatch, memory):
    monkeypatch.setattr('repvgg_seg.optimize.passes.winograd._times', lambda *args: dict(plain=2.0, winograd=1.0))
    model = segmentor()
    image = torch.randn(1, 3, 64, 64)
    optimized = repvgg_seg.optimize_for_inference(model, memory=memory, **QUICK)
    assert relative_error(optimized(image), model(image)) < 1e-5
    chosen = optimized.optimize_report['winograd'].chosen
    assert chosen.memory == (300 if memory == '300' else memory)
    if memory in (1, 'free'):
        assert (chosen.replaced > 0) == (memory == 'free')
