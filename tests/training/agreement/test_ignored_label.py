from types import SimpleNamespace

import pytest
from mmengine.config import ConfigDict
from mmengine.evaluator import Evaluator
from mmseg.registry import METRICS, TRANSFORMS
from small_models import segmentor

from repvgg_seg.errors import InputError
from repvgg_seg.training.agreement.ignored_label import check_ignored_label_in_scores, check_ignored_label_in_training

FCN = dict(type='FCNHead', in_channels=128, in_index=2, channels=8, num_convs=1, num_classes=5)
ROTATE = dict(type='RandomRotate', prob=0.5, degree=10.0)


def model(ignored=255, padding=255, auxiliary=None, loss=None):
    """A segmentor of 5 classes whose heads ignore a value and whose preprocessor pads with one."""
    loss = loss or dict(type='CrossEntropyLoss')
    return segmentor(
        data_preprocessor=dict(type='SegDataPreProcessor', size=(64, 64), seg_pad_val=padding),
        decode_head=FCN | dict(ignore_index=ignored, loss_decode=loss),
        auxiliary_head=[FCN | dict(ignore_index=ignored if auxiliary is None else auxiliary)],
    )


def dataset(*steps, **attributes):
    """A data set as mmengine wraps it, with a pipeline inside."""
    transforms = [TRANSFORMS.build(ConfigDict(step)) for step in steps]
    inner = SimpleNamespace(pipeline=SimpleNamespace(transforms=transforms), **attributes)
    return SimpleNamespace(dataset=inner)


@pytest.mark.parametrize(
    'settings, steps, attributes, message',
    [
        (
            dict(ignored=0),
            [],
            {},
            r'data_preprocessor.seg_pad_val is 255, .* 5 classes, and decode_head.ignore_index is 0',
        ),
        (dict(ignored=11), [], {}, 'seg_pad_val is 255'),
        (dict(auxiliary=0), [], {}, 'auxiliary_head.0.ignore_index is 0'),
        (dict(ignored=11, padding=11), [ROTATE], {}, 'seg_pad_val of RandomRotate is 255'),
        (
            dict(ignored=11, padding=11),
            [
                dict(
                    type='RandomApply',
                    prob=0.5,
                    transforms=[dict(type='Pad', size=(8, 8), pad_val=dict(img=0, seg=255))],
                )
            ],
            {},
            r"pad_val\['seg'\] of Pad is 255",
        ),
        (dict(ignored=11, padding=11), [], dict(reduce_zero_label=True), 'reduce_zero_label is 255'),
        (dict(loss=dict(type='TverskyLoss', ignore_index=0)), [], {}, 'loss_decode.ignore_index is 0.*255'),
        (dict(loss=dict(type='OhemCrossEntropy', ignore_label=11)), [], {}, 'loss_decode.ignore_label is 11'),
        (dict(ignored=0, padding=0, loss=dict(type='DiceLoss')), [], {}, 'loss_decode.ignore_index is 255'),
    ],
)
def test_what_labels_cannot_hold(settings, steps, attributes, message):
    with pytest.raises(InputError, match=message):
        check_ignored_label_in_training(model(**settings), dataset(*steps, **attributes))


@pytest.mark.parametrize(
    'settings, steps, attributes, message',
    [
        (dict(), [ROTATE], dict(ignore_index=255, reduce_zero_label=True), ''),
        (dict(ignored=11, padding=11), [ROTATE | dict(seg_pad_val=11)], dict(ignore_index=11), ''),
        (dict(loss=dict(type='DiceLoss', ignore_index=0)), [], {}, ''),
        (dict(padding=0), [], {}, 'seg_pad_val is 0, the number of a class: decode_head, auxiliary_head.0'),
        (dict(ignored=11, padding=11), [], dict(ignore_index=255), 'a label that holds 255 would be refused'),
        (
            dict(),
            [dict(type='RandomCrop', crop_size=(8, 8), cat_max_ratio=0.75, ignore_index=0)],
            {},
            'ignore_index of RandomCrop is 0',
        ),
        (dict(), [dict(type='RandomCrop', crop_size=(8, 8), ignore_index=0)], {}, ''),
    ],
)
def test_what_may_be_meant(settings, steps, attributes, message, logged):
    check_ignored_label_in_training(model(**settings), dataset(*steps, **attributes))
    said = logged()
    assert message in said and bool(message) == bool(said)


@pytest.mark.parametrize(
    'ignored, scored, refused, message',
    [
        (255, 255, '', ''),
        (0, 0, '', ''),
        (0, 255, 'class 0 is never learnt and would be scored', ''),
        (255, 0, '', 'predictions on pixels of 255 count as wrong'),
        (11, 255, '', 'predictions on pixels of 11 count as wrong'),
    ],
)
def test_the_metric(ignored, scored, refused, message, logged):
    evaluator = Evaluator([METRICS.build(dict(type='StreetIoUMetric', ignore_index=scored, prefix='val'))])
    arguments = (model(ignored=ignored), dataset(), evaluator, 'val_evaluator')
    if refused:
        with pytest.raises(InputError, match=refused):
            check_ignored_label_in_scores(*arguments)
    else:
        check_ignored_label_in_scores(*arguments)
        said = logged()
        assert message in said and bool(message) == bool(said)
