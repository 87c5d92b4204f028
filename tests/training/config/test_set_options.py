"""Options over a config: where they go, and what is refused."""

import json

import pytest
from mmengine.config import Config

from repvgg_seg.errors import InputError
from repvgg_seg.training.config import load_config
from repvgg_seg.training.config import set_options as module
from repvgg_seg.training.config.option_values import TypedText
from repvgg_seg.training.config.set_options import set_options

CONFIG = 'configs/pspnet_repvgg_a0_synthetic.py'


def typed(*options):
    return {key: TypedText(value) for key, _, value in (option.partition('=') for option in options)}


def changed(*options, **config):
    cfg = Config(config) if config else Config.fromfile(CONFIG)
    set_options(cfg, typed(*options))
    return cfg


def at(cfg, key):
    for name in key.split('.'):
        cfg = cfg[int(name)] if isinstance(cfg, (list, tuple)) else cfg[name]
    return cfg


@pytest.mark.parametrize(
    'option, expected',
    [
        ('train_dataloader.dataset.data_root=/tmp/my data', '/tmp/my data'),
        ('train_dataloader.dataset.data_root=2024', '2024'),
        ('train_dataloader.dataset.ann_file=1e3', '1e3'),  # not in the config: text by its annotation
        ('train_dataloader.dataset.data_prefix.img_path=2024', '2024'),
        ('work_dir=1e3', '1e3'),
        ('work_dir=runs,a', 'runs,a'),
        ('experiment_name=2024', '2024'),
        ('load_from=/tmp/my weights, new.pth', '/tmp/my weights, new.pth'),
        ('load_from=None', None),
        ('resume=true', True),
        ('train_cfg.max_iters=1e3', 1000),
        ('optim_wrapper.optimizer.lr=1e-3', 0.001),
        ('optim_wrapper.loss_scale=dynamic', 'dynamic'),
        ('default_hooks.checkpoint.save_best=[mIoU,mAcc]', ['mIoU', 'mAcc']),
        ('default_hooks.checkpoint.save_best=None', None),
        ('custom_hooks.0.optimize=True', True),
        ('custom_hooks.0={"type": "EMAHook", "_delete_": True}', dict(type='EMAHook')),
        ('param_scheduler.0.end=400', 400),
        ('model.pretrained=1', '1'),
        ('model.backbone.arch=dict(depths=(1, 2), a=1.0)', dict(depths=(1, 2), a=1.0)),
        ('model.auxiliary_head=None', None),
        ('model.auxiliary_head=[{"type": "FCNHead"}]', [dict(type='FCNHead')]),
        ('model.backbone.init_cfg={"type": "Pretrained", "checkpoint": "a b.pth"}', dict(type='Pretrained', checkpoint='a b.pth')),
        ("visualizer.vis_backends=[{'type':'LocalVisBackend'},{'type':'TensorboardVisBackend'}]", [dict(type='LocalVisBackend'), dict(type='TensorboardVisBackend')]),
        ('train_dataloader.dataset.pipeline.4.crop_size=(64, 64)', (64, 64)),
    ],
)  # fmt: skip
def test_what_was_typed_is_what_is_used(option, expected):
    key, _, _ = option.partition('=')
    value = at(changed(option), key)
    assert value == expected and isinstance(value, type(expected))


def test_the_options_become_the_values_that_a_record_stores():
    options = typed(
        'train_cfg.max_iters=4', 'model.backbone={"_delete_": True, "type": "RepVGG", "out_indices": (0, 1)}'
    )
    cfg = load_config(CONFIG, options)
    cfg.model.backbone.type = 'changed later'
    assert json.loads(json.dumps(options)) == {
        'train_cfg.max_iters': 4,
        'model.backbone': dict(_delete_=True, type='RepVGG', out_indices=[0, 1]),
    }


@pytest.mark.parametrize('options', [('a.type=B', 'a._delete_=True'), ('a._delete_=True', 'a.type=B')])
def test_what_is_deleted_is_deleted_first(options):
    assert changed(*options, a=dict(type='A', size=1)).a == dict(type='B')
    in_list = [option.replace('a.', 'a.0.') for option in options]
    assert changed(*in_list, a=[dict(type='A', size=1)]).a == [dict(type='B')]


def test_the_later_of_two_options_is_over_the_earlier():
    assert changed('a.x=1', 'a={"y": 2}', a=dict(x=0)).a == dict(x=1, y=2)
    assert changed('a={"y": 2}', 'a.y=3', a=dict(x=0)).a == dict(x=0, y=3)


def test_values_of_python_are_taken_as_they_are():
    assert load_config(CONFIG, {'work_dir': 'a', 'train_cfg.max_iters': '7'}).train_cfg.max_iters == '7'


@pytest.mark.parametrize(
    'option, message',
    [
        ('custom_hooks.99.optimize=True', 'custom_hooks.99 does not fit: custom_hooks is a list, its items: 0 to '),
        ('custom_hooks.-1.optimize=True', 'custom_hooks.-1 does not fit: custom_hooks is a list'),
        ('custom_hooks.optimize=True', 'custom_hooks.optimize does not fit: custom_hooks is a list'),
        ('param_scheduler.1={"type": "PolyLR"}', 'param_scheduler.1 does not fit: param_scheduler is a list, its items: 0 to 0'),
        ('param_scheduler={"1": {"type": "PolyLR"}}', 'param_scheduler.1 does not fit'),
        ('model.backbone.arch.depth=3', "model.backbone.arch is 'A0', which has no depth; set model.backbone.arch as a whole"),
        ('model.backbone.arch.a.b=3', "model.backbone.arch is 'A0', which has no a"),
        ('load_from.x=3', 'load_from is None, which has no x; set load_from as a whole'),
        ('model..type=1', 'an empty name in this key'),
        ('.=1', 'an empty name in this key'),
        ('train_cfg.max_iters=', 'cannot be read (nothing stands behind the =); the config has'),
        ('model.decode_head=[1,2', 'cannot be read (a ] is missing)'),
        ('optim_wraper.type=A', "optim_wraper.type: the config has no 'optim_wraper'; did you mean optim_wrapper?"),
        ('auto_scale_lr.enable=yes', 'cannot be read (give True or False); the config has False'),
    ],
)  # fmt: skip
def test_what_does_not_fit_is_one_line(option, message):
    with pytest.raises(InputError) as error:
        changed(option)
    assert message in str(error.value) and '\n' not in str(error.value)


@pytest.mark.parametrize(
    'option, parts',
    [
        ('root=/tmp', ["read 'root'", 'set train_dataloader.dataset.data_root, val_dataloader.dataset.data_root']),
        ('mine.size=3', ["read 'mine'", 'set the key that is read']),
        ('train_dataloader.dataset.data_root=a', None),
        ('tta_model.type=a', None),
        ('disabled_protections=[BatchSizeHook]', None),
    ],
)
def test_a_variable_that_nothing_reads_is_said(option, parts, monkeypatch):
    said = []
    monkeypatch.setattr(module, 'print_log', lambda message, *_: said.append(message))
    loaders = {f'{name}_dataloader': dict(dataset=dict(data_root='data')) for name in ('train', 'val')}
    changed(option, root='data', **loaders)
    assert len(said) == bool(parts) and all(part in said[0] for part in parts or ())
