import argparse

import pytest
import torch
from mmengine.config import Config

from repvgg_seg.errors import InputError
from repvgg_seg.training import prepare as preflight

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


def test_pretrained_without_a_name():
    with pytest.raises(InputError, match='init_cfg=None as a whole'):
        preflight.check_pretrained(dict(init_cfg=dict(type='Pretrained', checkpoint=None)))


def test_a_part_of_a_config_and_a_checkpoint_in_its_place(tmp_path):
    with pytest.raises(InputError, match='has no model'):
        preflight.load_config('configs/_base_/runtime/default_runtime.py')
    checkpoint = tmp_path / 'x.pth'
    checkpoint.touch()
    with pytest.raises(InputError, match='the config comes first'):
        preflight.load_config(str(checkpoint))


def parsed(*options):
    parser = argparse.ArgumentParser()
    parser.add_argument('--cfg-options', nargs='+', action=preflight.CfgOptions)
    return parser.parse_args(['--cfg-options', *options]).cfg_options


def test_options_in_the_ways_of_mmengine_and_as_a_dict():
    assert parsed('a=1', 'b=[1,2]', 'c=None') == dict(a=1, b=[1, 2], c=None)
    assert parsed("arch={'depths': (1, 2), 'a': 0.25}") == dict(arch=dict(depths=(1, 2), a=0.25))


@pytest.mark.parametrize('option', ['a=dict(b=(1,2))', 'a={1:', 'a', 'a=[1,2'])
def test_options_that_cannot_be_read(option, capsys):
    with pytest.raises(SystemExit):
        parsed(option)
    assert 'give key=value' in capsys.readouterr().err


def test_an_earlier_run_is_not_overwritten(tmp_path):
    preflight.check_work_dir_is_new(str(tmp_path))
    preflight.check_work_dir_is_new(str(tmp_path / 'nowhere'))
    (tmp_path / 'last_checkpoint').write_text(str(tmp_path / 'iter_4.pth'))
    with pytest.raises(InputError, match=r'holds an earlier run \(iter_4.pth\).*--resume'):
        preflight.check_work_dir_is_new(str(tmp_path))


def test_resuming(tmp_path):
    cfg = preflight.load_config(B2)
    cfg.work_dir = str(tmp_path)
    with pytest.raises(InputError, match='no checkpoint in'):
        preflight.resume_from(cfg, 'auto')
    latest, other = str(tmp_path / 'iter_4.pth'), str(tmp_path / 'other.pth')
    (tmp_path / 'last_checkpoint').write_text(latest)
    with pytest.raises(InputError, match='no file .*iter_4.pth'):
        preflight.resume_from(cfg, 'auto')
    torch.save(dict(meta=dict(seed=5)), latest)
    torch.save(dict(meta=dict(seed=6)), other)
    preflight.resume_from(cfg, 'auto')
    assert (cfg.resume, cfg.load_from, cfg.model.backbone.init_cfg) == (True, latest, None)
    assert cfg.randomness.seed == 5, 'the sampler is built with it'
    preflight.resume_from(cfg, other)
    assert cfg.load_from == other and cfg.randomness.seed == 5, 'a seed of the config stays'


@pytest.mark.parametrize('gpu', [True, False])
def test_what_a_gpu_decides(monkeypatch, gpu):
    monkeypatch.setattr('torch.cuda.is_available', lambda: gpu)
    cfg = preflight.load_config('configs/imagenet/repvgg_a0_120e.py')
    preflight.use_amp(cfg)
    preflight.fit_loaders(cfg)
    assert cfg.optim_wrapper.type == ('AmpOptimWrapper' if gpu else 'AutocastOptimWrapper')
    loaders = cfg.train_dataloader, cfg.val_dataloader, cfg.test_dataloader
    assert [loader.get('pin_memory') for loader in loaders] == [True if gpu else None] * 3


def test_a_folder_that_cannot_be_made(tmp_path):
    preflight.check_folder(str(tmp_path / 'a' / 'b'), '--out')
    preflight.check_folder(None, '--out')
    (tmp_path / 'file').touch()
    with pytest.raises(InputError, match='--out .*file: cannot make this folder'):
        preflight.check_folder(str(tmp_path / 'file'), '--out')


def test_a_launcher_without_torchrun(monkeypatch):
    monkeypatch.delenv('RANK', raising=False)
    with pytest.raises(InputError, match='tools/dist_train.sh'):
        preflight.use_gloo_without_gpu(Config(dict(launcher='pytorch')))


@pytest.mark.parametrize(
    'given, in_config, expected', [('here', 'there', 'here'), (None, 'there', 'there'), (None, None, 'work_dirs/name')]
)
def test_work_dir(given, in_config, expected):
    cfg = Config(dict(work_dir=in_config) if in_config else {})
    preflight.default_work_dir(cfg, 'some/name.py', given)
    assert cfg.work_dir == expected
