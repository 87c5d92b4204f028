"""The data preprocessor of a config against the channels of its backbone."""

import logging

import pytest
from mmengine.config import Config
from mmengine.logging import MMLogger
from mmseg.models import SegDataPreProcessor

from repvgg_seg.errors import InputError
from repvgg_seg.training.image_channels import fit_preprocessor


class OwnPreProcessor(SegDataPreProcessor):
    """Adds channels that are computed from others: what its mean is for cannot be known."""


def config(backbone, **preprocessor):
    preprocessor = dict(type='SegDataPreProcessor', **preprocessor) if 'type' not in preprocessor else preprocessor
    return Config(dict(model=dict(type='EncoderDecoder', backbone=backbone, data_preprocessor=preprocessor)))


REPVGG = dict(type='RepVGG', arch='A0')
RESNET = dict(type='ResNetV1c', depth=50)


@pytest.fixture
def said(monkeypatch):
    lines = []

    def handle(record):
        if record.levelno >= logging.INFO:
            lines.append(record.getMessage())

    monkeypatch.setattr(MMLogger.get_current_instance(), 'handle', handle)
    return lines


@pytest.mark.parametrize(
    'backbone, mean, std, message',
    [
        (
            dict(REPVGG, in_channels=1),
            [1.0] * 3,
            [1.0] * 3,
            'model.data_preprocessor.mean has 3 values, .* of 1 channels',
        ),
        (
            dict(REPVGG, in_channels=4),
            [1.0] * 3,
            [1.0] * 3,
            r'mean has 3 values, .* of 4 channels \(model.backbone.in_ch',
        ),
        (dict(REPVGG, in_channels=4), [1.0] * 4, [1.0] * 3, 'data_preprocessor.std has 3 values'),
        (REPVGG, [1.0] * 4, [1.0] * 4, 'mean has 4 values, the backbone takes images of 3 channels'),
        (RESNET, [1.0] * 4, [1.0] * 4, 'mean has 4 values, the backbone takes images of 3 channels'),
        (
            dict(RESNET, in_channels=9),
            [1.0] * 3,
            [1.0] * 3,
            'mean has 3 values, the backbone takes images of 9 channels',
        ),
    ],
)
def test_refused(backbone, mean, std, message):
    with pytest.raises(InputError, match=message):
        fit_preprocessor(config(backbone, mean=mean, std=std))


@pytest.mark.parametrize(
    'backbone, preprocessor',
    [
        (REPVGG, dict(mean=[1.0] * 3, std=[1.0] * 3, bgr_to_rgb=True)),
        (REPVGG, dict(mean=[1.0], std=[1.0], bgr_to_rgb=True)),
        (dict(REPVGG, in_channels=1), dict(mean=[1.0], std=[1.0])),
        (dict(REPVGG, in_channels=4), dict(mean=[1.0], std=[1.0])),
        (dict(REPVGG, in_channels=4), dict()),
        (dict(REPVGG, in_channels=4), dict(type='MultiChannelPreProcessor', mean=[1.0] * 4, std=[1.0] * 4)),
        (dict(REPVGG, in_channels=4), dict(type=OwnPreProcessor, mean=[1.0] * 3, std=[1.0] * 3)),
        (dict(type='MobileNetV2'), dict(mean=[1.0] * 4, std=[1.0] * 4, type='SegDataPreProcessor', bgr_to_rgb=False)),
        (dict(REPVGG, in_channels='4'), dict(mean=[1.0] * 3, std=[1.0] * 3)),  # the backbone refuses that
    ],
)
def test_not_touched(backbone, preprocessor, said):
    cfg = config(backbone, **preprocessor)
    before = cfg.to_dict()
    fit_preprocessor(cfg)
    assert said == []
    assert cfg.to_dict() == before


def test_a_mean_for_each_of_four_channels_gets_a_preprocessor_that_takes_it(said):
    cfg = config(dict(REPVGG, in_channels=4), mean=[1.0] * 4, std=[1.0] * 4, bgr_to_rgb=False)
    fit_preprocessor(cfg)
    assert cfg.model.data_preprocessor.type == 'MultiChannelPreProcessor'
    (line,) = said
    assert "type='MultiChannelPreProcessor' in place of SegDataPreProcessor" in line


@pytest.mark.parametrize('channels', [1, 4])
@pytest.mark.parametrize('swap', ['bgr_to_rgb', 'rgb_to_bgr'])
def test_channels_that_are_not_swapped(channels, swap, said):
    fit_preprocessor(config(dict(REPVGG, in_channels=channels), mean=[1.0], std=[1.0], **{swap: True}))
    (line,) = said
    assert f'the {channels} channels stay in the order in which they are loaded' in line


def test_of_a_classifier():
    model = dict(type='RepVGGClassifier', arch='A0', in_channels=4)
    model['data_preprocessor'] = dict(type='ClassificationPreprocessor', mean=[1.0] * 3, std=[1.0] * 3)
    with pytest.raises(
        InputError, match=r'mean has 3 values, the backbone takes images of 4 channels \(model.in_channels\)'
    ):
        fit_preprocessor(Config(dict(model=model)))
    model['data_preprocessor'].update(mean=[1.0] * 4, std=[1.0] * 4)
    fit_preprocessor(Config(dict(model=model)))


def test_of_the_whole_config():
    """mmengine takes a data_preprocessor at the top where the model has none."""
    preprocessor = dict(type='SegDataPreProcessor', mean=[1.0] * 3, std=[1.0] * 3)
    cfg = Config(
        dict(model=dict(type='EncoderDecoder', backbone=dict(REPVGG, in_channels=4)), data_preprocessor=preprocessor)
    )
    with pytest.raises(InputError, match='^data_preprocessor.mean has 3 values'):
        fit_preprocessor(cfg)
