"""Settings without a class of their own: what is refused, what is said, and what goes on."""

import pytest
from mmengine.config import Config
from mmengine.optim import OptimWrapper

from repvgg_seg.errors import InputError
from repvgg_seg.training.config import settings_check
from repvgg_seg.training.config.set_options import set_options
from repvgg_seg.training.config.settings_check import check_settings

SLIDE = dict(mode='slide', crop_size=(64, 64))


@pytest.fixture
def said(monkeypatch):
    lines = []
    monkeypatch.setattr(settings_check, 'print_log', lambda message, *_: lines.append(message))
    return lines


def checked(training=True, **settings):
    cfg = Config.fromfile('configs/pspnet_repvgg_a0_synthetic.py')
    set_options(cfg, {key.replace('__', '.'): value for key, value in settings.items()})
    check_settings(cfg, training)


@pytest.mark.parametrize(
    'key, value, message',
    [
        ('randomness', dict(sed=3), 'randomness.sed: no setting of this name; the closest are seed'),
        ('randomness', dict(seed='abc'), "randomness.seed: got 'abc'; give a number from 0 to 4294967295"),
        ('randomness', dict(seed=-1), 'randomness.seed: got -1'),
        ('randomness', dict(seed=1.5), 'randomness.seed: got 1.5'),
        ('randomness', 5, 'randomness: got 5; give a dict of seed, diff_rank_seed, deterministic'),
        ('randomness', dict(seed=0, deterministic='no'), "randomness.deterministic: got 'no', text; it takes True or False"),
        ('randomness', dict(seed=0, deterministic=True), None),
        ('randomness', None, None),
        ('env_cfg.cudnn_bench', True, 'env_cfg.cudnn_bench: no setting of this name; the closest are cudnn_benchmark'),
        ('env_cfg.mp_cfg.mp_start_method', 'forks', "env_cfg.mp_cfg.mp_start_method: got 'forks'; this system has"),
        ('env_cfg.mp_cfg.mp_start_method', 'spawn', None),
        ('env_cfg.mp_cfg.opencv_threads', 1, 'env_cfg.mp_cfg.opencv_threads: no setting of this name'),
        ('env_cfg.dist_cfg.timeout', 1800, None),
        ('env_cfg', None, None),
        ('log_level', 'info', "log_level: got 'info'; the closest are INFO"),
        ('log_level', 'WARNING', None),
        ('log_level', 10, None),
        ('load_from', 2024, 'load_from: got 2024, a number; it takes text'),
        ('resume', 'yes', "resume: got 'yes', text; it takes True or False"),
        ('auto_scale_lr.enabel', True, 'auto_scale_lr.enabel: no setting of this name; the closest are enable'),
        ('auto_scale_lr', True, 'auto_scale_lr: got True; give a dict of enable, base_batch_size'),
        ('train_dataloader', None, 'train_dataloader: not in the config, and "train" needs train_dataloader, train_cfg, optim_wrapper'),
        ('val_evaluator', None, 'val_evaluator: not in the config, and "val" needs .*; to do without it, set .* to None'),
        ('test_cfg', None, 'test_cfg: not in the config, and "test" needs'),
        ('val_evaluator.iou_metrics', ['mIoU', 'mFoo'], "val_evaluator.iou_metrics: no metric has the name 'mFoo'; there are mIoU"),
        ('val_evaluator.iou_metrics', 'mDise', "no metric has the name 'mDise'; the closest are mDice"),
        ('val_evaluator', [dict(type='IoUMetric', iou_metrics=['IoU'])], "val_evaluator.0.iou_metrics: no metric has the name 'IoU'"),
        ('val_evaluator.iou_metrics', ['mDice', 'mFscore'], None),
        ('model.pretrained', 'a.pth', "model.pretrained: got 'a.pth'; RepVGG takes its weights by init_cfg"),
        ('model.pretrained', None, None),
        ('model.test_cfg.mode', 'slid', "model.test_cfg.mode: got 'slid'; give mode='whole', or mode='slide'"),
        ('model.test_cfg', dict(_delete_=True), 'model.test_cfg.mode: got {}'),
        ('model.test_cfg', None, 'model.test_cfg.mode: got None'),
        ('model.test_cfg', dict(mode='slide'), "model.test_cfg.crop_size: got None; mode='slide' needs two numbers"),
        ('model.test_cfg', SLIDE, 'model.test_cfg.stride: got None'),
        ('model.test_cfg', dict(SLIDE, stride=42), 'model.test_cfg.stride: got 42'),
        ('model.test_cfg', dict(SLIDE, stride=(42, 0)), r'model.test_cfg.stride: got \(42, 0\)'),
        ('model.test_cfg', dict(SLIDE, stride=(65, 42)), r'model.test_cfg.stride: \(65, 42\) is larger than crop_size=\(64, 64\)'),
        ('model.test_cfg', dict(SLIDE, stride=(64, 42)), None),
        ('optim_wrapper.clip_grad', dict(max_nrm=35), 'optim_wrapper.clip_grad.max_nrm: no setting of this name; the closest are max_norm'),
        ('optim_wrapper.clip_grad', dict(norm_type=2), 'optim_wrapper.clip_grad: got .*; it needs max_norm, a number above 0'),
        ('optim_wrapper.clip_grad', dict(max_norm='35'), 'it needs max_norm, a number above 0'),
        ('optim_wrapper.clip_grad', dict(type='vale', clip_value=1), "optim_wrapper.clip_grad.type: got 'vale'; give norm or value"),
        ('optim_wrapper.clip_grad', dict(type='value', max_norm=1), 'optim_wrapper.clip_grad.max_norm: no setting of this name'),
        ('optim_wrapper.clip_grad', dict(type='value', clip_value=1), None),
        ('optim_wrapper.clip_grad', dict(max_norm=35, norm_type=2), None),
        ('optim_wrapper.paramwise_cfg', [1], r'optim_wrapper.paramwise_cfg: got \[1\]; give a dict'),
        ('optim_wrapper.paramwise_cfg', dict(custom_keys=[1]), 'custom_keys: got .*; give a dict by parts of the names'),
        ('optim_wrapper.paramwise_cfg', dict(custom_keys=dict(head=dict(lr_mult=10.0)), norm_decay_mult=0.0), None),
    ],
)  # fmt: skip
def test_one_line_for_what_is_wrong(key, value, message, said):
    if message is None:
        checked(**{key: value})
        assert not said
        return
    with pytest.raises(InputError, match=message) as error:
        checked(**{key: value})
    assert '\n' not in str(error.value)


def test_a_test_needs_no_settings_of_training(said):
    checked(training=False, optim_wrapper__clip_grad=dict(max_nrm=1))
    nothing = dict.fromkeys(
        ('train_dataloader', 'train_cfg', 'optim_wrapper', 'val_dataloader', 'val_cfg', 'val_evaluator')
    )
    checked(training=False, **nothing)


@pytest.mark.parametrize(
    'name, meant',
    [
        ('optim_wraper', 'optim_wrapper'), ('val_evalator', 'val_evaluator'), ('autoscale_lr', 'auto_scale_lr'),
        ('custom_hook', 'custom_hooks'), ('load_form', 'load_from'),
        ('crop_size', None), ('train_pipeline', None), ('test_pipeline', None), ('my_setting', None), ('norm_cfg', None),
    ],
)  # fmt: skip
def test_a_top_level_key_like_one_that_is_read(name, meant, said):
    cfg = Config(dict(Config.fromfile('configs/pspnet_repvgg_a0_synthetic.py').to_dict(), **{name: 1}))
    check_settings(cfg, training=True)
    assert said == ([f'nothing reads {name!r} of the config; is {meant} meant?'] if meant else [])


def test_keys_that_change_nothing_are_said(said):
    checked(optim_wrapper__paramwise_cfg=dict(custom_keys=dict(decode_head=dict(lr_mul=10.0))))
    assert said == [
        'optim_wrapper.paramwise_cfg.custom_keys.decode_head.lr_mul changes nothing: mmengine reads lr_mult and decay_mult'
    ]


def test_a_class_that_a_lazy_config_imports_is_no_slip(said):
    cfg = Config(dict(Config.fromfile('configs/pspnet_repvgg_a0_synthetic.py').to_dict(), OptimWrapper=OptimWrapper))
    check_settings(cfg, training=True)
    assert said == []
