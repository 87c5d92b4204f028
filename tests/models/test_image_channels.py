import pytest
import torch
from mmseg.models import SegTTAModel
from mmseg.registry import MODELS
from torch import nn

from repvgg_seg import RepVGG, RepVGGClassifier, reparameterize_model
from repvgg_seg.models.image_channels import image_channels

TINY = dict(depths=(1, 2, 2, 5, 1), a=0.25, b=0.25)
BACKBONES = dict(
    repvgg=dict(type='RepVGG', arch=TINY),
    resnet=dict(type='ResNet', depth=18),
    resnet_v1c=dict(type='ResNetV1c', depth=18),
    unet=dict(type='UNet', base_channels=8),
    swin=dict(type='SwinTransformer', embed_dims=12),
)


@pytest.mark.parametrize('channels', [1, 4, 9])
@pytest.mark.parametrize('backbone', BACKBONES)
def test_of_every_kind_of_network(backbone, channels):
    head = dict(type='FCNHead', in_channels=8, channels=8, in_index=-1, num_classes=2, norm_cfg=dict(type='BN'))
    backbone = dict(BACKBONES[backbone], in_channels=channels)
    model = MODELS.build(dict(type='EncoderDecoder', backbone=backbone, decode_head=head))
    tta = SegTTAModel(module=dict(type='EncoderDecoder', backbone=backbone, decode_head=head))
    for network in (model, model.backbone, nn.DataParallel(model), tta):
        assert image_channels(network) == channels


def test_of_classifiers_and_other_modules():
    classifier = RepVGGClassifier(TINY, in_channels=4)
    for network in (classifier, reparameterize_model(classifier), RepVGG(TINY, 4, deploy=True)):
        assert image_channels(network) == 4
    with torch.device('meta'):
        assert image_channels(RepVGG(TINY, 5)) == 5
    assert image_channels(nn.Sequential(nn.BatchNorm2d(2), nn.Conv2d(2, 3, 1))) == 2
    assert image_channels(nn.Linear(2, 2)) == 3
