"""A tiny network with random weights, as config and checkpoint, and small pictures."""

import numpy as np
import pytest
import torch
from helpers import randomise_bn
from mmengine.registry import init_default_scope
from mmseg.registry import MODELS
from PIL import Image
from tiny import tiny_config

from repvgg_seg.inference import Segmentor


@pytest.fixture(scope='session')
def network(tmp_path_factory):
    """(config, checkpoint), nineteen classes, as a training leaves them."""
    folder = tmp_path_factory.mktemp('network')
    cfg = tiny_config('no_data', folder)
    cfg.test_pipeline = [step for step in cfg.test_pipeline if step.type != 'Resize']
    cfg.test_dataloader.dataset.pipeline = cfg.test_pipeline  # whole images
    cfg.dump(folder / 'tiny.py')
    init_default_scope('mmseg')
    torch.manual_seed(3)
    model = MODELS.build(cfg.model)
    randomise_bn(model)
    torch.nn.init.normal_(model.decode_head.conv_seg.weight, std=1.0)
    classes = dict(classes=tuple(f'c{i}' for i in range(19)), palette=[[i, 2 * i, 3 * i] for i in range(19)])
    meta = dict(cfg=cfg.pretty_text, dataset_meta=classes)
    torch.save(dict(meta=meta, state_dict=model.state_dict()), folder / 'tiny.pth')
    return str(folder / 'tiny.py'), str(folder / 'tiny.pth')


@pytest.fixture(scope='session')
def segmentor(network):
    return Segmentor(*network, device='cpu')


@pytest.fixture(scope='session')
def picture():
    """A picture (64, 96, 3), RGB, smooth, as every format keeps it roughly."""
    y, x = np.mgrid[:64, :96]
    return np.stack([x * 2, y * 3, 255 - x - y], axis=2).astype(np.uint8)


@pytest.fixture
def photo(tmp_path, picture):
    path = tmp_path / 'photo.png'
    Image.fromarray(picture).save(path)
    return str(path)


@pytest.fixture
def said(monkeypatch):
    """The log lines of the room."""
    lines = []

    def print_log(message, logger, level=20):
        lines.append(message)

    for module in (
        'inference.network',
        'inference.inputs',
        'inference.segmentor',
        'inference.video',
        'evaluation.images_too_large',
    ):
        monkeypatch.setattr(f'repvgg_seg.{module}.print_log', print_log)
    return lines
