import pytest
from small_models import segmentor

from repvgg_seg.errors import InputError
from repvgg_seg.training.agreement.losses import check_losses

CE = dict(type='CrossEntropyLoss')
HEAD = dict(type='FCNHead', in_channels=128, in_index=2, channels=8, num_convs=1)


@pytest.fixture
def check(logged):
    """Check a model of one or two heads with these losses; returns the warnings."""

    def check(*losses, **changes):
        heads = [HEAD | dict(num_classes=5, loss_decode=loss) | changes for loss in losses]
        check_losses(segmentor(decode_head=heads[0], auxiliary_head=heads[1:] or None))
        return logged()

    return check


@pytest.mark.parametrize(
    'losses, message',
    [
        ([CE | dict(class_weight=[1.0] * 4)], r'model.decode_head.loss_decode.class_weight has 4 numbers.* 5 classes'),
        (
            [[CE, dict(type='LovaszLoss', reduction='none', class_weight=[1.0] * 6)]],
            'loss_decode.1.class_weight has 6 numbers',
        ),
        ([CE, dict(type='FocalLoss', class_weight=[1.0] * 4)], 'auxiliary_head.0.loss_decode.class_weight has 4'),
        ([CE, CE, dict(type='TverskyLoss', class_weight=[1.0] * 4)], 'auxiliary_head.1.loss_decode.class_weight has 4'),
        ([dict(type='OhemCrossEntropy', class_weight=[1.0] * 4)], 'decode_head.loss_decode.class_weight has 4'),
        ([CE | dict(class_weight=[1, 1, 1, 1, -1])], 'class_weight holds -1.0'),
        ([CE | dict(loss_weight=0.0), CE | dict(loss_weight=0.0)], 'every loss has loss_weight 0'),
        ([CE | dict(loss_weight=-0.4)], 'loss_weight is -0.4'),
        ([CE | dict(loss_name='ce')], 'every loss has loss_weight 0, or a loss_name without'),
    ],
)
def test_refused(check, losses, message):
    with pytest.raises(InputError, match=message):
        check(*losses)


@pytest.mark.parametrize(
    'losses, message',
    [
        ([CE], ''),
        ([CE | dict(class_weight=[0, 1, 1, 1, 2])], ''),
        ([CE, CE | dict(loss_weight=0.0)], 'auxiliary_head.0.loss_decode.loss_weight is 0: nothing is learnt'),
        ([[CE, CE | dict(loss_name='ce_shown')]], "loss_decode.1.loss_name is 'ce_shown'"),
    ],
)
def test_accepted(check, losses, message):
    said = check(*losses)
    assert message in said and bool(message) == bool(said)


def test_a_head_of_one_logit_takes_one_weight(check):
    loss = CE | dict(use_sigmoid=True)
    check(loss | dict(class_weight=[2.0]), num_classes=2, out_channels=1, threshold=0.5)
    with pytest.raises(InputError, match='class_weight has 2 numbers, and the head has 1 logit'):
        check(loss | dict(class_weight=[1.0, 2.0]), num_classes=2, out_channels=1, threshold=0.5)
