from types import SimpleNamespace

import pytest
from mmengine.config import ConfigDict
from mmseg.models.decode_heads import FCNHead
from mmseg.registry import MODELS
from small_models import SMALL, segmentor

from repvgg_seg.errors import InputError
from repvgg_seg.training.agreement import compare_heads
from repvgg_seg.training.agreement.classes import (
    check_classes_of_checkpoint,
    check_number_of_classes,
    check_same_classes,
)

FCN = dict(type='FCNHead', in_channels=128, in_index=2, channels=8, num_classes=5, num_convs=1)


@MODELS.register_module()
class BoundaryHead(FCNHead):
    """A user's head that learns something else than the classes."""

    def loss_by_feat(self, seg_logits, batch_data_samples):
        return dict(loss_boundary=seg_logits.mean())


def dataset(*classes, **metainfo):
    return SimpleNamespace(metainfo=dict(classes=classes, **metainfo))


def cascade(**changes):
    """FCN and OCR, one after the other, with wrong numbers for the second."""
    ocr = dict(type='OCRHead', in_channels=128, in_index=3, channels=8, ocr_channels=4, num_classes=5, **changes)
    return MODELS.build(
        ConfigDict(
            type='CascadeEncoderDecoder',
            num_stages=2,
            backbone=dict(type='RepVGG', arch=SMALL),
            decode_head=[FCN | dict(in_channels=128), ocr],
        )
    )


FIVE = dataset('road', 'car', 'tree', 'sky', 'person')


@pytest.mark.parametrize(
    'model, message',
    [
        (lambda: segmentor(), ''),
        (lambda: segmentor(auxiliary_head=[FCN, FCN | dict(num_classes=4)]), 'auxiliary_head.1.num_classes is 4.*=5'),
        (lambda: cascade(), ''),
        (lambda: segmentor(auxiliary_head=FCN | dict(type='BoundaryHead', num_classes=2)), ''),
        (lambda: segmentor(auxiliary_head=FCN | dict(type='STDCHead', num_classes=2)), ''),
    ],
)
def test_every_head_knows_the_classes(model, message):
    if message:
        with pytest.raises(InputError, match=message):
            check_number_of_classes(model(), FIVE)
    else:
        check_number_of_classes(model(), FIVE)


def test_a_part_of_a_cascade():
    with pytest.raises(InputError, match=r'the data set has 6 classes, decode_head.0.num_classes is 5'):
        check_number_of_classes(cascade(), dataset(*'abcdef'))


def test_training_and_validation():
    check_same_classes(FIVE.metainfo, FIVE.metainfo)
    check_same_classes(FIVE.metainfo, {})
    with pytest.raises(InputError, match='differ in car, lorry'):
        check_same_classes(dataset('road', 'car').metainfo, dataset('road', 'lorry').metainfo)


def test_a_validation_set_of_other_classes_does_not_ask_for_other_heads():
    loaders = [SimpleNamespace(dataset=data) for data in (FIVE, dataset('road', 'car'))]
    runner = SimpleNamespace(model=segmentor(), train_dataloader=loaders[0], val_dataloader=loaders[1], val_loop=True)
    with pytest.raises(
        InputError, match='validation set do not have the same classes: they differ in person, sky, tree'
    ):
        compare_heads(runner)


@pytest.mark.parametrize(
    'trained, given, message',
    [
        (('road', 'car'), ('road', 'car'), ''),
        (('traffic light', 'car'), ('Traffic-Light', 'Car'), ''),
        (
            ('road', 'car'),
            ('car', 'road'),
            r"the order differs, class 0 is 'road' in the checkpoint and 'car'.*\(2 differ\)",
        ),
        (('road', 'car'), ('road', 'lorry'), r"class 1 is 'car' in the checkpoint and 'lorry' .*--no-rehearsal"),
        (('road', 'car'), ('road', 'car', 'tree'), 'trained on 2 classes, the data set has 3'),
        (None, ('road', 'car'), ''),
    ],
)
def test_classes_of_a_checkpoint(trained, given, message):
    meta = dict(dataset_meta=dict(classes=trained)) if trained else {}
    if message:
        with pytest.raises(InputError, match=message):
            check_classes_of_checkpoint(meta, dataset(*given), 'x.pth')
    else:
        check_classes_of_checkpoint(meta, dataset(*given), 'x.pth')


def test_a_checkpoint_without_meta_is_not_judged():
    for meta in (None, {}, dict(dataset_meta=None), dict(dataset_meta=dict(palette=[]))):
        check_classes_of_checkpoint(meta, FIVE, 'x.pth')
    check_classes_of_checkpoint(dict(dataset_meta=dict(classes='abc')), SimpleNamespace(), 'x.pth')
