"""The config of a fine-tuning, made of the config of the training."""

from typing import Any

from mmengine.config import Config
from mmengine.logging import print_log

_RATE = 1 / 5  # of the learning rate of the training: its end has to be near what the weights have learned


def shorten(cfg: Config, iterations: int | None, rate: float | None) -> None:
    """Set the learning rate and, where it is asked for, the length of a fine-tuning.

    Args:
        cfg: of the training; changed in place.
        iterations: of the fine-tuning, with a learning rate that falls to 0 by the polynomial rule; None to keep the schedule.
        rate: the learning rate at the start; by default a fifth of that of the training.
    """
    optimizer: Any = (cfg.get('optim_wrapper') or {}).get('optimizer')
    if isinstance(optimizer, dict):
        if rate is None and isinstance(optimizer.get('lr'), (int, float)):
            rate = optimizer['lr'] * _RATE
            print_log(f'learning rate of the fine-tuning: {rate:g}, a fifth of that of the config (--lr)', 'current')
        if rate is not None:
            optimizer['lr'] = rate
    if iterations is None:
        return
    every = max(1, iterations // 4)
    cfg.train_cfg = dict(type='IterBasedTrainLoop', max_iters=iterations, val_interval=every)
    cfg.param_scheduler = [
        dict(type='PolyLR', power=0.9, eta_min=0.0, begin=0, end=iterations, by_epoch=False),
    ]
    cfg.log_processor = dict(cfg.get('log_processor') or {}, by_epoch=False)
    hooks: Any = cfg.get('default_hooks') or {}
    if 'checkpoint' in hooks:
        hooks.checkpoint.update(by_epoch=False, interval=every)
    if 'logger' in hooks:
        hooks.logger.update(log_metric_by_epoch=False, interval=min(hooks.logger.get('interval', 50), every))
