"""SyncBN becomes BN where there is nothing to synchronise, and stays elsewhere."""

import pytest
import torch

from repvgg_seg.training import sync_bn
from repvgg_seg.training.config import dicts_in, load_config

B2 = 'configs/pspnet_repvgg_b2.py'


def norms(cfg):
    return {part['type'] for part in dicts_in(cfg.model) if part.get('type') in ('BN', 'SyncBN')}


@pytest.mark.parametrize(
    'gpu, launcher, world_size, expected',
    [
        (True, 'pytorch', '8', 'SyncBN'),
        (True, 'pytorch', '1', 'BN'),
        (True, 'none', None, 'BN'),
        (False, 'pytorch', '2', 'BN'),
        (False, 'none', None, 'BN'),
    ],
)
def test_sync_bn_becomes_bn_where_there_is_nothing_to_synchronise(monkeypatch, gpu, launcher, world_size, expected):
    monkeypatch.setattr(torch.cuda, 'is_available', lambda: gpu)
    if world_size:
        monkeypatch.setenv('WORLD_SIZE', world_size)
    cfg = load_config(B2, dict(launcher=launcher))
    sync_bn.use_bn_without_peers(cfg)
    assert norms(cfg) == {expected}


def test_it_is_said(monkeypatch):
    said = []
    monkeypatch.setattr(sync_bn, 'print_log', lambda message, logger: said.append(message))
    sync_bn.use_bn_without_peers(load_config(B2))
    assert said == ['SyncBN becomes BN: one process, nothing to synchronise']
