"""Several processes, as far as one process can tell."""

import pytest
import torch
from mmengine.config import Config
from tiny import tiny_classifier

from repvgg_seg.errors import InputError
from repvgg_seg.training import distributed
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
    distributed.use_bn_without_peers(cfg)
    assert norms(cfg) == {expected}


def test_it_is_said(monkeypatch):
    said = []
    monkeypatch.setattr(distributed, 'print_log', lambda message, logger: said.append(message))
    distributed.use_bn_without_peers(load_config(B2))
    assert said == ['SyncBN becomes BN: one process, nothing to synchronise']


def test_a_launcher_without_torchrun(monkeypatch):
    monkeypatch.delenv('RANK', raising=False)
    with pytest.raises(InputError, match='tools/dist_train.sh'):
        distributed.use_gloo_without_gpu(Config(dict(launcher='pytorch')))


def test_a_global_batch_that_cannot_be_shared(monkeypatch, photos, tmp_path):
    cfg = tiny_classifier(photos, tmp_path, launcher='pytorch')
    monkeypatch.setenv('WORLD_SIZE', '3')
    with pytest.raises(InputError, match='3 processes cannot share 4 images evenly'):
        distributed.keep_global_batch(cfg)
    cfg.pop('auto_scale_lr')
    with pytest.raises(InputError, match='has no auto_scale_lr'):
        distributed.keep_global_batch(cfg)
