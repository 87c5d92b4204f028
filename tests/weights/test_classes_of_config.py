"""Classes and colours of a network whose file names none, as mmseg's own functions find them."""

import numpy as np
import pytest
import torch
from helpers import randomise_bn
from mmengine.config import Config
from mmengine.runner import CheckpointLoader
from mmseg.apis import MMSegInferencer, inference_model, init_model
from mmseg.registry import MODELS
from tiny import tiny_config

from repvgg_seg import reparameterize_model
from repvgg_seg.cli.reparameterize import fused_meta
from repvgg_seg.weights.classes_of_config import classes_of_config
from repvgg_seg.weights.write import write_checkpoint

# As many as no data set of mmseg has: mmseg would take Cityscapes' for them.
CLASSES = ('traffic light', 'bus stop', 'sky', 'tree')
PALETTE = [[1, 2, 3], [4, 5, 6], [7, 8, 9], [0, 0, 1]]
METAINFO = dict(classes=CLASSES, palette=PALETTE)


@pytest.fixture
def cfg(tmp_path):
    """A config with classes of its own, whose data is not there; built on a segmentor's tiny one."""
    cfg = tiny_config(tmp_path / 'no_data', tmp_path)
    for loader in ('train', 'val', 'test'):
        dataset = cfg[f'{loader}_dataloader'].dataset
        cfg[f'{loader}_dataloader'].dataset = dict(
            type='BaseSegDataset', metainfo=METAINFO, data_root=dataset.data_root, pipeline=dataset.pipeline
        )
    cfg.model.decode_head.num_classes = cfg.model.auxiliary_head.num_classes = len(CLASSES)
    return cfg


def model_of(cfg):
    return randomise_bn(MODELS.build(cfg.model)).eval()


FILES = dict(  # content of a file, from the state of a network
    bare=lambda state: state,
    state_dict=lambda state: dict(state_dict=state),
    model=lambda state: dict(model=state, optimizer={}),
    ddp=lambda state: {f'module.{name}': tensor for name, tensor in state.items()},
    empty_meta=lambda state: dict(meta={}, state_dict=state),
    meta_without_classes=lambda state: dict(meta=dict(iter=3), state_dict=state),
    empty_dataset_meta=lambda state: dict(meta=dict(dataset_meta={}), state_dict=state),
    no_dataset_meta=lambda state: dict(meta=dict(dataset_meta=None), state_dict=state),
    no_classes=lambda state: dict(meta=dict(dataset_meta=dict(classes=None, palette=None)), state_dict=state),
    compiled=lambda state: dict(meta={}, state_dict={f'_orig_mod.{name}': tensor for name, tensor in state.items()}),
    compiled_ddp=lambda state: {f'module._orig_mod.{name}': tensor for name, tensor in state.items()},
)


@pytest.mark.parametrize('suffix', ['.pth', '.safetensors'])
@pytest.mark.parametrize('content', FILES)
def test_init_model_takes_those_of_the_config(cfg, content, suffix, tmp_path):
    model = model_of(cfg)
    path = tmp_path / f'my weights{suffix}'
    write_checkpoint(FILES[content](model.state_dict()), path)
    loaded = init_model(Config(cfg._cfg_dict.to_dict()), str(path), device='cpu')
    assert tuple(loaded.dataset_meta['classes']) == CLASSES and loaded.dataset_meta['palette'] == PALETTE
    image = np.random.default_rng(0).integers(0, 256, (64, 64, 3), dtype=np.uint8)
    loaded.cfg.test_pipeline = [dict(type='LoadImageFromFile'), dict(type='PackSegInputs')]
    found = inference_model(loaded, image).pred_sem_seg.data
    loaded.load_state_dict(model.state_dict())
    assert torch.equal(inference_model(loaded, image).pred_sem_seg.data, found)


@pytest.mark.parametrize('content', FILES)
def test_for_any_other_caller_a_file_is_what_it_was(cfg, content, tmp_path):
    expected = FILES[content](dict(a=torch.ones(2)))
    torch.save(expected, tmp_path / 'x.pth')
    found = CheckpointLoader.load_checkpoint(str(tmp_path / 'x.pth'), 'cpu')
    assert found.keys() == expected.keys() and found.get('meta') == expected.get('meta')


def test_those_of_the_file_come_first(cfg, tmp_path):
    others = ('a', 'b', 'c', 'd')
    state = model_of(cfg).state_dict()
    for meta in (dict(dataset_meta=dict(classes=others, palette=PALETTE)), dict(CLASSES=others, PALETTE=PALETTE)):
        torch.save(dict(meta=meta, state_dict=state), tmp_path / 'x.pth')
        loaded = init_model(Config(cfg._cfg_dict.to_dict()), str(tmp_path / 'x.pth'), device='cpu')
        assert loaded.dataset_meta['classes'] == others


@pytest.mark.slow
@pytest.mark.parametrize('suffix', ['.pth', '.safetensors'])
@pytest.mark.parametrize('source', [{}, dict(dataset_meta=METAINFO)], ids=['bare', 'named'])
def test_a_fused_file_carries_them(cfg, suffix, source, tmp_path):
    """It also carries its config, so that the inferencer needs nothing else."""
    fused = reparameterize_model(model_of(cfg))
    path = str(tmp_path / f'my fused{suffix}')
    write_checkpoint(dict(meta=fused_meta(source, cfg), state_dict=fused.state_dict()), path)
    cfg.model.backbone.deploy = True
    without_data = Config(dict(default_scope='mmseg', model=cfg.model.to_dict(), test_pipeline=cfg.test_pipeline))
    by_api, by_inferencer = (
        init_model(without_data, path, device='cpu'),
        MMSegInferencer(None, path, device='cpu').model,
    )
    for model in (by_api, by_inferencer):
        assert tuple(model.dataset_meta['classes']) == CLASSES and model.dataset_meta['palette'] == PALETTE
        assert all(torch.equal(tensor, model.state_dict()[name]) for name, tensor in fused.state_dict().items())


def test_of_data_sets_around_others_and_of_none(cfg):
    inner = dict(type='BaseSegDataset', metainfo=METAINFO)
    for dataset in (
        dict(type='RepeatDataset', times=2, dataset=inner),
        dict(type='ConcatDataset', datasets=[inner, inner]),
        dict(type='ConcatDataset', datasets=[dict(type='RepeatDataset', times=2, dataset=inner)]),
        inner,
    ):
        found = classes_of_config(Config(dict(test_dataloader=None, val_dataloader=dict(dataset=dataset))))
        assert found == dict(classes=CLASSES, palette=PALETTE)
    subset = dict(type='CamVidDataset', metainfo=dict(classes=('Road', 'Sky')))
    assert classes_of_config(dict(train_dataloader=dict(dataset=subset))) == dict(
        classes=('Road', 'Sky'), palette=[[128, 64, 128], [128, 128, 128]]
    )
    for dataset in (dict(type='NoSuchDataset'), dict(type='BaseSegDataset'), {}):
        assert classes_of_config(dict(test_dataloader=dict(dataset=dataset))) is None
    assert classes_of_config({}) is None
