from types import SimpleNamespace

import pytest
import torch
from mmengine.config import ConfigDict
from mmseg.registry import MODELS
from torch import nn

from repvgg_seg.training.hooks import OneLogitAccuracyHook


def head(out_channels, threshold=0.3):
    cfg = dict(
        type='FCNHead',
        in_channels=1,
        channels=1,
        num_convs=0,
        concat_input=False,
        num_classes=2,
        out_channels=out_channels,
        threshold=threshold,
        loss_decode=[
            dict(type='CrossEntropyLoss', use_sigmoid=True),
            dict(type='LovaszLoss', loss_type='binary', reduction='none'),
        ],
    )
    return MODELS.build(ConfigDict(cfg))


def test_the_pixels_on_the_right_side_of_the_threshold_are_counted():
    """Probabilities 0.2, 0.4, 0.4 and 0.9 against 0.3; labels 0, 0, 1 and ignored: two of three are right."""
    model = nn.Module()
    model.decode_head = nn.ModuleList([head(2), head(1)])
    model.auxiliary_head = head(1, threshold=0.5)
    hook = OneLogitAccuracyHook()
    hook.before_train(SimpleNamespace(model=model))
    logits = torch.tensor([[[[0.2, 0.4, 0.4, 0.9]]]]).logit()
    labels = torch.tensor([[[0, 0, 1, 255]]])
    for part in (model.decode_head[1], model.auxiliary_head):
        part.loss_decode[0](logits, labels, weight=None, ignore_index=255)
    outputs = {'loss': 1.0, 'decode_0.acc_seg': 7.0, 'decode_1.acc_seg': 7.0, 'aux.acc_seg': 7.0}
    hook.after_train_iter(None, 0, outputs=outputs)
    thirds = {'decode_1.acc_seg': 200 / 3, 'aux.acc_seg': 200 / 3}
    assert outputs == {'loss': 1.0, 'decode_0.acc_seg': 7.0} | {k: pytest.approx(v) for k, v in thirds.items()}
    hook.after_train(None)
    assert not model.auxiliary_head.loss_decode[0]._forward_pre_hooks
