import pytest
import torch
from mmengine.config import Config

from repvgg_seg import preflight
from repvgg_seg.errors import InputError

B2 = 'configs/pspnet_repvgg_b2.py'


def norms(cfg):
    return {part['type'] for part in preflight._dicts_in(cfg.model) if part.get('type') in ('BN', 'SyncBN')}


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
    cfg = preflight.load_config(B2, dict(launcher=launcher))
    preflight.use_bn_without_peers(cfg)
    assert norms(cfg) == {expected}


def test_it_is_said(monkeypatch):
    said = []
    monkeypatch.setattr(preflight, 'print_log', lambda message, logger: said.append(message))
    preflight.use_bn_without_peers(preflight.load_config(B2))
    assert said == ['SyncBN becomes BN: one process, nothing to synchronise']


def test_absent_imagenet_weights(tmp_path, monkeypatch):
    cfg = preflight.load_config(B2)
    with pytest.raises(InputError) as error:
        preflight.check_pretrained(cfg.model)
    for words in ('pretrained/RepVGG-B2-train.pth', 'github.com/DingXiaoH/RepVGG', 'model.backbone.init_cfg=None'):
        assert words in str(error.value)
    there = tmp_path / 'RepVGG-B2-train.pth'
    there.touch()
    cfg.model.backbone.init_cfg.checkpoint = str(there)
    preflight.check_pretrained(cfg.model)
    cfg.model.backbone.init_cfg = None
    preflight.check_pretrained(cfg.model)


def test_no_config_and_options_that_do_not_fit(tmp_path):
    with pytest.raises(InputError, match='no config nowhere.py'):
        preflight.load_config('nowhere.py')
    broken = tmp_path / 'broken.py'
    broken.write_text('model = dict(')
    with pytest.raises(InputError, match='is no config'):
        preflight.load_config(str(broken))
    with pytest.raises(InputError, match='--cfg-options do not fit'):
        preflight.load_config(B2, {'model.backbone.arch.depth': 3})


@pytest.mark.parametrize(
    'given, in_config, expected', [('here', 'there', 'here'), (None, 'there', 'there'), (None, None, 'work_dirs/name')]
)
def test_work_dir(given, in_config, expected):
    cfg = Config(dict(work_dir=in_config) if in_config else {})
    preflight.default_work_dir(cfg, 'some/name.py', given)
    assert cfg.work_dir == expected
