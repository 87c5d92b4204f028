import pytest

from repvgg_seg.errors import InputError
from repvgg_seg.training.training_form import check_training_form


@pytest.mark.parametrize(
    'model, place',
    [
        (dict(type='EncoderDecoder', backbone=dict(type='RepVGG', deploy=True)), r'model\.backbone'),
        (dict(type='EncoderDecoder', backbone=dict(type='RepVGG', deploy=True, frozen_stages=3)), r'model\.backbone'),
        (dict(type='RepVGGClassifier', deploy=True), 'model'),
    ],
)
def test_the_fused_form_is_not_trained(model, place):
    with pytest.raises(InputError, match=rf'^{place}\.deploy=True builds the fused form, .* leave it out to train'):
        check_training_form(model)


@pytest.mark.parametrize(
    'backbone',
    [
        dict(type='RepVGG'),
        dict(type='RepVGG', deploy=False),
        dict(type='RepVGG', deploy=True, frozen_stages=4),
        dict(type='RepVGG', frozen_stages=4, norm_eval=True),
        dict(type='ResNet', deploy=True),
    ],
)
def test_what_can_be_trained(backbone):
    check_training_form(dict(type='EncoderDecoder', backbone=backbone))
    check_training_form(
        dict(type='EncoderDecoder', backbone=None, teacher=dict(backbone=dict(type='RepVGG', deploy=True)))
    )
