"""A rehearsed run is bit for bit the run without a rehearsal."""

import random

import numpy as np
import pytest
import torch
from helpers import tool_in_two_processes
from mmcv.transforms import BaseTransform
from mmengine.hooks import Hook
from mmengine.logging import MessageHub
from mmengine.registry import HOOKS
from mmengine.runner import Runner
from mmseg.registry import TRANSFORMS
from tiny import tiny_config

pytestmark = pytest.mark.slow  # each test trains twice


@TRANSFORMS.register_module()
class CountingBrightness(BaseTransform):
    """Every image is brighter than the one before: what a rehearsal draws must not be counted."""

    def __init__(self):
        self.seen = 0

    def transform(self, results):
        self.seen += 1
        results['img'] = results['img'] + np.float32(self.seen)
        return results


@HOOKS.register_module()
class FirstIterationHook(Hook):
    """Remembers what could differ when the first iteration begins."""

    priority = 'LOWEST'

    def before_train_iter(self, runner, batch_idx, data_batch=None):
        if batch_idx == 0:
            self.training = [module.training for module in runner.model.modules()]
            self.gradients = [parameter.grad for parameter in runner.model.parameters()]
            self.randomness = (random.getstate(), np.random.get_state()[1].tolist(), torch.get_rng_state().tolist())
            self.hub = sorted(MessageHub.get_current_instance().runtime_info)


def run(scenes, folder, rehearsed, hooks=(), **options):
    cfg = tiny_config(scenes, folder, **options)
    cfg.train_dataloader.dataset.pipeline.insert(-1, dict(type='CountingBrightness'))
    cfg.custom_hooks = [dict(type='SwitchToDeployHook'), *hooks]
    if rehearsed:
        cfg.custom_hooks.append(dict(type='RehearsalHook'))
    cfg.custom_hooks.append(dict(type='FirstIterationHook'))
    cfg.experiment_name = f'run_{folder.name}'
    runner = Runner.from_cfg(cfg)
    runner.train()
    saved = torch.load(folder / 'iter_4.pth', weights_only=False)
    return saved, next(hook for hook in runner.hooks if isinstance(hook, FirstIterationHook))


def assert_equal(one, other, path=''):
    if isinstance(one, dict):
        assert one.keys() == other.keys(), path
        for key in one:
            assert_equal(one[key], other[key], f'{path}.{key}')
    elif isinstance(one, torch.Tensor):
        assert torch.equal(one, other), path
    elif isinstance(one, (list, tuple)):
        for i, pair in enumerate(zip(one, other, strict=True)):
            assert_equal(*pair, f'{path}.{i}')
    else:
        assert one == other, path


@pytest.mark.parametrize(
    'workers, hooks, options',
    [
        (0, [dict(type='EMAHook', momentum=0.1)], {}),
        (2, [dict(type='ChannelsLastHook')], {}),
        (0, [], dict(optim_wrapper__type='AutocastOptimWrapper')),
        (0, [], dict(optim_wrapper__accumulative_counts=2, model__backbone__with_cp=True)),
    ],
)
def test_weights_statistics_and_randomness(scenes, tmp_path, workers, hooks, options):
    options['train_dataloader__num_workers'] = workers
    (plain, before), (rehearsed, after) = (
        run(scenes, tmp_path / name, name == 'rehearsed', hooks, **options) for name in ('plain', 'rehearsed')
    )
    for key in ('state_dict', 'optimizer', 'param_schedulers'):
        assert_equal(plain[key], rehearsed[key], key)
    if hooks and hooks[0]['type'] == 'EMAHook':
        assert_equal(plain['ema_state_dict'], rehearsed['ema_state_dict'])
    assert vars(before) == vars(after)
    assert all(gradient is None for gradient in after.gradients)


def test_two_processes(scenes, tmp_path):
    saved = []
    for name, options in (('without', ['--no-rehearsal']), ('with', [])):
        work = tmp_path / name
        cfg = tiny_config(scenes, work, train_cfg__max_iters=2, log_level='INFO')
        cfg.dump(tmp_path / 'tiny.py')
        said = tool_in_two_processes('train.py', tmp_path / 'tiny.py', '--work-dir', work, *options)
        assert ('rehearsal passed' in said) is not bool(options)
        saved.append(torch.load(work / 'iter_2.pth', weights_only=False))
    for key in ('state_dict', 'optimizer'):
        assert_equal(saved[0][key], saved[1][key], key)
