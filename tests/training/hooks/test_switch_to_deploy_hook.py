"""Validation in the middle of a run, of the fused form, must leave no trace in the run."""

from argparse import Namespace

import pytest
import torch
from helpers import randomise_bn
from mmengine.config import Config
from mmengine.hooks import EMAHook, Hook
from mmengine.model import BaseTTAModel
from mmengine.registry import HOOKS
from mmengine.runner import Runner
from tiny import tiny_config
from torch import nn

from repvgg_seg.models.block import RepVGGBlock, find_blocks
from repvgg_seg.training.hooks import SwitchToDeployHook
from repvgg_seg.training.hooks.switch_to_deploy_hook import _input_shape


@HOOKS.register_module()
class WhatIsEvaluatedHook(Hook):
    """Remembers the model that sees each validation and test batch."""

    priority = 'LOWEST'

    def __init__(self):
        self.models = []

    def before_val_iter(self, runner, batch_idx, data_batch=None):
        self.models.append(runner.model)

    before_test_iter = before_val_iter


def train(cfg, validate=True):
    if not validate:
        cfg.val_dataloader = cfg.val_cfg = cfg.val_evaluator = None
        cfg.default_hooks.checkpoint.pop('save_best')
    cfg.experiment_name = f'run_{id(cfg)}'
    runner = Runner.from_cfg(cfg)
    runner.train()
    return runner


def state_of(runner):
    """Everything that decides how a run goes on, as flat tensors."""
    state = dict(runner.model.state_dict())
    for i, slots in runner.optim_wrapper.optimizer.state_dict()['state'].items():
        state |= {f'optimizer.{i}.{name}': value for name, value in slots.items()}
    ema = next((hook for hook in runner.hooks if isinstance(hook, EMAHook)), None)
    if ema:
        state |= {f'ema.{name}': value for name, value in ema.ema_model.state_dict().items()}
    state['torch rng'] = torch.get_rng_state()
    return state


@pytest.mark.slow
@pytest.mark.parametrize('workers', [0, 1])
@pytest.mark.parametrize('ema', [False, True])
def test_validation_leaves_the_run_where_it_would_be_without(scenes, tmp_path, ema, workers):
    states = []
    for validate in (True, False):
        cfg = tiny_config(scenes, tmp_path / str(validate), train_dataloader__num_workers=workers)
        cfg.custom_hooks = [dict(type='SwitchToDeployHook')]
        if ema:
            cfg.custom_hooks.append(dict(type='EMAHook', momentum=0.1))
        runner = train(cfg, validate)
        states.append(state_of(runner))
        assert len(find_blocks(runner.model)) == 11
    validated, plain = states
    assert validated.keys() == plain.keys()
    for name in plain:
        assert torch.equal(torch.as_tensor(validated[name]), torch.as_tensor(plain[name])), name


@pytest.mark.slow
def test_every_validation_and_test_is_of_the_fused_form(scenes, tmp_path):
    cfg = tiny_config(scenes, tmp_path)
    cfg.custom_hooks = [dict(type='SwitchToDeployHook'), dict(type='WhatIsEvaluatedHook')]
    runner = train(cfg)
    runner.test()
    models = next(hook for hook in runner.hooks if isinstance(hook, WhatIsEvaluatedHook)).models
    assert len(models) == 3 * 2  # two validations and one test, two images each
    for model in models:
        blocks = [m for m in model.modules() if isinstance(m, RepVGGBlock)]
        assert len(blocks) == 11 and all(block.deploy for block in blocks)


@pytest.mark.slow
def test_the_averaged_parameters_are_what_is_fused(scenes, tmp_path):
    """After training, a test under EMA sees the fused average."""
    cfg = tiny_config(scenes, tmp_path)
    cfg.custom_hooks = [
        dict(type='SwitchToDeployHook'),
        dict(type='EMAHook', momentum=0.5),
        dict(type='WhatIsEvaluatedHook'),
    ]
    runner = train(cfg)
    ema = next(hook for hook in runner.hooks if isinstance(hook, EMAHook)).ema_model.module
    evaluated = next(hook for hook in runner.hooks if isinstance(hook, WhatIsEvaluatedHook)).models[-1]
    block = ema.backbone.stage1[0]
    own = runner.model.backbone.stage1[0]
    # BN statistics are not averaged (mmengine's default): those of the model go with the averaged weights
    block.rbr_dense.bn.load_state_dict(own.rbr_dense.bn.state_dict() | dict(block.rbr_dense.bn.named_parameters()))
    block.rbr_1x1.bn.load_state_dict(own.rbr_1x1.bn.state_dict() | dict(block.rbr_1x1.bn.named_parameters()))
    kernel, _ = block.get_equivalent_kernel_bias()
    assert torch.equal(evaluated.backbone.stage1[0].rbr_reparam.weight, kernel)
    assert not torch.equal(kernel, own.get_equivalent_kernel_bias()[0])


@pytest.mark.slow
def test_the_best_checkpoint_is_saved_in_training_form(scenes, tmp_path):
    train(tiny_config(scenes, tmp_path))
    (best,) = tmp_path.glob('best_mIoU_iter_*.pth')
    names = torch.load(best, weights_only=False)['state_dict']
    assert 'backbone.stage0.rbr_dense.conv.weight' in names
    assert not any('rbr_reparam' in name for name in names)


class _Runner:
    def __init__(self, model):
        self.model = model


class _TTA(BaseTTAModel):
    def merge_preds(self, data_samples_list):
        return data_samples_list


def test_models_without_blocks_and_models_in_wrappers():
    from mmseg.registry import MODELS

    plain = nn.Conv2d(1, 1, 1)
    runner, hook = _Runner(plain), SwitchToDeployHook()
    hook.before_test_epoch(runner)
    assert runner.model is plain
    hook.after_test_epoch(runner)
    assert runner.model is plain

    backbone = randomise_bn(MODELS.build(dict(type='RepVGG', arch='A0')))
    backbone.test_step = None
    runner = _Runner(_TTA(backbone))
    wrapped = runner.model
    hook.before_test_epoch(runner)
    assert runner.model is not wrapped and not find_blocks(runner.model)
    hook.after_test_epoch(runner)
    assert runner.model is wrapped and find_blocks(wrapped)


@pytest.mark.parametrize('channels', [1, 4])
def test_windows_have_the_channels_of_the_backbone(channels):
    cfg = Config(dict(model=dict(test_cfg=dict(mode='slide', crop_size=(32, 48), stride=(16, 16)))))
    network = nn.DataParallel(nn.Sequential(nn.Conv2d(channels, 2, 1)))
    assert _input_shape(Namespace(cfg=cfg, model=network)) == (1, channels, 32, 48)
