import pytest
from mmseg.models.decode_heads import FCNHead
from mmseg.registry import MODELS
from small_models import segmentor

from repvgg_seg.errors import InputError
from repvgg_seg.training.agreement.channels import channel_mismatch, check_channels
from repvgg_seg.training.agreement.segmentor_parts import heads_of

# The small backbone gives 32, 64, 128 and 128 channels.
FCN = dict(type='FCNHead', in_channels=128, in_index=2, channels=8, num_classes=5, num_convs=1)
UPER = dict(
    type='UPerHead',
    in_channels=[32, 64, 128, 128],
    in_index=[0, 1, 2, 3],
    channels=8,
    num_classes=5,
    auxiliary_head=None,
)
CONCAT = dict(
    type='FCNHead', in_channels=[32, 64], in_index=[0, 1], input_transform='resize_concat', channels=8, num_classes=5
)


@pytest.mark.parametrize(
    'changes, message',
    [
        (dict(), ''),
        (dict(auxiliary_head=[FCN, FCN | dict(in_index=-1)]), ''),
        (
            dict(auxiliary_head=[FCN, FCN | dict(in_index=1)]),
            r'64 channels at index 1, auxiliary_head.1.in_channels is 128: .*=64',
        ),
        (dict(auxiliary_head=FCN | dict(in_index=4)), r'auxiliary_head.in_index is 4, .* gives 4 feature maps, 0 to 3'),
        (dict(auxiliary_head=UPER), ''),
        (
            dict(auxiliary_head=UPER | dict(in_channels=[32, 64, 128, 256])),
            r'\[32, 64, 128, 128\] channels at the indices \[0, 1, 2, 3\], .* is \[32, 64, 128, 256\]',
        ),
        (dict(auxiliary_head=CONCAT), ''),
        (
            dict(auxiliary_head=CONCAT | dict(in_index=[0, 2])),
            r'\[32, 128\] channels at the indices \[0, 2\], .* is together 96',
        ),
    ],
)
def test_heads_and_backbone(changes, message):
    changes = {
        key: {k: v for k, v in value.items() if v is not None} if isinstance(value, dict) else value
        for key, value in changes.items()
    }
    model = segmentor(**changes)
    if message:
        with pytest.raises(InputError, match=message):
            check_channels(model)
    else:
        check_channels(model)


@MODELS.register_module()
class HeadOfTheFirstMap(FCNHead):
    """A user's head that reads what it likes."""

    def forward(self, inputs):
        return super().forward([inputs[0]] * 4)


def test_a_head_of_somebody_elses_is_left_to_the_rehearsal():
    check_channels(segmentor(auxiliary_head=FCN | dict(type='HeadOfTheFirstMap', in_channels=32)))


def fpn(**changes):
    neck = dict(type='FPN', in_channels=[32, 64, 128, 128], out_channels=16, num_outs=4) | changes
    head = FCN | dict(in_channels=16)
    return segmentor(neck=neck, decode_head=head, auxiliary_head=None)


def test_a_neck_between_them():
    check_channels(fpn())
    with pytest.raises(
        InputError, match=r'gives \[32, 64, 128, 128\] channels, neck.in_channels is \[32, 64, 128, 256\]'
    ):
        check_channels(fpn(in_channels=[32, 64, 128, 256]))
    with pytest.raises(InputError, match=r'the neck gives 8 channels at index 2, decode_head.in_channels is 16'):
        check_channels(fpn(out_channels=8))


def test_what_was_seen_of_another_backbone():
    head = heads_of(segmentor())['decode_head']
    assert channel_mismatch('decode_head', head, [1, 2, 3, 128], 'backbone') == ''
    assert 'gives 4 channels at index 3' in channel_mismatch('decode_head', head, [1, 2, 3, 4], 'backbone')
