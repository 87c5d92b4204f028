"""Configs elsewhere inherit from those of the package by mmengine's own `PACKAGE::CONFIG`."""

import os
from pathlib import Path

import pytest
from mmengine.config import Config
from mmengine.dataset import default_collate
from mmengine.registry import DATASETS, METRICS, MODELS, init_default_scope
from mmengine.runner import Runner
from mmseg.registry import MODELS as MMSEG_MODELS
from tiny import tiny_options

import repvgg_seg
from repvgg_seg.registry import REGISTRIES, drop_scope
from repvgg_seg.training.config import load_config
from repvgg_seg.training.config.find_config import config_names, find_config


@pytest.fixture
def inherit(tmp_path, monkeypatch):
    """Write a config with these `_base_` into a folder of its own; returns its path."""

    def write(*bases, more=''):
        monkeypatch.chdir(tmp_path)
        path = tmp_path / 'own.py'
        path.write_text(f'_base_ = {[f"repvgg_seg::{base}" for base in bases]}\n{more}\n')
        return path

    return write


def test_parts_of_a_config(inherit):
    path = inherit('_base_/datasets/synthetic.py', '_base_/models/pspnet.py')
    cfg = Config.fromfile(path)
    assert cfg.data_root == 'data/synthetic' and cfg.model.decode_head.type == 'FoldedPSPHead'
    assert cfg.model._scope_ == 'repvgg_seg'  # what mmengine makes of it


@pytest.mark.parametrize('name', config_names())
def test_every_config_as_it_is(inherit, name):
    cfg = load_config(str(inherit(name + '.py' if '/' in name else f'_base_/../{name}.py')))
    expected = Config.fromfile(find_config(name)).to_dict()
    drop_scope(expected)  # of the config that is copied, whose bases are named in this way
    assert cfg.to_dict() == expected


def test_the_scope_builds_classes_of_ours_of_mmseg_and_of_mmengine(inherit, scenes):
    """As mmseg's own tools read it, with the scope that mmengine notes."""
    options = dict(tiny_options(scenes))
    cfg = Config.fromfile(inherit('_base_/../pspnet_repvgg_a0_synthetic.py'))
    cfg.merge_from_dict(options)
    init_default_scope('mmseg')
    for head in (cfg.model.backbone, cfg.model.decode_head, cfg.model.auxiliary_head):
        head.norm_cfg = dict(type='BN')
    model = MODELS.build(cfg.model)
    assert type(model.backbone) is repvgg_seg.RepVGG and type(model) is MMSEG_MODELS.get('EncoderDecoder')
    assert cfg.train_dataloader.dataset._scope_ == cfg.val_evaluator._scope_ == 'repvgg_seg'
    assert DATASETS.build(cfg.val_dataloader.dataset)[0]['inputs'].shape == (3, 64, 128)
    assert type(METRICS.build(cfg.val_evaluator)).__name__ == 'StreetIoUMetric'


@pytest.mark.slow
@pytest.mark.parametrize('own_reader', [False, True])
def test_a_run(inherit, scenes, tmp_path, own_reader):
    path = inherit('_base_/../pspnet_repvgg_a0_synthetic.py')
    cfg = load_config(str(path)) if own_reader else Config.fromfile(path)
    cfg.merge_from_dict(tiny_options(scenes))
    for part in (cfg.model.backbone, cfg.model.decode_head, cfg.model.auxiliary_head):
        part.norm_cfg = dict(type='BN')
    cfg.work_dir = str(tmp_path / 'work')
    Runner.from_cfg(cfg).train()
    assert (tmp_path / 'work' / 'iter_4.pth').exists()


def test_the_collate_function_of_our_tools(inherit, photos):
    cfg = load_config(str(inherit('imagenet/repvgg_a0_120e.py')))
    loader = cfg.val_dataloader
    loader.dataset.data_root = str(photos)
    loader.update(batch_size=2, num_workers=0, persistent_workers=False, pin_memory=False)
    batch = next(iter(Runner.build_dataloader(loader)))
    assert type(batch) is type(default_collate([{'inputs': 0}])) and len(batch['inputs']) == 2


def test_only_our_scope_is_dropped():
    nest = dict(a=[dict(_scope_='mmdet', b=(dict(_scope_='repvgg_seg', type='B'),))], _scope_='repvgg_seg')
    drop_scope(nest)
    assert nest == dict(a=[dict(_scope_='mmdet', b=(dict(type='B'),))])


def test_nothing_is_registered_in_our_scope():
    assert {'MODELS', 'DATASETS', 'TRANSFORMS', 'HOOKS', 'METRICS', 'LOOPS', 'VISUALIZERS'} <= set(REGISTRIES)
    assert not any(registry.module_dict for registry in REGISTRIES.values())


def test_the_links_of_the_package_lead_to_the_repository():
    mim = Path(repvgg_seg.__file__).parent / '.mim'
    repo = Path(__file__).resolve().parents[2]
    for name in ('configs', 'tools', 'model-index.yml'):
        assert os.path.realpath(mim / name) == str(repo / name)
