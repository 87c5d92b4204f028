"""Losses as a user sets them, from the command line to the score."""

import os
import shutil

import numpy as np
import pytest
from helpers import records, tool
from PIL import Image
from tiny import tiny_config

pytestmark = pytest.mark.slow


def test_class_weights_under_the_configs_of_the_paper(scenes, tmp_path):
    config = tmp_path / 'tiny.py'
    tiny_config(scenes, tmp_path, log_level='INFO').dump(config)
    weights = [0.5] * 18 + [2.0]
    options = [
        f'model.{head}.loss_decode.{setting}'
        for head in ('decode_head', 'auxiliary_head')
        for setting in (f'class_weight={weights}', 'avg_non_ignore=True')
    ]
    said = tool('train.py', config, '--work-dir', tmp_path / 'work', '--cfg-options', *options)
    (line,) = [line for line in said.splitlines() if 'WeightedCrossEntropyLoss in the place' in line]
    assert 'model.decode_head.loss_decode' in line and 'model.auxiliary_head.loss_decode' in line


DATA_SET = """
from mmseg.registry import DATASETS
from repvgg_seg.data.checked_dataset import CheckedSegDataset

@DATASETS.register_module()
class Roads(CheckedSegDataset):
    METAINFO = dict(classes=('rest', 'road'), palette=[[0, 0, 0], [128, 64, 128]])

    def __init__(self, **kwargs):
        super().__init__(img_suffix='_leftImg8bit.png', seg_map_suffix='_gtFine_labelTrainIds.png', **kwargs)
"""


def test_one_logit(scenes, tmp_path, monkeypatch):
    """Road or not: the score of one unflipped view of the same size is that without augmentation."""
    root = tmp_path / 'roads'
    shutil.copytree(scenes, root)
    for path in root.glob('gtFine/*/*/*_labelTrainIds.png'):
        labels = np.array(Image.open(path))
        Image.fromarray(np.where(labels == 255, 255, labels == 0).astype(np.uint8)).save(path)
    (tmp_path / 'roads_data_set.py').write_text(DATA_SET)
    monkeypatch.setenv('PYTHONPATH', str(tmp_path), prepend=os.pathsep)
    cfg = tiny_config(root, tmp_path, log_level='INFO')
    cfg.custom_imports.imports = ['repvgg_seg', 'roads_data_set']
    for loader in (cfg.train_dataloader, cfg.val_dataloader, cfg.test_dataloader):
        loader.dataset.type = 'Roads'
    for head in (cfg.model.decode_head, cfg.model.auxiliary_head):
        head.update(num_classes=2, out_channels=1, threshold=0.4)
        head.loss_decode = [dict(type='CrossEntropyLoss', use_sigmoid=True), dict(type='DiceLoss')]
    cfg.tta_model = dict(type='SegTTAModel')
    steps = cfg.tta_pipeline[1].transforms
    steps[0] = [dict(type='Resize', scale=(128, 64), keep_ratio=True)]
    steps[1] = [dict(type='RandomFlip', prob=0.0)]
    config = tmp_path / 'tiny.py'
    cfg.dump(config)
    said = tool('train.py', config, '--work-dir', tmp_path)
    assert 'ForegroundDiceLoss in the place' in said and 'acc_seg' in said
    trained = (config, tmp_path / 'iter_4.pth')
    plain, augmented = records(trained, tmp_path), records(trained, tmp_path, '--tta')
    assert augmented['per_class'] == plain['per_class']
