import pytest

from repvgg_seg.errors import InputError
from repvgg_seg.models.archs import ARCHS
from repvgg_seg.models.stride_dilation_plan import plan_layers


def strides_and_dilations(**kwargs):
    plan = plan_layers(ARCHS['A0'], **kwargs)
    return [layer.stride for layer in plan], [layer.dilation for layer in plan]


# RepVGG-A has 1, 2, 4, 14, 1 layers: stage 4 is layers 7 to 20 counted from 0, stage 5 is layer 21.
def test_output_stride_32():
    strides, dilations = strides_and_dilations()
    assert strides == [2, 2, 1, 2, 1, 1, 1, 2] + [1] * 13 + [2]
    assert dilations == [1] * 22


def test_output_stride_16():
    strides, dilations = strides_and_dilations(output_stride=16)
    assert strides == [2, 2, 1, 2, 1, 1, 1, 2] + [1] * 13 + [1]
    assert dilations == [1] * 21 + [2]


def test_output_stride_8():
    strides, dilations = strides_and_dilations(output_stride=8)
    assert strides == [2, 2, 1, 2, 1, 1, 1, 1] + [1] * 13 + [1]
    assert dilations == [1] * 7 + [2] * 14 + [4]


def test_fast_is_the_last_four_of_stage_4_and_stage_5():
    strides, dilations = strides_and_dilations(output_stride=8, dilate_last=5)
    assert strides == strides_and_dilations(output_stride=8)[0]
    assert dilations == [1] * 17 + [2] * 4 + [4]


def test_dilate_last_ends():
    assert strides_and_dilations(output_stride=8, dilate_last=0)[1] == [1] * 22
    assert strides_and_dilations(output_stride=8, dilate_last=15) == strides_and_dilations(output_stride=8)


def test_groups_of_every_second_layer():
    """The 3rd, 5th, ..., 21st layer, and in RepVGG-B the 23rd, 25th and 27th too (paper, section 3.4)."""
    numbered = {i for i, layer in enumerate(plan_layers(ARCHS['B1g4']), 1) if layer.groups == 4}
    assert numbered == {3, 5, 7, 9, 11, 13, 15, 17, 19, 21, 23, 25, 27}


def test_identity_where_the_shapes_match():
    identities = [i for i, layer in enumerate(plan_layers(ARCHS['A0'], output_stride=8)) if layer.has_identity]
    assert identities == [2, 4, 5, 6, *range(8, 21)]


def test_a_stem_of_stride_1():
    strides, dilations = strides_and_dilations(output_stride=8, stem_stride=1)
    assert strides[0] == 1 and strides[1:] == strides_and_dilations(output_stride=8)[0][1:]
    assert dilations == strides_and_dilations(output_stride=8)[1]


def test_channels_of_the_image():
    assert plan_layers(ARCHS['A0'], in_channels=4)[0].in_channels == 4


@pytest.mark.parametrize(
    'kwargs, message',
    [
        (dict(output_stride=4), 'output_stride must be one of 8, 16, 32, got 4'),
        (dict(stem_stride=0), 'stem_stride must be 2 or, for small images, 1, got 0'),
        (dict(in_channels=0), 'in_channels must be a positive integer'),
        (dict(dilate_last=5), 'needs output_stride 16 or 8'),
        (dict(output_stride=8, dilate_last=16), '0 to 15'),
        (dict(output_stride=16, dilate_last=2), '0 to 1'),
        (dict(output_stride=8, dilate_last=-1), 'got -1'),
    ],
)
def test_refusals(kwargs, message):
    with pytest.raises(InputError, match=message):
        plan_layers(ARCHS['A0'], **kwargs)
