"""SyncBN, replaced by BN where a run has nothing to synchronise."""

import torch
from mmengine.config import Config
from mmengine.logging import print_log

from .config import dicts_in
from .distributed import number_of_processes


def use_bn_without_peers(cfg: Config) -> None:
    """Replace SyncBN by BN in the model where there is nothing to synchronise: no GPU, or one process."""
    alone = number_of_processes(cfg) == 1
    if torch.cuda.is_available() and not alone:
        return
    if sync_bn_to_bn(cfg):
        reason = 'one process' if alone else 'no GPU'
        print_log(f'SyncBN becomes BN: {reason}, nothing to synchronise', 'current')


def sync_bn_to_bn(cfg: Config) -> bool:
    """Replace SyncBN by BN in the model; returns whether there was any."""
    synced = [part for part in dicts_in(cfg.model) if part.get('type') == 'SyncBN']
    for part in synced:
        part['type'] = 'BN'
    return bool(synced)
