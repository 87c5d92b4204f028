"""A run of mmengine's Runner that takes a fraction of a second: one conv and one BN, and a hook that notes the learning rates."""

import copy

import torch
from mmengine.config import Config
from mmengine.hooks import Hook
from mmengine.model import BaseModel
from mmengine.runner import Runner
from torch import nn
from torch.utils.data import Dataset


class Images(Dataset):
    """Eight images of noise."""

    metainfo = dict(classes=('a', 'b'))

    def __len__(self):
        return 8

    def __getitem__(self, index):
        return torch.rand(3, 8, 8, generator=torch.Generator().manual_seed(index))


class Toy(BaseModel):
    """A body of conv and BN, and a head."""

    def __init__(self):
        super().__init__()
        self.body = nn.Sequential(nn.Conv2d(3, 4, 3), nn.BatchNorm2d(4))
        self.head = nn.Conv2d(4, 2, 1)

    def forward(self, *images, mode='loss'):
        return dict(loss=self.head(self.body(torch.stack(images))).square().mean())


class Rates(Hook):
    """Notes the learning rate of the first and of the last parameter before every iteration."""

    priority = 'LOWEST'

    def __init__(self):
        self.noted = []

    def before_train_iter(self, runner, batch_idx, data_batch=None):
        groups = runner.optim_wrapper.optimizer.param_groups
        self.noted.append((groups[0]['lr'], groups[-1]['lr']))


def toy_config(work_dir, optim_wrapper, param_scheduler, train_cfg, **others):
    """The config of a run that stores a checkpoint at its end."""
    by_epoch = 'max_epochs' in train_cfg
    return Config(
        dict(
            work_dir=str(work_dir),
            optim_wrapper=optim_wrapper,
            param_scheduler=param_scheduler,
            train_cfg=dict(type='EpochBasedTrainLoop' if by_epoch else 'IterBasedTrainLoop', **train_cfg),
            train_dataloader=dict(batch_size=2, sampler=dict(type='DefaultSampler', shuffle=False)),
            default_hooks=dict(checkpoint=dict(type='CheckpointHook', interval=1, by_epoch=by_epoch)),
            randomness=dict(seed=0),
            log_level='ERROR',
        )
        | others
    )


def run_toy(cfg):
    """Train by a config; returns the Runner and the learning rates of (body, head) at every iteration."""
    cfg = copy.deepcopy(cfg)
    torch.manual_seed(0)
    rates = Rates()
    cfg['custom_hooks'] = [*cfg.get('custom_hooks', []), rates]
    loader = dict(cfg['train_dataloader'], dataset=Images())
    names = ('work_dir', 'optim_wrapper', 'param_scheduler', 'train_cfg', 'default_hooks', 'custom_hooks', 'randomness')
    runner = Runner(
        Toy(),
        train_dataloader=loader,
        log_level=cfg.log_level,
        load_from=cfg.get('load_from'),
        resume=cfg.get('resume', False),
        auto_scale_lr=cfg.get('auto_scale_lr'),
        default_scope='mmengine',
        experiment_name=f'toy {id(cfg)}',
        cfg=Config({key: value for key, value in cfg.items() if key != 'custom_hooks'}),
        **{name: cfg[name] for name in names},
    )
    runner.train()
    return runner, rates.noted
