"""The data sets of a run, built and looked at before it starts."""

import copy
from types import SimpleNamespace

import numpy as np
import pytest
import torch
from mmengine.config import Config
from mmengine.runner import Runner
from PIL import Image
from seg_data import LOAD, relabel, write_data
from tiny import tiny_config
from torch import nn

from repvgg_seg.errors import InputError
from repvgg_seg.training.data_sets import prepare_data_sets
from repvgg_seg.training.hooks import ClassesSeenHook
from repvgg_seg.training.runner import build_runner

PACK = dict(type='PackSegInputs')


@pytest.fixture
def root(tmp_path):
    write_data(tmp_path, folder='val', names=('v', 'w'))
    return write_data(tmp_path)


def part(root, folder, **options):
    dataset = dict(
        type='BaseSegDataset',
        data_root=str(root),
        data_prefix=dict(img_path=f'images/{folder}', seg_map_path=f'labels/{folder}'),
        img_suffix='.png',
        metainfo=dict(classes=['ground', 'road']),
        pipeline=[*LOAD, PACK],
    )
    return dict(
        batch_size=1, num_workers=0, sampler=dict(type='DefaultSampler', shuffle=True), dataset=dataset | options
    )


def runner_of(train, val=None, heads=(), **cfg):
    """What `prepare_data_sets` uses of a Runner."""
    model = nn.Module()
    for name, ignore_index in heads:
        model.add_module(name, nn.Module())
        getattr(model, name).ignore_index = ignore_index
    hooks = []
    return SimpleNamespace(
        _train_dataloader=copy.deepcopy(train), _val_dataloader=copy.deepcopy(val), _test_dataloader=None,
        cfg=Config(cfg), seed=0, model=model, build_dataloader=Runner.build_dataloader,
        hooks=hooks, register_hook=lambda hook, priority: hooks.append(hook),
    )  # fmt: skip


def batches(runner):
    return [batch for loader in (runner._train_dataloader, runner._val_dataloader) for batch in loader]


@pytest.mark.slow
def test_a_data_set_of_mmseg_is_checked_without_a_step_for_it(root):
    runner = runner_of(part(root, 'train'), part(root, 'val'))
    prepare_data_sets(runner, training=True)
    assert len(batches(runner)) == 5 and isinstance(runner.hooks[0], ClassesSeenHook)
    relabel(root, lambda label: Image.fromarray(label * 7))
    for loader in (runner._train_dataloader, runner._val_dataloader):
        with pytest.raises(InputError, match=r'holds the values \[7\]'):
            list(loader)
    with pytest.raises(InputError, match=r'^train data: .*holds the values \[7\]'):
        prepare_data_sets(runner_of(part(root, 'train')), training=True)
    runner = runner_of(part(root, 'train'), disabled_protections=['CheckAnnotations'])
    prepare_data_sets(runner, training=True)
    assert len(list(runner._train_dataloader)) == 3


@pytest.mark.slow
@pytest.mark.parametrize('steps', [[*LOAD, dict(type='CheckAnnotations'), PACK], [*LOAD, PACK]])
def test_the_ignored_value_comes_from_the_data_set_and_the_heads(root, steps):
    relabel(root, lambda label: Image.fromarray(np.where(label == 1, [[1, 11] * 8], 0).astype(np.uint8)))
    for options, heads in (
        (dict(ignore_index=11), [('decode_head', 11), ('auxiliary_head', 11)]),
        ({}, [('decode_head', 11)]),
    ):
        runner = runner_of(part(root, 'train', pipeline=steps, **options), heads=heads)
        prepare_data_sets(runner, training=True)
        assert len(list(runner._train_dataloader)) == 3
    with pytest.raises(InputError, match='where 11 means ignored, set ignore_index=11 of the data set'):
        prepare_data_sets(runner_of(part(root, 'train', pipeline=steps)), training=True)


@pytest.mark.slow
@pytest.mark.parametrize(
    'options, said',
    [
        (dict(metainfo=None), 'BaseSegDataset has no names of classes'),
        (dict(metainfo=dict(classes='nowhere.txt')), "metainfo.classes is 'nowhere.txt', neither a list"),
        (dict(type='CamVidDataset', metainfo=dict(classes=['a', 'b'])), "CamVidDataset has no class 'a', 'b'"),
        (dict(type='CityscapesDataset', metainfo=dict(classes=['a'])), "CityscapesDataset has no class 'a'"),
        (dict(data_root='nowhere'), 'no folder nowhere'),
        (dict(data_prefix=dict(img_path='images/none', seg_map_path='labels/train')), 'no folder .*/images/none'),
        (dict(ann_file='none.txt'), r'no such file: .*/none.txt \(ann_file\)'),
        (dict(ann_file='empty.txt'), 'empty.txt .ann_file. names none'),
        (dict(img_suffix='.tif'), r'no \*.tif in .*images/train; it holds 3 \*.png: set img_suffix'),
        (dict(img_suffix=('.png', '.PNG')), r"takes one img_suffix, got \('.png', '.PNG'\)"),
        (dict(seg_map_suffix=('.png',)), 'cannot be built: TypeError'),
        (dict(seg_map_suffix='.bmp'), 'no such file: .*a.bmp; there is a.png: set seg_map_suffix'),
        (dict(metainfo=dict(classes=['a', 'b'], palette=[[0, 0, 0]])), 'cannot be built: ValueError: palette'),
    ],
)
@pytest.mark.parametrize('wrapped', [False, True], ids=['alone', 'inside'])
def test_a_data_set_that_cannot_be_built(root, options, said, wrapped):
    (root / 'empty.txt').write_text('')
    loader = part(root, 'train', **options)
    if wrapped:
        loader['dataset'] = dict(type='RepeatDataset', times=2, dataset=loader['dataset'])
    with pytest.raises(InputError, match=said) as error:
        prepare_data_sets(runner_of(loader), training=True)
    assert '\n' not in str(error.value)


def test_a_file_of_names(root):
    (root / 'classes.txt').write_text('ground\nroad\n')
    prepare_data_sets(runner_of(part(root, 'train', metainfo=dict(classes=str(root / 'classes.txt')))), training=True)


def final_weights(cfg, prepared):
    runner = build_runner(cfg)
    if prepared:
        prepare_data_sets(runner, training=True)
    runner.train()
    return runner.model.state_dict()


@pytest.mark.slow
def test_a_run_is_bit_for_bit_the_one_without(scenes, tmp_path):
    weights = []
    for prepared in (False, True):
        cfg = tiny_config(
            scenes, tmp_path / str(prepared), train_dataloader__num_workers=1, val_dataloader__num_workers=1
        )
        cfg.experiment_name = f'bit for bit {prepared}'
        for loader in (cfg.train_dataloader, cfg.val_dataloader):
            loader.dataset.type = 'CityscapesDataset'
            loader.dataset.pipeline = [step for step in loader.dataset.pipeline if step.type != 'CheckAnnotations']
        weights.append(final_weights(cfg, prepared))
    assert weights[0].keys() == weights[1].keys()
    assert all(torch.equal(weights[0][name], weights[1][name]) for name in weights[0])


@pytest.mark.slow
def test_an_error_in_a_worker_is_one_line(root):
    loader = part(root, 'train') | dict(num_workers=1)
    prepare_data_sets(runner := runner_of(loader), training=True)
    for path in (root / 'images/train').iterdir():
        path.unlink()
    with pytest.raises(
        InputError, match=r'InputError: no such file: .*png \(train_dataloader.dataset.pipeline.0, LoadImageFromFile\)'
    ):
        list(runner._train_dataloader)
