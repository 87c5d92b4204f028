"""The steps before a Runner exists, and their order."""

from argparse import Namespace

import pytest
import torch
from mmengine.config import Config
from mmengine.runner import CheckpointLoader
from tiny import tiny_config

from repvgg_seg.errors import InputError
from repvgg_seg.training.prepare import prepare, prepare_model

OPTIONS = dict(
    config='some/name.py', work_dir=None, launcher='none', resume=None, resume_schedule='config', amp=False, channels_last=False,
    compile=False,     keep_global_batch=False, auto_scale_lr=False, tta=False, no_rehearsal=True,
    tracker=None,
)  # fmt: skip


@pytest.fixture
def cfg(scenes, tmp_path):
    return tiny_config(scenes, tmp_path / 'work')


def test_nothing_asked_for(cfg, tmp_path):
    cfg.model.decode_head.norm_cfg.type = 'SyncBN'
    hooks = list(cfg.custom_hooks)
    prepare(cfg, Namespace(**OPTIONS), 'train')
    assert (tmp_path / 'work').is_dir() and cfg.launcher == 'none'
    assert cfg.model.decode_head.norm_cfg.type == 'BN' and cfg.custom_hooks == hooks
    assert 'persistent_workers' not in cfg.train_dataloader
    assert cfg.optim_wrapper.type == 'OptimWrapper' and not cfg.resume


def test_every_option_of_training(cfg, monkeypatch):
    monkeypatch.setattr(torch.cuda, 'is_available', lambda: False)
    cfg.auto_scale_lr = dict(enable=False, base_batch_size=6)
    options = dict(amp=True, channels_last=True, compile=True, keep_global_batch=True, auto_scale_lr=True)
    prepare(cfg, Namespace(**OPTIONS | options), 'train')
    assert cfg.optim_wrapper.type == 'AutocastOptimWrapper'
    assert [hook.type for hook in cfg.custom_hooks[-2:]] == ['ChannelsLastHook', 'CompileHook']
    assert cfg.train_dataloader.batch_size == 6 and cfg.auto_scale_lr.enable


def test_scaling_needs_a_recipe(cfg):
    cfg.pop('auto_scale_lr')
    with pytest.raises(InputError, match='--auto-scale-lr: the config has no auto_scale_lr'):
        prepare(cfg, Namespace(**OPTIONS | dict(auto_scale_lr=True)), 'train')


def test_resuming_needs_no_pretrained_file_and_a_new_run_does(cfg, tmp_path):
    cfg.model.backbone.init_cfg = dict(type='Pretrained', checkpoint='nowhere.pth')
    torch.save(dict(meta=dict(seed=5)), tmp_path / 'x.pth')
    resumed = Config(cfg.to_dict())
    prepare(resumed, Namespace(**OPTIONS | dict(resume=str(tmp_path / 'x.pth'))), 'train')
    assert resumed.load_from == str(tmp_path / 'x.pth')
    cfg.work_dir = str(tmp_path / 'refused')
    with pytest.raises(InputError, match=r'no file nowhere\.pth'):
        prepare(cfg, Namespace(**OPTIONS), 'train')
    assert not (tmp_path / 'refused').exists(), 'what is refused leaves no folder'


def test_a_faulty_config_makes_no_folder(cfg, tmp_path):
    cfg.model.backbone.arhc = 'B2'
    with pytest.raises(InputError, match='model.backbone.arhc'):
        prepare(cfg, Namespace(**OPTIONS), 'train')
    assert not (tmp_path / 'work').exists()


def test_a_test_takes_its_weights_from_the_tool(cfg):
    cfg.load_from, cfg.resume = 'nowhere.pth', True
    cfg.train_dataloader.foo = cfg.tta_model.foo = 1  # not built
    prepare(cfg, Namespace(**OPTIONS), 'test')
    assert cfg.load_from is None and cfg.resume is False
    with pytest.raises(InputError, match=r'tta_model\.foo'):
        prepare(cfg, Namespace(**OPTIONS | dict(tta=True)), 'test')


@pytest.mark.parametrize('stage', ['train', 'test', 'model'])
def test_files_that_run_code_are_refused_from_then_on(cfg, tmp_path, stage):
    torch.save(dict(model=torch.nn.ReLU()), tmp_path / 'pickle.pth')
    if stage == 'model':
        prepare_model(cfg)
    else:
        prepare(cfg, Namespace(**OPTIONS), stage)
    with pytest.raises(InputError, match='holds more than tensors'):
        CheckpointLoader.load_checkpoint(str(tmp_path / 'pickle.pth'), logger='silent')


def test_a_tool_that_builds_the_model_alone(cfg):
    cfg.model.decode_head.norm_cfg.type = 'SyncBN'
    cfg.train_dataloader.foo = 1
    prepare_model(cfg)
    assert cfg.model.decode_head.norm_cfg.type == 'BN'
    cfg.model.foo = 1
    with pytest.raises(InputError, match=r'model\.foo: EncoderDecoder takes no argument'):
        prepare_model(cfg)
