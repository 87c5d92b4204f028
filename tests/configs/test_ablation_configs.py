"""The configs of the paper's Tables 6 and 7: one for every kind of block, by the simple recipe (paper, section 4.2)."""

from pathlib import Path

import pytest
import torch
from mmengine.config import Config
from mmengine.optim import build_optim_wrapper
from mmseg.registry import MODELS

from repvgg_seg.models.block import find_blocks
from repvgg_seg.models.block_variants import BLOCKS, block_name

FOLDER = Path(__file__).resolve().parents[2] / 'configs' / 'ablation'
B0 = [f'b0_{block}_120e' for block in BLOCKS]
RESNETS = [f'resnet50_{block}_120e' for block in ('repvgg', 'plain')]
SMALL = 'b0_narrow_tiny_imagenet_50'
SIMPLE = Config.fromfile(FOLDER.parent / 'imagenet' / 'repvgg_b0_120e.py')


def load(name):
    cfg = Config.fromfile(FOLDER / f'{name}.py')
    with torch.device('meta'):
        return cfg, MODELS.build({**cfg.model, 'data_preprocessor': None})


def test_these_are_the_configs():
    assert sorted(path.stem for path in FOLDER.glob('*.py')) == sorted([*B0, *RESNETS, SMALL])


@pytest.mark.parametrize('name', [*B0, *RESNETS])
def test_one_block_under_the_simple_recipe(name):
    cfg, model = load(name)
    number, block = name.removesuffix('_120e').split('_', 1)
    kinds = {block_name(found.plan.block) for found in find_blocks(model)} - {'1x1'}  # that of a shortcut
    assert kinds == {block} and len(find_blocks(model)) == (
        16 if number == 'resnet50' else 28 + 3 * (block == 'residual')
    )
    for part in ('train_dataloader', 'val_dataloader', 'param_scheduler', 'train_cfg', 'auto_scale_lr', 'custom_hooks'):
        assert cfg[part] == SIMPLE[part], part
    assert cfg.optim_wrapper.optimizer == SIMPLE.optim_wrapper.optimizer


@pytest.mark.parametrize('name', ['b0_dirac_120e', 'b0_bn_after_addition_120e', 'resnet50_repvgg_120e'])
def test_weight_decay_on_kernels_only(name):
    cfg, model = load(name)
    groups = build_optim_wrapper(model, cfg.optim_wrapper).optimizer.param_groups
    decay = {id(p): group['weight_decay'] for group in groups for p in group['params']}
    for key, parameter in model.named_parameters():
        assert decay[id(parameter)] == (1e-4 if parameter.dim() > 1 else 0), key


def test_the_small_one():
    cfg, model = load(SMALL)
    assert model.backbone.arch.depths == (1, 4, 6, 16, 1) and model.linear.out_features == 50
    for loader in ('train', 'val', 'test'):
        assert cfg[f'{loader}_dataloader'].dataset.data_root == 'data/tiny_imagenet_50'
    assert cfg.param_scheduler[0].end == cfg.train_cfg.max_epochs and not cfg.model.label_smoothing
