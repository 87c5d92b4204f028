"""Runs small enough for a test: PSPNet and a classifier on a tiny RepVGG, over the fixtures `scenes` and `photos`."""

from mmengine.config import Config

TINY = dict(depths=(1, 2, 2, 5, 1), a=0.25, b=0.25)


def tiny_config(scenes, work_dir, **options) -> Config:
    """The synthetic config, shrunk; `options` as `--cfg-options` takes them."""
    cfg = Config.fromfile('configs/pspnet_repvgg_a0_synthetic.py')
    cfg.merge_from_dict(tiny_options(scenes))
    cfg.merge_from_dict({key.replace('__', '.'): value for key, value in options.items()})
    cfg.work_dir = str(work_dir)
    for part in (cfg.model.backbone, cfg.model.decode_head, cfg.model.auxiliary_head):
        part.norm_cfg = dict(type='BN')
    return cfg


def tiny_options(scenes) -> dict:
    """What makes the synthetic config tiny."""
    options = {
        'model.backbone.arch': dict(TINY, _delete_=True),
        'model.decode_head.in_channels': 128,
        'model.decode_head.channels': 16,
        'model.auxiliary_head.in_channels': 64,
        'model.auxiliary_head.channels': 8,
        'model.data_preprocessor.size': (64, 64),
        'train_dataloader.batch_size': 2,
        'train_cfg.max_iters': 4,
        'train_cfg.val_interval': 2,
        'param_scheduler.0.end': 4,
        'default_hooks.logger.interval': 1,
        'default_hooks.checkpoint.interval': 2,
        'randomness': dict(seed=3, deterministic=True),
        'log_level': 'WARNING',
    }
    for loader in ('train', 'val', 'test'):
        options |= {
            f'{loader}_dataloader.dataset.data_root': str(scenes),
            f'{loader}_dataloader.num_workers': 0,
            f'{loader}_dataloader.persistent_workers': False,
        }
        for i, step in enumerate(_steps(loader)):
            if step:
                options[f'{loader}_dataloader.dataset.pipeline.{i}.{step[0]}'] = step[1]
    return options


def _steps(loader):
    """What changes in each step of a pipeline."""
    scale = ('scale', (128, 64))
    return [None, None, None, scale, ('crop_size', (64, 64))] if loader == 'train' else [None, scale]


def tiny_classifier(photos, work_dir, **options) -> Config:
    """The config of Tiny-ImageNet, shrunk; `options` as `--cfg-options` takes them."""
    cfg = Config.fromfile('configs/imagenet/repvgg_a0_tiny_imagenet.py')
    cfg.merge_from_dict(
        {
            'model.arch': dict(TINY, _delete_=True),
            'model.num_classes': 3,
            'model.data_preprocessor.mixup_alpha': None,
            'train_dataloader.batch_size': 4,
            'param_scheduler.0.end': 1,
            'param_scheduler.1.begin': 1,
            'param_scheduler.1.end': 4,
            'auto_scale_lr.base_batch_size': 4,
            'train_cfg.max_epochs': 4,
            'train_cfg.val_interval': 2,
            'default_hooks.logger.interval': 1,
            'default_hooks.checkpoint.max_keep_ckpts': -1,
            'log_level': 'WARNING',
        }
    )
    for loader in ('train', 'val', 'test'):
        cfg[f'{loader}_dataloader'].update(num_workers=0, persistent_workers=False)
        cfg[f'{loader}_dataloader'].dataset.data_root = str(photos)
    cfg.merge_from_dict({key.replace('__', '.'): value for key, value in options.items()})
    cfg.work_dir = str(work_dir)
    return cfg
