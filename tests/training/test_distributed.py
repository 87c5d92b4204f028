"""Several processes, as far as one process can tell."""

import pytest
from mmengine.config import Config
from tiny import tiny_classifier

from repvgg_seg.errors import InputError
from repvgg_seg.training import distributed


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
