import pytest
import torch
from mmseg.models.decode_heads import FCNHead
from small_models import options, segmentor

from repvgg_seg.optimize.passes.strip import StripRecord, strip_training


@pytest.mark.slow
@torch.no_grad()
def test_one_head_one_feature_map_and_no_gradients_are_left():
    model = segmentor()
    x = torch.randn(1, 3, 64, 64)
    expected = model(x)
    _, record = strip_training(model, options())
    assert record == StripRecord(auxiliary_head=True, dropouts=1, losses=1, feature_maps=3)
    assert str(record) == (
        'auxiliary heads removed; 1 dropout layers removed; 1 losses removed; '
        '3 feature maps that no head reads are no longer kept'
    )
    assert len(model.backbone(x)) == 1 and not model.with_auxiliary_head
    assert not any(parameter.requires_grad for parameter in model.parameters())
    assert torch.equal(model(x), expected)
    assert strip_training(model, options())[1] is None


@pytest.mark.parametrize('in_index, channels', [(3, 128), (1, 64), (-2, 128)])
@torch.no_grad()
def test_the_channels_of_the_backbone_stay_true(in_index, channels):
    """Widths of the four stages: 32, 64, 128 and 128."""
    head = dict(type='FCNHead', in_channels=channels, in_index=in_index, channels=8, num_classes=5, num_convs=1)
    model = segmentor(decode_head=head)
    assert model.backbone.out_channels == (32, 64, 128, 128)
    strip_training(model, options())
    assert model.backbone.out_indices == (in_index % 4,)
    assert model.backbone.out_channels == (channels,)
    (feature_map,) = model.backbone(torch.randn(1, 3, 64, 64))
    assert feature_map.shape[1] == channels


def several_maps():
    return dict(
        type='FCNHead',
        in_channels=(64, 128),
        in_index=(1, 2),
        input_transform='resize_concat',
        channels=8,
        num_classes=5,
    )


def one_map_and_the_first():
    """The head of DeepLabV3+, which has one `in_index` and reads the first feature map besides."""
    return dict(
        type='DepthwiseSeparableASPPHead',
        in_channels=128,
        in_index=3,
        channels=8,
        dilations=(1, 2),
        c1_in_channels=32,
        c1_channels=4,
        num_classes=5,
        norm_cfg=dict(type='BN'),
    )


class ReadsTheFirst(FCNHead):
    """A head that the project cannot know."""

    def _transform_inputs(self, inputs):
        return inputs[self.in_index] + inputs[0].mean()


def unknown():
    return dict(type=ReadsTheFirst, in_channels=128, in_index=3, channels=8, num_classes=5)


@pytest.mark.slow
@pytest.mark.parametrize(
    'head, maps', [(several_maps, (1, 2)), (one_map_and_the_first, (0, 3)), (unknown, (0, 1, 2, 3))]
)
@torch.no_grad()
def test_a_head_that_reads_other_maps_gets_them(head, maps):
    model = segmentor(decode_head=head())
    x = torch.randn(1, 3, 64, 64)
    expected = model(x)
    _, record = strip_training(model, options())
    assert record.feature_maps == 4 - len(maps)
    assert model.backbone.out_indices == maps
    assert [feature_map.shape[1] for feature_map in model.backbone(x)] == [*model.backbone.out_channels]
    assert torch.equal(model(x), expected)
