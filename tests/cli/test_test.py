"""What the options of tools/test.py make of a config, and which of them are refused."""

import sys
from argparse import Namespace

import matplotlib
import pytest
from mmengine.config import Config

from repvgg_seg.cli.test import apply_args
from repvgg_seg.errors import InputError

STEPS = [dict(type='LoadImageFromFile'), dict(type='LoadAnnotations'), dict(type='PackSegInputs')]


def config(**parts):
    """A config of a user that has no more than it needs: no visualizer, default_hooks or tta_model."""
    dataset = dict(type='CamVidDataset', pipeline=STEPS)
    whole = dict(type='ConcatDataset', datasets=[dataset, dict(type='RepeatDataset', times=2, dataset=dataset)])
    hooks = [dict(type='SwitchToDeployHook')]
    parts = dict(tta_pipeline=STEPS[::2], test_evaluator=dict(type='IoUMetric'), custom_hooks=hooks, **parts)
    return Config(dict(model=dict(decode_head=dict()), test_dataloader=dict(dataset=whole), **parts))


def options(**given):
    names = ('tta', 'optimize', 'no_fuse', 'show', 'format_only', 'measure_anew')
    texts = dict.fromkeys(('out', 'show_dir', 'result', 'memory', 'examples'))
    return Namespace(config='c.py', wait_time=2, **(dict.fromkeys(names, False) | texts | given))


def test_everything_at_once(tmp_path):
    cfg = config()
    apply_args(cfg, options(out=str(tmp_path / 'a'), show_dir=str(tmp_path / 'b'), tta=True, format_only=True))
    assert [hook.type for hook in cfg.custom_hooks if hook.type != 'SwitchToDeployHook'] == ['WriteLabelsHook']
    assert cfg.default_hooks.visualization.type == 'DrawPredictionsHook'
    first, second = cfg.test_dataloader.dataset.datasets
    assert first.pipeline == second.dataset.pipeline == STEPS[::2]
    assert cfg.model.type == 'SegTTAModel'
    assert (tmp_path / 'a').is_dir() and (tmp_path / 'b').is_dir()


@pytest.mark.parametrize(
    'given, said',
    [
        (dict(out='full'), 'full is not empty'),
        (dict(out='file'), 'file: cannot make this folder'),
        (dict(out=''), '--out names no folder'),
        (dict(show_dir=''), '--show-dir names no folder'),
        (dict(show_dir='file'), '--show-dir .*file: cannot make this folder'),
        (dict(out='a', show_dir='full/../a/'), 'name two folders'),
        (dict(format_only=True), '--format-only needs --out'),
        (dict(format_only=True, out='a', result='r.json'), 'no --result to write'),
        (dict(result='full'), 'cannot write'),
        (dict(result=''), 'cannot write'),
        (dict(examples='full'), '--examples full is not empty'),
        (dict(examples='file'), '--examples file: cannot make this folder'),
        (dict(format_only=True, out='a', examples='b'), '--examples needs scores'),
        (dict(result='file/r.json'), 'cannot make the folder'),
        (dict(show=True), 'there is no display here: --show-dir'),
        (dict(memory='fused'), '--memory and --measure-anew go with --optimize'),
        (dict(measure_anew=True), '--memory and --measure-anew go with --optimize'),
        (
            dict(optimize=True, memory='2GB'),
            "memory must be fused, free or a number of MiB, a positive integer, got '2GB'",
        ),
        (dict(optimize=True, memory='0'), "memory must be fused, free or a number of MiB, a positive integer, got '0'"),
    ],
)
def test_what_is_refused_makes_no_folder(given, said, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / 'full').mkdir()
    for file in ('file', 'full/x'):
        (tmp_path / file).touch()
    monkeypatch.setattr(sys, 'platform', 'linux')
    for name in ('DISPLAY', 'WAYLAND_DISPLAY'):
        monkeypatch.delenv(name, raising=False)
    with pytest.raises(InputError, match=said) as error:
        apply_args(config(), options(**given))
    assert '\n' not in str(error.value)
    assert sorted(path.name for path in tmp_path.iterdir()) == ['file', 'full']


@pytest.mark.parametrize(
    'platform, display, backend, shown',
    [
        ('linux', ':0', 'TkAgg', True),
        ('linux', ':0', 'agg', False),
        ('linux', '', 'TkAgg', False),
        ('win32', '', 'TkAgg', True),
    ],
)
def test_a_display(platform, display, backend, shown, monkeypatch):
    monkeypatch.setattr(sys, 'platform', platform)
    monkeypatch.setenv('DISPLAY', display)
    monkeypatch.delenv('WAYLAND_DISPLAY', raising=False)
    monkeypatch.setattr(matplotlib, 'get_backend', lambda: backend)
    cfg = config()
    if shown:
        apply_args(cfg, options(show=True))
        assert cfg.default_hooks.visualization.show
    else:
        with pytest.raises(InputError, match='no display'):
            apply_args(cfg, options(show=True))


@pytest.mark.parametrize('hooks', [[], [dict(type='SwitchToDeployHook')]])
def test_how_a_model_is_optimized(hooks):
    cfg = config()
    cfg.custom_hooks = hooks
    apply_args(cfg, options(optimize=True, memory='300', measure_anew=True))
    assert cfg.custom_hooks == [dict(type='SwitchToDeployHook', optimize=True, memory=300, measure_anew=True)]


def test_the_config_says_how_unless_the_command_line_does():
    cfg = config()
    cfg.custom_hooks = [dict(type='SwitchToDeployHook', memory='fused', measure_anew=True)]
    apply_args(cfg, options(optimize=True))
    assert cfg.custom_hooks == [dict(type='SwitchToDeployHook', memory='fused', measure_anew=True, optimize=True)]
    apply_args(cfg, options(optimize=True, memory='300'))
    assert cfg.custom_hooks[0].memory == 300
