"""The paper's two ImageNet recipes, to the letter (REFERENCE, section 3; paper, section 4.1)."""

from pathlib import Path

import pytest
import torch
from mmengine.config import Config
from mmengine.optim import build_optim_wrapper
from mmseg.registry import METRICS, MODELS, TRANSFORMS
from torch import nn
from torch.nn.modules.batchnorm import _BatchNorm

from repvgg_seg.models.archs import ARCHS

FOLDER = Path(__file__).resolve().parents[2] / 'configs' / 'imagenet'
SIMPLE = [
    f'repvgg_{arch.lower()}_120e' for arch in ARCHS if arch not in ('D2se', 'L2pse')
]  # of which there is no paper
STRONG = [f'repvgg_{arch}_200e' for arch in ('b2', 'b2g2', 'b2g4', 'b3', 'b3g2', 'b3g4')]
TINY = ['repvgg_a0_tiny_imagenet', 'repvgg_small_tiny_imagenet']


def load(name):
    return Config.fromfile(FOLDER / f'{name}.py')


def build(cfg):
    with torch.device('meta'):
        return MODELS.build({**cfg.model, 'data_preprocessor': None})


def test_these_are_the_configs():
    assert len(SIMPLE) == 13
    assert sorted(path.stem for path in FOLDER.glob('*.py')) == sorted([*SIMPLE, *STRONG, *TINY])


@pytest.mark.parametrize('name', [*SIMPLE, *STRONG, *TINY])
def test_what_all_have_in_common(name):
    cfg = load(name)
    model = build(cfg)
    arch = cfg.model.arch
    assert name.split('_')[1] == (arch.lower() if isinstance(arch, str) else 'small')
    assert model.linear.out_features == (200 if name in TINY else 1000)
    for pipeline in (cfg.train_pipeline, cfg.test_pipeline):
        for step in pipeline:
            TRANSFORMS.build(step)
    METRICS.build(cfg.test_evaluator)
    for loader, pipeline in (('train', 'train'), ('val', 'test'), ('test', 'test')):
        dataset = cfg[f'{loader}_dataloader'].dataset
        assert dataset.pipeline == cfg[f'{pipeline}_pipeline'] and dataset.split == (
            'train' if loader == 'train' else 'val'
        )
    assert {hook.type for hook in cfg.custom_hooks} >= {'SwitchToDeployHook', 'LoadWeightsHook', 'CheckHeadsHook'}


@pytest.mark.parametrize('name', [*SIMPLE, *STRONG])
def test_the_recipe(name):
    cfg = load(name)
    optimizer = cfg.optim_wrapper.optimizer
    assert (optimizer.type, optimizer.lr, optimizer.momentum, optimizer.weight_decay) == ('SGD', 0.1, 0.9, 1e-4)
    assert cfg.train_dataloader.batch_size == 32 and cfg.auto_scale_lr.base_batch_size == 256  # on 8 GPUs
    assert not cfg.auto_scale_lr.enable
    crop, flip, _ = cfg.train_pipeline
    assert (crop.type, crop.size, flip.type, flip.prob) == ('LoadRandomResizedCrop', 224, 'RandomFlip', 0.5)
    _, resize, centre, _ = cfg.test_pipeline
    assert min(resize.scale) == 256 and resize.keep_ratio and centre.crop_size == 224
    strong, epochs = name in STRONG, 200 if name in STRONG else 120
    *warm_up, cosine = cfg.param_scheduler
    assert (cosine.type, cosine.eta_min, cosine.end) == ('CosineAnnealingLR', 0, epochs)
    assert cfg.train_cfg.max_epochs == epochs and cosine.convert_to_iter_based
    assert [(s.type, s.begin, s.end) for s in warm_up] == [('LinearLR', 0, 5)] * strong
    assert cosine.begin == 5 * strong
    preprocessor = cfg.model.data_preprocessor
    found = cfg.model.get('label_smoothing'), preprocessor.get('auto_augment'), preprocessor.get('mixup_alpha')
    assert found == ((0.1, True, 0.2) if strong else (None, None, None))


@pytest.mark.parametrize('arch', ['A0', 'B1g2', 'D2se'])
def test_weight_decay_on_kernels_only(arch):
    cfg = load('repvgg_a0_120e')
    cfg.model.arch = arch
    model = build(cfg)
    groups = build_optim_wrapper(model, cfg.optim_wrapper).optimizer.param_groups
    decay = {id(p): group['weight_decay'] for group in groups for p in group['params']}
    norms = [m for m in model.modules() if isinstance(m, _BatchNorm)]
    kernels = {id(m.weight) for m in model.modules() if isinstance(m, (nn.Conv2d, nn.Linear))}
    assert norms and decay.keys() == {id(p) for p in model.parameters()}
    assert {p for p, value in decay.items() if value} == kernels and set(decay.values()) == {0, 1e-4}
