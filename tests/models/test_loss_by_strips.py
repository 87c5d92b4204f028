"""StripLossFCNHead against mmseg's FCNHead: loss, accuracy, gradient, memory, and what is left to mmseg's way."""

import pytest
import torch
from helpers import relative_error
from mmengine.structures import PixelData
from mmseg.models.decode_heads import FCNHead
from mmseg.registry import MODELS
from mmseg.structures import SegDataSample

from repvgg_seg.measure.memory import peak_memory
from repvgg_seg.models import loss_by_strips
from repvgg_seg.models.loss_by_strips import LossByStrips

CLASSES = 5
PLAIN = dict(type='CrossEntropyLoss')
WEIGHTED = dict(type='WeightedCrossEntropyLoss', class_weight=[1.0, 2.0, 0.5, 3.0, 1.0])


def heads(loss=PLAIN, **kwargs):
    """mmseg's head, and ours."""
    kwargs = dict(in_channels=4, channels=4, num_classes=CLASSES, num_convs=0, concat_input=False, **kwargs)
    return [MODELS.build(dict(type=kind, loss_decode=loss, **kwargs)) for kind in ('FCNHead', 'StripLossFCNHead')]


def samples(labels):
    return [SegDataSample(gt_sem_seg=PixelData(data=label[None])) for label in labels]


def labels_of(*size):
    labels = torch.randint(CLASSES, size)
    labels[:, :2] = 255
    return labels


def results(head, logits, labels):
    """Loss, accuracy and gradient of the logits."""
    logits = logits.clone().requires_grad_()
    losses = head.loss_by_feat(logits, samples(labels))
    (loss,) = (value for name, value in losses.items() if name != 'acc_seg')
    loss.backward()
    return loss.detach(), losses['acc_seg'], logits.grad


@pytest.fixture
def narrow(monkeypatch):
    """Strips of three rows for labels that are 100 pixels wide."""
    monkeypatch.setattr(loss_by_strips, 'STRIP_BYTES', {'cpu': 3 * 4 * 3 * CLASSES * 100})


@pytest.mark.parametrize('dtype, tolerance', [(torch.double, 1e-12), (torch.float, 1e-5)])
@pytest.mark.parametrize(
    'loss', [PLAIN, dict(PLAIN, avg_non_ignore=True, loss_weight=0.4), dict(PLAIN, reduction='sum')]
)
@pytest.mark.parametrize('align_corners', [False, True])
@pytest.mark.parametrize('small, large', [((9, 13), (65, 100)), ((8, 5), (64, 40)), ((1, 1), (7, 9)), ((6, 4), (4, 3))])
def test_values_and_gradients_are_those_of_mmseg(narrow, small, large, align_corners, loss, dtype, tolerance):
    logits = torch.randn(3, CLASSES, *small, dtype=dtype)
    labels = labels_of(3, *large)
    plain, ours = (results(head, logits, labels) for head in heads(loss, align_corners=align_corners))
    for name, found, expected in zip(('loss', 'accuracy', 'gradient'), ours, plain, strict=True):
        assert relative_error(found, expected) < (1e-6 if name == 'accuracy' else tolerance), name
    assert ours[0].shape == () and ours[1].shape == plain[1].shape


@pytest.mark.parametrize('avg_non_ignore', [False, True])
def test_class_weights(narrow, avg_non_ignore):
    logits, labels = torch.randn(2, CLASSES, 5, 9), labels_of(2, 40, 72)
    plain, ours = (results(head, logits, labels) for head in heads(dict(WEIGHTED, avg_non_ignore=avg_non_ignore)))
    for found, expected in zip(ours, plain, strict=True):
        assert relative_error(found, expected) < 1e-5


def test_every_pixel_ignored(narrow):
    plain, ours = (results(head, torch.randn(1, CLASSES, 4, 4), torch.full((1, 32, 32), 255)) for head in heads())
    assert ours[0] == plain[0] == 0 and not ours[2].any()


@pytest.mark.parametrize('dtype', [torch.bfloat16, torch.float16])
def test_the_gradient_of_half_precision_logits_is_no_farther_from_fp64(narrow, dtype):
    logits, labels = torch.randn(3, CLASSES, 9, 13), labels_of(3, 65, 100)
    plain, ours = heads()
    exact = results(plain, logits.double(), labels)[2]
    errors = []
    for head in (plain, ours):
        with torch.autocast('cpu', dtype):
            errors.append((results(head, logits.to(dtype), labels)[2] - exact).norm())
    assert errors[1] < 1.1 * errors[0]


def test_it_takes_less_memory():
    """Logits of 5 classes over 512 x 512 pixels are 5 MiB, of which mmseg holds several copies."""
    logits, labels = torch.randn(1, CLASSES, 64, 64), labels_of(1, 512, 512)
    plain, ours = (
        peak_memory(lambda head=head: results(head, logits, labels), torch.device('cpu')) / 2**20 for head in heads()
    )
    assert ours < 10 < 15 < plain, (ours, plain)


def test_without_gradients():
    head = heads()[1]
    with torch.no_grad():
        loss = head.loss_by_feat(torch.randn(1, CLASSES, 4, 4), samples(labels_of(1, 32, 32)))['loss_ce']
    assert not loss.requires_grad


@pytest.mark.parametrize(
    'kwargs',
    [
        dict(loss=dict(PLAIN, use_sigmoid=True)),
        dict(loss=[PLAIN, dict(type='DiceLoss')]),
        dict(loss=dict(type='DiceLoss')),
        dict(sampler=dict(type='OHEMPixelSampler', thresh=0.7, min_kept=9)),
    ],
)
def test_what_is_no_plain_sum_over_pixels_is_left_to_mmseg(kwargs, monkeypatch):
    called = []
    theirs = FCNHead.loss_by_feat
    monkeypatch.setattr(FCNHead, 'loss_by_feat', lambda *args: called.append(args) or theirs(*args))
    head = heads(**kwargs)[1]
    assert isinstance(head, LossByStrips)
    labels = torch.randint(CLASSES, (1, 32, 32))
    head.loss_by_feat(torch.randn(1, CLASSES, 4, 4), samples(labels))
    assert called


def test_state_dicts_are_those_of_mmseg():
    plain, ours = heads()
    ours.load_state_dict(plain.state_dict(), strict=True)
