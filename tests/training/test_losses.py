"""Which losses of a config are replaced, and which are refused."""

import pytest
from mmengine.config import Config
from mmseg.models.decode_heads import FCNHead
from mmseg.models.losses import CrossEntropyLoss

from repvgg_seg.errors import InputError
from repvgg_seg.training.losses import fit_losses

WEIGHTED = dict(class_weight=[1.0, 2.0], avg_non_ignore=True)


def ce(**kwargs):
    return dict(type='CrossEntropyLoss', **kwargs)


def head(loss, **kwargs):
    return dict(type='FCNHead', num_classes=2, loss_decode=loss, **kwargs)


def kinds(heads):
    """The types of all losses after the edit, and the log."""
    cfg = Config(dict(model=dict(type='EncoderDecoder', decode_head=heads)))
    fit_losses(cfg)
    heads = cfg.model.decode_head
    losses = [part['loss_decode'] for part in (heads if isinstance(heads, list) else [heads])]
    return [[loss['type'] for loss in part] if isinstance(part, list) else part['type'] for part in losses], cfg.get(
        'custom_hooks', []
    )


@pytest.mark.parametrize(
    'loss, kind',
    [
        (ce(), 'CrossEntropyLoss'),
        (ce(class_weight=[1.0, 2.0]), 'CrossEntropyLoss'),
        (ce(avg_non_ignore=True), 'CrossEntropyLoss'),
        (ce(**WEIGHTED), 'WeightedCrossEntropyLoss'),
        (ce(class_weight='weights.json', avg_non_ignore=True), 'WeightedCrossEntropyLoss'),
        (ce(class_weight=[1.0, 2.0], use_sigmoid=True), 'WeightedCrossEntropyLoss'),
        (dict(type=CrossEntropyLoss, **WEIGHTED), 'WeightedCrossEntropyLoss'),
        (dict(type='mmseg.CrossEntropyLoss', **WEIGHTED), 'WeightedCrossEntropyLoss'),
        ([ce(**WEIGHTED), dict(type='DiceLoss')], ['WeightedCrossEntropyLoss', 'DiceLoss']),
    ],
)
def test_several_classes(loss, kind):
    assert kinds(head(loss)) == ([kind], [])


def test_cascades():
    found, _ = kinds([head(ce()), head(ce(**WEIGHTED))])
    assert found == ['CrossEntropyLoss', 'WeightedCrossEntropyLoss']


@pytest.mark.parametrize(
    'loss, kind',
    [
        (ce(use_sigmoid=True), 'WeightedCrossEntropyLoss'),
        (dict(type='DiceLoss'), 'ForegroundDiceLoss'),
        (dict(type='LovaszLoss', loss_type='binary', reduction='none'), 'LovaszLoss'),
    ],
)
def test_one_logit(loss, kind):
    assert kinds(head(loss, out_channels=1)) == ([kind], [dict(type='OneLogitAccuracyHook')])


@pytest.mark.parametrize(
    'loss, message',
    [
        (ce(), 'model.decode_head.loss_decode: CrossEntropyLoss .* use_sigmoid=True'),
        (None, 'model.decode_head.loss_decode: CrossEntropyLoss .* use_sigmoid=True'),
        ([ce(use_sigmoid=True), dict(type='TverskyLoss')], 'model.decode_head.loss_decode.1: TverskyLoss .*DiceLoss'),
        (dict(type='LovaszLoss', per_image=True), "loss_type='binary'"),
    ],
)
def test_one_logit_with_a_loss_for_several(loss, message):
    with pytest.raises(InputError, match=message):
        kinds(head(loss, out_channels=1))


def test_heads_and_losses_of_others_are_left():
    class TwoOfOne(FCNHead):
        pass

    class Own(CrossEntropyLoss):
        pass

    found, _ = kinds([head(dict(type=Own, **WEIGHTED)), dict(head(ce(), out_channels=1), type=TwoOfOne)])
    assert found == [Own, 'WeightedCrossEntropyLoss']
