"""The global batch of a recipe, shared out or scaled by."""

import pytest
from mmengine.config import Config
from tiny import tiny_classifier

from repvgg_seg.errors import InputError
from repvgg_seg.training.global_batch import keep_global_batch, recipe_batch, scale_learning_rate


def test_a_global_batch_that_cannot_be_shared(monkeypatch, photos, tmp_path):
    cfg = tiny_classifier(photos, tmp_path, launcher='pytorch')
    monkeypatch.setenv('WORLD_SIZE', '3')
    with pytest.raises(InputError, match='3 processes cannot share 4 images evenly'):
        keep_global_batch(cfg)


@pytest.mark.parametrize('settings', [{}, dict(auto_scale_lr=None), dict(auto_scale_lr=dict(enable=False))])
@pytest.mark.parametrize('edit', [keep_global_batch, scale_learning_rate])
def test_a_config_without_a_recipe_s_batch(settings, edit):
    cfg = Config(settings)
    assert recipe_batch(cfg) is None
    with pytest.raises(InputError, match='has no auto_scale_lr=dict'):
        edit(cfg)


def test_scaling_is_switched_on():
    cfg = Config(dict(auto_scale_lr=dict(enable=False, base_batch_size=16)))
    scale_learning_rate(cfg)
    assert cfg.auto_scale_lr == dict(enable=True, base_batch_size=16)
