import pytest
from mmengine.config import Config
from mmengine.hooks import CheckpointHook, EarlyStoppingHook

from repvgg_seg.errors import InputError
from repvgg_seg.training.agreement.metric_keys import check_metric_keys, check_rules

SCORES = dict(aAcc=1.0, mIoU=2.0, mAcc=3.0)


@pytest.mark.parametrize(
    'hook, message',
    [
        (CheckpointHook(save_best='mIoU'), ''),
        (CheckpointHook(save_best=['mIoU', 'mAcc']), ''),
        (CheckpointHook(), ''),
        (CheckpointHook(save_best='val_loss'), ''),
        (CheckpointHook(save_best='mDice'), "save_best is 'mDice', and the scores are aAcc, mIoU, mAcc"),
        (CheckpointHook(save_best=['mIoU', 'mDice']), "save_best is 'mDice'"),
        (CheckpointHook(save_best='val/mIoU', rule='greater'), "save_best is 'val/mIoU'"),
        (EarlyStoppingHook(monitor='mAcc'), ''),
        (EarlyStoppingHook(monitor='mDice'), "monitor of the EarlyStoppingHook is 'mDice'"),
    ],
)
def test_scores_that_hooks_wait_for(hook, message):
    if message:
        with pytest.raises(InputError, match=message):
            check_metric_keys(SCORES, [hook])
    else:
        check_metric_keys(SCORES, [hook])


def test_the_score_of_auto_is_said(logged):
    check_metric_keys(SCORES, [CheckpointHook(save_best='auto')])
    assert "save_best='auto' takes aAcc" in logged()


@pytest.mark.parametrize(
    'options, message',
    [
        (dict(save_best='mIoU'), ''),
        (dict(save_best='mIoU', rule='greater'), ''),
        (dict(save_best='auto'), ''),
        (dict(save_best='mFscore', rule='greater'), ''),
        (dict(save_best='mine', greater_keys=['mine']), ''),
        (dict(save_best='mIoU', rule='less'), "rule is 'less', which keeps the worst mIoU"),
        (dict(save_best='seg/mIoU', rule='less'), 'keeps the worst seg/mIoU'),
        (dict(save_best='mFscore'), "does not know whether a greater 'mFscore' is better"),
        (dict(save_best=['mIoU', 'mAcc'], rule=['greater', 'less', 'less']), '3 rules for 2 scores'),
        (dict(save_best='mIoU', rule='more'), "rule is 'more': allowed are"),
    ],
)
def test_rules_in_a_config(options, message):
    cfg = Config(dict(default_hooks=dict(checkpoint=dict(type='CheckpointHook', **options), timer=None)))
    if message:
        with pytest.raises(InputError, match=message):
            check_rules(cfg)
    else:
        check_rules(cfg)
    early = dict(type='EarlyStoppingHook', monitor='mFscore')
    with pytest.raises(InputError, match='custom_hooks.0: mmengine does not know'):
        check_rules(Config(dict(custom_hooks=[early])))
